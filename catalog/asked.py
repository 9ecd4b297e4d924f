"""What a visitor without JavaScript typed into "tell me when it is back": a short-lived cookie for that one page.

The product page is the same for everybody and cannot show it; the answer to a post would ask to be sent again on refresh.
"""

from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "asked"
LIFETIME = timedelta(minutes=10)
_SALT = "shop.asked"
_LONGEST = 300


def typed_email(request: HttpRequest) -> str | None:
    """What was typed last, right or wrong; None when nothing was within ten minutes, or the cookie is not ours."""
    try:
        return str(signing.loads(request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME))
    except signing.BadSignature:
        return None


def remember_typed(response: HttpResponse, email: str, *, path: str) -> None:
    """Let the browser keep what was typed and send it to the page at `path`."""
    response.set_cookie(
        COOKIE,
        signing.dumps(email[:_LONGEST], salt=_SALT),
        max_age=int(LIFETIME.total_seconds()),
        path=path,
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
