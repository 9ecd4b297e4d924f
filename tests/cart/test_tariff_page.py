"""The staff page of delivery and tax: the tables in force in words, and an example that costs what a cart would."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from cart import discounts
from cart.delivery_domain import tariffs_from
from cart.discount_domain import Discount, DiscountKind
from cart.domain import Buyer
from cart.queries import open_cart
from cart.tax_domain import tax_rules_from
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from tests import factories
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
URL = "/staff/delivery-and-tax/"


@pytest.fixture
def desk(client: Client, sign_in: SignIn, settings: Settings) -> Client:
    sign_in(client, "orders.view")
    settings.DELIVERY_METHODS = tariffs_from(
        [
            {
                "code": "standard",
                "name": "Parcel",
                "days": [3, 5],
                "rates": [
                    {"price": "9.99", "up_to_grams": 20000},
                    {"price": "0", "from": "150", "up_to_grams": 20000},
                    {"countries": ["DE", "AT"], "price": "19.99", "days": [7, 14]},
                ],
            },
            {"code": "courier", "name": "Courier", "days": [0, 1], "rates": [{"countries": ["US"], "price": "24.99"}]},
        ],
        currency="USD",
    )
    settings.TAX_RULES = tax_rules_from(
        [
            {"rate": "0.08"},
            {
                "countries": ["US"],
                "regions": ["NY", "New York"],
                "rate": "0.08875",
                "classes": {"food": "0"},
                "delivery": "0.08875",
            },
            {"countries": ["DE"], "rate": "0.19", "classes": {"books": "0.07"}, "included": True, "delivery": "0.19"},
        ]
    )
    return client


def rows(page: str) -> list[list[str]]:
    return [
        [words_of(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    ]


def test_the_tables_in_force_stand_there_with_the_settings_that_make_them(desk: Client) -> None:
    with counted_calls() as calls:
        page = desk.get(URL).text.replace("\N{NO-BREAK SPACE}", " ")

    assert calls == []
    assert [row for row in rows(page) if row] == [
        ["Everywhere else", "any value", "20 kg", "3–5", "$9.99"],
        ["Everywhere else", "$150.00", "20 kg", "3–5", "free"],
        ["Austria, Germany", "any value", "any weight", "7–14", "$19.99"],
        ["United States", "any value", "any weight", "0–1", "$24.99"],
        ["Everywhere else", "all", "8 %", "none", "0 %", "tax is added"],
        ["United States", "NY, New York", "8.875 %", "food 0 %", "8.875 %", "tax is added"],
        ["Germany", "all", "19 %", "books 7 %", "19 %", "contain the tax"],
    ]
    for setting in ("DELIVERY_METHODS", "DELIVERY_STANDARD", "TAX_RULES", "TAX_RATE"):
        assert f"<code>{setting}</code>" in page


def test_an_example_costs_what_a_cart_costs_and_writes_nothing(desk: Client, guest: Owner, now: datetime) -> None:
    discounts.create_discount(
        discount=Discount("SPRING10", DiscountKind.PERCENT, percent=Decimal(10)),
        actor=Viewer("user-eve", "Eve", "eve@shop.example", "staff"),
        now=now,
    )
    lamp = factories.make_product(price=Money(3350, "USD"), sku="LAMP", attributes={"weight": "1.5 kg"})
    jam = factories.make_product(price=Money(670, "USD"), sku="JAM", tax_class="food")
    asked = {"sku_1": "LAMP", "pieces_1": "2", "sku_2": "JAM", "sku_3": "NONE", "country": "US", "region": "ny"}
    asked |= {"delivery": "courier", "code": "spring10"}
    before = items_of("Carts")

    with counted_calls() as calls:
        page = desk.get(URL, asked).text
    costs = dict(re.findall(r"<dt>([^<]*?) ?(?:<span.*?</span>)?</dt><dd>([^<]*)</dd>", page.partition('id="costs"')[2]))

    assert calls == ["BatchGetItem", "BatchGetItem", "BatchGetItem", "BatchGetItem"]
    assert items_of("Carts") == before
    assert costs == {
        f"2 × {lamp.name}": "$67.00",
        f"1 × {jam.name}": "$6.70",
        "Subtotal": "$73.70",
        "SPRING10": "−$7.37",
        "Courier": "$24.99",
        "Tax": "$7.57",  # 8.875 % of 60.30, and of 24.99: 5.35 + 2.22
        "Total": "$98.89",
    }
    assert "No product has the SKU NONE." in words_of(page)
    factories.fill_cart(guest, {lamp.product_id: 2, jam.product_id: 1}, now)
    cart = open_cart(owner=guest, now=now, buyer=Buyer("US", "ny", "courier"))
    bare = desk.get(URL, asked | {"code": ""}).text
    assert f"<dd>{cart.totals.total}</dd>" in bare
    assert cart.totals.total == Money(10686, "USD")  # 73.70, 24.99, 5.95 and 2.22


def test_what_cannot_be_sent_or_bought_is_told(desk: Client) -> None:
    factories.make_product(sku="ANVIL", attributes={"weight": "30 kg"})
    factories.make_product(sku="CRATE", weight=30_000, attributes={"weight": "3 kg"})
    factories.make_product(sku="GONE", inventory=0)
    heavy = words_of(desk.get(URL, {"sku_1": "ANVIL", "country": "FR"}).text)
    assert "No way of sending takes these goods there" in heavy
    assert "Courier: Does not go to France." in heavy
    packed = words_of(desk.get(URL, {"sku_1": "CRATE", "country": "FR"}).text)
    assert "Parcel: Takes up to 20 kg; this order weighs 30 kg." in packed
    assert "The way asked for does not fit" in words_of(
        desk.get(URL, {"sku_1": "ANVIL", "country": "DE", "delivery": "courier"}).text
    )
    assert "There is nothing to price" in words_of(desk.get(URL, {"sku_1": "GONE", "country": "US"}).text)
    assert desk.get(URL, {"country": "XX", "pieces_1": "many"}).status_code == 200
