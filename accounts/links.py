"""Secrets we hand out: made here, kept as their hash alone."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits for a link."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is kept of a secret. It is random enough for a fast hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
