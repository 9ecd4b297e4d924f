"""Placing, paying and releasing orders, through the services and the real stripe library."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cart.domain import CartState
from cart.queries import kept_cart, open_cart
from cart.services import Restored
from catalog import queries as catalog
from catalog.models import product_key
from catalog.services import set_stock
from orders import payments, queries, services
from orders.domain import HOLD, HOLD_EXTENSION, CheckoutDetails, OrderStatus
from orders.jobs import release_unpaid_orders
from orders.models import OrderRow, order_key
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories

pytestmark = pytest.mark.usefixtures("tables")


def stock(product_id: str) -> int:
    return catalog.product(product_id=product_id).inventory


def test_placing_an_order_takes_the_stock_freezes_the_lines_and_closes_the_cart(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5, price=Money(2400, "USD"))

    order = factories.make_order(guest, {mug.product_id: 3}, now)

    assert stock(mug.product_id) == 2
    assert order == queries.order_of(owner=guest, order_id=order.order_id)
    assert order == queries.order_by_id(order_id=order.order_id)
    assert (order.status, order.subtotal, order.tax, order.shipping, order.total) == (
        OrderStatus.PENDING,
        Money(7200, "USD"),
        Money(576, "USD"),
        Money(999, "USD"),
        Money(8775, "USD"),
    )
    assert [(line.product_id, line.quantity, line.unit_price) for line in order.lines] == [(mug.product_id, 3, mug.price)]
    assert order.due_at == now + HOLD
    cart = kept_cart(owner=guest, now=now)
    assert cart is not None
    assert (cart.state, cart.order_id) == (CartState.CHECKED_OUT, order.order_id)
    assert open_cart(owner=guest, now=now).is_empty


def test_placing_the_same_cart_again_gives_the_first_order(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    first = services.place_order(**ready)

    again = services.place_order(**ready | {"now": now + timedelta(seconds=5)})

    assert again == first
    assert stock(mug.product_id) == 3


def test_a_tab_left_open_on_an_ordered_cart_leads_to_its_order_and_leaves_the_next_cart_alone(
    guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=9)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    first = services.place_order(**ready)
    factories.fill_cart(guest, {mug.product_id: 1}, now)

    assert services.place_order(**ready) == first
    assert open_cart(owner=guest, now=now).count == 1
    assert stock(mug.product_id) == 7


@pytest.mark.parametrize("left", [0, 1])
def test_too_few_pieces_refuse_the_order_and_change_nothing(tables: Any, guest: Owner, now: datetime, left: int) -> None:
    from catalog.services import set_stock

    mug, lamp = factories.make_product(inventory=5), factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2, lamp.product_id: 1}, now)
    set_stock(product_id=mug.product_id, inventory=left, now=now)

    with pytest.raises(services.OutOfStock) as refusal:
        services.place_order(**ready)

    assert refusal.value.names == (mug.name,)
    assert (stock(mug.product_id), stock(lamp.product_id)) == (left, 5)
    assert (
        tables.scan(
            TableName="test-Orders", FilterExpression="begins_with(SK, :o)", ExpressionAttributeValues={":o": {"S": "ORDER#"}}
        )["Count"]
        == 0
    )
    assert open_cart(owner=guest, now=now).count == 3


def test_another_total_than_the_shopper_saw_refuses_the_order(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5, price=Money(2400, "USD"))
    ready = factories.ready_to_order(guest, {mug.product_id: 1}, now)

    with pytest.raises(services.TotalChanged) as refusal:
        services.place_order(**ready | {"total_seen": ready["total_seen"] - 1})

    assert refusal.value.total == Money(ready["total_seen"], "USD")
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize(
    "details",
    [
        CheckoutDetails(),
        replace(factories.DETAILS, email=""),
        replace(factories.DETAILS, address=None),
        replace(factories.DETAILS, delivery="by-owl"),
    ],
)
def test_an_order_without_contact_address_or_delivery_is_refused(guest: Owner, now: datetime, details: CheckoutDetails) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 1}, now, details)

    with pytest.raises(services.DetailsMissing):
        services.place_order(**ready)

    assert stock(mug.product_id) == 5


def test_an_expired_cart_is_no_cart(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 1}, now)

    with pytest.raises(services.CartChanged):
        services.place_order(**ready | {"now": now + timedelta(days=30)})

    assert stock(mug.product_id) == 5


def test_the_payment_page_is_opened_once_and_kept(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 1}, now)

    opened = factories.open_payment(order)
    again = factories.open_payment(order)

    assert opened.payment.session_id.startswith("cs_test_")
    assert again.payment == opened.payment
    assert queries.order_of(owner=guest, order_id=order.order_id).payment == opened.payment
    assert len(stripe.state.tables["sessions"]) == 1


def test_a_click_that_comes_while_another_opens_the_page_waits_for_it(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 1}, now)
    stripe.faults.api.append(ApiFault("delay", method="POST", path="/v1/checkout/sessions", seconds=0.5))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(factories.open_payment, [order, order])

    assert first.payment == second.payment
    assert len(stripe.state.tables["sessions"]) == 1


def test_who_waits_five_seconds_for_another_s_page_is_told_to_come_again(
    stripe: FakeStripe, guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    pauses: list[float] = []

    def in_use(*_: Any, **__: Any) -> None:
        raise payments.PaymentInProgress

    monkeypatch.setattr(payments.gateway(), "open_session", in_use)
    with pytest.raises(payments.PaymentsUnavailable):
        services.open_payment(order=order, success_url="http://shop/", cancel_url="http://shop/", pause=pauses.append)

    assert sum(pauses) == 5
    assert queries.order_of(owner=guest, order_id=order.order_id) == order
    assert stripe.state.tables["sessions"] == {}


def test_a_paid_session_moves_its_order_to_processing_once(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now))
    assert services.settle(session_id=order.payment.session_id, now=now).status is OrderStatus.PENDING
    assert stripe.pay(order.payment.session_id) == "paid"

    settled = services.settle(session_id=order.payment.session_id, now=now)
    again = services.settle(session_id=order.payment.session_id, now=now + timedelta(minutes=1))

    assert settled.status is OrderStatus.PROCESSING
    assert settled.payment.status == "completed"
    assert settled.payment.transaction_id.startswith("ch_")
    assert settled.payment.payment_intent_id.startswith("pi_")
    assert [(entry.status, entry.actor) for entry in settled.history] == [
        (OrderStatus.PENDING, "shopper"),
        (OrderStatus.PROCESSING, "stripe"),
    ]
    assert again == settled
    assert stock(mug.product_id) == 4


def test_an_unpaid_order_is_released_when_its_hold_is_over_and_not_before(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))

    assert release_unpaid_orders(now=now + HOLD - timedelta(seconds=1)) == 0
    assert stock(mug.product_id) == 3
    assert release_unpaid_orders(now=now + HOLD) == 1
    assert release_unpaid_orders(now=now + HOLD) == 0

    assert queries.order_by_id(order_id=order.order_id).status is OrderStatus.EXPIRED
    assert stock(mug.product_id) == 5
    assert stripe.state.tables["sessions"][order.payment.session_id]["status"] == "expired"


def test_an_order_paid_just_before_its_hold_ends_is_settled_instead_of_released(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    assert release_unpaid_orders(now=now + HOLD) == 0

    assert queries.order_by_id(order_id=order.order_id).status is OrderStatus.PROCESSING
    assert stock(mug.product_id) == 3


def test_the_lines_of_a_cancelled_order_join_what_is_in_the_cart_once(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug, lamp = factories.make_product(inventory=5), factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 4, lamp.product_id: 1}, now))
    factories.fill_cart(guest, {mug.product_id: 1}, now)

    ended = services.cancel_unpaid(order=order, now=now)
    answers = [services.put_back_in_cart(order=ended, owner=guest, now=now) for _ in range(2)]

    assert ended.status is OrderStatus.CANCELLED
    assert stock(mug.product_id) == 5
    assert stripe.state.tables["sessions"][order.payment.session_id]["status"] == "expired"
    cart = open_cart(owner=guest, now=now)
    assert [(line.product_id, line.quantity) for line in cart.lines] == [(mug.product_id, 5), (lamp.product_id, 1)]
    assert answers == [Restored(is_beside_others=True), Restored(is_repeated=True)]
    assert open_cart(owner=guest, now=now).version == cart.version


def test_lines_put_back_end_at_the_stock_and_never_take_from_the_cart(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug, lamp, gone = (factories.make_product(inventory=6) for _ in range(3))
    order = factories.make_order(guest, {mug.product_id: 4, lamp.product_id: 5, gone.product_id: 2}, now)
    ended = services.cancel_unpaid(order=order, now=now)
    factories.fill_cart(guest, {mug.product_id: 5}, now)
    for product_id, pieces in ((mug.product_id, 3), (lamp.product_id, 4), (gone.product_id, 0)):
        set_stock(product_id=product_id, inventory=pieces, now=now)

    restored = services.put_back_in_cart(order=ended, owner=guest, now=now)

    lines = {line.product_id: line.quantity for line in open_cart(owner=guest, now=now).lines}
    assert lines == {mug.product_id: 5, lamp.product_id: 4, gone.product_id: 2}
    assert [(item.product_id, item.quantity) for item in restored.lowered] == [(mug.product_id, 5), (lamp.product_id, 4)]


def test_another_cart_takes_an_orders_lines_once_more(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug, lamp = factories.make_product(inventory=9), factories.make_product(inventory=9)
    ended = services.cancel_unpaid(order=factories.make_order(guest, {mug.product_id: 2}, now), now=now)
    services.put_back_in_cart(order=ended, owner=guest, now=now)
    factories.make_order(guest, {lamp.product_id: 1}, now)  # with the mugs, and the cart is another one

    assert services.put_back_in_cart(order=ended, owner=guest, now=now) == Restored()
    assert [line.quantity for line in open_cart(owner=guest, now=now).lines] == [2]


def test_lines_that_do_not_fit_a_full_cart_are_named(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    for _ in range(40):
        factories.fill_cart(guest, {factories.make_product().product_id: 1}, now)
    ended = services.cancel_unpaid(order=order, now=now)

    restored = services.put_back_in_cart(order=ended, owner=guest, now=now)

    assert restored == Restored(left_out=("Tide Mug",), is_beside_others=True)


def test_a_product_deleted_meanwhile_keeps_no_other_from_going_back(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    gone, mug = factories.make_product(inventory=5), factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {gone.product_id: 2, mug.product_id: 3}, now))
    product_key(gone.product_id).delete()

    assert release_unpaid_orders(now=now + HOLD) == 1

    assert queries.order_by_id(order_id=order.order_id).status is OrderStatus.EXPIRED
    assert stock(mug.product_id) == 5


def test_an_order_that_makes_no_sense_keeps_no_other_from_being_released(
    stripe: FakeStripe, guest: Owner, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    mug = factories.make_product(inventory=5)
    broken = factories.make_order(guest, {mug.product_id: 1}, now - timedelta(minutes=1))
    factories.make_order(new_guest(now), {mug.product_id: 1}, now)
    tax: Any = OrderRow.totals.tax  # a path within the row
    order_key(guest, broken.order_id).update(actions=[tax.set(Decimal("1.925"))])

    assert release_unpaid_orders(now=now + HOLD) == 1

    assert stock(mug.product_id) == 4
    assert f"order {broken.order_id} could not be released" in caplog.text


def test_a_silent_stripe_ends_the_run_and_releases_nothing(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    for owner in (guest, new_guest(now)):
        factories.open_payment(factories.make_order(owner, {mug.product_id: 1}, now))
    stripe.faults.api.append(ApiFault("error_before", method="POST", path="*", times=9))

    assert release_unpaid_orders(now=now + HOLD) == 0

    assert stock(mug.product_id) == 3
    stripe.faults.clear()
    assert release_unpaid_orders(now=now + HOLD) == 2


def test_only_cards_are_offered_and_the_page_can_be_opened_until_a_hold_made_longer_is_over(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product()
    order = services.extend_hold(
        order=factories.make_order(guest, {mug.product_id: 1}, now), now=now + HOLD - timedelta(seconds=9)
    )
    stripe.state.clock = lambda: time.time() + (HOLD + HOLD_EXTENSION).total_seconds() - 10

    opened = factories.open_payment(order)

    session = stripe.state.tables["sessions"][opened.payment.session_id]
    assert session["payment_method_types"] == ["card"]


def test_an_order_in_the_specifications_form_can_move(tables: Any, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product()
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now))
    order_key(guest, order.order_id).update(actions=[OrderRow.history.remove()])
    stripe.pay(order.payment.session_id)

    assert services.settle(session_id=order.payment.session_id, now=now).status is OrderStatus.PROCESSING


def test_details_are_kept_step_by_step_and_end_with_their_time(guest: Owner, now: datetime) -> None:
    services.remember_details(owner=guest, details=replace(factories.DETAILS, delivery=""), now=now)
    services.remember_details(owner=guest, details=CheckoutDetails(delivery="express"), now=now)

    assert queries.checkout_details(owner=guest, now=now) == replace(factories.DETAILS, delivery="express")
    assert queries.checkout_details(owner=guest, now=now + timedelta(days=30)) == CheckoutDetails()
