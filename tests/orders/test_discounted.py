"""Discount codes from the cart to the refund: what they take off, who may, how often, and that nobody is charged otherwise."""

import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from cart import discount_queries, discounts
from cart import services as cart_services
from cart.discount_domain import AppliedDiscount, BadDiscount, Discount, DiscountKind
from cart.queries import open_cart
from cart.tax_domain import tax_rules_from
from orders import jobs, mails, queries, services
from orders.domain import HOLD, Order, OrderStatus
from orders.ledger_domain import worth_of
from shop.lib.clock import utc_now
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of, words_of
from tests.orders.test_races import at_once
from tests.orders.walk import fields_of, walk_to_review

pytestmark = pytest.mark.usefixtures("tables")

STAFF = Viewer("user-eve", "Eve", "eve@example.com", "staff", frozenset(), "ses-eve")
BUYERS = 50
NEW_YEAR = datetime.fromisoformat("2026-01-01T00:00Z")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def make_discount(now: datetime, **terms: Any) -> Discount:
    """SPRING10: ten percent, but for the terms given."""
    made = replace(Discount("SPRING10", DiscountKind.PERCENT, percent=Decimal(10)), **terms)
    return discounts.create_discount(discount=made, actor=STAFF, now=now)


def uses(code: str = "SPRING10") -> int:
    return discount_queries.discount(code=code).uses


def uses_by(customers: tuple[str, ...], now: datetime | None = None) -> int:
    found = discount_queries.discount_for(code="SPRING10", customers=customers, now=now or utc_now(), consistent=True)
    assert found is not None
    return found.uses_by_customer


def ready(owner: Owner, lines: dict[str, int], now: datetime, email: str = "ada@example.com") -> dict[str, Any]:
    """A buyer on the review page with the code in the cart."""
    for product_id, quantity in lines.items():
        cart_services.add_to_cart(owner=owner, product_id=product_id, quantity=quantity, now=now)
    cart_services.enter_code(owner=owner, typed=" spring10 ", now=now)
    return factories.ready_to_order(owner, {}, now, details=replace(factories.DETAILS, email=email))


