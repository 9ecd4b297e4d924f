"""Search from anywhere: where words lead, by what they are and what the person may see."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from shop.lib.owner import Owner
from tests import factories
from tests.accounts.people import make_user
from tests.conftest import counted_calls

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


@pytest.mark.parametrize(
    ("words", "permissions", "leads_to"),
    [
        ("ada@example.com", ["orders.view", "customers.view"], "/staff/orders/?q=ada%40example.com"),
        ("ada@example.com", ["customers.view"], "/staff/customers/?q=ada%40example.com"),
        ("user-1", ["customers.view"], "/staff/customers/?q=user-1"),
        ("blue mug", ["products.view", "orders.view"], "/staff/products/?q=blue+mug"),
        ("blue mug", ["orders.view"], "/staff/orders/?q=blue+mug"),
        ("ord-doesnotexist1", ["products.view", "orders.view"], "/staff/orders/?q=ord-doesnotexist1"),
        ("ada@example.com", ["stock.edit"], "/staff/"),
        ("  ", ["orders.view"], "/staff/"),
        ("\x00\ud83e\udd21" * 2000, ["reviews.moderate"], "/staff/"),
    ],
)
def test_where_words_lead(client: Client, sign_in: SignIn, words: str, permissions: list[str], leads_to: str) -> None:
    sign_in(client, *permissions)
    answer = client.get("/staff/search/", {"q": words.encode("utf-8", "surrogatepass").decode("utf-8", "replace")})
    assert (answer.status_code, answer["Location"]) == (303, leads_to)


@pytest.mark.usefixtures("tables")
def test_a_list_leads_on_to_the_others_with_the_same_words(client: Client, sign_in: SignIn) -> None:
    lists = {"orders": "/staff/orders/", "customers": "/staff/customers/", "products": "/staff/products/"}
    sign_in(client, "orders.view", "customers.view", "products.view")
    for here, path in lists.items():
        page = client.get(path, {"q": "Holm <b>"}).text
        for there, url in lists.items():
            assert (f'<a href="{url}?q=Holm+%3Cb%3E">{there}</a>' in page) == (there != here)
        assert "<b>" not in page.partition("<main")[2].partition("Or look for")[2].partition("</p>")[0]
        assert "Or look for" not in client.get(path).text
    sign_in(client, "products.view")
    assert "Or look for" not in client.get("/staff/products/", {"q": "Holm"}).text


@pytest.mark.parametrize("shown", ["{}", "  {} ", "short"])
def test_a_number_leads_to_its_order(client: Client, sign_in: SignIn, guest: Owner, now: datetime, shown: str) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    sign_in(client, "orders.view", "products.view")
    words = order.order_id.removeprefix("ord-") if shown == "short" else shown.format(order.order_id)

    with counted_calls() as calls:
        answer = client.get("/staff/search/", {"q": words})

    assert answer["Location"] == f"/staff/orders/{order.order_id}/"
    assert calls == ["GetItem"] * 3


def test_a_sku_leads_to_its_product(client: Client, sign_in: SignIn) -> None:
    mug = factories.make_product(sku="MUG-0815")
    sign_in(client, "products.view")
    assert client.get("/staff/search/", {"q": "MUG-0815"})["Location"] == f"/staff/products/{mug.product_id}/"


def test_an_address_leads_to_its_account_for_who_may_see_customers(client: Client, sign_in: SignIn, now: datetime) -> None:
    ada = make_user(now)
    sign_in(client, "orders.view", "customers.view")
    assert client.get("/staff/search/", {"q": "ADA@example.com"})["Location"] == f"/staff/customers/{ada.user_id}/"
    sign_in(client, "orders.view")
    assert client.get("/staff/search/", {"q": "ada@example.com"})["Location"] == "/staff/orders/?q=ada%40example.com"


def test_words_that_are_no_products_are_looked_for_among_the_orders(
    client: Client, sign_in: SignIn, index: Callable[[], None]
) -> None:
    factories.make_product(name="Reed lamp")
    index()
    sign_in(client, "orders.view", "products.view")
    assert client.get("/staff/search/", {"q": "reed lamp"})["Location"] == "/staff/products/?q=reed+lamp"
    assert client.get("/staff/search/", {"q": "Grace Hopper"})["Location"] == "/staff/orders/?q=Grace+Hopper"


def test_every_staff_page_has_the_field(client: Client, sign_in: SignIn) -> None:
    sign_in(client, "orders.view")
    page = client.get("/staff/orders/").content.decode()
    assert 'action="/staff/search/"' in page
    assert 'aria-keyshortcuts="/"' in page
