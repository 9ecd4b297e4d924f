"""The cookies that say who somebody is. All are `__Host-` (but on a laptop), HttpOnly and SameSite=Lax."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from accounts.domain import BadEmail, normalised_email
from accounts.sessions import Device, SignedIn
from accounts.tokens import ACCESS_LIFETIME
from shop.lib.http import see_other
from shop.lib.source import coarse_source_of, source_of

ACCESS_COOKIE = f"{settings.COOKIE_PREFIX}access"
REFRESH_COOKIE = f"{settings.COOKIE_PREFIX}refresh"
DEVICE_COOKIE = f"{settings.COOKIE_PREFIX}device"
PENDING_COOKIE = f"{settings.COOKIE_PREFIX}pending"
_DEVICE_SALT = "shop.device"
_PENDING_SALT = "shop.pending"
DEVICE_LIFETIME = timedelta(days=365)
PENDING_LIFETIME = timedelta(minutes=5)
_MOST_ACCOUNTS = 5
"""A browser is remembered for so many accounts; a family's laptop has fewer."""


@dataclass(frozen=True, slots=True)
class Pending:
    """Somebody who has given the password and still owes the second factor."""

    user_id: str
    credentials: int
    is_long: bool


def set_tokens(response: HttpResponseBase, signed_in: SignedIn) -> None:
    """Sign the browser in: until it is closed, or for as long as the session lives."""
    is_long = signed_in.session.is_long
    set_cookie(response, ACCESS_COOKIE, signed_in.access, ACCESS_LIFETIME if is_long else None)
    set_cookie(response, REFRESH_COOKIE, signed_in.refresh, signed_in.session.lifetime if is_long else None)


def clear_tokens(response: HttpResponseBase) -> None:
    """Sign the browser out."""
    for name in (ACCESS_COOKIE, REFRESH_COOKIE):
        clear_cookie(response, name)


def signed_out(leads_to: str) -> HttpResponse:
    """Send the browser on, signed out."""
    response = see_other(leads_to)
    clear_tokens(response)
    return response


def device_of(request: HttpRequest, *, email: str) -> Device:
    """The browser, and whether it has signed in to this address's account before."""
    device_id, marks = _device(request)
    return Device(
        known_as=device_id if _mark(email) in marks else "",
        user_agent=request.headers.get("User-Agent", ""),
        source=source_of(request),
        coarse_source=coarse_source_of(request),
    )


def remember_device(request: HttpRequest, response: HttpResponseBase, *, email: str) -> None:
    """Note that this browser has signed in to this address's account."""
    device_id, marks = _device(request)
    marks = [_mark(email), *(mark for mark in marks if mark != _mark(email))][:_MOST_ACCOUNTS]
    value = signing.dumps([device_id or secrets.token_hex(8), *marks], salt=_DEVICE_SALT)
    set_cookie(response, DEVICE_COOKIE, value, DEVICE_LIFETIME)


def set_pending(response: HttpResponseBase, pending: Pending) -> None:
    """Remember for five minutes who owes the second factor."""
    value = signing.dumps([pending.user_id, pending.credentials, pending.is_long], salt=_PENDING_SALT)
    set_cookie(response, PENDING_COOKIE, value, PENDING_LIFETIME)


def pending_of(request: HttpRequest) -> Pending | None:
    """Who owes the second factor in this browser; None when nobody does, or for too long."""
    try:
        user_id, credentials, is_long = signing.loads(
            request.COOKIES.get(PENDING_COOKIE, ""), salt=_PENDING_SALT, max_age=PENDING_LIFETIME
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Pending(user_id, credentials, is_long)


def set_cookie(response: HttpResponseBase, name: str, value: str, lifetime: timedelta | None) -> None:
    """Set one of our cookies; without a lifetime it goes when the browser is closed."""
    response.set_cookie(name, value, max_age=lifetime, secure=settings.COOKIE_SECURE, httponly=True, samesite="Lax")


def clear_cookie(response: HttpResponseBase, name: str) -> None:
    """Make the browser forget a cookie; a `__Host-` cookie is only let go with its own attributes."""
    response.set_cookie(
        name, "", max_age=0, expires="Thu, 01 Jan 1970 00:00:00 GMT", secure=settings.COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def _device(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        device_id, *marks = signing.loads(request.COOKIES.get(DEVICE_COOKIE, ""), salt=_DEVICE_SALT, max_age=DEVICE_LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return "", []
    return device_id, marks


def _mark(email: str) -> str:
    try:
        email = normalised_email(email)
    except BadEmail:
        return ""
    return hashlib.sha256(email.encode()).hexdigest()[:16]
