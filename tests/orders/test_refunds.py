"""Money back: through the services, the real stripe library and a table that keeps its promises."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import jobs, payments, services
from orders import ledger_queries as books
from orders.domain import Order, OrderStatus
from orders.ledger_domain import FindingKind, RefundReason, RefundState
from orders.models import REFUNDABLE, order_key
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.orders.paid import (
    EVE,
    STAFF,
    ask,
    dashboard_refund,
    history,
    made_at,
    stock,
    stored,
    three_mugs_and_a_lamp,
    usd,
)
from tests.rivals import Killed, killed, run_around

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return three_mugs_and_a_lamp(stripe, guest, now)


def test_a_full_refund_goes_back_to_stripe_the_shelf_and_the_history(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    refund = services.refund_rest(order=paid, restock=True, note="broken", actor=STAFF, now=now)

    assert (refund.state, refund.amount, refund.reason) == (RefundState.SUCCEEDED, usd(11367), RefundReason.REQUESTED)
    assert made_at(stripe) == [11367]
    after = stored(paid)
    assert (after.status, after.payment.status, after.payment.left, after.payment.given_back) == (
        OrderStatus.REFUNDED,
        "refunded",
        usd(0),
        usd(11367),
    )
    assert [(entry.status, entry.actor, entry.note) for entry in after.history[2:]] == [
        ("refund_pending", STAFF, "broken"),
        ("refunded", "stripe", ""),
    ]
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]
    assert books.refunds_of(order_id=paid.order_id) == (refund,)
    assert list(books.open_refunds(until=now + timedelta(days=1))) == []


def test_parts_by_line_delivery_and_amount_add_up_to_what_was_paid_without_moving_the_order(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    mug, lamp = (line.product_id for line in paid.lines)

    first = ask(paid, now, lines={mug: 1}, restock=True)
    second = ask(stored(paid), now, lines={mug: 2, lamp: 1})
    third = ask(stored(paid), now, extra=usd(500))

    assert [first.amount, second.amount, third.amount] == [usd(2592), usd(7776), usd(500)]
    after = stored(paid)
    assert (after.status, after.payment.status, after.payment.left) == (OrderStatus.PROCESSING, "partially_refunded", usd(499))
    assert [(line.refunded, line.to_ship) for line in after.lines] == [(3, 0), (1, 0)]
    assert [stock(mug), stock(lamp)] == [3, 2]
    with pytest.raises(services.RefundTooLarge) as refusal:
        ask(after, now, delivery=True)
    assert refusal.value.left == usd(499)
    assert made_at(stripe) == [2592, 7776, 500]


def test_delivery_goes_back_once(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    assert ask(paid, now, delivery=True).amount == usd(999)

    with pytest.raises(services.NothingToRefund):
        ask(stored(paid), now, delivery=True)

    assert made_at(stripe) == [999]
    assert stored(paid).delivery_refunded


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, services.NothingToRefund),
        ({"extra": usd(-1)}, services.NothingToRefund),
        ({"extra": usd(11368)}, services.RefundTooLarge),
        ({"lines": {"prod-of-nobody": 1}}, services.NothingToRefund),
        ({"number": 3, "extra": usd(1)}, services.OrderMoved),
    ],
)
def test_what_cannot_be_refunded_is_refused_and_nothing_is_written(
    stripe: FakeStripe, paid: Order, now: datetime, changes: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        ask(paid, now, **changes)
    with pytest.raises(services.NothingToRefund):
        ask(paid, now, lines={paid.lines[0].product_id: 4})
    with pytest.raises(services.NothingToRefund):
        ask(paid, now, lines={paid.lines[0].product_id: -1})

    assert (stored(paid), made_at(stripe)) == (paid, [])
    assert books.refunds_of(order_id=paid.order_id) == ()


def test_an_unpaid_order_has_nothing_to_refund(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))

    with pytest.raises(services.NotRefundable):
        ask(order, now, extra=usd(100))

    assert made_at(stripe) == []


def test_twenty_clicks_on_one_form_are_one_refund(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    first = ask(paid, now, extra=usd(500))

    again = [ask(seen, now, number=1, extra=usd(500)) for seen in (paid, *[stored(paid)] * 2) if seen.refund_count]

    assert {refund.key for refund in again} == {"1"}
    assert (made_at(stripe), stored(paid).payment.left) == ([500], usd(10867))
    with pytest.raises(services.OrderMoved):  # the form as it was drawn, and the order as it was read
        ask(paid, now, extra=usd(500))
    with pytest.raises(services.OrderMoved):  # another colleague's form, for another sum
        ask(stored(paid), now, number=1, extra=usd(700))
    assert books.refunds_of(order_id=paid.order_id) == (first,)


@pytest.mark.parametrize("first", [{"delivery": True}, {"pieces": 1}, {"pieces": 1, "delivery": True, "extra": usd(100)}])
def test_a_colleagues_refund_is_not_taken_for_one_of_another_sum(
    stripe: FakeStripe, paid: Order, now: datetime, first: dict[str, Any]
) -> None:
    wanted = dict(first)
    lines = {paid.lines[0].product_id: wanted.pop("pieces")} if "pieces" in first else {}
    made = ask(paid, now, lines=lines, **wanted)

    assert ask(stored(paid), now, number=1, lines=lines, **wanted) == made
    with pytest.raises(services.OrderMoved):
        ask(stored(paid), now, number=1, lines=lines, **(wanted | {"extra": usd(500)}))
    assert made_at(stripe) == [made.amount.minor]


def test_a_refund_stands_in_the_books_before_stripe_hears_of_it(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="before"):
        services.refund_rest(order=paid, restock=True, note="", actor=STAFF, now=now)

    assert (stored(paid).status, made_at(stripe)) == (OrderStatus.REFUND_PENDING, [])
    assert jobs.resume_refunds(now=now) == 1
    assert jobs.resume_refunds(now=now) == 0
    assert (stored(paid).status, made_at(stripe)) == (OrderStatus.REFUNDED, [11367])
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]


@pytest.mark.parametrize("kind", ["silence_before", "silence_after", "error_before", "error_after", "error_stored"])
def test_a_refund_whose_reply_was_lost_is_found_again_and_made_once(
    stripe: FakeStripe, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(payments.gateway()._client._requestor._get_http_client(), "_timeout", (1, 1))
    stripe.faults.api.append(ApiFault(kind, path="/v1/refunds"))

    refund = ask(paid, now, extra=usd(500))

    assert refund.state is RefundState.ASKED
    assert stored(paid).payment.left == usd(10867)
    if kind == "error_stored":
        stripe.state.idempotency.clear()  # a day later
    assert jobs.resume_refunds(now=now) == 1
    assert made_at(stripe) == [500]
    assert stored(paid).payment.given_back == usd(500)


def test_a_process_that_dies_when_stripe_has_refunded_leaves_the_job_to_record_it(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="after"):
        services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)
    stripe.state.idempotency.clear()  # more than a day later: looked for at Stripe before anything is asked for

    assert jobs.resume_refunds(now=now + timedelta(days=2)) == 1

    assert (stored(paid).status, made_at(stripe)) == (OrderStatus.REFUNDED, [11367])


def test_a_webhook_quicker_than_the_reply_records_the_refund_once(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    def webhook() -> None:
        services.sync_refunds(order_id=paid.order_id, now=now)

    with run_around(payments.gateway(), "refund", webhook, when="after"):
        refund = services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)

    assert refund.state is RefundState.SUCCEEDED
    assert stored(paid).payment.given_back == usd(11367)
    assert history(paid) == ["pending", "processing", "refund_pending", "refunded"]


def test_a_refund_made_at_stripes_own_pages_is_seen(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    part = dashboard_refund(paid, 1000)
    services.sync_refunds(order_id=paid.order_id, now=now)
    after_part = stored(paid)
    dashboard_refund(paid)

    after = services.sync_refunds(order_id=paid.order_id, now=now)

    assert (after_part.status, after_part.payment.left) == (OrderStatus.PROCESSING, usd(10367))
    assert (after.status, after.payment.left, after.payment.given_back) == (OrderStatus.REFUNDED, usd(0), usd(11367))
    assert [(one.key == part, one.amount, one.reason) for one in books.refunds_of(order_id=paid.order_id)].count(
        (True, usd(1000), RefundReason.ELSEWHERE)
    ) == 1
    assert services.sync_refunds(order_id=paid.order_id, now=now) == after


def test_a_refund_stripe_refuses_because_it_was_made_there_ends_as_refunded(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    dashboard_refund(paid)

    refund = services.refund_rest(order=paid, restock=True, note="", actor=STAFF, now=now)

    assert refund.state is RefundState.FAILED
    assert "already been refunded" in refund.failure
    after = stored(paid)
    assert (after.status, after.payment.left, after.payment.given_back) == (OrderStatus.REFUNDED, usd(0), usd(11367))
    assert history(paid)[2:] == ["refund_pending", "review", "refund_pending", "refunded"]
    assert [finding.kind for finding in books.findings()] == [FindingKind.FAILED_REFUND]
    services.put_right(kind=FindingKind.FAILED_REFUND, subject=f"{paid.order_id}-1", actor=EVE, now=now)
    assert books.findings() == ()
    assert made_at(stripe) == [11367]


def test_a_refund_stripe_refuses_for_good_puts_the_order_into_review_with_its_money(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False  # disputed, say

    refund = services.refund_rest(order=paid, restock=True, note="", actor=STAFF, now=now)

    after = stored(paid)
    assert (refund.state, after.status) == (RefundState.FAILED, OrderStatus.REVIEW)
    assert (after.payment.left, after.payment.given_back) == (usd(11367), usd(0))
    assert [(line.refunded, line.loose) for line in after.lines] == [(0, 3), (0, 1)]
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]
    charge["paid"] = True
    accepted = services.accept_review(order=after, actor=STAFF, now=now, note="It is ours after all")
    assert (accepted.status, [line.loose for line in accepted.lines]) == (OrderStatus.PROCESSING, [0, 0])
    assert [stock(line.product_id) for line in paid.lines] == [2, 2]


def test_pieces_that_lie_loose_are_not_put_back_twice(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False
    services.refund_rest(order=paid, restock=True, note="", actor=STAFF, now=now)
    charge["paid"] = True

    again = services.refund_rest(order=stored(paid), restock=True, note="", actor=STAFF, now=now)

    assert again.state is RefundState.SUCCEEDED
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]
    assert stored(paid).status is OrderStatus.REFUNDED


def test_a_refund_the_bank_sends_back_is_looked_at_and_counts_no_more(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)
    (refund,) = stripe.state.tables["refunds"].values()
    refund.update(status="failed", failure_reason="lost_or_stolen_card")

    after = services.sync_refunds(order_id=paid.order_id, now=now)

    assert (after.status, after.payment.left, after.payment.given_back) == (OrderStatus.REVIEW, usd(11367), usd(0))
    assert after.history[-1].note == "Refund failed: lost_or_stolen_card"


def test_a_refund_the_bank_is_at_stays_open_and_is_asked_about_in_an_hour(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="after"):
        services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)
    (refund,) = stripe.state.tables["refunds"].values()
    refund["status"] = "pending"

    assert jobs.resume_refunds(now=now) == 0
    assert list(books.open_refunds(until=now + timedelta(minutes=59))) == []
    assert stored(paid).status is OrderStatus.REFUND_PENDING
    refund["status"] = "succeeded"
    assert jobs.resume_refunds(now=now + timedelta(hours=1)) == 1
    assert stored(paid).status is OrderStatus.REFUNDED


def test_an_item_in_the_specifications_own_form_is_refunded_too(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[REFUNDABLE.remove()])

    refund = ask(replace(stored(paid)), now, extra=usd(11367))

    assert refund.state is RefundState.SUCCEEDED
    assert stored(paid).payment.left == usd(0)
