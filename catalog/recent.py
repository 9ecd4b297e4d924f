"""What a visitor looked at last: ids of products in a cookie of their own browser, and nowhere else.

It needs no signature, for its ids are looked up among what everybody may see, and what is no id is passed over.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from catalog.domain import MOST_RECENT

COOKIE = f"{settings.COOKIE_PREFIX}recent"
LIFETIME = timedelta(days=30)
_SEPARATOR = "."
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LONGEST_VALUE = MOST_RECENT * 65


def recent_ids(request: HttpRequest) -> tuple[str, ...]:
    """The ids in the request's cookie, last looked at first; none of a value that is longer than we write."""
    value = request.COOKIES.get(COOKIE, "")
    ids = value.split(_SEPARATOR) if len(value) <= _LONGEST_VALUE else []
    return tuple(found for found in ids if _ID.fullmatch(found))[:MOST_RECENT]


def remember_recent(response: HttpResponse, product_ids: Sequence[str]) -> None:
    """Let the browser keep these ids."""
    response.set_cookie(
        COOKIE,
        _SEPARATOR.join(product_ids),
        max_age=int(LIFETIME.total_seconds()),
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def drop_recent(response: HttpResponse) -> None:
    """Let the browser forget them."""
    response.delete_cookie(COOKIE, samesite="Lax")
