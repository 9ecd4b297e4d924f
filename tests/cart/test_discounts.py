"""Discount codes: who counts as one customer, and what is lost to somebody quicker."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client
from pytest_django import Settings

from cart import discount_queries, discounts, services
from cart.delivery_domain import tariffs_from
from cart.discount_domain import Discount, DiscountKind
from cart.discount_queries import customers_of
from cart.queries import kept_cart
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from tests import factories
from tests.conftest import items_of, words_of
from tests.rivals import run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
PAGE = "/staff/discounts/SPRING10/"
STAFF = Viewer("user-eve", "Eve", "eve@shop.example", "staff")
FORM = {"code": "SPRING10", "kind": "percent", "percent": "20", "is_active": "on", "version": "1"}


@pytest.fixture
def made(now: datetime) -> Discount:
    spring = Discount("SPRING10", DiscountKind.PERCENT, percent=Decimal(10))
    return discounts.create_discount(discount=spring, actor=STAFF, now=now)


@pytest.fixture
def desk(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "discounts.edit")
    return client


def trail() -> list[str]:
    return [entry.action for entry in discount_queries.entries_about(code="SPRING10").items]


# --- One customer -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("ada@example.com", "ADA@Example.com", True),
        ("ada@example.com", "ada+second@example.com", True),
        ("a.d.a@gmail.com", "ada@googlemail.com", True),
        ("a.d.a+x@GMAIL.com", "ada@gmail.com", True),
        ("a.da@example.com", "ada@example.com", False),
        ("+x@example.com", "+y@example.com", False),
        ("...@gmail.com", "..@gmail.com", False),
        ("no address", " No Address ", True),
        ("no address", "another", False),
    ],
)
def test_spellings_of_one_mailbox_are_one_customer(guest: Owner, one: str, other: str, is_same: bool) -> None:
    first, second = (customers_of(owner=guest, email=email) for email in (one, other))

    assert (len(first), first == second) == (1, is_same)
    assert one not in str(first)


# --- Two at once ------------------------------------------------------------------------------------------------------


def test_terms_changed_at_this_moment_are_not_written_over(desk: Client, made: Discount, now: datetime) -> None:
    theirs = replace(made, is_active=False, starts_at=datetime(2027, 3, 1, 8, 30, tzinfo=UTC), percent=Decimal(15))

    with run_before("TransactWriteItems", lambda: discounts.update_discount(discount=theirs, actor=STAFF, now=now)):
        page = desk.post(PAGE, FORM)

    assert page.status_code == 409
    assert discount_queries.discount(code="SPRING10") == replace(theirs, version=2)
    assert re.findall(r'<td data-label="[^"]+">([^<]*)</td>', page.text) == [
        *("Percentage", "15", "20"),
        *("Holds from", "2027-03-01 08:30 UTC", "none"),
        *("Holds", "no", "yes"),
    ]
    assert trail() == ["changed the code", "made the code"]


def test_a_code_deleted_at_this_moment_stays_deleted(desk: Client, made: Discount, now: datetime) -> None:
    def delete() -> None:
        discounts.remove_discount(code="SPRING10", version=1, actor=STAFF, now=now)

    with run_around(discounts, "update_discount", delete, when="before"):
        assert desk.post(PAGE, FORM).status_code == 404

    assert [item for item in items_of("Carts") if item["PK"]["S"] == "DISCOUNTS"] == []
    assert trail() == ["deleted the code", "made the code"]


def test_a_code_changed_at_this_moment_is_not_deleted(desk: Client, made: Discount, now: datetime) -> None:
    theirs = replace(made, percent=Decimal(15))

    with run_before("TransactWriteItems", lambda: discounts.update_discount(discount=theirs, actor=STAFF, now=now)):
        answer = desk.post(f"{PAGE}delete/", {"version": "1"}, follow=True)

    assert "Somebody else changed this code meanwhile" in words_of(answer.text)
    assert discount_queries.discount(code="SPRING10") == replace(theirs, version=2)
    assert trail() == ["changed the code", "made the code"]


# --- In the cart ------------------------------------------------------------------------------------------------------


def test_a_code_for_free_delivery_is_refused_where_delivery_is_free_already(
    guest: Owner, now: datetime, settings: Settings
) -> None:
    rates = [{"price": "9.99"}, {"price": "0", "from": "50"}]
    settings.DELIVERY_METHODS = tariffs_from(
        [{"code": "standard", "name": "Standard", "days": [3, 5], "rates": rates}], currency="USD"
    )
    shipped = Discount("SHIPPED", DiscountKind.FREE_DELIVERY)
    discounts.create_discount(discount=shipped, actor=STAFF, now=now)
    lamp = factories.make_product(price=Money(5000, "USD"))
    services.add_to_cart(owner=guest, product_id=lamp.product_id, quantity=1, now=now)
    before = kept_cart(owner=guest, now=now)

    with pytest.raises(services.CodeRefused) as refused:
        services.enter_code(owner=guest, typed="shipped", now=now)

    assert str(refused.value) == "Delivery is free already: SHIPPED takes nothing off."
    assert kept_cart(owner=guest, now=now) == before


def test_an_empty_cart_takes_no_code(guest_client: Client, guest: Owner, made: Discount, now: datetime) -> None:
    mug = factories.make_product()
    services.add_to_cart(owner=guest, product_id=mug.product_id, quantity=1, now=now)
    services.remove_line(owner=guest, product_id=mug.product_id, now=now)
    before = items_of("Carts")

    page = guest_client.post("/cart/code/", {"code": "SPRING10"}, follow=True)

    assert "Please put something in your cart first." in words_of(page.text)
    assert items_of("Carts") == before
