"""An order in review on staff's page: why it is there, what each way out does, and what it did."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from orders import jobs, services
from orders.domain import Order, OrderStatus
from orders.reactions import order_changed
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.conftest import items_of, words_of
from tests.orders.paid import made_at, paid_order, stock, stored, usd

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]
Mails = list[EmailMultiAlternatives]


@pytest.fixture
def desk(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "orders.view", "orders.refund", "audit.view")
    return client


@pytest.fixture
def odd(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """Two mugs for $61.83, of which Stripe took $60.00."""
    mug = factories.make_product(inventory=5, price=usd(2400))
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    stripe.state.tables["sessions"][order.payment.session_id]["amount_total"] = 6000
    assert stripe.pay(order.payment.session_id) == "paid"
    return services.settle(session_id=order.payment.session_id, now=now)


def decide(desk: Client, order: Order, decision: str, note: str = "") -> str:
    answer = desk.post(f"/staff/orders/{order.order_id}/review/", {"decision": decision, "note": note}, follow=True)
    return words_of(answer.text)


def streamed(before: list[dict[str, Any]], now: datetime) -> None:
    """Hand what changed since over as the stream does."""
    was = {(item["PK"]["S"], item["SK"]["S"]): item for item in before}
    for item in items_of("Orders"):
        old = was.get((item["PK"]["S"], item["SK"]["S"]))
        if item != old:
            order_changed(old, item, now=now)


def test_the_page_says_why_and_what_each_way_out_does(desk: Client, odd: Order) -> None:
    assert odd.status is OrderStatus.REVIEW
    page = words_of(desk.get(f"/staff/orders/{odd.order_id}/").text)

    assert "Stripe took $60.00, and the order is about $61.83. By the shop’s books $60.00 is here for it" in page
    assert (
        "Accept the payment The order counts as paid with $60.00 and is to be shipped. The customer gets the confirmation" in page
    )
    assert "Give $60.00 back All of it goes back to its card and the order is over. Its pieces go back into stock. A mail" in page
    assert "Nobody paid: end it Stripe is asked first" in page
    assert "Refund" in page  # a part of it, by its own page
    assert desk.get(f"/staff/orders/{odd.order_id}/refund/").status_code == 200


def test_a_payment_is_accepted_as_it_is(desk: Client, odd: Order, now: datetime, mailoutbox: Mails) -> None:
    before = items_of("Orders")
    page = decide(desk, odd, "accept", "Rounded by the old shop")
    streamed(before, now)

    assert "The payment is accepted: the order is to be shipped." in page
    after = stored(odd)
    assert (after.status, after.payment.left, after.history[-1].note) == (
        OrderStatus.PROCESSING,
        usd(6000),
        "Rounded by the old shop",
    )
    assert [mail.subject for mail in mailoutbox] == [f"Your Fernhollow order {odd.order_id} is paid"]


def test_all_of_it_goes_back_with_its_pieces_though_they_were_worth_more(
    desk: Client, stripe: FakeStripe, odd: Order, now: datetime, mailoutbox: Mails
) -> None:
    before, (line,) = items_of("Orders"), odd.lines
    page = decide(desk, odd, "refund", "Wrong sum")
    streamed(before, now)

    assert "$60.00 is refunded." in page
    after = stored(odd)
    assert (after.status, after.payment.left, after.payment.given_back) == (OrderStatus.REFUNDED, usd(0), usd(6000))
    assert (made_at(stripe), stock(line.product_id)) == ([6000], 5)
    assert [mail.subject for mail in mailoutbox] == ["$60.00 of your Fernhollow order went back"]
    assert "Paid$60.00 Given back$60.00" in page
    again = decide(desk, odd, "refund")
    assert "Somebody else changed this order meanwhile" in again
    assert (made_at(stripe), stock(line.product_id)) == ([6000], 5)


def test_what_has_left_does_not_come_back_into_stock_by_itself(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5, price=usd(2400))
    order = paid_order(stripe, guest, {mug.product_id: 2}, now)
    services.ship(order=order, carrier="", tracking_number="", actor="eve", now=now)
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False
    services.refund_rest(order=stored(order), restock=False, note="", actor="eve", now=now)
    charge["paid"] = True
    assert stored(order).status is OrderStatus.REVIEW
    assert (
        "Because some have left, no pieces go back into stock by themselves." in desk.get(f"/staff/orders/{order.order_id}/").text
    )

    assert f"{order.total} is refunded." in decide(desk, order, "refund")

    assert (stored(order).status, stock(mug.product_id)) == (OrderStatus.REFUNDED, 3)


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ("drop", "Stripe has $60.00 for it: accept the payment, or give it back."),
        ("", "Nothing was done: please choose one of the three ways out."),
        ("keep", "Nothing was done: please choose one of the three ways out."),
    ],
)
def test_what_does_not_fit_changes_nothing(desk: Client, odd: Order, decision: str, said: str) -> None:
    before = items_of("Orders"), items_of("Products")

    assert said in decide(desk, odd, decision)

    assert (items_of("Orders"), items_of("Products")) == before


def test_more_than_is_left_is_refused_before_anybody_presses(desk: Client, stripe: FakeStripe, odd: Order) -> None:
    before = items_of("Orders")
    asked = {"number": "1", f"pieces-{odd.lines[0].product_id}": "2", "delivery": "on"}

    for answer in (
        desk.get(f"/staff/orders/{odd.order_id}/refund/", asked),
        desk.post(f"/staff/orders/{odd.order_id}/refund/", asked),
    ):
        page = words_of(answer.text)
        assert "That would be $61.83, and at most $60.00 can still go back. Choose less." in page
        assert "goes back To the card" not in page
    assert (items_of("Orders"), made_at(stripe)) == (before, [])


def test_an_amount_alone_says_nothing_of_pieces(desk: Client, odd: Order) -> None:
    page = words_of(desk.get(f"/staff/orders/{odd.order_id}/refund/", {"number": "1", "extra": "5", "restock": "on"}).text)

    assert "$5.00 goes back To the card it came from" in page
    assert "The pieces go back into stock" not in page


def test_a_refund_that_stripe_has_not_heard_of_yet_says_that_nothing_is_left_to_do(
    desk: Client, stripe: FakeStripe, odd: Order, now: datetime
) -> None:
    stripe.faults.api.append(ApiFault("error_before", path="/v1/refunds", times=9))

    page = decide(desk, odd, "refund")

    assert "Stripe does not answer just now. The refund of $60.00 is written down" in page
    assert "there is nothing more to do." in page
    assert made_at(stripe) == []
    stripe.faults.clear()
    assert jobs.resume_refunds(now=now + timedelta(minutes=10)) == 1
    assert (made_at(stripe), stored(odd).status) == ([6000], OrderStatus.REFUNDED)
