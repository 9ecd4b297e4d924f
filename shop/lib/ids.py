"""Ids: a prefix that names the kind, then a part that sorts by time and cannot be guessed."""

import secrets
from datetime import datetime

# Crockford's base 32 in lower case: no i, l, o or u to misread. https://www.crockford.com/base32.html
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_CHARS = 7  # 35 bits of seconds: until the year 3058
_RANDOM_CHARS = 10  # 50 bits: a guess in a million a second finds one of 10,000 ids in about 3,500 years


def new_id(prefix: str, now: datetime) -> str:
    """A new id such as `ord-1sq0v3k7d9x2mw5ea`: later ids sort after earlier ones (to the second)."""
    return f"{prefix}-{_encode(int(now.timestamp()))}{''.join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARS))}"


def _encode(number: int) -> str:
    chars = []
    for _ in range(_TIME_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        chars.append(_ALPHABET[digit])
    return "".join(reversed(chars))
