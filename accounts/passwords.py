"""Passwords to hashes and back: bcrypt, in the specification's `$2b$` form.

bcrypt takes 72 bytes and no NUL. What is longer, or has one, goes in as the base64 of its HMAC-SHA256 (44 bytes): nothing is
cut off, and as the password alone decides which way it goes, the stored form needs no mark and other systems' hashes verify.
The HMAC's fixed key keeps a plain SHA-256 that leaked elsewhere from being tried here.
"""

import base64
import hmac
import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

import bcrypt
from django.conf import settings
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from django.contrib.auth.password_validation import CommonPasswordValidator

_BCRYPT_BYTES = 72
_PRE_HASH_KEY = b"shop.password.v1"
# `$2b$`, the cost, 22 characters of salt and 31 of hash; `$2a$` and `$2y$` are the same algorithm by other libraries.
# A cost above 16 would hold a function up for many seconds: nobody made it in earnest.
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")


def hashed(password: str) -> str:
    """The hash to keep, at the cost the settings name."""
    return bcrypt.hashpw(_material(password), bcrypt.gensalt(settings.PASSWORD_COST)).decode()


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password. Takes the same time for a right and a wrong one, an older hash, and nobody's (None)."""
    material = _material(password)
    found = _HASH.fullmatch(kept or "")
    if kept is None or found is None:
        _spend(material, settings.PASSWORD_COST)
        return False
    if bcrypt.checkpw(material, kept.encode()):
        return True
    # A cheaper hash answers sooner and would tell that the account exists: 2^c + 2^c + 2^(c+1) + … = 2^cost.
    for cost in range(int(found[1]), settings.PASSWORD_COST):
        _spend(material, cost)
    return False


def is_outdated(kept: str) -> bool:
    """Whether the hash should be made anew, now that the password is known: it is of another cost or an older form."""
    return not kept.startswith(f"$2b${settings.PASSWORD_COST:02d}$")


def is_common(password: str) -> bool:
    """Whether it is among the 20,000 everybody tries first."""
    try:
        _common_passwords().validate(password)
    except ValidationError:
        return True
    return False


def _material(password: str) -> bytes:
    plain = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    if len(plain) <= _BCRYPT_BYTES and b"\0" not in plain:
        return plain
    return base64.b64encode(hmac.digest(_PRE_HASH_KEY, plain, "sha256"))


def _spend(material: bytes, cost: int) -> None:
    bcrypt.checkpw(material, f"$2b${cost:02d}${'.' * 21}u{'.' * 31}".encode())


@cache
def _common_passwords() -> "CommonPasswordValidator":
    """Django's list, read when first needed."""
    from django.contrib.auth.password_validation import CommonPasswordValidator  # pulls in much that pages do not need

    return CommonPasswordValidator()
