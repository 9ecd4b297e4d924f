"""What a product's page is told of the visitor's own cart, and of the days a parcel would come."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from cart import services
from cart.delivery_domain import after_working_days
from cart.delivery_queries import delivery_methods
from cart.domain import Mark
from cart.queries import mark
from catalog.domain import Product
from shop.lib.owner import Owner
from tests import factories
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

HTMX = {"HX-Request": "true"}


def ask(client: Client, product_id: str) -> str:
    answer = client.get("/cart/badge/", {"product_id": product_id}, headers=HTMX)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    return answer.text


def held(owner: Owner, now: datetime, *, stock: int, quantity: int) -> Product:
    """A product, and so many pieces of it in the owner's cart."""
    mug = factories.make_product(inventory=stock)
    factories.fill_cart(owner, {mug.product_id: quantity}, now)
    return mug


@pytest.mark.parametrize(
    ("stock", "in_cart", "words"),
    [
        (5, 2, "You already have 2 in your cart; 3 more are available."),
        (3, 2, "You already have 2 in your cart; 1 more is available."),
        (5, 5, "You already have 5 in your cart; there are no more."),
        (80, 2, "You already have 2 in your cart."),
    ],
)
def test_who_has_it_in_the_cart_is_told_how_many_more_there_are(
    guest_client: Client, guest: Owner, now: datetime, stock: int, in_cart: int, words: str
) -> None:
    mug = held(guest, now, stock=stock, quantity=in_cart)

    page = ask(guest_client, mug.product_id)

    assert words in words_of(page)
    assert f'data-more="{stock - in_cart}"' in page


def test_the_bound_follows_the_stock_and_the_largest_quantity(guest: Owner, now: datetime, tables: Any) -> None:
    mug, many = held(guest, now, stock=5, quantity=4), factories.make_product(inventory=500)
    factories.fill_cart(guest, {many.product_id: 90}, now)

    assert mark(owner=guest, now=now, product_id=many.product_id) == Mark(94, in_cart=90, more=9)
    assert mark(owner=guest, now=now, product_id=factories.make_product().product_id) == Mark(94)
    factories.delete_product(mug.product_id)
    assert mark(owner=guest, now=now, product_id=mug.product_id) == Mark(94, in_cart=4, more=0)


def test_it_costs_no_call_for_who_has_no_cart_and_one_for_who_has_not_this(
    guest_client: Client, guest: Owner, now: datetime
) -> None:
    mug, other = held(guest, now, stock=5, quantity=2), factories.make_product()

    def calls_of(visitor: Client, product_id: str) -> list[str]:
        with counted_calls() as calls:
            ask(visitor, product_id)
        return calls

    assert calls_of(Client(), mug.product_id) == []
    assert calls_of(guest_client, other.product_id) == ["GetItem"]
    assert calls_of(guest_client, mug.product_id) == ["GetItem", "GetItem"]


@pytest.mark.parametrize("strange", ["", "<script>", "x" * 8000, "😀", "\x00", "' OR 1=1"])
def test_a_strange_product_is_a_plain_badge(guest_client: Client, guest: Owner, now: datetime, strange: str) -> None:
    held(guest, now, stock=5, quantity=2)

    page = ask(guest_client, strange)

    assert "2" in words_of(page)
    assert "hx-swap-oob" not in page
    assert "<script>" not in page


def test_the_shared_page_bounds_by_the_stock_and_names_no_date(client: Client) -> None:
    page = client.get(factories.make_product(inventory=7).path).text
    assert 'max="7"' in page
    assert "Arrives in 3 to 5 working days with standard delivery." in words_of(page)
    assert 'max="99"' in client.get(factories.make_product(inventory=700).path).text


def test_days_of_arrival_are_those_of_the_order(guest: Owner, guest_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    # 26 November 2026 is a Thursday: the third working day after it is a Tuesday, the fifth a Thursday.
    thursday = datetime(2026, 11, 26, 22, 30, tzinfo=UTC)
    monkeypatch.setattr("shop.context_processors.utc_now", lambda: thursday)
    mug = factories.make_product()

    page = ask(guest_client, mug.product_id)

    assert "Order today, Thu 26 Nov: arrives Tue 1 – Thu 3 Dec." in words_of(page)
    assert delivery_methods()[0].arrival(thursday) == (after_working_days(thursday, 3), after_working_days(thursday, 5))


def test_the_order_expects_the_parcel_on_the_last_of_these_days(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    assert order.estimated_delivery == delivery_methods()[0].arrival(now)[1]


@pytest.mark.parametrize(
    ("stock", "had", "asked", "words"),
    [
        (9, 0, 2, "2 × Mug added."),
        (9, 2, 2, "2 × Mug added. You have 4 in your cart."),
        (3, 0, 5, "3 × Mug added. That is all there is."),
        (5, 2, 5, "3 × Mug added. You already had 2, so you have all there is."),
        (5, 5, 1, "You already have all 5 of Mug in your cart."),
    ],
)
def test_what_was_added_is_said_in_the_same_words_with_and_without_a_script(
    guest_client: Client, guest: Owner, now: datetime, stock: int, had: int, asked: int, words: str
) -> None:
    said = []
    for headers in (HTMX, {}):
        mug = factories.make_product(name="Mug", inventory=stock)
        if had:
            services.add_to_cart(owner=guest, product_id=mug.product_id, quantity=had, now=now)
        answer = guest_client.post("/cart/add/", {"product_id": mug.product_id, "quantity": asked}, headers=headers, follow=True)
        said.append(words in words_of(answer.text))

    assert said == [True, True]
