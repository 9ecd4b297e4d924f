"""Where staff look at the thing a partition key names: what an audit entry is about, or one of its changes."""

import re

from django.urls import reverse

from shop.lib.addresses import address_of

_PAGES = {
    "PRODUCT": "catalog_staff:product",
    "USER": "orders_staff:customer",
    "ORDER": "orders_staff:order",
    "DISCOUNT": "cart_staff:discount",
}
_LISTS = {"BOOKS": "orders_staff:findings", "CATEGORIES": "catalog_staff:categories"}
"""What is one thing for all, without a number."""
_ID = re.compile(r"[-a-zA-Z0-9_]{1,100}")


def page_of(subject: str) -> str:
    """The address of its staff page; empty for what has none."""
    kind, _, number = subject.partition("#")
    if subject in _LISTS:
        return reverse(_LISTS[subject])
    return address_of(_PAGES[kind], number) if kind in _PAGES and _ID.fullmatch(number) else ""
