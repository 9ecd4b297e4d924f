"""The mail for each thing that happens to an order: to whom, what it says, where it leads, and once."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import jobs, mails, queries, services
from orders.domain import HOLD, Order, OrderStatus
from orders.models import ref_pk
from orders.reactions import order_changed
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of, words_of
from tests.orders.paid import ask, dashboard_refund, paid_order, stored, usd

pytestmark = pytest.mark.usefixtures("tables")

Rows = dict[tuple[str, str], dict[str, Any]]
Happen = Callable[..., None]


def rows() -> Rows:
    return {(row["PK"]["S"], row["SK"]["S"]): row for row in items_of("Orders")}


@pytest.fixture
def happen(now: datetime) -> Happen:
    """Do something, and hand what it changed over as the stream does: three times, as the stream may."""

    def do(action: Callable[[], object], *, times: int = 3) -> None:
        before = rows()
        action()
        after = rows()
        for _ in range(times):
            for key in after:
                if after[key] != before.get(key):
                    order_changed(before.get(key), after[key], now=now)

    return do


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """Two mugs and a lamp at 24.00 each (72.00), tax 5.76, delivery 9.99: 87.75."""
    mug = factories.make_product(price=usd(2400), name="Tide <Mug>", inventory=9)
    lamp = factories.make_product(price=usd(2400), name="Lamp", inventory=9)
    return paid_order(stripe, guest, {mug.product_id: 2, lamp.product_id: 1}, now)


def key(order: Order) -> str:
    return f"?key={queries.key_of(order.order_id)}"


def page(order: Order) -> str:
    return f"http://testserver/orders/{order.order_id}/{key(order)}"


def mail_in(outbox: list[Any]) -> Any:
    """The one mail that was sent: to the order's address, text and HTML saying the same."""
    (mail,) = outbox
    assert mail.to == ["ada@example.com"]
    outbox.clear()
    return mail


def texts(mail: Any) -> tuple[str, str]:
    return mail.body, words_of(mail.alternatives[0].content)


def links(mail: Any) -> list[str]:
    """The addresses in the text; all of them stand in the HTML, too."""
    found = re.findall(r"https?://\S+\?\S+", mail.body)
    for url in found:
        assert f'href="{url.replace("&", "&amp;")}"' in mail.alternatives[0].content
    return found


