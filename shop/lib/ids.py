"""Ids: a prefix that names the kind, then a part that sorts by time and cannot be guessed."""

import secrets
import time
from datetime import UTC, datetime

# Crockford's base 32 in lower case: no i, l, o or u to misread. https://www.crockford.com/base32.html
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 7  # 35 bits of seconds: until the year 3058
_NANOSECOND_CHARS = 13  # 65 bits
_RECORD_CHARS = 4
_RANDOM_CHARS = 10  # 50 bits: a guess in a million a second finds one of 10,000 ids in about 3,500 years


def new_id(prefix: str, now: datetime) -> str:
    """A new id such as `ord-1sq0v3k7d9x2mw5ea`: later ids sort after earlier ones (to the second)."""
    return f"{prefix}-{_encode(int(now.timestamp()))}{''.join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))}"


def new_record_id(prefix: str) -> str:
    """A new id of what is written down under a time to the second, such as an audit entry: within a second later ones sort after.

    By this machine's clock, to the nanosecond. Only 20 bits are random, so it is not for what anybody may open who knows its id.
    """
    made_at = _encode(time.time_ns(), _NANOSECOND_CHARS)
    return f"{prefix}-{made_at}{''.join(secrets.choice(_ALPHABET) for _ in range(_RECORD_CHARS))}"


def id_bound(prefix: str, moment: datetime) -> str:
    """What sorts after every id made before this moment, and before every one made at it or later."""
    return f"{prefix}-{_encode(int(moment.timestamp()))}"


def time_of(id_: str) -> datetime | None:
    """When an id was made; None for one that is not ours."""
    part = id_.rpartition("-")[2]
    if len(part) != _TIME_CHARS + _RANDOM_CHARS or not set(part) <= set(_ALPHABET):
        return None
    seconds = 0
    for char in part[:_TIME_CHARS]:
        seconds = seconds * len(_ALPHABET) + _ALPHABET.index(char)
    return datetime.fromtimestamp(seconds, UTC)


def _encode(number: int, length: int = _TIME_CHARS) -> str:
    chars = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        chars.append(_ALPHABET[digit])
    return "".join(reversed(chars))
