"""Where staff look at the thing a partition key names: what an audit entry, one of its changes or a mail is about."""

import re

from django.urls import reverse

from shop.lib.addresses import address_of
from shop.lib.viewer import Permission, Viewer

_PAGES = {
    "PRODUCT": ("catalog_staff:product", Permission.PRODUCTS_VIEW),
    "USER": ("orders_staff:customer", Permission.CUSTOMERS_VIEW),
    "ORDER": ("orders_staff:order", Permission.ORDERS_VIEW),
    "DISCOUNT": ("cart_staff:discount", Permission.DISCOUNTS_EDIT),
}
_LISTS = {
    "BOOKS": ("orders_staff:findings", Permission.ORDERS_VIEW),
    "CATEGORIES": ("catalog_staff:categories", Permission.PRODUCTS_VIEW),
}
"""What is one thing for all, without a number."""
_ID = re.compile(r"[-a-zA-Z0-9_]{1,100}")


def page_of(subject: str, viewer: Viewer) -> str:
    """The address of its staff page; empty where there is none, or none that this person may open."""
    kind, _, number = subject.partition("#")
    name, permission = _PAGES.get(kind) or _LISTS.get(subject) or ("", None)
    if permission is None or not viewer.may(permission):
        return ""
    if subject in _LISTS:
        return reverse(name)
    return address_of(name, number) if _ID.fullmatch(number) else ""