def test_a_discounted_order_is_paid_to_the_cent_and_counts_one_use(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    make_discount(now)
    chair, mug = factories.make_product(price=usd(19999)), factories.make_product(price=usd(1299))

    order = services.place_order(**ready(guest, {chair.product_id: 2, mug.product_id: 3}, now))

    assert order.discount == AppliedDiscount("SPRING10", "10 % off", usd(4390), usd(0))
    assert (order.subtotal, order.tax, order.shipping, order.total) == (usd(43895), usd(3160), usd(999), usd(43664))
    assert queries.order_by_id(order_id=order.order_id) == order
    assert uses() == 1
    order = factories.open_payment(order)
    session = stripe.state.tables["sessions"][order.payment.session_id]
    assert (session["amount_total"], session["total_details"]["amount_discount"]) == (43664, 4390)
    assert [coupon["name"] for coupon in stripe.state.tables["coupons"].values()] == ["SPRING10"]
    assert stripe.pay(order.payment.session_id) == "paid"
    settled = services.settle(session_id=order.payment.session_id, now=now)
    assert settled.status is OrderStatus.PROCESSING
    assert services.issue_invoice(order=settled, now=now).discount == order.discount
    mails.confirmation(settled).send()
    assert "SPRING10            -$43.90 (10 % off)\n" in mail.outbox[0].body


def test_refunds_of_a_discounted_order_in_any_steps_give_back_what_was_paid(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    make_discount(now, kind=DiscountKind.AMOUNT, percent=None, amount=usd(1001))
    lamp, mug = factories.make_product(price=usd(3333)), factories.make_product(price=usd(777))
    order = services.place_order(**ready(guest, {lamp.product_id: 3, mug.product_id: 2}, now))
    goods = order.total - order.shipping

    steps = [{lamp.product_id: 1}, {mug.product_id: 2}, {lamp.product_id: 2}]
    given = []
    for step in steps:
        given.append(worth_of(order, step))
        lines = tuple(replace(line, refunded=line.refunded + step.get(line.product_id, 0)) for line in order.lines)
        order = replace(order, lines=lines)

    assert (order.subtotal, order.discount and order.discount.goods) == (usd(11553), usd(1001))
    assert sum(one.minor for one in given) == goods.minor == 10552 + 844
    assert given[0] == usd(3288)  # 33.33 of 115.53 of 113.96, where undiscounted it would be 36.00


def test_lines_of_different_tax_are_refunded_at_their_own(settings: Settings, guest: Owner, now: datetime) -> None:
    rules = [{"rate": "0.2", "classes": {"books": 0}, "delivery": "0.2"}]
    settings.TAX_RULES = tax_rules_from(rules)
    lamp, book = factories.make_product(price=usd(1000)), factories.make_product(price=usd(1000), tax_class="books")

    order = factories.make_order(guest, {lamp.product_id: 1, book.product_id: 1}, now)

    assert (order.tax, order.delivery_tax, order.total) == (usd(400), usd(200), usd(2000 + 400 + 999))
    assert [worth_of(order, {line.product_id: 1}) for line in order.lines] == [usd(1200), usd(1000)]
    assert queries.order_by_id(order_id=order.order_id).delivery_worth == usd(1199)


def test_of_fifty_buyers_of_a_codes_last_use_exactly_one_gets_it(now: datetime) -> None:
    make_discount(now, most_uses=1)
    mug = factories.make_product(inventory=BUYERS)
    carts = [ready(new_guest(now), {mug.product_id: 1}, now, email=f"buyer{n}@example.com") for n in range(BUYERS)]

    answers = at_once([partial(services.place_order, **cart) for cart in carts])

    told = Counter(type(answer).__name__ for answer in answers)
    assert told["Order"] == 1
    assert told["TotalChanged"] + told["Busy"] == BUYERS - 1
    assert uses() == 1
    assert {answer.why for answer in answers if isinstance(answer, services.TotalChanged)} == {"SPRING10 has been used up."}


def test_one_customer_who_clicks_in_many_carts_at_once_uses_a_code_once(now: datetime) -> None:
    make_discount(now, most_uses_each=1)
    mug = factories.make_product(inventory=20)
    carts = [
        ready(new_guest(now), {mug.product_id: 1}, now, email=email)
        for email in ["Ada@example.com ", "ada@EXAMPLE.com", "ada+2@example.com", "ADA+spring+2@example.com."] * 2
    ]

    answers = at_once([partial(services.place_order, **cart) for cart in carts])

    assert Counter(type(answer).__name__ for answer in answers)["Order"] == 1
    assert uses() == 1


def test_a_code_that_ends_while_the_review_is_read_asks_for_consent_and_changes_nothing(guest: Owner, now: datetime) -> None:
    made = make_discount(now)
    mug = factories.make_product(inventory=5)
    agreed = ready(guest, {mug.product_id: 1}, now)
    discounts.switch_discount(code="SPRING10", version=made.version, is_active=False, actor=STAFF, now=now)
    before = items_of("Carts"), items_of("Orders"), items_of("Products")

    with pytest.raises(services.TotalChanged) as refusal:
        services.place_order(**agreed)

    assert (refusal.value.why, refusal.value.total) == ("SPRING10 is not valid any more.", usd(2400 + 192 + 999))
    assert (items_of("Carts"), items_of("Orders"), items_of("Products")) == before
    order = services.place_order(**factories.ready_to_order(guest, {}, now))
    assert (order.total, order.discount) == (usd(2400 + 192 + 999), None)


def test_an_unpaid_order_gives_its_use_back_once_and_a_late_payment_takes_it_again(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    make_discount(now, most_uses=1, most_uses_each=1)
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(services.place_order(**ready(guest, {mug.product_id: 1}, now)))
    customers = order.discount_customers
    assert (uses(), uses_by(customers)) == (1, 1)

    later = now + HOLD + timedelta(minutes=1)
    assert jobs.release_unpaid_orders(now=later) == 1
    assert jobs.release_unpaid_orders(now=later) == 0
    assert (uses(), uses_by(customers)) == (0, 0)

    session = stripe.state.tables["sessions"][order.payment.session_id]
    session.update(status="open", url="http://late")  # paid in the instant it ended
    stripe.pay(order.payment.session_id)
    settled = services.settle(session_id=order.payment.session_id, now=later)

    assert settled.status is OrderStatus.PROCESSING
    assert (uses(), uses_by(customers), settled.discount_returned) == (1, 1, False)


def test_a_customers_uses_are_counted_by_account_and_address(now: datetime) -> None:
    make_discount(now, most_uses_each=1)
    mug = factories.make_product()
    ada = Owner("user-ada", is_guest=False)
    services.place_order(**ready(ada, {mug.product_id: 1}, now))
    cart_services.add_to_cart(owner=ada, product_id=mug.product_id, quantity=1, now=now)

    with pytest.raises(cart_services.CodeRefused, match=r"^You have used SPRING10 already\.$"):
        cart_services.enter_code(owner=ada, typed="SPRING10", now=now)
    # A guest's cart does not know who it is; the address tells.
    signed_out = services.place_order(**ready(new_guest(now), {mug.product_id: 1}, now))
    assert (signed_out.discount, signed_out.total) == (None, usd(2400 + 192 + 999))
    assert uses() == 1


def test_free_delivery_takes_off_the_cheapest_way_and_a_dearer_one_costs_the_difference(guest: Owner, now: datetime) -> None:
    make_discount(now, kind=DiscountKind.FREE_DELIVERY, percent=None)
    mug = factories.make_product()
    cart_services.add_to_cart(owner=guest, product_id=mug.product_id, quantity=1, now=now)
    cart_services.enter_code(owner=guest, typed="spring10", now=now)

    cart = open_cart(owner=guest, now=now)
    express = services.place_order(
        **factories.ready_to_order(guest, {}, now, details=replace(factories.DETAILS, delivery="express"))
    )

    assert (cart.totals.shipping, cart.totals.total) == (usd(0), usd(2400 + 192))
    assert (express.shipping, express.discount) == (usd(1500), AppliedDiscount("SPRING10", "Free delivery", usd(0), usd(999)))


@pytest.mark.parametrize(
    ("terms", "typed", "why"),
    [
        ({}, "SPRNG10", "We do not know the code SPRNG10. Please check how it is written."),
        ({}, "<b>", "We do not know the code <b>. Please check how it is written."),
        ({}, "  ", "Please type a code first."),
        ({"is_active": False}, "spring10", "SPRING10 is not valid any more."),
        ({"starts_at": datetime.fromisoformat("2999-03-01T00:00Z")}, "spring10", "SPRING10 begins on 1 March 2999."),
        ({"ends_at": datetime.fromisoformat("2020-04-01T00:00Z")}, "spring10", "SPRING10 ended on 31 March 2020."),
        ({"minimum": usd(5000)}, "spring10", "SPRING10 needs $50.00 of goods; add $26.00."),
        ({"kind": DiscountKind.AMOUNT, "percent": None, "amount": Money(500, "EUR")}, "spring10", ""),
    ],
)
def test_a_code_that_does_not_hold_says_exactly_why_and_changes_nothing(
    client: Client, now: datetime, terms: dict[str, Any], typed: str, why: str
) -> None:
    if not why:
        with pytest.raises(BadDiscount, match=r"^Please give an amount in USD\.$"):
            make_discount(now, **terms)
        return
    make_discount(now, **terms)
    mug = factories.make_product()
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})
    before = items_of("Carts")

    swapped = client.post("/cart/code/", {"code": typed}, headers={"hx-request": "true"})
    plain = client.post("/cart/code/", {"code": typed}, follow=True)

    assert items_of("Carts") == before
    for page in (swapped, plain):
        assert why in words_of(page.text)
        assert re.search(r'name="code" value="([^"]*)"', page.text)
    assert "<b>." not in swapped.text


def test_a_code_is_shown_in_cart_review_and_order_and_can_be_removed(client: Client, stripe: FakeStripe, now: datetime) -> None:
    make_discount(now)
    mug = factories.make_product()
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "2"})

    added = client.post("/cart/code/", {"code": "spring10"}, headers={"hx-request": "true"})
    removed = client.post("/cart/code/remove/", headers={"hx-request": "true"})
    client.post("/cart/code/", {"code": "Spring10"})
    review = walk_to_review(client, mug.product_id)
    placed = client.post("/checkout/place/", fields_of(review))
    page = client.get(next(iter(stripe.state.tables["sessions"].values()))["cancel_url"])

    assert "SPRING10 10 % off−$4.80" in words_of(added.text)
    assert "SPRING10" not in removed.text
    for text in (review, page.text):
        assert "SPRING10 10 % off−$7.20" in words_of(text)
    assert placed.status_code == 303


