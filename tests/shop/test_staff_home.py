"""The staff pages' own door: who may in, and a menu of what they may open."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from shop import staff_menu
from shop.lib.access import Permission

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


def test_a_guest_is_sent_to_log_in_and_comes_back(client: Client) -> None:
    answer = client.get("/staff/")
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Fstaff%2F")


def test_a_shopper_is_refused(client: Client, sign_in: SignIn) -> None:
    sign_in(client)
    assert client.get("/staff/").status_code == 403


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/staff/", "Home"),
        ("/staff/products/new/", "Products"),
        ("/staff/transfers/", "Products"),
        ("/staff/stock/paste/", "Stock"),
    ],
)
def test_the_menu_marks_the_entry_a_page_belongs_to(client: Client, sign_in: SignIn, path: str, entry: str) -> None:
    sign_in(client, role="admin")

    menu = client.get(path).text.partition('id="staff-menu"')[2].partition("</nav>")[0]
    assert re.findall(r'aria-current="page">([^<]+)<', menu) == [entry]


def test_the_menu_shows_only_what_the_person_may_open(client: Client, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    menu = (
        ("Home", "staff:home", None),
        ("Baskets", "cart:cart", Permission.ORDERS_VIEW),
        ("List", "catalog:list", Permission.AUDIT_VIEW),
    )
    monkeypatch.setattr(staff_menu, "MENU", menu)
    sign_in(client, "orders.view")

    page = client.get("/staff/").content.decode()
    assert '<a href="/staff/" aria-current="page">Home</a>' in page
    assert '<a href="/cart/">Baskets</a>' in page
    assert ">List</a>" not in page
