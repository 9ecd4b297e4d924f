"""Strict readers of environment variables: a wrong value stops the start with a sentence that names the variable."""

import base64
import json
import os
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from shop.lib.viewer import Permission

T = TypeVar("T")


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


def decimal(name: str, default: str, *, most: int | None = None) -> Decimal:
    """The variable as an exact decimal number, not negative and not above `most`. Raises BadSetting."""
    value = os.environ.get(name, "") or default
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise BadSetting(f"{name} is {value!r}; it may be a decimal number such as 0.08.") from None
    if not number.is_finite() or number < 0:
        raise BadSetting(f"{name} is {value!r}; it may not be negative or infinite.")
    if most is not None and number > most:
        raise BadSetting(f"{name} is {value!r}; it may be at most {most}.")
    return number


def table(name: str, parse: Callable[[Any], T], default: Any) -> T:
    """The variable as JSON text, made into rules by `parse`, which says with ValueError what is wrong. Raises BadSetting."""
    value = os.environ.get(name, "")
    try:
        return parse(json.loads(value, parse_float=Decimal, parse_constant=Decimal) if value else default)
    except json.JSONDecodeError as error:
        raise BadSetting(f"{name} is no JSON text: {error.msg} (line {error.lineno}, column {error.colno}).") from None
    except ValueError as error:
        raise BadSetting(f"{name}: {error}.") from None


def words(name: str, default: str = "") -> list[str]:
    """The variable as a list, split at commas; blanks are dropped, and an empty one counts as unset."""
    return [word.strip() for word in (os.environ.get(name, "") or default).split(",") if word.strip()]


_KEY_BYTES = 32
_KEY_VARIETY = 12


def keys(name: str, default: str | None = None) -> dict[str, bytes]:
    """The variable as named secret keys, `name:key,name:key`, each key base64url of 32 random bytes or more. Raises BadSetting.

    A message never repeats a key.
    """
    found: dict[str, bytes] = {}
    for entry in text(name, default).split(","):
        key_name, colon, encoded = entry.strip().partition(":")
        if not (key_name and colon):
            raise BadSetting(f"{name} has an entry that is not of the form name:key.")
        if key_name in found:
            raise BadSetting(f"{name} names the key {key_name!r} twice.")
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        except ValueError:
            raise BadSetting(
                f"{name}: the key {key_name!r} is not base64url; `SHOP_LOCAL=true manage.py newjwtkey` makes a good one."
            ) from None
        if len(key) < _KEY_BYTES or len(set(key)) < _KEY_VARIETY:
            raise BadSetting(f"{name}: the key {key_name!r} is too weak; `SHOP_LOCAL=true manage.py newjwtkey` makes a good one.")
        found[key_name] = key
    return found


def grants(name: str, default: str = "", *, all_of_them: str = "") -> dict[str, frozenset[Permission]]:
    """The variable as permissions by identity, `identity=permission permission,identity=permission`. Raises BadSetting.

    With `all_of_them` this word stands for every permission there is.
    """
    known = {permission.value for permission in Permission}
    found: dict[str, frozenset[Permission]] = {}
    for entry in words(name, default):
        identity, equals, granted = entry.rpartition("=")
        if all_of_them and granted.strip() == all_of_them:
            granted = " ".join(Permission)
        unknown = [word for word in granted.split() if word not in known]
        if not (identity and equals and granted.split()) or unknown:
            raise BadSetting(
                f"{name} has the entry {entry!r}; an entry is a name, an equals sign and permissions such as stock.edit."
            )
        found[identity.strip()] = frozenset(map(Permission, granted.split()))
    return found
