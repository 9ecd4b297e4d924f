"""Strict readers of environment variables: a wrong value stops the start with a sentence that names the variable."""

import os
from decimal import Decimal, InvalidOperation


class BadSetting(Exception):
    """An environment variable is missing or unreadable; the message names it and says what it may be."""


def text(name: str, default: str | None = None) -> str:
    """The variable as text. Raises BadSetting when it is unset (or empty) and has no default."""
    value = os.environ.get(name, "")
    if value:
        return value
    if default is None:
        raise BadSetting(f"Set the environment variable {name}: it has no default outside SHOP_LOCAL=true.")
    return default


def flag(name: str, *, default: bool) -> bool:
    """The variable as a yes or no: only `true` and `false` count. Raises BadSetting on anything else."""
    value = os.environ.get(name, "")
    if not value:
        return default
    if value not in ("true", "false"):
        raise BadSetting(f"{name} is {value!r}; it may be true or false.")
    return value == "true"


def integer(name: str, default: int, *, least: int = 0) -> int:
    """The variable as a whole number, at least `least`. Raises BadSetting."""
    value = os.environ.get(name, "")
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or int(value) < least:
        raise BadSetting(f"{name} is {value!r}; it may be a whole number from {least} up.")
    return int(value)


def decimal(name: str, default: str) -> Decimal:
    """The variable as an exact decimal number, not negative. Raises BadSetting."""
    value = os.environ.get(name, "") or default
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise BadSetting(f"{name} is {value!r}; it may be a decimal number such as 0.08.") from None
    if not number.is_finite() or number < 0:
        raise BadSetting(f"{name} is {value!r}; it may not be negative or infinite.")
    return number


def words(name: str, default: str = "") -> list[str]:
    """The variable as a list, split at commas; blanks are dropped."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]
