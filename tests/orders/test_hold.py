"""The hold made longer, refused cards, prices that fell, and the webhooks of refunds."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from cart import queries as carts
from cart import services as cart_services
from catalog.models import ProductRow, product_key
from orders import jobs, queries, services
from orders import ledger_queries as books
from orders.domain import HOLD, HOLD_EXTENSION, KEPT, MOST_FAILED_PAYMENTS, SESSION_LIFETIME, Order, OrderStatus
from orders.models import EventRow, event_pk
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.orders.guards.stripes_word import deliver
from tests.orders.paid import ask, dashboard_refund, made_at, paid_order, stock, stored, usd
from tests.orders.walk import fields_of, orders, walk_to_review
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

DECLINED = "4000000000000002"


@pytest.fixture
def mug() -> str:
    return factories.make_product(inventory=5, price=usd(2400)).product_id


@pytest.fixture
def pending(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> Order:
    return factories.open_payment(factories.make_order(guest, {mug: 2}, now))


def events(stripe: FakeStripe, kind: str) -> list[dict[str, Any]]:
    """Stripe's events of a kind, as it sends them."""
    return [event for event in stripe.state.tables["events"].values() if event["type"] == kind]


# --- The hold ---------------------------------------------------------------------------------------------------------


def test_the_hold_is_extended_once_and_the_job_and_the_payment_page_keep_to_it(pending: Order, now: datetime, mug: str) -> None:
    extended = services.extend_hold(order=pending, now=now + timedelta(minutes=25))

    assert extended == stored(pending)
    assert (extended.due_at, extended.kept_until) == (now + HOLD + HOLD_EXTENSION, now + KEPT + HOLD_EXTENSION)
    assert HOLD + HOLD_EXTENSION < SESSION_LIFETIME
    with pytest.raises(services.HoldOver):
        services.extend_hold(order=extended, now=now + timedelta(minutes=25))
    assert jobs.release_unpaid_orders(now=now + HOLD + HOLD_EXTENSION - timedelta(seconds=1)) == 0
    assert jobs.release_unpaid_orders(now=now + HOLD + HOLD_EXTENSION) == 1
    assert stock(mug) == 5


@pytest.mark.parametrize("has_new_cart", [False, True])
def test_the_cart_tells_of_the_order_as_long_as_it_waits(
    pending: Order, guest: Owner, now: datetime, mug: str, has_new_cart: bool
) -> None:
    if has_new_cart:
        factories.fill_cart(guest, {mug: 1}, now)
    extended = services.extend_hold(order=pending, now=now)

    for moment, found in ((now + HOLD + HOLD_EXTENSION - timedelta(seconds=1), extended), (now + HOLD + HOLD_EXTENSION, None)):
        cart = carts.open_cart(owner=guest, now=moment)
        assert (cart.count, cart.order_due_at) == (int(has_new_cart), extended.due_at)
        assert queries.order_that_may_wait(owner=guest, cart=cart, now=moment) == found


def test_the_cart_of_another_order_is_left_alone(pending: Order, guest: Owner, now: datetime, mug: str) -> None:
    other = factories.make_order(guest, {mug: 1}, now)

    services.extend_hold(order=pending, now=now)

    cart = carts.open_cart(owner=guest, now=now)
    assert (cart.order_id, cart.order_due_at) == (other.order_id, other.due_at)


