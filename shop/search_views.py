"""Search from anywhere in the staff pages: what was typed decides which list answers."""

import re
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from catalog import index_queries, staff_queries
from catalog.search.engine import IndexMissing
from orders import desk_queries
from shop.lib.access import Permission, Viewer, confirmed_viewer_of, require_staff
from shop.lib.http import see_other

_LONGEST = 200
_ORDER_NUMBER = re.compile(r"ord-\w+", re.IGNORECASE | re.ASCII)
_SHORT_NUMBER = re.compile(r"(?=\w*\d)\w{8,40}", re.IGNORECASE | re.ASCII)
"""An order's number without its `ord-`."""

_ASKS_FOR = {
    "accounts_staff:customers": Permission.CUSTOMERS_VIEW,
    "catalog_staff:products": Permission.PRODUCTS_VIEW,
    "orders_staff:orders": Permission.ORDERS_VIEW,
}


@require_safe
@require_staff()
def search(request: HttpRequest) -> HttpResponse:
    """Lead on to the order, customer or product that was meant, or to the list that looks for it."""
    words = request.GET.get("q", "").strip()[:_LONGEST]
    viewer = confirmed_viewer_of(request)
    url = _place_of(words, viewer) if words else ""
    if not url:
        messages.info(request, "Type an order number, an e-mail address, a SKU or words of a product's name to search for it.")
        url = reverse("staff:home")
    return see_other(url)


def _place_of(words: str, viewer: Viewer) -> str:
    """Where to look for these words: a few reads by key at the most. Empty when nothing the viewer may see fits."""
    if thing := _thing(words, viewer):
        return thing
    if words.startswith("user-"):
        lists: tuple[str, ...] = ("accounts_staff:customers",)
    elif "@" in words:
        lists = ("orders_staff:orders", "accounts_staff:customers")
    elif _ORDER_NUMBER.fullmatch(words) or _is_no_products(words):
        lists = ("orders_staff:orders", "catalog_staff:products")
    else:
        lists = ("catalog_staff:products", "orders_staff:orders")
    return next((f"{reverse(name)}?{urlencode({'q': words})}" for name in lists if viewer.may(_ASKS_FOR[name])), "")


def _thing(words: str, viewer: Viewer) -> str:
    """The very customer, product or order these words are the address or number of."""
    if "@" in words:
        user_id = _account_of(words) if viewer.may(Permission.CUSTOMERS_VIEW) else ""
        return reverse("orders_staff:customer", args=[user_id]) if user_id else ""
    if viewer.may(Permission.PRODUCTS_VIEW) and (product_id := staff_queries.product_of_sku(sku=words)):
        return reverse("catalog_staff:product", args=[product_id])
    is_number = _ORDER_NUMBER.fullmatch(words) or _SHORT_NUMBER.fullmatch(words)
    if viewer.may(Permission.ORDERS_VIEW) and is_number and (order := desk_queries.order_with_number(words)):
        return reverse("orders_staff:order", args=[order.order_id])
    return ""


def _account_of(email: str) -> str:
    try:
        return accounts.user_by_email(email=email).user_id
    except accounts.UserNotFound:
        return ""


def _is_no_products(words: str) -> bool:
    """Whether no product on sale is found by these words: then they may be somebody's name. Asks the index, not the tables."""
    try:
        return not index_queries.finds_anything(text=words)
    except IndexMissing:
        return False
