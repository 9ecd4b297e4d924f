"""What does not add up is found, told once, and put right by one call; what adds up is left in peace."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from catalog import queries as catalog
from catalog import stock_check
from catalog.models import ProductRow, product_key
from catalog.services import set_stock
from catalog.stock_models import to_stock_row
from orders import jobs, payments, queries, reconciling, services
from orders import ledger_queries as books
from orders.domain import HOLD, HOLD_EXTENSION, Order, OrderStatus
from orders.ledger_domain import FindingKind, RefundState
from orders.models import PAYMENT, OrderRow, RefRow, order_key, ref_pk
from shop.lib.deadline import request_time
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.orders.findings import found, put_right
from tests.orders.paid import EVE, STAFF, ask, dashboard_refund, made_at, paid_order, stock, stored, usd
from tests.rivals import Killed, killed, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")

LATER = timedelta(hours=2)


@pytest.fixture
def mug() -> str:
    return factories.make_product(inventory=50, price=usd(2400)).product_id


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> Order:
    return paid_order(stripe, guest, {mug: 1}, now)


def test_what_adds_up_is_left_in_peace_and_looked_at_once(stripe: FakeStripe, now: datetime, mug: str) -> None:
    """Paid, refunded, cancelled, expired and unpaid orders, and a payment of another shop on the account."""
    orders = [paid_order(stripe, new_guest(now), {mug: 1}, now) for _ in range(5)]
    ask(orders[0], now, extra=usd(500))
    services.refund_rest(order=orders[1], restock=True, note="", actor=STAFF, now=now)
    services.cancel_order(order=orders[2], actor="shopper", now=now)
    services.cancel_unpaid(order=factories.make_order(new_guest(now), {mug: 1}, now), now=now)
    factories.open_payment(factories.make_order(new_guest(now), {mug: 1}, now))
    params: Any = {"amount": 999, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    payments.gateway()._client.v1.payment_intents.create(params)

    assert jobs.reconcile(now=now + timedelta(minutes=20)) == 0
    stripe.state.requests.clear()
    assert jobs.reconcile(now=now + timedelta(minutes=25)) == 0
    assert len(stripe.state.requests) == 2  # the five minutes since: payments and refunds


def test_a_payment_without_order_is_found_and_given_back(stripe: FakeStripe, paid: Order, now: datetime, tables: Any) -> None:
    RefRow(ref_pk(paid.order_id), "REF").delete()
    order_key(paid.owner, paid.order_id).delete()

    assert jobs.reconcile(now=now + LATER) == 1

    assert found() == [("payment_without_order", paid.payment.payment_intent_id)]
    assert [finding.amount for finding in books.findings()] == [paid.total]
    put_right(FindingKind.PAYMENT_WITHOUT_ORDER, paid.payment.payment_intent_id, now)
    with pytest.raises(books.FindingNotFound):
        put_right(FindingKind.PAYMENT_WITHOUT_ORDER, paid.payment.payment_intent_id, now)
    assert (found(), made_at(stripe)) == ([], [paid.total.minor])


def test_a_second_payment_is_found_and_given_back_and_the_order_stays(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    stripe.state.idempotency.clear()
    second = payments.gateway().open_session(
        paid, success_url="http://testserver/s", cancel_url="http://testserver/c", expires_at=now + timedelta(hours=1)
    )
    assert stripe.pay(second.session_id) == "paid"
    intent = payments.gateway().session(second.session_id).payment_intent_id

    assert jobs.reconcile(now=now + LATER) == 1

    assert found() == [("second_payment", intent)]
    put_right(FindingKind.SECOND_PAYMENT, intent, now)
    assert (found(), made_at(stripe), stored(paid)) == ([], [paid.total.minor], paid)
    assert jobs.reconcile(now=now + 2 * LATER) == 0


def test_a_payment_nobody_noticed_is_settled_on_the_way(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> None:
    order = factories.open_payment(factories.make_order(guest, {mug: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    assert jobs.reconcile(now=now + timedelta(minutes=20)) == 0

    assert stored(order).status is OrderStatus.PROCESSING


def test_an_order_that_says_another_sum_than_stripe_is_found_and_stopped(paid: Order, now: datetime) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[PAYMENT.amount.set(Decimal("1.00"))])

    assert jobs.reconcile(now=now + LATER) == 1

    assert found() == [("amount", paid.payment.payment_intent_id)]
    put_right(FindingKind.AMOUNT, paid.payment.payment_intent_id, now)
    assert (stored(paid).status, stored(paid).history[-1].actor) == (OrderStatus.REVIEW, STAFF)


@pytest.mark.parametrize("intent", ["pi_of_nobody", ""])
def test_an_order_that_counts_as_paid_without_a_payment_is_found_and_stopped(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str, intent: str
) -> None:
    order = factories.make_order(guest, {mug: 2}, now)
    actions = [OrderRow.status.set("processing"), OrderRow.gsi1_pk.set("STATUS#processing"), PAYMENT.status.set("completed")]
    if intent:
        actions.append(PAYMENT.payment_intent_id.set(intent))
    order_key(guest, order.order_id).update(actions=actions)

    assert jobs.reconcile(now=now + LATER) == 1

    assert found() == [("order_without_payment", order.order_id)]
    put_right(FindingKind.ORDER_WITHOUT_PAYMENT, order.order_id, now)
    stopped = stored(order)
    assert stopped.status is OrderStatus.REVIEW
    if not intent:
        with pytest.raises(services.NoPayment):
            services.accept_review(order=stopped, actor=STAFF, now=now, note="")
    dropped = services.drop_review(order=stopped, actor=STAFF, now=now, note="Nobody paid")
    assert (dropped.status, stock(mug)) == (OrderStatus.CANCELLED, 50)
    assert jobs.reconcile(now=now + 2 * LATER) == 0


def test_a_refund_made_at_stripe_whose_webhook_was_lost_is_written_down_on_the_way(paid: Order, now: datetime) -> None:
    dashboard_refund(paid, 700)

    assert jobs.reconcile(now=now + LATER) == 0

    assert (stored(paid).payment.given_back, stored(paid).payment.left) == (usd(700), paid.total - usd(700))


def test_refunds_that_differ_for_good_are_found_and_told_until_they_agree(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[PAYMENT.refunded.set(Decimal("3.00"))])

    assert jobs.reconcile(now=now + LATER) == 1

    assert found() == [("refunds", paid.payment.payment_intent_id)]
    with pytest.raises(services.StillWrong):
        put_right(FindingKind.REFUNDS, paid.payment.payment_intent_id, now)
    assert len(found()) == 1
    order_key(paid.owner, paid.order_id).update(actions=[PAYMENT.refunded.remove()])
    assert jobs.reconcile(now=now + 2 * LATER) == 0


def test_a_refund_that_is_stuck_is_found_and_carried_through(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="before"):
        ask(paid, now, extra=usd(500))

    assert jobs.reconcile(now=now + LATER) == 1
    assert found() == [("stuck_refund", f"{paid.order_id}-1")]
    put_right(FindingKind.STUCK_REFUND, f"{paid.order_id}-1", now)

    assert (found(), made_at(stripe)) == ([], [500])
    assert books.refund(order_id=paid.order_id, key="1").state is RefundState.SUCCEEDED


def test_an_order_that_holds_its_pieces_far_too_long_is_found_and_released(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str
) -> None:
    order = factories.open_payment(factories.make_order(guest, {mug: 2}, now))

    assert jobs.reconcile(now=now + HOLD + HOLD_EXTENSION + timedelta(hours=1)) == 1
    assert found() == [("stuck_order", order.order_id)]
    put_right(FindingKind.STUCK_ORDER, order.order_id, now)

    assert (found(), stored(order).status, stock(mug)) == ([], OrderStatus.EXPIRED, 50)


def test_a_finding_that_has_come_right_by_itself_is_dropped(stripe: FakeStripe, guest: Owner, now: datetime, mug: str) -> None:
    factories.make_order(guest, {mug: 2}, now)
    late = now + HOLD + HOLD_EXTENSION + timedelta(hours=1)
    assert jobs.reconcile(now=late) == 1

    assert jobs.release_unpaid_orders(now=late) == 1

    assert jobs.reconcile(now=late) == 0


def test_a_person_may_dismiss_a_finding(paid: Order, now: datetime) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[PAYMENT.amount.set(Decimal("1.00"))])
    jobs.reconcile(now=now + LATER)

    services.dismiss_finding(kind=FindingKind.AMOUNT, subject=paid.payment.payment_intent_id, actor=EVE, now=now)

    assert found() == []
    with pytest.raises(books.FindingNotFound):
        services.dismiss_finding(kind=FindingKind.AMOUNT, subject=paid.payment.payment_intent_id, actor=EVE, now=now)


def test_a_silent_stripe_ends_the_run_and_the_next_goes_on_from_there(
    stripe: FakeStripe, paid: Order, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[PAYMENT.amount.set(Decimal("1.00"))])
    stripe.faults.api.append(ApiFault("error_before", path="/v1/refunds", method="GET"))

    jobs.reconcile(now=now + LATER)
    assert "the next run goes on from here" in caplog.text

    assert jobs.reconcile(now=now + LATER) == 1


def test_without_time_no_slice_is_begun(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    stripe.state.requests.clear()

    with request_time(15):
        assert jobs.reconcile(now=now + LATER) == 0
        assert jobs.reconcile_stock(now=now + LATER) == 0

    assert list(stripe.state.requests) == []
    assert books.bookmark("money") is None


# --- Stock ------------------------------------------------------------------------------------------------------------


def test_stock_that_moved_without_a_record_is_found_and_the_records_brought_to_it(
    stripe: FakeStripe, paid: Order, now: datetime, mug: str
) -> None:
    assert jobs.reconcile_stock(now=now) == 0
    product_key(mug).update(actions=[ProductRow.inventory.set(ProductRow.inventory - 3)])

    assert jobs.reconcile_stock(now=now + LATER) == 1

    assert found() == [("stock", mug)]
    assert stock_check.stock_sum(product_id=mug, now=now).drift == -3
    put_right(FindingKind.STOCK, mug, now + LATER)
    assert (found(), stock(mug), jobs.reconcile_stock(now=now + LATER)) == ([], 46, 0)


def test_a_sale_while_the_stock_is_compared_is_no_drift(guest: Owner, now: datetime, mug: str) -> None:
    jobs.reconcile_stock(now=now)

    with run_before("Query", lambda: factories.make_order(guest, {mug: 2}, now), nth=2):
        assert jobs.reconcile_stock(now=now) == 0

    assert stock(mug) == 48


def test_only_what_moved_since_the_last_time_is_read(guest: Owner, now: datetime, mug: str) -> None:
    for count in range(40, 30, -1):
        set_stock(product_id=mug, inventory=count, now=now)
    later = now + timedelta(hours=1)
    assert stock_check.stock_sum(product_id=mug, now=later).recorded == 31
    set_stock(product_id=mug, inventory=7, now=later)

    kept = stock_check._kept(mug)

    assert kept is not None
    assert kept.total == 31
    assert stock_check.stock_sum(product_id=mug, now=later).drift == 0


def test_a_product_whose_stock_was_never_recorded_is_counted_from_its_first_comparison(now: datetime, mug: str) -> None:
    for movement in catalog.stock_movements(product_id=mug).items:
        to_stock_row(movement).delete()

    assert stock_check.stock_sum(product_id=mug, now=now).drift == 0
    set_stock(product_id=mug, inventory=9, now=now)
    product_key(mug).update(actions=[ProductRow.inventory.set(11)])

    assert stock_check.stock_sum(product_id=mug, now=now + LATER).drift == 2


def test_pages_of_the_catalogue_are_compared_one_after_another(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        factories.make_product()
    newest = catalog.newest
    monkeypatch.setattr(catalog, "newest", lambda *, cursor: newest(cursor=cursor, size=2))
    looked: list[str] = []
    real = stock_check.stock_sum

    def look(*, product_id: str, now: datetime) -> stock_check.StockSum:
        looked.append(product_id)
        return real(product_id=product_id, now=now)

    monkeypatch.setattr(reconciling, "stock_sum", look)

    assert jobs.reconcile_stock(now=now) == 0

    assert len(set(looked)) == len(looked) == 3


# --- The jobs of each minute ------------------------------------------------------------------------------------------


def test_a_paid_order_nobody_told_us_of_is_settled_within_a_minute_or_two(
    stripe: FakeStripe, guest: Owner, now: datetime, mug: str
) -> None:
    orders = [factories.open_payment(factories.make_order(new_guest(now), {mug: 1}, now)) for _ in range(3)]
    for order in orders[:2]:
        assert stripe.pay(order.payment.session_id) == "paid"
    assert jobs.settle_paid_orders(now=now + timedelta(seconds=59)) == 0

    assert jobs.settle_paid_orders(now=now + timedelta(seconds=60)) == 2
    assert jobs.settle_paid_orders(now=now + timedelta(seconds=61)) == 0

    assert [stored(order).status for order in orders] == ["processing", "processing", "pending"]


def test_without_unpaid_orders_stripe_is_not_asked(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    stripe.state.requests.clear()

    assert jobs.settle_paid_orders(now=now + timedelta(minutes=5)) == 0

    assert list(stripe.state.requests) == []


def test_jobs_without_time_begin_nothing(stripe: FakeStripe, guest: Owner, now: datetime, mug: str, paid: Order) -> None:
    order = factories.make_order(new_guest(now), {mug: 1}, now)
    with pytest.raises(Killed), run_around(payments.gateway(), "refund", killed, when="before"):
        ask(paid, now, extra=usd(500))

    with request_time(5):
        assert jobs.release_unpaid_orders(now=now + HOLD) == 0
        assert jobs.resume_refunds(now=now + HOLD) == 0

    assert stored(order).status is OrderStatus.PENDING
    assert queries.order_by_id(order_id=paid.order_id).payment.given_back == usd(0)
