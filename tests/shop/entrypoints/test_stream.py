"""What follows from a change in the tables, given the records DynamoDB Streams delivers."""

import smtplib
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from catalog.models import PRODUCT_SK, ProductRow, product_pk
from catalog.services import set_stock
from orders import jobs, ledger_queries, queries, services
from orders.domain import Order
from shop.entrypoints import figures
from shop.entrypoints.jobs import handler as run_job
from shop.entrypoints.stream import _settled, handler
from shop.lib.clock import utc_now
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import table_name
from shop.local.context import LocalContext
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables", "index")


def record(table: str, new: dict[str, Any] | None, old: dict[str, Any] | None = None, number: int = 1) -> dict[str, Any]:
    """A record as Lambda hands it over."""
    images = {name: image for name, image in (("NewImage", new), ("OldImage", old)) if image is not None}
    some = new or old or {}
    return {
        "eventID": f"e{number}",
        "eventName": "MODIFY" if new and old else ("INSERT" if new else "REMOVE"),
        "eventSource": "aws:dynamodb",
        "eventSourceARN": f"arn:aws:dynamodb:us-east-1:000000000000:table/{table_name(table)}/stream/2026-11-23T00:00:00.000",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "Keys": {"PK": some["PK"], "SK": some["SK"]},
            "SequenceNumber": str(number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
            **images,
        },
    }


def react(*records: dict[str, Any]) -> list[str]:
    """Hand the records over; the numbers of those that failed."""
    answer = handler({"Records": list(records)}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def item(tables: Any, table: str, pk: str, sk: str) -> dict[str, Any]:
    found: dict[str, Any] = tables.get_item(TableName=table_name(table), Key={"PK": {"S": pk}, "SK": {"S": sk}})["Item"]
    return found


@pytest.fixture
def payment(tables: Any, stripe: FakeStripe, guest: Owner, now: datetime) -> tuple[Order, dict[str, Any]]:
    """A paid order, and the record of its being paid."""
    mug = factories.make_product(name="Tide <Mug> & Co", price=Money(2400, "USD"))
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 3}, now))
    old = item(tables, "Orders", guest.key, f"ORDER#{order.order_id}")
    stripe.pay(order.payment.session_id)
    services.settle(session_id=order.payment.session_id, now=now)
    new = item(tables, "Orders", guest.key, f"ORDER#{order.order_id}")
    return order, record("Orders", new, old)


def test_a_paid_order_is_confirmed_by_mail_once_however_often_the_record_comes(payment: tuple[Order, dict[str, Any]]) -> None:
    order, paid = payment

    assert [react(paid), react(paid, paid)] == [[], []]

    (message,) = mail.outbox
    assert message.to == ["ada@example.com"]
    assert message.subject == f"Your Fernhollow order {order.order_id} is paid"
    html = message.alternatives[0].content  # type: ignore[attr-defined]  # a mail in two forms
    for body in (str(message.body), words_of(str(html))):
        for words in (order.order_id, "Tide <Mug> & Co", "$72.00", "$5.76", "$9.99", "$87.75", "123 Main St"):
            assert words in body
    assert f"http://testserver/orders/{order.order_id}/?key=" in str(message.body)


def test_the_link_in_the_mail_opens_the_order(payment: tuple[Order, dict[str, Any]], client: Any) -> None:
    _, paid = payment
    react(paid)
    link = next(word for word in str(mail.outbox[0].body).split() if "?key=" in word)

    assert client.get(link.removeprefix("http://testserver")).status_code == 200


