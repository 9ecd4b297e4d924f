"""What the privacy page tells of cookies and lengths of time: read from where each is decided, so that it is true."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage

from accounts import cookies as sign_in_cookies
from accounts import limits
from accounts import services as accounts
from accounts.cognito_views import ATTEMPT_COOKIE, ATTEMPT_LIFETIME
from accounts.domain import LONG_SESSION, SHORT_SESSION
from cart.discount_domain import COUNTED_FOR
from cart.domain import LIFETIME as CART_LIFETIME
from catalog import asked, recent, searched
from catalog.domain import MOST_RECENT, WISH_LIFETIME
from orders import checkout_details
from orders.queries import LINK_LIFETIME
from orders.services import LOOKUP_LIFETIME
from shop.lib import guests, mail_log

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


def cookies() -> dict[str, Any]:
    """The names of all cookies that shopper and staff pages set, and how long those live that outlive the browser's window."""
    return {
        "guest": guests.GUEST_COOKIE,
        "guest_days": guests.GUEST_LIFETIME.days,
        "recent": recent.COOKIE,
        "recent_days": recent.LIFETIME.days,
        "recent_most": MOST_RECENT,
        "access": sign_in_cookies.ACCESS_COOKIE,
        "refresh": sign_in_cookies.REFRESH_COOKIE,
        "stay_days": LONG_SESSION.days,
        "device": sign_in_cookies.DEVICE_COOKIE,
        "device_days": sign_in_cookies.DEVICE_LIFETIME.days,
        "pending": sign_in_cookies.PENDING_COOKIE,
        "pending_minutes": sign_in_cookies.PENDING_LIFETIME // _MINUTE,
        "csrf": settings.CSRF_COOKIE_NAME,
        "csrf_days": timedelta(seconds=settings.CSRF_COOKIE_AGE).days,
        "messages": CookieStorage.cookie_name,
        "asked": asked.COOKIE,
        "asked_minutes": asked.LIFETIME // _MINUTE,
        "cognito": ATTEMPT_COOKIE if settings.COGNITO_SIGNS_IN else "",
        "cognito_minutes": ATTEMPT_LIFETIME // _MINUTE,
    }


def days() -> dict[str, int]:
    """How long things are kept, in days; what is measured in hours says so."""
    return {
        "cart": CART_LIFETIME.days,
        "typed": checkout_details.TYPED_LIFETIME.days,
        "link": LINK_LIFETIME.days,
        "code_uses": COUNTED_FOR.days,
        "lookup": LOOKUP_LIFETIME.days,
        "session": SHORT_SESSION.days,
        "long_session": LONG_SESSION.days,
        "request": accounts.REQUEST_LIFETIME.days,
        "verify_hours": accounts.VERIFY_LIFETIME // _HOUR,
        "wish": WISH_LIFETIME.days,
        "mails": mail_log.KEEP.days,
        "searches": searched.KEEP.days,
        "tries": max(limit.forgets_after for limit in limits.LIMITS.values()).days,
    }
