"""Findings of the rarer kinds: how they come about, what puts them right, and what does nothing because somebody was quicker."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from catalog.models import ProductRow, product_key
from catalog.stock_check import StockSum, stock_sum
from orders import jobs, payments, reconciling, services
from orders import ledger_queries as books
from orders.domain import HOLD, HOLD_EXTENSION, Order, OrderStatus
from orders.ledger_domain import Finding, FindingKind, RefundState
from orders.models import order_key
from orders.noting import note_finding
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.orders.findings import found, put_right
from tests.orders.paid import (
    EVE,
    STAFF,
    ask,
    dashboard_refund,
    made_at,
    paid_order,
    stock,
    stored,
    three_mugs_and_a_lamp,
    usd,
)
from tests.rivals import Killed, killed, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")

LATER = timedelta(hours=2)


def note(kind: FindingKind, subject: str, order: Order, now: datetime, *, intent: str = "") -> None:
    """What a comparison has written down a moment ago."""
    note_finding(Finding(kind, subject, now, "Noted.", order.order_id, intent, usd(500)))


def actions_of(order: Order) -> list[str]:
    """What staff did to an order, by its audit trail."""
    entries = books.entries_of_month(month=order.created_at).items
    return sorted(entry.action for entry in entries if entry.subject == f"ORDER#{order.order_id}")


def typed_in(order: Order) -> str:
    """A payment somebody took by hand at Stripe, with the order's number on it and without a checkout; its id."""
    params: Any = {
        "amount": order.total.minor,
        "currency": "usd",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "metadata": {"order_id": order.order_id, "shop": "dev-"},
    }
    return payments.gateway()._client.v1.payment_intents.create(params).id


@pytest.fixture
def mug() -> str:
    return factories.make_product(inventory=50, price=usd(2400)).product_id


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """113.67, of which nothing has left."""
    return three_mugs_and_a_lamp(stripe, guest, now)


