"""What every template may use."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from pynamodb.exceptions import PynamoDBException

from cart.delivery_queries import delivery_methods
from catalog.domain import Category
from catalog.menu import categories, keep_categories
from shop.lib.access import viewer_of
from shop.lib.clock import utc_now
from shop.lib.deadline import OutOfTime
from shop.staff_menu import menu_of


def shop(request: HttpRequest) -> dict[str, Any]:
    """The shop's name and menu. The menu is asked for only where a template draws it."""
    return {
        "shop_name": settings.SHOP_NAME,
        "site_origin": settings.SITE_ORIGIN,
        "nav_categories": _menu,
        "standard_delivery": _standard_delivery,
        "is_local": settings.LOCAL,
        # Asked for by private pages alone: an answer to whoever was asked for must not be kept for everybody.
        "viewer": SimpleLazyObject(lambda: viewer_of(request)),
        "saved": SimpleLazyObject(lambda: _saved(request)),
        "staff_menu": SimpleLazyObject(lambda: menu_of(request)),
    }


def _saved(request: HttpRequest) -> object:
    from shop.saved import saved_of  # with it come tables of accounts, which only lists of staff want

    return saved_of(request)


def _standard_delivery() -> dict[str, Any]:
    """The delivery of who chooses none: its working days, and the days it arrives when ordered today.

    The dates are for private answers alone: a page that is kept for everybody may be read on another day than it was drawn.
    """
    now, methods = utc_now(), delivery_methods()
    if not methods:
        return {}
    method = methods[0]
    first, last = method.arrival(now)
    return {"days": method.days, "today": now, "first": first, "last": last}


def _menu() -> tuple[Category, ...]:
    try:
        return categories()
    except (PynamoDBException, OutOfTime):
        # An error page still has a header; the trouble itself is reported by what was asked for. The footer asks again.
        keep_categories((), seconds=5)
        return ()
