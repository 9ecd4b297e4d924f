"""`manage.py newjwtkey`: make a key for JWT_KEYS."""

import base64
import secrets
from typing import Any

from django.core.management.base import BaseCommand

from accounts.domain import LONG_SESSION
from shop.lib.clock import utc_now

_BYTES = 32


class Command(BaseCommand):
    help = "Print a new random key for the signed cookies and API tokens, in the form JWT_KEYS wants, and how to put it in."

    def handle(self, *_: Any, **__: Any) -> None:
        key = base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).decode().rstrip("=")
        self.stdout.write(f"{utc_now():%Y%m%d%H%M%S}:{key}")
        self.stderr.write(
            "Put it in front of JWT_KEYS, before the key so far and a comma: the first key signs, all verify.\n"
            f"After {LONG_SESSION.days} days nothing is signed with the old key any more, and it can go.\n"
            "To sign everybody out at once, leave the old key out now."
        )