def test_codes_are_made_changed_listed_and_audited(now: datetime) -> None:
    made = make_discount(now)
    make_discount(now, code="WELCOME", percent=Decimal("12.5"))
    with pytest.raises(discounts.DiscountExists):
        make_discount(now)

    changed = discounts.update_discount(discount=replace(made, most_uses=5), actor=STAFF, now=now)
    with pytest.raises(discounts.DiscountMoved):
        discounts.update_discount(discount=replace(made, most_uses=6), actor=STAFF, now=now)

    assert [(one.code, one.label, one.version, one.most_uses, one.uses) for one in discount_queries.listed_discounts().items] == [
        ("SPRING10", "10 % off", 2, 5, 0),
        ("WELCOME", "12.5 % off", 1, None, 0),
    ]
    assert changed == discount_queries.discount(code="SPRING10")
    audits = [item for item in items_of("Carts") if item["SK"]["S"].startswith("AUDIT#")]
    assert sorted(item["action"]["S"] for item in audits) == ["changed the code", "made the code", "made the code"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"code": "spring"}, "code"),
        ({"percent": Decimal(101)}, "percent"),
        ({"percent": None}, "percent"),
        ({"kind": DiscountKind.AMOUNT}, "amount"),
        ({"most_uses": 0}, "most_uses"),
        (
            {"starts_at": datetime.fromisoformat("2026-02-01T00:00Z"), "ends_at": datetime.fromisoformat("2026-01-01T00:00Z")},
            "ends_at",
        ),
    ],
)
def test_terms_that_make_no_sense_are_refused(now: datetime, terms: dict[str, Any], field: str) -> None:
    with pytest.raises(BadDiscount) as refusal:
        make_discount(now, **terms)

    assert refusal.value.field == field
    assert items_of("Carts") == []


def test_orders_know_no_code_when_there_is_none(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    assert isinstance(order, Order)
    assert (order.discount, order.discount_customers, order.tax_included) == (None, (), False)


def test_who_guesses_at_codes_is_slowed_down_and_who_knows_one_is_not(guest_client: Client, guest: Owner, now: datetime) -> None:
    make_discount(now)
    cart_services.add_to_cart(owner=guest, product_id=factories.make_product().product_id, quantity=1, now=now)
    for _ in range(30):
        assert "10 % off" in guest_client.post("/cart/code/", {"code": "spring10"}, headers={"hx-request": "true"}).text
    guest_client.post("/cart/code/remove/")

    for number in range(20):
        guest_client.post("/cart/code/", {"code": f"GUESS{number}"}, headers={"hx-request": "true"})
    refused = guest_client.post("/cart/code/", {"code": "SPRING10"}, headers={"hx-request": "true"})

    assert "Those were many codes in a short time." in refused.text
    assert open_cart(owner=guest, now=now).code == ""