def test_a_mail_that_fails_is_sent_when_the_record_comes_again_and_keeps_nobody_waiting(
    payment: tuple[Order, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, paid = payment
    healthy = record("Products", factories_item(), number=2)

    with monkeypatch.context() as broken:

        def refuse(*args: Any) -> int:
            raise smtplib.SMTPServerDisconnected("gone")

        broken.setattr(EmailBackend, "send_messages", refuse)
        assert react(paid, healthy) == ["1"]
    assert mail.outbox == []

    assert react(paid) == []
    assert len(mail.outbox) == 1


def factories_item() -> dict[str, Any]:
    from catalog.models import to_row

    return dict(to_row(factories.product(), image_keys=()).serialize())


@pytest.mark.parametrize("status", ["pending", "expired", "cancelled", "shipped", "review"])
def test_other_changes_of_an_order_send_no_confirmation(payment: tuple[Order, dict[str, Any]], status: str) -> None:
    _, paid = payment
    paid["dynamodb"]["NewImage"]["status"] = {"S": status}

    assert react(paid) == []
    assert not any("is paid" in message.subject for message in mail.outbox)


def test_rows_beside_orders_and_deletions_cause_nothing(tables: Any, guest: Owner, now: datetime) -> None:
    factories.ready_to_order(guest, {factories.make_product().product_id: 1}, now)
    details = item(tables, "Orders", guest.key, "CHECKOUT")

    assert react(record("Orders", details), record("Orders", None, details), record("Carts", details)) == []
    assert mail.outbox == []


def test_availability_follows_the_stock_when_a_threshold_is_crossed(tables: Any, now: datetime) -> None:
    mug = factories.make_product(inventory=20)

    def availability_after(inventory: int) -> str:
        set_stock(product_id=mug.product_id, inventory=inventory, now=now)
        changed = item(tables, "Products", product_pk(mug.product_id), PRODUCT_SK)
        assert react(record("Products", changed)) == []
        return str(ProductRow.get(product_pk(mug.product_id), PRODUCT_SK).availability)

    assert [availability_after(left) for left in (6, 5, 1, 0, 7)] == ["in_stock", "low", "low", "out", "in_stock"]


def test_an_old_record_does_not_undo_what_a_later_change_of_stock_caused(tables: Any, now: datetime) -> None:
    mug = factories.make_product(inventory=20)
    set_stock(product_id=mug.product_id, inventory=0, now=now)
    old = item(tables, "Products", product_pk(mug.product_id), PRODUCT_SK)
    react(record("Products", old))
    set_stock(product_id=mug.product_id, inventory=50, now=now)
    react(record("Products", item(tables, "Products", product_pk(mug.product_id), PRODUCT_SK)))

    react(record("Products", old))

    assert ProductRow.get(product_pk(mug.product_id), PRODUCT_SK).availability == "in_stock"


def test_one_bad_record_is_named_and_the_others_are_done(payment: tuple[Order, dict[str, Any]]) -> None:
    _, paid = payment
    bad = record("Products", {"PK": {"S": "PRODUCT#x"}, "SK": {"S": "METADATA"}, "inventory": {"S": "many"}}, number=7)

    assert react(bad, paid) == ["7"]
    assert len(mail.outbox) == 1


def test_the_schedule_runs_its_job_by_name(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    assert run_job({"job": "release_unpaid_orders"}, LocalContext("jobs")) == {"job": "release_unpaid_orders", "done": 0}
    assert queries.order_by_id(order_id=order.order_id).status == "pending"
    with pytest.raises(KeyError):
        run_job({"job": "release_unpaid_order"}, None)


class Context:
    """Lambda's, with so much time left."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


def test_what_there_is_no_time_for_is_left_for_the_next_run(payment: tuple[Order, dict[str, Any]]) -> None:
    _, paid = payment

    answer = handler({"Records": [paid]}, Context(seconds=6))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert mail.outbox == []
    assert handler({"Records": [paid]}, Context(seconds=60)) == {"batchItemFailures": []}
    assert len(mail.outbox) == 1


def change(status: str | None, was: str | None) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """An order's row before and after."""

    def row(value: str | None) -> dict[str, Any] | None:
        totals = {"M": {"total": {"N": "484.06"}}}
        return None if value is None else {"SK": {"S": "ORDER#ord-1"}, "status": {"S": value}, "totals": totals}

    return row(was), row(status)


@pytest.mark.parametrize(
    ("status", "was", "expected"),
    [
        ("pending", None, {"OrdersPlaced": 1}),
        ("processing", "pending", {"OrdersPaid": 1, "Revenue": 484.06}),
        ("expired", "pending", {"OrdersUnpaid": 1}),
        ("cancelled", "pending", {"OrdersUnpaid": 1}),
        ("cancelled", "processing", {}),
        ("review", "pending", {"OrdersForReview": 1}),
        ("refunded", "refund_pending", {"OrdersRefunded": 1}),
        ("shipped", "processing", {}),
        ("pending", "pending", {}),
        (None, "pending", {}),
    ],
)
def test_a_change_of_an_order_is_counted_for_what_it_means(
    status: str | None, was: str | None, expected: dict[str, float]
) -> None:
    assert figures.of_order(*change(status, was)) == expected


@pytest.mark.parametrize(
    ("status", "was", "before", "expected"),
    [
        ("processing", "review", ["pending", "processing"], {}),
        ("processing", "review", ["pending"], {"OrdersPaid": 1, "Revenue": 484.06}),
        ("processing", "expired", ["pending"], {"OrdersPaid": 1, "Revenue": 484.06}),
        ("refunded", "refund_pending", ["pending", "processing", "refund_pending", "refunded", "review"], {}),
        ("review", "processing", ["pending", "processing", "review"], {"OrdersForReview": 1}),
    ],
)
def test_an_order_is_paid_and_refunded_once_however_often_it_is_looked_at(
    status: str, was: str, before: list[str], expected: dict[str, float]
) -> None:
    old, new = change(status, was)
    history = {"L": [{"M": {"status": {"S": entry}}} for entry in [*before, was]]}

    assert figures.of_order((old or {}) | {"history": history}, new) == expected


@pytest.mark.parametrize(("before", "after", "expected"), [(0, 1, {"FailedPayments": 1}), (1, 1, {}), (1, 0, {})])
def test_a_refused_card_is_counted_when_it_is_noted(before: int, after: int, expected: dict[str, float]) -> None:
    old, new = change("pending", "pending")
    images = [
        (image or {}) | {"payment": {"M": {"failures": {"N": str(count)}} if count else {}}}
        for image, count in ((old, before), (new, after))
    ]

    assert figures.of_order(*images) == expected


def test_an_order_that_was_claimed_is_not_paid_once_more() -> None:
    _, paid = change("processing", "pending")
    assert paid is not None

    assert figures.of_order(None, paid | {"claimedAt": {"S": "2026-05-01T12:00:00.000000Z"}}) == {}


def test_other_rows_of_the_table_count_for_nothing() -> None:
    assert figures.of_order(None, {"PK": {"S": "ORDER#ord-1"}, "SK": {"S": "REF"}, "owner": {"S": "GUEST#x"}}) == {}


def test_what_comes_again_is_counted_when_it_comes_for_good() -> None:
    """Lambda delivers everything from the first failure on once more."""
    first, failed, last = ({"n": 1}, {"n": 2}, {"n": 3})

    assert _settled([first, failed, last], [failed]) == [first]
    assert _settled([first, failed, last], []) == [first, failed, last]


def test_stuck_orders_are_those_long_past_their_hold(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    assert order.due_at

    # A quarter of an hour for whoever asked for more time, and one for Stripe and us.
    assert jobs.count_stuck_orders(now=order.due_at + timedelta(minutes=29)) == 0
    assert jobs.count_stuck_orders(now=order.due_at + timedelta(minutes=31)) == 1


def test_a_job_without_time_says_so_and_changes_nothing(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)

    assert run_job({"job": "count_stuck_orders"}, Context(seconds=2)) == {"job": "count_stuck_orders", "unfinished": True}
    assert queries.order_by_id(order_id=order.order_id).status == "pending"


def test_carts_that_were_begun_count_in_the_days_figures_by_one_write_a_batch(tables: Any) -> None:
    begun = [
        record("Carts", {"PK": {"S": f"GUEST#{number}"}, "SK": {"S": "CART"}, "version": {"N": "1"}}, number=number)
        for number in range(3)
    ]
    changed = record(
        "Carts", {"PK": {"S": "GUEST#1"}, "SK": {"S": "CART"}, "version": {"N": "2"}}, begun[1]["dynamodb"]["NewImage"]
    )

    code = record("Carts", {"PK": {"S": "DISCOUNTS"}, "SK": {"S": "SPRING10"}, "version": {"N": "1"}}, number=8)

    with counted_calls() as calls:
        assert react(*begun, changed, code) == []

    today = utc_now().date()
    (day,) = ledger_queries.daily_figures(first=today, last=today, currency="USD")
    assert (day.carts, day.orders) == (3, 0)
    assert calls == ["UpdateItem"]


def test_carts_that_could_not_be_counted_come_again(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("no table today")

    monkeypatch.setattr(services, "count_carts", fail)
    begun = record("Carts", {"PK": {"S": "GUEST#1"}, "SK": {"S": "CART"}, "version": {"N": "1"}}, number=7)

    assert react(begun) == ["7"]
