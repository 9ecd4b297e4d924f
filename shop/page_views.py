"""Pages that say who sells and on what terms. Their words are the merchant's: templates/pages/.

What the shop itself knows, such as how long it keeps something, comes from where it is decided: the pages cannot say otherwise.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import cookies, limits
from accounts import services as accounts
from accounts.cognito_views import ATTEMPT_COOKIE, ATTEMPT_LIFETIME
from accounts.domain import LONG_SESSION, SHORT_SESSION
from cart.delivery_queries import delivery_countries, delivery_table
from cart.domain import LIFETIME as CART_LIFETIME
from catalog import asked, recent, searched
from catalog.domain import MOST_RECENT
from catalog.seo import breadcrumb_data
from catalog.shared import shared_page
from orders import checkout_details
from orders.domain import HOLD_EXTENSION, KEPT
from orders.queries import LINK_LIFETIME
from orders.services import LOOKUP_LIFETIME
from shop.lib import guests, mail_log

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """What holds when somebody orders."""
    held = {"hold": KEPT // _MINUTE, "longer": HOLD_EXTENSION // _MINUTE}
    return _page(request, "terms", "Terms of sale", **held, currency=settings.CURRENCY)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept of people, where and how long."""
    return _page(request, "privacy", "Privacy", cookies=_cookies(), days=_days(), region=settings.AWS_REGION)


@require_safe
def delivery_and_returns(request: HttpRequest) -> HttpResponse:
    """The ways of sending in force, as staff's page of them has them, and how something goes back."""
    ways = {"methods": delivery_table(), "countries": delivery_countries()}
    return _page(request, "delivery_and_returns", "Delivery and returns", **ways)


@require_safe
def contact(request: HttpRequest) -> HttpResponse:
    return _page(request, "contact", "Contact")


def _page(request: HttpRequest, name: str, title: str, **facts: Any) -> HttpResponse:
    """The same bytes for everybody: shoppers read it before they have told anything."""
    path = reverse(name)
    breadcrumb = [("Home", reverse("catalog:home")), (title, "")]
    context = {
        **facts,
        "title": title,
        "path": path,
        "breadcrumb": breadcrumb,
        "breadcrumb_data": breadcrumb_data(breadcrumb, path),
        "seller": settings.INVOICE_SELLER,
        "support_email": settings.SUPPORT_EMAIL,
    }
    return shared_page(request, f"pages/{name}.html", drawn_from=context, context=lambda: context)


def _cookies() -> dict[str, Any]:
    """The names of all cookies that shopper and staff pages set, and how long those live that outlive the browser's window."""
    return {
        "guest": guests.GUEST_COOKIE,
        "guest_days": guests.GUEST_LIFETIME.days,
        "recent": recent.COOKIE,
        "recent_days": recent.LIFETIME.days,
        "recent_most": MOST_RECENT,
        "access": cookies.ACCESS_COOKIE,
        "refresh": cookies.REFRESH_COOKIE,
        "stay_days": LONG_SESSION.days,
        "device": cookies.DEVICE_COOKIE,
        "device_days": cookies.DEVICE_LIFETIME.days,
        "pending": cookies.PENDING_COOKIE,
        "pending_minutes": cookies.PENDING_LIFETIME // _MINUTE,
        "csrf": settings.CSRF_COOKIE_NAME,
        "csrf_days": timedelta(seconds=settings.CSRF_COOKIE_AGE).days,
        "messages": CookieStorage.cookie_name,
        "asked": asked.COOKIE,
        "asked_minutes": asked.LIFETIME // _MINUTE,
        "cognito": ATTEMPT_COOKIE if settings.COGNITO_SIGNS_IN else "",
        "cognito_minutes": ATTEMPT_LIFETIME // _MINUTE,
    }


def _days() -> dict[str, int]:
    """How long things are kept, in days; what is measured in hours says so."""
    return {
        "cart": CART_LIFETIME.days,
        "typed": checkout_details.TYPED_LIFETIME.days,
        "link": LINK_LIFETIME.days,
        "lookup": LOOKUP_LIFETIME.days,
        "session": SHORT_SESSION.days,
        "long_session": LONG_SESSION.days,
        "request": accounts.REQUEST_LIFETIME.days,
        "verify_hours": accounts.VERIFY_LIFETIME // _HOUR,
        "mails": mail_log.KEEP.days,
        "searches": searched.KEEP.days,
        "tries": max(limit.forgets_after for limit in limits.LIMITS.values()).days,
    }
