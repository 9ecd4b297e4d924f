"""Every staff address x everybody: a page that is not in this table fails, and so does one that lets the wrong people in.

A new page needs one line in MATRIX: the name of its address, the methods it answers, the permission it asks for (None: any).
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.urls.converters import IntConverter

from shop.lib.access import Permission
from shop.staff_menu import MENU

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]

READ, WRITE, BOTH = ("GET",), ("POST",), ("GET", "POST")

MATRIX: dict[str, tuple[tuple[str, ...], Permission | None]] = {
    "staff:home": (READ, None),
    "accounts_staff:customers": (READ, Permission.CUSTOMERS_VIEW),
    "accounts_staff:customer": (READ, Permission.CUSTOMERS_VIEW),
    "accounts_staff:customer_status": (BOTH, Permission.CUSTOMERS_EDIT),
    "accounts_staff:sign_out": (WRITE, Permission.CUSTOMERS_EDIT),
    "accounts_staff:reset": (WRITE, Permission.CUSTOMERS_EDIT),
    "accounts_staff:team": (READ, Permission.STAFF_MANAGE),
    "accounts_staff:invite": (BOTH, Permission.STAFF_MANAGE),
    "accounts_staff:member": (BOTH, Permission.STAFF_MANAGE),
    "accounts_staff:member_status": (BOTH, Permission.STAFF_MANAGE),
    "accounts_staff:invite_again": (WRITE, Permission.STAFF_MANAGE),
    "catalog_staff:reviews": (READ, Permission.REVIEWS_MODERATE),
    "catalog_staff:decide_review": (WRITE, Permission.REVIEWS_MODERATE),
    "orders_staff:orders": (READ, Permission.ORDERS_VIEW),
    "orders_staff:export": (READ, Permission.ORDERS_VIEW),
    "orders_staff:order": (READ, Permission.ORDERS_VIEW),
    "orders_staff:invoice": (READ, Permission.ORDERS_VIEW),
    "orders_staff:credit_note": (READ, Permission.ORDERS_VIEW),
    "orders_staff:packing_slip": (READ, Permission.ORDERS_VIEW),
    "orders_staff:note": (WRITE, Permission.ORDERS_VIEW),
    "orders_staff:ship": (BOTH, Permission.ORDERS_SHIP),
    "orders_staff:deliver": (WRITE, Permission.ORDERS_SHIP),
    "orders_staff:cancel": (BOTH, Permission.ORDERS_REFUND),
    "orders_staff:refund": (BOTH, Permission.ORDERS_REFUND),
    "orders_staff:end_review": (WRITE, Permission.ORDERS_REFUND),
}


def _addresses() -> dict[str, str]:
    """The name of every staff address, with the address about things that are not there."""
    return dict(_walk(get_resolver().url_patterns, route="", namespace=""))


def _walk(patterns: list[URLPattern | URLResolver], *, route: str, namespace: str) -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route=here, namespace=pattern.namespace or namespace)
        elif here.startswith("staff/"):
            converters: dict[str, Any] = pattern.pattern.converters
            known = {name: 1 if isinstance(one, IntConverter) else "none-1" for name, one in converters.items()}
            yield f"{namespace}:{pattern.name}", reverse(f"{namespace}:{pattern.name}", kwargs=known)


def _refusal(client: Client, method: str, url: str) -> int | None:
    """401 for who is sent to log in, 403 for who may not; None for who may."""
    answer = client.generic(method, url)
    if answer.status_code == 303 and answer["Location"].startswith("/accounts/login/"):
        return 401
    return 403 if answer.status_code == 403 else None


def test_every_staff_address_is_in_the_table_and_every_line_of_it_is_an_address() -> None:
    assert sorted(_addresses()) == sorted(MATRIX)


@pytest.mark.parametrize("name", MATRIX)
def test_who_may(client: Client, sign_in: SignIn, name: str) -> None:
    methods, permission = MATRIX[name]
    url = _addresses()[name]
    others = [str(one) for one in Permission if one is not permission] if permission else []
    people: dict[str, tuple[Client, int | None]] = {
        who: (Client(), refusal)
        for who, refusal in {"guest": 401, "shopper": 403, "without": 403, "with": None, "admin": None}.items()
        if who != "without" or permission
    }
    sign_in(people["shopper"][0])
    if permission:
        sign_in(people["without"][0], *others)
    sign_in(people["with"][0], str(permission or Permission.ORDERS_SHIP))
    sign_in(people["admin"][0], role="admin")

    for who, (browser, expected) in people.items():
        for method in methods:
            assert _refusal(browser, method, url) == expected, f"{who}: {method} {url}"
    for method in {"GET", "POST", "PUT", "DELETE"} - set(methods):
        assert people["admin"][0].generic(method, url).status_code == 405, f"{method} {url}"


def test_the_menu_asks_for_what_the_pages_ask_for() -> None:
    assert {name: permission for _, name, permission in MENU} == {name: MATRIX[name][1] for _, name, _ in MENU}
