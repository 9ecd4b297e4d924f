"""Reading requests: Stripe's bracketed form encoding, and checks on what it held."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shop.local.fake_stripe.errors import ApiError, Json

# https://docs.stripe.com/api/metadata
METADATA_KEYS, METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH = 50, 40, 500
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
LEAST_AMOUNT, MOST_AMOUNT = 50, 99_999_999


def decode(encoded: str) -> Json:
    """Turn `a[b]=1&c[0][d]=2&e[]=3` into `{"a": {"b": "1"}, "c": [{"d": "2"}], "e": ["3"]}`."""
    tree: Json = {}
    try:
        pairs = parse_qsl(encoded, keep_blank_values=True, max_num_fields=5000, errors="strict")
    except ValueError as error:
        raise ApiError("The request could not be read as form parameters.") from error
    for name, value in pairs:
        _put(tree, re.findall(r"[^\[\]]+|\[\]", name) or [name], value)
    return {name: _lists(name, value) for name, value in tree.items()}


def _put(tree: Json, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        branch = tree.setdefault(_key(tree, part), {})
        if not isinstance(branch, dict):
            raise ApiError(f"Invalid parameter: {'.'.join(parts)}")
        tree = branch
    tree[_key(tree, parts[-1])] = value


def _key(tree: Json, part: str) -> str:
    return str(len(tree)) if part == "[]" else part


def _lists(name: str, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    # A metadata key may be a number; it is still a key.
    if name != "metadata" and value and all(key.isdecimal() for key in value):
        return [_lists("", value[key]) for key in sorted(value, key=int)]
    return {key: _lists(key, inner) for key, inner in value.items()}


def allow_only(params: Json, allowed: Iterable[str], *, within: str = "") -> None:
    """Refuse a parameter Stripe (or this stand-in) does not know."""
    unknown = sorted(set(params) - set(allowed) - {"expand"})
    if unknown:
        names = ", ".join(inside(within, name) for name in unknown)
        noun = "parameter" if len(unknown) == 1 else "parameters"
        raise ApiError(f"Received unknown {noun}: {names}", code="parameter_unknown", param=inside(within, unknown[0]))


def inside(outer: str, name: str) -> str:
    """`inside("a", "b")` is `a[b]`, the way Stripe names a nested parameter."""
    return f"{outer}[{name}]" if outer else name


def text(params: Json, name: str, *, within: str = "", most: int = 5000) -> str | None:
    """A text parameter; None when absent or empty."""
    value = params.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise ApiError(f"Invalid string: {inside(within, name)}", param=inside(within, name))
    if len(value) > most:
        message = f"Invalid string: must be at most {most} characters"
        raise ApiError(message, code="parameter_invalid_string", param=inside(within, name))
    return value


def needed(params: Json, name: str, *, within: str = "") -> str:
    """A text parameter that must be there."""
    value = text(params, name, within=within)
    if value is None:
        full = inside(within, name)
        raise ApiError(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return value


def integer(params: Json, name: str, *, within: str = "", least: int | None = None) -> int | None:
    """A whole number; None when absent."""
    value = text(params, name, within=within)
    if value is None:
        return None
    full = inside(within, name)
    if not re.fullmatch(r"-?[0-9]{1,15}", value):
        raise ApiError(f"Invalid integer: {value}", code="parameter_invalid_integer", param=full)
    if least is not None and int(value) < least:
        message = f"This value must be greater than or equal to {least}."
        raise ApiError(message, code="parameter_invalid_integer", param=full)
    return int(value)


def flag(params: Json, name: str) -> bool:
    """A boolean; absent is false."""
    value = text(params, name)
    if value not in (None, "true", "false"):
        raise ApiError(f"Invalid boolean: {value}", param=name)
    return value == "true"


def choice(params: Json, name: str, choices: tuple[str, ...]) -> str | None:
    """One of a few words; None when absent."""
    value = text(params, name)
    if value is not None and value not in choices:
        raise ApiError(f"Invalid {name}: must be one of {', '.join(choices)}", param=name)
    return value


def group(params: Json, name: str, *, within: str = "") -> Json:
    """A nested group of parameters; empty when absent."""
    value = params.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise ApiError(f"Invalid object: {inside(within, name)}", param=inside(within, name))
    return value


def items(params: Json, name: str, *, within: str = "") -> list[Any]:
    """A list parameter; empty when absent."""
    value = params.get(name)
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise ApiError("Invalid array", param=inside(within, name))
    return value


def amount(params: Json, name: str) -> int | None:
    """An amount to be charged, in minor units; None when absent."""
    value = integer(params, name)
    if value is not None:
        check_amount(value, param=name)
    return value


def check_amount(value: int, *, param: str) -> None:
    """Refuse what Stripe would not charge."""
    if value < LEAST_AMOUNT:
        message = f"Amount must be at least {LEAST_AMOUNT} minor units, not {value}"
        raise ApiError(message, code="amount_too_small", param=param)
    if value > MOST_AMOUNT:
        message = f"Amount must be no more than {MOST_AMOUNT} minor units, not {value}"
        raise ApiError(message, code="amount_too_large", param=param)


def currency(params: Json, *, within: str = "") -> str:
    """A three-letter currency, in small letters as Stripe answers it."""
    value = needed(params, "currency", within=within).lower()
    if not re.fullmatch(r"[a-z]{3}", value):
        raise ApiError(f"Invalid currency: {value}.", param=inside(within, "currency"))
    return value


def metadata(params: Json, *, within: str = "") -> dict[str, str]:
    """The metadata given, checked against Stripe's limits."""
    given = group(params, "metadata", within=within)
    full = inside(within, "metadata")
    if len(given) > METADATA_KEYS:
        raise ApiError(f"You can specify at most {METADATA_KEYS} metadata keys.", param=full)
    for key, value in given.items():
        if not isinstance(value, str):
            raise ApiError("Metadata values must be text.", param=full)
        if len(key) > METADATA_KEY_LENGTH or len(value) > METADATA_VALUE_LENGTH:
            message = (
                f"Metadata keys can be up to {METADATA_KEY_LENGTH} characters and values up to "
                f"{METADATA_VALUE_LENGTH}; '{key[:METADATA_KEY_LENGTH]}' is longer."
            )
            raise ApiError(message, param=full)
    return dict(given)


def url(params: Json, name: str) -> str | None:
    """A web address; None when absent."""
    value = text(params, name)
    if value is None:
        return None
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ApiError("Not a valid URL", code="url_invalid", param=name)
    return value
