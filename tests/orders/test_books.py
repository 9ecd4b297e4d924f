"""Invoices, credit notes and figures, as the stream gives them: without gaps, and nothing counted twice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import issuing, mails, services
from orders import ledger_queries as books
from orders.domain import HistoryEntry, Order, OrderStatus
from orders.ledger_domain import Figures, InvoiceLine, RefundState
from orders.models import OrderRow, RefRow, ref_pk, to_row
from orders.reactions import order_changed
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Busy, connection
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.paid import ask, paid_order, stored, usd
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


def item(order: Order) -> dict[str, Any]:
    """The order as the stream shows it."""
    return next(one for one in items_of("Orders") if one["SK"]["S"] == f"ORDER#{order.order_id}")


def refund_item(order: Order, key: str = "1") -> dict[str, Any]:
    return next(
        one for one in items_of("Orders") if one["PK"]["S"] == ref_pk(order.order_id) and one["SK"]["S"] == f"REFUND#{key}"
    )


def before(image: dict[str, Any], **changes: str) -> dict[str, Any]:
    return image | {name: {"S": value} for name, value in changes.items()}


def react_to_payment(order: Order, now: datetime) -> None:
    image = item(order)
    order_changed(before(image, status="pending"), image, now=now)


def figures(now: datetime) -> Figures:
    (day,) = books.daily_figures(first=now.date(), last=now.date(), currency="USD")
    return day


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    def fail(*_args: object) -> None:
        raise OSError("no mail today")

    with monkeypatch.context() as patched:
        patched.setattr(mails, name, fail)
        yield


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return paid_order(stripe, guest, {factories.make_product(price=usd(2400), name="Tide mug").product_id: 2}, now)


def test_a_paid_order_gets_its_invoice_counts_once_and_is_mailed_once(paid: Order, now: datetime, mailoutbox: list[Any]) -> None:
    for _ in range(3):
        react_to_payment(paid, now)

    invoice = books.invoice_of(paid)
    assert (invoice.number, invoice.order_id, invoice.paid_at) == ("INV-000001", paid.order_id, now)
    assert invoice.lines == (InvoiceLine("Tide mug", 2, usd(2400)),)
    assert (invoice.subtotal, invoice.tax, invoice.shipping, invoice.total) == (usd(4800), usd(384), usd(999), usd(6183))
    assert invoice.delivery_method == "Standard delivery", "as the order's page has it, whatever it is called later"
    assert stored(paid).invoice_number == "INV-000001"
    day = figures(now)
    assert (day.orders, day.items, day.revenue, day.average) == (1, 2, usd(6183), usd(6183))
    assert len(mailoutbox) == 1


def test_an_invoice_stays_as_it_was_issued(paid: Order, now: datetime) -> None:
    invoice = services.issue_invoice(order=paid, now=now)
    OrderRow.get(paid.owner.key, f"ORDER#{paid.order_id}").update(actions=[OrderRow.email.set("eve@example.com")])

    assert services.issue_invoice(order=stored(paid), now=now + timedelta(days=9)) == invoice
    assert invoice.email == "ada@example.com"


def test_a_failed_mail_holds_up_neither_invoice_nor_figures_and_comes_again(
    paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    with failing(monkeypatch, "confirmation"), pytest.raises(OSError, match="no mail today"):
        react_to_payment(paid, now)
    assert (books.invoice_of(paid).number, figures(now).orders) == ("INV-000001", 1)

    react_to_payment(paid, now)

    assert (len(mailoutbox), figures(now).orders) == (1, 1)


def test_an_order_never_paid_gets_no_invoice(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    order_changed(None, item(order), now=now)

    with pytest.raises(books.InvoiceNotFound):
        services.issue_invoice(order=order, now=now)

    assert (figures(now).placed, figures(now).orders) == (1, 0)
    assert [one for one in items_of("Orders") if one["PK"]["S"] == "SEQUENCE"] == []


def test_numbers_given_at_once_have_no_gap_and_no_double(now: datetime) -> None:
    """Forty orders that are paid at one time; their records come twice, from eight streams."""
    template = None
    product_id = factories.make_product(inventory=5).product_id
    orders: list[Order] = []
    for _ in range(20):
        owner = new_guest(now)
        if template is None:
            template = factories.make_order(owner, {product_id: 1}, now)
        order = _copy_of(template, owner, f"ord-copy{len(orders):09d}", now)
        orders.append(order)
    connection()

    with ThreadPoolExecutor(max_workers=8) as pool:
        numbers = list(pool.map(lambda order: services.issue_invoice(order=order, now=now).number, orders * 2))

    assert sorted(set(numbers)) == [f"INV-{number:06d}" for number in range(1, 21)]
    assert {order.order_id: stored(order).invoice_number for order in orders} == {
        order.order_id: number for order, number in zip(orders, numbers, strict=False)
    }


def _copy_of(order: Order, owner: Owner, order_id: str, now: datetime) -> Order:
    entry = HistoryEntry(OrderStatus.PROCESSING, now, "stripe")
    copied = replace(order, owner=owner, order_id=order_id, status=OrderStatus.PROCESSING, history=(*order.history, entry))
    to_row(copied).save()
    RefRow(ref_pk(order_id), "REF", owner=owner.key).save()
    return copied


def test_a_number_another_document_took_at_this_moment_is_not_given_twice(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    other = paid_order(stripe, new_guest(now), {factories.make_product().product_id: 1}, now)

    with run_before("TransactWriteItems", lambda: services.issue_invoice(order=other, now=now)):
        mine = services.issue_invoice(order=paid, now=now)

    assert (books.invoice_of(other).number, mine.number) == ("INV-000001", "INV-000002")


def test_an_invoice_given_twice_at_once_uses_one_number(paid: Order, now: datetime) -> None:
    with run_before("TransactWriteItems", lambda: services.issue_invoice(order=paid, now=now)):
        mine = services.issue_invoice(order=paid, now=now)

    assert mine.number == "INV-000001"
    (sequence,) = (one for one in items_of("Orders") if one["PK"]["S"] == "SEQUENCE")
    assert sequence["last"] == {"N": "1"}


@pytest.mark.parametrize("operation", ["TransactWriteItems"])
def test_an_invoice_and_a_count_whose_reply_was_lost_are_made_once(
    paid: Order, now: datetime, lost_reply: Any, operation: str
) -> None:
    wire = lost_reply(operation)

    assert services.issue_invoice(order=paid, now=now).number == "INV-000001"
    assert wire.count(operation) == 2
    assert services.count_paid(order=paid, now=now) is True
    assert services.count_paid(order=paid, now=now) is False
    assert figures(now).orders == 1


def test_a_refund_gets_a_credit_note_and_counts_once(paid: Order, now: datetime) -> None:
    refund = ask(paid, now, lines={paid.lines[0].product_id: 1}, restock=True)
    image = refund_item(paid)

    for _ in range(2):
        order_changed(before(image, state="asked"), image, now=now)

    (note,) = books.credit_notes_of(stored(paid))
    assert (note.number, note.invoice_number, note.refund.amount, note.tax) == ("CN-000001", "INV-000001", usd(2592), usd(192))
    assert note.lines == (InvoiceLine("Tide mug", 1, usd(2400)),)
    day = figures(now)
    assert (day.refunds, day.refunded) == (1, refund.amount)


def test_a_refund_that_came_back_is_taken_out_of_the_figures_once(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    ask(paid, now, extra=usd(500))
    succeeded = refund_item(paid)
    order_changed(before(succeeded, state="asked"), succeeded, now=now)
    (made,) = stripe.state.tables["refunds"].values()
    made.update(status="failed", failure_reason="expired_or_canceled_card")
    services.sync_refunds(order_id=paid.order_id, now=now)
    failed = refund_item(paid)

    for _ in range(2):
        order_changed(succeeded, failed, now=now)

    assert books.refund(order_id=paid.order_id, key="1").state is RefundState.FAILED
    assert (figures(now).refunds, figures(now).refunded) == (0, usd(0))


def test_figures_of_several_months_are_a_query_a_month(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    services.count_paid(order=paid, now=now)

    with counted_calls() as calls:
        days = books.daily_figures(first=(now - timedelta(days=62)).date(), last=now.date(), currency="USD")

    assert [day.day for day in days] == [now.date()]
    assert set(calls) == {"Query"}
    assert len(calls) in (3, 4)  # 63 days touch three months, or four around a February
    assert books.daily_figures(first=now.date(), last=now.date(), currency="EUR") == ()


def test_money_is_counted_exactly(now: datetime) -> None:
    guest = new_guest(now)
    order = factories.make_order(guest, {factories.make_product(price=Money(19999, "USD")).product_id: 3}, now)
    paid = _copy_of(order, guest, "ord-exact000000", now)
    other = _copy_of(order, guest, "ord-exact000001", now)

    for each in (paid, other):
        services.count_paid(order=each, now=now)

    assert figures(now).revenue == usd(2 * order.total.minor)


def test_numbers_that_are_taken_faster_than_given_leave_none_half_given(
    stripe: FakeStripe, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = paid_order(stripe, new_guest(now), {factories.make_product().product_id: 1}, now)
    monkeypatch.setattr(issuing, "_TRIES", 1)

    with run_before("TransactWriteItems", lambda: services.issue_invoice(order=other, now=now)), pytest.raises(Busy):
        services.issue_invoice(order=paid, now=now)

    with pytest.raises(books.InvoiceNotFound):
        books.invoice_of(paid)
    assert stored(paid).invoice_number == ""
    assert services.issue_invoice(order=paid, now=now).number == "INV-000002"


def test_a_credit_note_given_twice_at_once_uses_one_number(paid: Order, now: datetime) -> None:
    services.issue_invoice(order=paid, now=now)
    refund = ask(paid, now, extra=usd(500))

    def another() -> None:
        services.issue_credit_note(order_id=paid.order_id, key=refund.key, now=now)

    with run_before("TransactWriteItems", another):
        number = services.issue_credit_note(order_id=paid.order_id, key=refund.key, now=now)

    assert number == books.refund(order_id=paid.order_id, key=refund.key).credit_note == "CN-000001"
    assert {one["last"]["N"] for one in items_of("Orders") if one["PK"]["S"] == "SEQUENCE"} == {"1"}


def test_a_credit_note_that_finds_no_number_is_given_one_later(
    stripe: FakeStripe, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = paid_order(stripe, new_guest(now), {factories.make_product().product_id: 1}, now)
    mine, theirs = ask(paid, now, extra=usd(500)), ask(other, now, extra=usd(500))
    for order in (paid, other):
        services.issue_invoice(order=order, now=now)

    def another() -> None:
        services.issue_credit_note(order_id=other.order_id, key=theirs.key, now=now)

    with monkeypatch.context() as once, run_before("TransactWriteItems", another):
        once.setattr(issuing, "_TRIES", 1)
        with pytest.raises(Busy):
            services.issue_credit_note(order_id=paid.order_id, key=mine.key, now=now)

    assert books.refund(order_id=paid.order_id, key=mine.key).credit_note == ""
    assert services.issue_credit_note(order_id=paid.order_id, key=mine.key, now=now) == "CN-000002"


def test_an_order_that_was_not_paid_counts_on_no_day(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    assert services.count_paid(order=order, now=now) is False
    assert [day.orders for day in books.daily_figures(first=now.date(), last=now.date(), currency="USD")] in ([], [0])