def test_a_payment_the_order_has_not_taken_yet_is_taken(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> None:
    order = factories.open_payment(factories.make_order(guest, {mug: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    intent = payments.gateway().session(order.payment.session_id).payment_intent_id
    note(FindingKind.UNSETTLED, intent, order, now, intent=intent)

    put_right(FindingKind.UNSETTLED, intent, now)

    assert (found(), stored(order).status) == ([], OrderStatus.PROCESSING)
    assert actions_of(order) == ["put right"]


def test_a_payment_made_without_a_checkout_is_not_taken_for_the_orders(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str
) -> None:
    order = factories.make_order(guest, {mug: 1}, now)
    intent = typed_in(order)
    note(FindingKind.UNSETTLED, intent, order, now, intent=intent)

    with pytest.raises(services.StillWrong):
        put_right(FindingKind.UNSETTLED, intent, now)

    assert (found(), stored(order), actions_of(order)) == ([("unsettled", intent)], order, [])


def test_a_payment_of_an_order_that_was_paid_otherwise_stays_a_finding(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str
) -> None:
    order = paid_order(stripe, guest, {mug: 1}, now)
    stripe.state.idempotency.clear()
    second = payments.gateway().open_session(
        order, success_url="http://testserver/s", cancel_url="http://testserver/c", expires_at=now + timedelta(hours=1)
    )
    assert stripe.pay(second.session_id) == "paid"
    intent = payments.gateway().session(second.session_id).payment_intent_id
    note(FindingKind.UNSETTLED, intent, order, now, intent=intent)

    with pytest.raises(services.StillWrong):
        put_right(FindingKind.UNSETTLED, intent, now)

    assert (found(), made_at(stripe)) == ([("second_payment", intent), ("unsettled", intent)], [])
    assert stored(order).payment.payment_intent_id == order.payment.payment_intent_id


@pytest.mark.parametrize("kind", [FindingKind.UNSETTLED, FindingKind.STUCK_REFUND, FindingKind.PAYMENT_WITHOUT_ORDER])
def test_what_has_come_right_by_itself_is_dropped_by_the_next_comparison(
    stripe: FakeStripe, paid: Order, now: datetime, kind: FindingKind
) -> None:
    ask(paid, now, extra=usd(500))
    intent = paid.payment.payment_intent_id
    subject = f"{paid.order_id}-1" if kind is FindingKind.STUCK_REFUND else intent
    if kind is FindingKind.PAYMENT_WITHOUT_ORDER:
        services.refund_rest(order=stored(paid), restock=False, note="", actor=STAFF, now=now)
    note(kind, subject, paid, now, intent=intent)

    assert jobs.reconcile(now=now + LATER) == 0

    assert found() == []


def test_a_stray_payment_that_went_back_meanwhile_is_not_given_back_twice(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    dashboard_refund(paid)
    intent = paid.payment.payment_intent_id
    note(FindingKind.PAYMENT_WITHOUT_ORDER, intent, paid, now, intent=intent)

    put_right(FindingKind.PAYMENT_WITHOUT_ORDER, intent, now)

    assert (found(), made_at(stripe)) == ([], [11367])


def test_an_order_that_is_looked_at_already_is_not_stopped_again(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    stopped = services.put_into_review(order=paid, actor=STAFF, now=now, note="Two cards, one name")
    note(FindingKind.ORDER_WITHOUT_PAYMENT, paid.order_id, paid, now)

    put_right(FindingKind.ORDER_WITHOUT_PAYMENT, paid.order_id, now)

    assert (found(), stored(paid)) == ([], stopped)


def test_refunds_that_agree_again_need_nothing_but_a_look(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    dashboard_refund(paid, 700)
    intent = paid.payment.payment_intent_id
    note(FindingKind.REFUNDS, intent, paid, now, intent=intent)

    put_right(FindingKind.REFUNDS, intent, now)

    assert (found(), stored(paid).payment.given_back, made_at(stripe)) == ([], usd(700), [700])


def test_a_refund_is_not_stuck_once_stripe_has_it_though_the_bank_is_at_it(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="after"):
        ask(paid, now, extra=usd(500))
    (refund,) = stripe.state.tables["refunds"].values()
    refund["status"] = "pending"
    note(FindingKind.STUCK_REFUND, f"{paid.order_id}-1", paid, now)

    put_right(FindingKind.STUCK_REFUND, f"{paid.order_id}-1", now)

    assert (found(), made_at(stripe)) == ([], [500])
    assert books.refund(order_id=paid.order_id, key="1").state is RefundState.SENT


def test_a_refund_that_stripe_is_silent_about_stays_a_finding(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    stripe.faults.api.append(ApiFault("error_before", path="/v1/refunds", method="POST", times=99))
    ask(paid, now, extra=usd(500))
    note(FindingKind.STUCK_REFUND, f"{paid.order_id}-1", paid, now)

    with pytest.raises(services.StillWrong):
        put_right(FindingKind.STUCK_REFUND, f"{paid.order_id}-1", now)

    assert found() == [("stuck_refund", f"{paid.order_id}-1")]
    assert (books.refund(order_id=paid.order_id, key="1").state, made_at(stripe)) == (RefundState.ASKED, [])


def test_a_failed_refund_of_an_order_whose_money_is_back_makes_no_other(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)
    note(FindingKind.FAILED_REFUND, f"{paid.order_id}-1", paid, now)

    put_right(FindingKind.FAILED_REFUND, f"{paid.order_id}-1", now)

    assert (found(), made_at(stripe)) == ([], [11367])


@pytest.mark.parametrize("is_before", [True, False])
def test_an_order_that_was_paid_while_its_release_was_pressed_is_not_released(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str, is_before: bool
) -> None:
    order = factories.open_payment(factories.make_order(guest, {mug: 2}, now))
    late = now + HOLD + HOLD_EXTENSION + timedelta(hours=1)
    assert jobs.reconcile(now=late) == 1

    def pay() -> None:
        assert stripe.pay(order.payment.session_id) == "paid"
        services.settle(session_id=order.payment.session_id, now=now)

    if is_before:
        pay()
        put_right(FindingKind.STUCK_ORDER, order.order_id, late)
    else:
        with run_around(payments.gateway(), "expire_session", pay, when="before"):
            put_right(FindingKind.STUCK_ORDER, order.order_id, late)

    assert (found(), stored(order).status, stock(mug)) == ([], OrderStatus.PROCESSING, 48)


def test_an_order_the_job_released_while_its_release_was_pressed_is_released_once(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str
) -> None:
    order = factories.open_payment(factories.make_order(guest, {mug: 2}, now))
    late = now + HOLD + HOLD_EXTENSION + timedelta(hours=1)
    note(FindingKind.STUCK_ORDER, order.order_id, order, now)

    with run_before("TransactWriteItems", lambda: jobs.release_unpaid_orders(now=late)):
        put_right(FindingKind.STUCK_ORDER, order.order_id, late)

    assert (found(), stored(order).status, stock(mug)) == ([], OrderStatus.EXPIRED, 50)


def test_of_two_who_press_at_once_one_is_told_that_somebody_was_quicker(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    intent = paid.payment.payment_intent_id
    note(FindingKind.AMOUNT, intent, paid, now, intent=intent)

    def another() -> None:
        services.dismiss_finding(kind=FindingKind.AMOUNT, subject=intent, actor=EVE, note="Seen to", now=now)

    with run_before("TransactWriteItems", another), pytest.raises(books.FindingNotFound):
        services.dismiss_finding(kind=FindingKind.AMOUNT, subject=intent, actor=EVE, note="Me too", now=now)

    assert (found(), actions_of(paid)) == ([], ["dismissed"])


def test_a_refund_on_its_way_is_no_difference(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="after"):
        ask(paid, now, extra=usd(500))

    assert jobs.reconcile(now=now + timedelta(minutes=20)) == 0

    assert (found(), made_at(stripe), stored(paid).payment.given_back) == ([], [500], usd(500))


def test_what_cannot_be_compared_does_not_keep_the_others_from_it(
    now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, short = factories.make_product(inventory=9).product_id, factories.make_product(inventory=9).product_id
    jobs.reconcile_stock(now=now)
    product_key(short).update(actions=[ProductRow.inventory.set(8)])
    real = stock_sum

    def look(*, product_id: str, now: datetime) -> StockSum:
        if product_id == broken:
            raise ValueError("a movement of 1.5 pieces")
        return real(product_id=product_id, now=now)

    monkeypatch.setattr(reconciling, "stock_sum", look)

    assert jobs.reconcile_stock(now=now + LATER) == 1

    assert found() == [("stock", short)]
    assert f"{broken} could not be compared" in caplog.text


def test_a_refund_of_an_order_that_is_not_there_is_nobodys(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> None:
    """Another shop's on the same account, say: it is neither written down nor does it end the run."""
    order = paid_order(stripe, guest, {mug: 1}, now)
    other = paid_order(stripe, new_guest(now), {mug: 1}, now)
    dashboard_refund(order)
    dashboard_refund(other, 700)
    order_key(order.owner, order.order_id).delete()

    jobs.reconcile(now=now + LATER)

    assert books.refunds_of(order_id=order.order_id) == ()
    assert stored(other).payment.given_back == usd(700)