def test_the_confirmation_leads_to_the_terms_and_to_how_something_goes_back(
    stripe: FakeStripe, guest: Owner, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    mug = factories.make_product(inventory=9)
    happen(lambda: paid_order(stripe, guest, {mug.product_id: 1}, now))

    mail = mail_in(mailoutbox)
    for path in ("/delivery-and-returns/", "/terms/"):
        assert f"\nhttp://testserver{path}\n" in mail.body
        assert f'href="http://testserver{path}"' in mail.alternatives[0].content


def test_each_parcel_is_told_with_what_is_in_it_and_where_to_follow_it(
    paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    mug = paid.lines[0].product_id

    happen(lambda: services.ship(order=paid, carrier="UPS", tracking_number="1Z 99", actor="staff:eve", now=now, pieces={mug: 2}))

    mail = mail_in(mailoutbox)
    assert mail.subject == "A part of your Fernhollow order is on its way"
    assert "2 x Tide <Mug>" in mail.body
    for text in texts(mail):
        assert "The rest follows in another parcel." in text
        assert "1Z 99" in text
        assert "Lamp" not in text
    assert links(mail) == ["https://www.ups.com/track?tracknum=1Z99", page(paid)]

    happen(lambda: services.ship(order=stored(paid), carrier="Bob’s van", tracking_number="", actor="staff:eve", now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "Your Fernhollow order is on its way"
    assert "1 x Lamp" in mail.body
    for text in texts(mail):
        assert "Bob’s van" in text
        assert "Mug" not in text
    assert links(mail) == [page(paid)]
    assert stored(paid).status is OrderStatus.SHIPPED


def test_an_order_that_arrived_asks_for_reviews(paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any]) -> None:
    happen(lambda: ask(paid, now, lines={paid.lines[1].product_id: 1}))
    sent = services.ship(order=stored(paid), carrier="", tracking_number="", actor="staff:eve", now=now)
    mailoutbox.clear()

    happen(lambda: services.deliver(order=sent, actor="staff:eve", now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "Your Fernhollow order has arrived"
    review = f"http://testserver/orders/{paid.order_id}/reviews/{paid.lines[0].product_id}/{key(paid)}"
    assert links(mail) == [review, page(paid)]  # the lamp went back and is not asked about


def test_a_cancelled_order_tells_what_goes_back_and_the_refund_brings_its_credit_note(
    paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    happen(lambda: services.issue_invoice(order=paid, now=now))
    happen(lambda: services.cancel_order(order=stored(paid), actor=services.SHOPPER, now=now))

    cancelled, refunded = sorted(mailoutbox, key=lambda mail: str(mail.subject), reverse=True)
    assert cancelled.subject == "Your Fernhollow order was cancelled"
    for text in texts(cancelled):
        assert "$87.75 goes back the way it was paid." in text
    assert links(cancelled) == [page(paid)]
    assert refunded.subject == "$87.75 of your Fernhollow order went back"
    assert "2 x Tide <Mug>\n1 x Lamp" in refunded.body
    note = f"http://testserver/orders/{paid.order_id}/credit-notes/CN-000001.pdf{key(paid)}"
    assert links(refunded) == [note, page(paid)]
    assert {to for mail in mailoutbox for to in mail.to} == {"ada@example.com"}


def test_a_part_that_goes_back_is_told_wherever_it_was_made(
    stripe: FakeStripe, paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    happen(lambda: ask(paid, now, lines={paid.lines[1].product_id: 1}, delivery=True))

    mail = mail_in(mailoutbox)
    assert mail.subject == "$35.91 of your Fernhollow order went back"
    for text in texts(mail):
        assert "Delivery: $9.99" in text
        assert "Credit note CN-000001" in text

    dashboard_refund(paid, 500)
    happen(lambda: services.sync_refunds(order_id=paid.order_id, now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "$5.00 of your Fernhollow order went back"
    assert "Credit note CN-000002" in mail.body


def test_an_order_nobody_paid_for_offers_its_items_again(
    stripe: FakeStripe, guest: Owner, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=3)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now - HOLD - timedelta(minutes=1)))

    happen(lambda: jobs.release_unpaid_orders(now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "Your Fernhollow order was not paid in time"
    assert "2 x Tide Mug" in mail.body
    assert links(mail) == [f"http://testserver/checkout/{order.order_id}/pay/{key(order)}", page(order)]


def test_money_that_came_too_late_is_told_to_be_on_its_way_back(
    stripe: FakeStripe, guest: Owner, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    mug = factories.make_product(price=usd(2400), inventory=1)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now - HOLD - timedelta(minutes=1)))
    session = stripe.state.tables["sessions"][order.payment.session_id]
    services.release(order=order, to=OrderStatus.EXPIRED, actor=services.CLOCK, now=now)
    factories.make_order(Owner(id="user-quicker", is_guest=False), {mug.product_id: 1}, now)
    session["status"] = "open"  # Stripe takes the money all the same
    assert stripe.pay(order.payment.session_id) == "paid"

    happen(lambda: services.settle(session_id=order.payment.session_id, now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "Your late payment to Fernhollow went back"
    for text in texts(mail):
        assert "your payment of $35.91 arrived" in text
    assert links(mail) == [page(order)]
    assert stored(order).status is OrderStatus.REFUNDED


def test_who_gives_up_what_was_not_paid_is_not_written_to_but_hears_of_it_from_others(
    stripe: FakeStripe, guest: Owner, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    product_id = factories.make_product(inventory=9).product_id
    mine = factories.open_payment(factories.make_order(guest, {product_id: 1}, now))
    happen(lambda: services.cancel_unpaid(order=mine, now=now))
    assert mailoutbox == []

    theirs = factories.open_payment(factories.make_order(guest, {product_id: 1}, now))
    happen(lambda: services.cancel_order(order=theirs, actor="staff:eve", now=now))

    mail = mail_in(mailoutbox)
    assert mail.subject == "Your Fernhollow order was cancelled"
    for text in texts(mail):
        assert "Nothing was charged, and nothing will be sent." in text


def test_a_mail_that_fails_keeps_nothing_else_back_and_is_sent_when_the_record_comes_again(
    paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise OSError("no mail today")

    before = rows()
    ask(paid, now, extra=usd(500))
    (change,) = [(before.get(key), row) for key, row in rows().items() if key == (ref_pk(paid.order_id), "REFUND#1")]
    with monkeypatch.context() as patched:
        patched.setattr(mails, "refunded", fail)
        with pytest.raises(OSError, match="no mail today"):
            order_changed(*change, now=now)

    assert (mailoutbox, rows()[ref_pk(paid.order_id), "REFUND#1"]["creditNote"]) == ([], {"S": "CN-000001"})
    order_changed(*change, now=now)
    order_changed(*change, now=now)
    assert mail_in(mailoutbox).subject == "$5.00 of your Fernhollow order went back"


def test_an_order_without_an_address_written_elsewhere_is_not_written_to(
    paid: Order, now: datetime, happen: Happen, mailoutbox: list[Any]
) -> None:
    from orders.models import OrderRow, order_key

    order_key(paid.owner, paid.order_id).update(actions=[OrderRow.email.remove()])

    happen(lambda: services.cancel_order(order=stored(paid), actor=services.SHOPPER, now=now))

    assert mailoutbox == []
