"""Two at one refund: job and webhook, staff and Stripe's own pages, an order that moves in between. The money goes back once."""

from collections.abc import Callable
from datetime import datetime

import pytest

from orders import jobs, payments, refunding, services
from orders import ledger_queries as books
from orders.domain import Order, OrderStatus
from orders.ledger_domain import RefundReason, RefundState
from orders.moving import OrderMoved
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests.orders.paid import STAFF, ask, dashboard_refund, made_at, stored, three_mugs_and_a_lamp, usd
from tests.rivals import Killed, killed, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """113.67, of which nothing has left."""
    return three_mugs_and_a_lamp(stripe, guest, now)


def asked_and_gone(order: Order, now: datetime) -> None:
    """A refund of 5.00 is in the books; whoever asked for it died before Stripe heard of it."""
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="before"):
        ask(order, now, extra=usd(500))


def shipped(order: Order, now: datetime) -> Callable[[], object]:
    """Staff send the order off: the record of a refund is conditioned on an order that is as it was read."""
    return lambda: services.ship(order=stored(order), carrier="Royal Mail", tracking_number="", actor=STAFF, now=now)


def test_what_is_carried_through_already_is_not_carried_through_again(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    asked_and_gone(paid, now)
    first = services.resume_refund(order_id=paid.order_id, key="1", now=now)
    stripe.state.requests.clear()

    assert services.resume_refund(order_id=paid.order_id, key="1", now=now) == first
    assert (list(stripe.state.requests), made_at(stripe)) == ([], [500])


def test_an_order_that_moves_while_its_refund_is_recorded_is_read_anew(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    with run_before("TransactWriteItems", shipped(paid, now), nth=2):
        refund = ask(paid, now, extra=usd(500))

    assert (refund.state, made_at(stripe)) == (RefundState.SUCCEEDED, [500])
    after = stored(paid)
    assert (after.status, after.payment.given_back, after.payment.left) == (OrderStatus.SHIPPED, usd(500), usd(10867))


def test_a_refund_that_cannot_be_recorded_for_the_crowd_stays_open_for_the_job(
    stripe: FakeStripe, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refunding, "_TRIES", 1)
    with run_before("TransactWriteItems", shipped(paid, now), nth=2), pytest.raises(Busy):
        ask(paid, now, extra=usd(500))

    assert (made_at(stripe), stored(paid).payment.given_back) == ([500], usd(0))
    assert jobs.resume_refunds(now=now) == 1
    assert (made_at(stripe), stored(paid).payment.given_back) == ([500], usd(500))


def test_a_form_drawn_before_a_refund_at_stripes_own_pages_refunds_nothing(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    dashboard_refund(paid, 1000)
    services.sync_refunds(order_id=paid.order_id, now=now)

    with pytest.raises(OrderMoved):
        ask(stored(paid), now, number=1, extra=usd(500))

    assert (made_at(stripe), stored(paid).payment.left) == ([1000], usd(10367))
    assert [one.reason for one in books.refunds_of(order_id=paid.order_id)] == [RefundReason.ELSEWHERE]


def test_what_stripe_says_late_does_not_open_a_refund_again(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    done = ask(paid, now, extra=usd(500))
    (refund,) = stripe.state.tables["refunds"].values()
    refund["status"] = "pending"

    services.sync_refunds(order_id=paid.order_id, now=now)

    assert books.refunds_of(order_id=paid.order_id) == (done,)
    assert stored(paid).payment.given_back == usd(500)


def test_a_webhook_that_ends_a_refund_while_the_job_writes_that_the_bank_is_at_it_wins(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="after"):
        ask(paid, now, extra=usd(500))
    (refund,) = stripe.state.tables["refunds"].values()
    refund["status"] = "pending"

    def webhook() -> None:
        refund["status"] = "succeeded"
        services.sync_refunds(order_id=paid.order_id, now=now)

    with run_before("TransactWriteItems", webhook):
        found = services.resume_refund(order_id=paid.order_id, key="1", now=now)

    assert found.state is RefundState.SUCCEEDED
    assert (made_at(stripe), stored(paid).payment.given_back) == ([500], usd(500))


def test_a_refusal_that_arrives_after_another_has_carried_it_through_changes_nothing(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    charge = next(iter(stripe.state.tables["charges"].values()))

    def the_job_was_quicker() -> None:
        assert jobs.resume_refunds(now=now) == 1
        stripe.state.idempotency.clear()
        charge["paid"] = False

    with run_around(payments.gateway(), "refund", the_job_was_quicker, when="before"):
        refund = ask(paid, now, extra=usd(500))

    assert (refund.state, made_at(stripe)) == (RefundState.SUCCEEDED, [500])
    assert (stored(paid).status, stored(paid).payment.given_back) == (OrderStatus.PROCESSING, usd(500))
    assert books.findings() == ()


def test_an_order_that_moves_while_a_refusal_is_recorded_is_read_anew(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    next(iter(stripe.state.tables["charges"].values()))["paid"] = False

    with run_before("TransactWriteItems", shipped(paid, now), nth=2):
        refund = ask(paid, now, extra=usd(500))

    after = stored(paid)
    assert (refund.state, after.payment.left, made_at(stripe)) == (RefundState.FAILED, usd(11367), [])


def test_a_refusal_that_cannot_be_recorded_for_the_crowd_leaves_the_refund_open(
    stripe: FakeStripe, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False

    monkeypatch.setattr(refunding, "_TRIES", 1)
    with run_before("TransactWriteItems", shipped(paid, now), nth=2), pytest.raises(Busy):
        ask(paid, now, extra=usd(500))

    assert [one.state for one in books.refunds_of(order_id=paid.order_id)] == [RefundState.ASKED]
    charge["paid"] = True
    assert jobs.resume_refunds(now=now) == 1
    assert made_at(stripe) == [500]


def test_a_refusal_is_recorded_though_stripe_is_silent_when_asked_for_refunds_made_elsewhere(
    stripe: FakeStripe, paid: Order, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    dashboard_refund(paid)
    stripe.faults.api.append(ApiFault("error_before", path="/v1/refunds", method="GET"))

    refund = services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)

    assert refund.state is RefundState.FAILED
    assert (stored(paid).status, stored(paid).payment.given_back) == (OrderStatus.REVIEW, usd(0))
    assert "refunds made elsewhere are seen later" in caplog.text
    assert services.sync_refunds(order_id=paid.order_id, now=now).payment.given_back == usd(11367)


def test_money_that_stands_for_a_refund_of_ours_is_not_written_down_as_one_made_elsewhere(
    stripe: FakeStripe, paid: Order, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="before"):
        services.refund_rest(order=paid, restock=False, note="", actor=STAFF, now=now)
    made = dashboard_refund(paid, 1000)

    after = services.sync_refunds(order_id=paid.order_id, now=now)

    assert [one.key for one in books.refunds_of(order_id=paid.order_id)] == ["1"]
    assert (after.payment.left, after.payment.given_back) == (usd(0), usd(0))
    assert f"refund {made} at Stripe exceeds what is left of order {paid.order_id}" in caplog.text


def test_a_refund_made_elsewhere_that_two_see_at_once_is_written_down_once(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    made = dashboard_refund(paid, 1000)

    def another() -> None:
        services.sync_refunds(order_id=paid.order_id, now=now)

    with run_before("TransactWriteItems", another):
        after = services.sync_refunds(order_id=paid.order_id, now=now)

    assert [(one.key, one.state) for one in books.refunds_of(order_id=paid.order_id)] == [(made, RefundState.SUCCEEDED)]
    assert (after.payment.left, after.payment.given_back) == (usd(10367), usd(1000))
