"""Pages that say who sells and on what terms. Their words are the merchant's: templates/pages/.

What the shop itself knows, such as how long it keeps something, comes from where it is decided: the pages cannot say otherwise.
"""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from cart.delivery_queries import delivery_countries, delivery_table
from catalog.seo import breadcrumb_data
from catalog.shared import shared_page
from orders.domain import HOLD_EXTENSION, KEPT

_MINUTE = timedelta(minutes=1)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """What holds when somebody orders."""
    held = {"hold": KEPT // _MINUTE, "longer": HOLD_EXTENSION // _MINUTE}
    return _page(request, "terms", "Terms of sale", **held, currency=settings.CURRENCY)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept of people, where and how long."""
    from shop.privacy import cookies, days  # with it comes half the shop, which no other of these pages wants

    return _page(request, "privacy", "Privacy", cookies=cookies(), days=days(), region=settings.AWS_REGION)


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
