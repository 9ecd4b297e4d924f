"""Guests: who somebody without an account is, from a signed cookie."""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from shop.lib.ids import new_id
from shop.lib.owner import Owner

GUEST_COOKIE = f"{settings.COOKIE_PREFIX}guest"
GUEST_LIFETIME = timedelta(days=30)
_SALT = "shop.guest"


def guest_of(request: HttpRequest) -> Owner | None:
    """The guest the request's cookie names; None without a cookie, with a forged one and with one past its time."""
    guest_id = request.get_signed_cookie(GUEST_COOKIE, default=None, salt=_SALT, max_age=int(GUEST_LIFETIME.total_seconds()))
    return Owner(id=guest_id, is_guest=True) if guest_id else None


def new_guest(now: datetime) -> Owner:
    """A guest nobody has been before."""
    return Owner(id=new_id("guest", now), is_guest=True)


def remember_guest(response: HttpResponseBase, owner: Owner) -> None:
    """Set (or prolong) the cookie that makes the next request this guest's. Somebody signed in needs none."""
    if not owner.is_guest:
        return
    response.set_signed_cookie(
        GUEST_COOKIE,
        owner.id,
        salt=_SALT,
        max_age=int(GUEST_LIFETIME.total_seconds()),
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def forget_guest(response: HttpResponseBase) -> None:
    """Make the browser forget the guest: what was theirs belongs to somebody signed in now."""
    response.set_cookie(GUEST_COOKIE, "", max_age=0, secure=settings.COOKIE_SECURE, httponly=True, samesite="Lax")
