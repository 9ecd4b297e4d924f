"""The log of an order's mails: what went out and what did not, each to look at and to send again."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from orders import desk_queries, jobs, queries, services
from orders.domain import HOLD, Order, OrderStatus
from orders.models import OrderRow, order_key
from orders.reactions import order_changed
from shop.lib.mail_log import KEEP, MailState
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of, words_of
from tests.orders.paid import ask, paid_order, usd

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
STAFF = "eve@shop.example"
TOKEN = "0123456789abcdef"


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return paid_order(stripe, guest, {factories.make_product(name="Mug").product_id: 2}, now)


@pytest.fixture
def desk(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "orders.view", "orders.ship", "audit.view", "mails.view")
    return client


def rows() -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["PK"]["S"], row["SK"]["S"]): row for row in items_of("Orders")}


def streamed(before: dict[tuple[str, str], dict[str, Any]], now: datetime) -> None:
    """Hand over what changed since as the stream does."""
    for key, row in rows().items():
        if row != before.get(key):
            order_changed(before.get(key), row, now=now)


def logged(order: Order) -> list[tuple[str, MailState, int]]:
    return [(mail.kind, mail.state, mail.tries) for mail in desk_queries.order_file(order_id=order.order_id).mails]


def url(order: Order, origin: str, more: str = "") -> str:
    return f"/staff/orders/{order.order_id}/mails/{origin}/{more}"


def test_a_mail_that_fails_is_seen_until_it_goes_out(
    desk: Client, paid: Order, now: datetime, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    def refuse(_self: EmailMultiAlternatives) -> None:
        raise OSError("550 ada@example.com is not verified")

    (change,) = [(key, row) for key, row in rows().items() if key[1] == f"ORDER#{paid.order_id}"]
    placed = change[1] | {"status": {"S": "pending"}}
    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", refuse)
        for _ in range(2):
            with pytest.raises(OSError, match="not verified"):
                order_changed(placed, change[1], now=now)

    assert logged(paid) == [("confirmation", MailState.FAILED, 2)]
    (failed,) = desk_queries.failed_mails().items
    assert (failed.to, failed.problem) == ("ad…@example.com", "OSError: 550 … is not verified")
    page = words_of(desk.get("/staff/mails/?state=failed").text)
    assert f"Order paid ad…@example.com {paid.order_id} Could not be sent" in page

    order_changed(placed, change[1], now=now)
    assert logged(paid) == [("confirmation", MailState.SENT, 3)]
    assert len(mailoutbox) == 1
    assert desk_queries.failed_mails().items == ()
    assert "Every mail found its way." in desk.get("/staff/mails/?state=failed").text
    kept = [row for key, row in rows().items() if key[1].startswith("MAIL#")]
    assert [int(row["expiresAt"]["N"]) for row in kept] == [int((now + KEEP).timestamp())]
    # Neither the text nor the address is kept.
    assert "ada@example.com" not in str(kept)
    assert "Mug" not in str(kept)


def test_the_month_is_read_in_two_calls_and_picked_by_kind(desk: Client, paid: Order, now: datetime) -> None:
    before = rows()
    services.ship(order=paid, carrier="UPS", tracking_number="1Z9", actor=STAFF, now=now)
    streamed(before, now)
    order_changed(None, rows()[paid.owner.key, f"ORDER#{paid.order_id}"] | {"status": {"S": "processing"}}, now=now)

    with counted_calls() as calls:
        page = words_of(desk.get("/staff/mails/").text)
    assert calls == ["Query", "BatchGetItem"]
    assert (page.count("Sent"), "Parcel on its way ad…@example.com" in page) == (2, True)
    shipped = desk.get("/staff/mails/?kind=shipped").text
    assert len(re.findall('<td data-label="Mail">', shipped)) == 1
    assert "None of the 2 mails looked through here are of this kind." in desk.get("/staff/mails/?kind=late").text
    assert "No mail here in March 2020." in desk.get("/staff/mails/?month=2020-03").text
    for nonsense in ("of=x&kind=x&state=x&month=x&cursor=x", "of=accounts&kind=shipped", "of=products"):
        assert desk.get(f"/staff/mails/?{nonsense}").status_code == 200


def test_a_mail_is_shown_as_it_would_be_written_now_in_a_frame_that_runs_nothing(desk: Client, paid: Order) -> None:
    page = desk.get(url(paid, "confirmation"))
    frame = desk.get(url(paid, "confirmation", "content/"))

    assert "Your Fernhollow order" in page.text
    assert f'src="{url(paid, "confirmation", "content/")}" sandbox ' in page.text
    assert "Thank you, your order is paid" in words_of(frame.text)
    policy = frame["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert policy.endswith("frame-ancestors 'self'; sandbox")
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    assert page["X-Frame-Options"] == "DENY"
    assert desk.get(url(paid, "delivered")).status_code == 404  # it has not arrived


def test_a_mail_is_sent_again_once_a_wish_and_the_trail_tells_who(
    desk: Client, paid: Order, now: datetime, mailoutbox: list[Any]
) -> None:
    first = desk.post(url(paid, "confirmation", "send/"), {"token": TOKEN}, follow=True)
    second = desk.post(url(paid, "confirmation", "send/"), {"token": TOKEN}, follow=True)

    assert "The mail is on its way to ada@example.com once more." in words_of(first.text)
    assert "This mail was sent already, once." in words_of(second.text)
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]
    assert "Order paid Sent by ada@example.com" in words_of(second.text)
    trail = words_of(desk.get("/staff/audit/?of=orders").text)
    assert trail.count(f"sent a mail again {paid.order_id} Mail: Order paid To: {paid.email}") == 1
    for token in ("", "x" * 16):
        desk.post(url(paid, "confirmation", "send/"), {"token": token})
    assert len(mailoutbox) == 1


def test_which_of_several_parcels_a_mail_was_about_is_told_in_words(desk: Client, paid: Order, now: datetime) -> None:
    [line] = paid.lines
    first = services.ship(order=paid, carrier="UPS", tracking_number="1", pieces={line.product_id: 1}, actor=STAFF, now=now)
    services.ship(order=first, carrier="UPS", tracking_number="2", actor=STAFF, now=now)

    desk.post(url(paid, "parcel-1", "send/"), {"token": TOKEN})

    page = words_of(desk.get(f"/staff/orders/{paid.order_id}/").text)
    assert "Parcel on its way, parcel 1 of 2 none in the log" in page
    assert "Parcel on its way, parcel 2 of 2 Sent by ada@example.com" in page
    assert "Mail: Parcel on its way, parcel 2 of 2 To: " in words_of(desk.get("/staff/audit/?of=orders").text)
    assert "parcel-1" not in words_of(desk.get("/staff/audit/?of=orders").text)


def test_a_mail_that_cannot_be_sent_again_says_so_and_can_be_tried_once_more(
    desk: Client, paid: Order, monkeypatch: pytest.MonkeyPatch, mailoutbox: list[Any]
) -> None:
    def refuse(_self: EmailMultiAlternatives) -> None:
        raise OSError("no mail today")

    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", refuse)
        page = desk.post(url(paid, "confirmation", "send/"), {"token": TOKEN}, follow=True)
    assert "The mail was not taken" in words_of(page.text)
    assert mailoutbox == []

    desk.post(url(paid, "confirmation", "send/"), {"token": TOKEN})
    assert len(mailoutbox) == 1
    assert logged(paid) == [("confirmation", MailState.SENT, 2)]


def test_every_mail_an_order_gave_reason_for_can_be_written(desk: Client, paid: Order, now: datetime) -> None:
    before = rows()
    sent = services.ship(order=paid, carrier="UPS", tracking_number="1Z9", actor=STAFF, now=now)
    arrived = services.deliver(order=sent, actor=STAFF, now=now + timedelta(seconds=1))
    ask(arrived, now, extra=usd(500))
    streamed(before, now)

    with counted_calls() as calls:
        page = desk.get(f"/staff/orders/{paid.order_id}/").text
    # SKUs; the order; all that lies under its number.
    assert sorted(calls) == ["BatchGetItem", "GetItem", "Query"]
    found = re.findall(rf'href="/staff/orders/{paid.order_id}/mails/([-\w]+)/"', page)
    assert found == ["link", "confirmation", "parcel-0", "delivered", "refund-1"]
    subjects = [re.findall(r"<dt>Subject</dt><dd>(.*?)</dd>", desk.get(url(paid, origin)).text)[0] for origin in found]
    assert len(set(subjects)) == 5
    assert "$5.00 of your Fernhollow order went back" in subjects


def test_a_cancelled_order_is_told_of_what_went_back(desk: Client, paid: Order, now: datetime) -> None:
    order = services.cancel_order(order=paid, actor=STAFF, now=now, note="asked for")
    page = desk.get(url(order, f"cancelled-{len(order.history)}"))
    assert str(paid.total) in words_of(page.text)
    assert queries.order_by_id(order_id=order.order_id) == order


def test_an_order_without_an_address_gives_reason_for_no_mail(desk: Client, paid: Order) -> None:
    order_key(paid.owner, paid.order_id).update(actions=[OrderRow.email.remove()])

    page = desk.get(f"/staff/orders/{paid.order_id}/")

    assert page.status_code == 200
    assert f"/staff/orders/{paid.order_id}/mails/" not in page.text


def test_an_order_that_ran_out_is_told_of_its_end(desk: Client, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    services.release(order=order, to=OrderStatus.EXPIRED, actor="job", now=now)

    page = desk.get(f"/staff/orders/{order.order_id}/").text

    assert re.findall(rf'href="/staff/orders/{order.order_id}/mails/([-\w]+)/"', page) == ["link", "expired-2"]
    assert desk.get(url(order, "expired-2")).status_code == 200


def test_who_cancelled_before_paying_needs_no_mail_about_it(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    services.cancel_unpaid(order=order, now=now)

    page = desk.get(f"/staff/orders/{order.order_id}/").text

    assert re.findall(rf'href="/staff/orders/{order.order_id}/mails/([-\w]+)/"', page) == ["link"]


def test_a_payment_that_came_too_late_and_went_back_has_a_mail_of_its_own(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=2, price=usd(2400))
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    assert jobs.release_unpaid_orders(now=now + HOLD) == 1
    factories.make_order(guest, {mug.product_id: 1}, now)
    stripe.state.tables["sessions"][order.payment.session_id].update(status="open")
    assert stripe.pay(order.payment.session_id) == "paid"
    services.settle(session_id=order.payment.session_id, now=now + HOLD)

    found = re.findall(
        rf'href="/staff/orders/{order.order_id}/mails/([-\w]+)/"', desk.get(f"/staff/orders/{order.order_id}/").text
    )

    assert "refund-1" in found
    assert "Payment came too late" in words_of(desk.get(url(order, "refund-1")).text)