def test_a_paid_order_has_no_hold_to_extend(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> None:
    paid = paid_order(stripe, guest, {mug: 1}, now)

    with pytest.raises(services.HoldOver):
        services.extend_hold(order=paid, now=now)

    assert stored(paid) == paid


def test_a_hold_that_is_over_is_not_extended(pending: Order, now: datetime) -> None:
    with pytest.raises(services.HoldOver):
        services.extend_hold(order=pending, now=now + HOLD)

    assert stored(pending) == pending


@pytest.mark.parametrize(
    "rival",
    [
        lambda order, now: services.cancel_unpaid(order=order, now=now),
        lambda _order, now: jobs.release_unpaid_orders(now=now + HOLD),
    ],
)
def test_an_order_that_ends_at_this_moment_is_not_extended(
    stripe: FakeStripe, pending: Order, now: datetime, rival: Callable[[Order, datetime], object]
) -> None:
    with pytest.raises(services.HoldOver), run_before("UpdateItem", lambda: rival(pending, now)):
        services.extend_hold(order=pending, now=now)

    assert not stored(pending).hold_extended


def test_two_tabs_extend_together_once(pending: Order, now: datetime) -> None:
    with run_before("UpdateItem", lambda: services.extend_hold(order=pending, now=now)):
        extended = services.extend_hold(order=pending, now=now)

    assert extended.due_at == stored(pending).due_at == now + HOLD + HOLD_EXTENSION


def test_an_extension_whose_reply_was_lost_is_made_once(
    pending: Order, now: datetime, lost_reply: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cart_services, "order_may_wait_until", lambda **_: None)  # that write may be made twice
    wire = lost_reply("UpdateItem")

    extended = services.extend_hold(order=pending, now=now)

    assert wire.count("UpdateItem") == 2
    assert extended.due_at == stored(pending).due_at == now + HOLD + HOLD_EXTENSION


# --- Refused cards ----------------------------------------------------------------------------------------------------


def test_a_refused_card_is_counted_once_however_often_stripe_tells(
    client: Client, stripe: FakeStripe, pending: Order, now: datetime
) -> None:
    assert stripe.pay(pending.payment.session_id, number=DECLINED) == "declined"
    (event,) = events(stripe, "payment_intent.payment_failed")

    answers = [deliver(client, event) for _ in range(3)]

    assert answers == [(200, "thank you")] * 3
    assert (stored(pending).status, stored(pending).payment.failures) == (OrderStatus.PENDING, 1)
    (day,) = books.daily_figures(first=now.date(), last=(now + timedelta(days=1)).date(), currency="USD")
    assert day.failed_payments == 1
    assert EventRow.get(event_pk(event["id"]), "STRIPE").kind == "payment_intent.payment_failed"
    assert stripe.pay(pending.payment.session_id) == "paid"
    settled = services.settle(session_id=pending.payment.session_id, now=now)
    assert (settled.status, settled.payment.failures) == (OrderStatus.PROCESSING, 1)


def test_too_many_refused_cards_end_the_order_and_give_its_pieces_back(
    client: Client, stripe: FakeStripe, pending: Order, mug: str
) -> None:
    for _ in range(MOST_FAILED_PAYMENTS):
        stripe.pay(pending.payment.session_id, number=DECLINED)
    answers = {deliver(client, event) for event in events(stripe, "payment_intent.payment_failed")}

    ended = stored(pending)
    assert answers == {(200, "thank you")}
    assert (ended.status, ended.payment.failures) == (OrderStatus.CANCELLED, MOST_FAILED_PAYMENTS)
    assert (ended.history[-1].actor, ended.history[-1].note) == ("stripe", "Too many refused cards")
    assert stock(mug) == 5
    assert stripe.pay(pending.payment.session_id) == "expired"


def test_who_cancels_while_the_last_refused_card_is_counted_has_cancelled(
    client: Client, stripe: FakeStripe, pending: Order, mug: str, now: datetime
) -> None:
    for _ in range(MOST_FAILED_PAYMENTS):
        stripe.pay(pending.payment.session_id, number=DECLINED)
    *counted, last = events(stripe, "payment_intent.payment_failed")
    assert {deliver(client, event) for event in counted} == {(200, "thank you")}

    # The second write: the first counts the card.
    with run_before("TransactWriteItems", lambda: services.cancel_unpaid(order=pending, now=now), nth=2):
        assert deliver(client, last) == (200, "thank you")

    ended = stored(pending)
    assert (ended.status, ended.payment.failures) == (OrderStatus.CANCELLED, MOST_FAILED_PAYMENTS)
    assert [entry.actor for entry in ended.history] == ["shopper", "shopper"]
    assert stock(mug) == 5


def test_a_refused_card_of_an_order_that_is_not_there_yet_is_told_again(
    client: Client, stripe: FakeStripe, pending: Order
) -> None:
    stripe.pay(pending.payment.session_id, number=DECLINED)
    (event,) = events(stripe, "payment_intent.payment_failed")
    event["data"]["object"]["metadata"]["order_id"] = "ord-of-nobody"

    assert deliver(client, event) == (503, "come again")


# --- Prices -----------------------------------------------------------------------------------------------------------


def _price(product_id: str, price: str) -> None:
    product_key(product_id).update(actions=[ProductRow.price.set(Decimal(price))])


def test_a_price_that_fell_after_the_review_is_passed_on_and_noted(client: Client, stripe: FakeStripe, mug: str) -> None:
    fields = fields_of(walk_to_review(client, mug, 2))
    _price(mug, "20.00")

    answer = client.post("/checkout/place/", fields)

    assert answer["Location"].startswith(f"{stripe.base_url}/c/pay/")
    (order,) = orders()
    assert order["totals"]["M"]["total"] == {"N": "53.19"}
    assert order["history"]["L"][0]["M"]["note"] == {"S": "Prices fell after the review: $53.19 instead of $61.83"}
    (session,) = stripe.state.tables["sessions"].values()
    assert session["amount_total"] == 5319


def test_a_price_that_rose_wants_consent(client: Client, stripe: FakeStripe, mug: str) -> None:
    fields = fields_of(walk_to_review(client, mug, 2))
    _price(mug, "24.01")

    answer = client.post("/checkout/place/", fields)

    assert (answer.status_code, answer["Location"]) == (302, "/checkout/review/")
    assert (orders(), stock(mug)) == ([], 5)


def test_one_price_that_rose_while_another_fell_further_wants_consent(guest: Owner, now: datetime, mug: str) -> None:
    lamp = factories.make_product(inventory=5, price=usd(9000)).product_id
    ready = factories.ready_to_order(guest, {mug: 1, lamp: 1}, now)
    _price(mug, "25.00")
    _price(lamp, "50.00")

    with pytest.raises(services.TotalChanged):
        services.place_order(**ready)

    assert (orders(), stock(mug), stock(lamp)) == ([], 5, 5)


@pytest.mark.parametrize("seen", ["", "0" * 20, f"{'0' * 20}-1", f"{'0' * 20}-1.2.3", "x" * 20 + "-1", f"{'0' * 20}-{'9' * 13}"])
def test_a_mark_that_is_none_orders_nothing(client: Client, stripe: FakeStripe, mug: str, seen: str) -> None:
    fields = fields_of(walk_to_review(client, mug, 2))

    answer = client.post("/checkout/place/", fields | {"seen": seen})

    assert answer.status_code == 302
    assert (orders(), stock(mug)) == ([], 5)


# --- Webhooks of refunds ----------------------------------------------------------------------------------------------


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> Order:
    return paid_order(stripe, guest, {mug: 2}, now)


@pytest.mark.parametrize("kind", ["refund.created", "refund.updated", "charge.refunded"])
def test_a_webhook_records_a_refund_whose_reply_was_lost(
    client: Client, stripe: FakeStripe, paid: Order, now: datetime, kind: str
) -> None:
    stripe.faults.api.append(ApiFault("error_after", path="/v1/refunds"))
    ask(paid, now, extra=usd(700))
    assert stored(paid).payment.given_back == usd(0)
    (event,) = events(stripe, kind)

    assert [deliver(client, event), deliver(client, event)] == [(200, "thank you")] * 2

    assert (stored(paid).payment.given_back, made_at(stripe)) == (usd(700), [700])


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
def test_a_webhook_tells_of_a_refund_made_at_stripes_own_pages(
    client: Client, stripe: FakeStripe, paid: Order, kind: str
) -> None:
    dashboard_refund(paid)
    (event,) = events(stripe, kind)

    assert deliver(client, event) == (200, "thank you")

    assert (stored(paid).status, stored(paid).payment.given_back) == (OrderStatus.REFUNDED, paid.total)


def test_a_refund_of_another_shop_on_the_account_is_left_alone(client: Client, stripe: FakeStripe, paid: Order) -> None:
    dashboard_refund(paid)
    (event,) = events(stripe, "refund.created")
    next(iter(stripe.state.tables["payment_intents"].values()))["metadata"]["deployment"] = "0123456789abcdef"

    assert deliver(client, event) == (200, "not for us")

    assert stored(paid) == paid


def test_a_refund_event_while_stripe_is_silent_is_told_again(client: Client, stripe: FakeStripe, paid: Order) -> None:
    dashboard_refund(paid)
    (event,) = events(stripe, "charge.refunded")
    stripe.faults.api.append(ApiFault("error_before", method="GET", path="/v1/refunds"))

    assert deliver(client, event) == (503, "come again")
    assert deliver(client, event) == (200, "thank you")
    assert stored(paid).status is OrderStatus.REFUNDED
