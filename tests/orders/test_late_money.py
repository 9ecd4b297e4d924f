"""Money that comes when the hold is over: the pieces are taken again, or it goes back."""

from datetime import datetime
from functools import partial

import pytest
from django.test import Client

from orders import jobs, services
from orders import ledger_queries as books
from orders.domain import HOLD, Order, OrderStatus
from orders.ledger_domain import RefundReason
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of, words_of
from tests.orders.paid import history, made_at, stock, usd
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def late(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """An order that expired although its page was paid: Stripe's word was overtaken by the shopper."""
    mug = factories.make_product(inventory=2, price=usd(2400))
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    assert jobs.release_unpaid_orders(now=now + HOLD) == 1
    stripe.state.tables["sessions"][order.payment.session_id].update(status="open")
    assert stripe.pay(order.payment.session_id) == "paid"
    return order


def test_late_money_takes_the_pieces_again_when_all_are_there(stripe: FakeStripe, late: Order, now: datetime) -> None:
    settled = services.settle(session_id=late.payment.session_id, now=now + HOLD)

    assert (settled.status, settled.payment.status, settled.payment.left) == (OrderStatus.PROCESSING, "completed", usd(6183))
    assert (stock(late.lines[0].product_id), settled.lines[0].loose, made_at(stripe)) == (0, 0, [])
    assert services.settle(session_id=late.payment.session_id, now=now + HOLD) == settled


def test_late_money_goes_back_at_once_when_a_piece_is_gone(stripe: FakeStripe, late: Order, guest: Owner, now: datetime) -> None:
    factories.make_order(guest, {late.lines[0].product_id: 1}, now)

    settled = services.settle(session_id=late.payment.session_id, now=now + HOLD)

    assert (settled.status, settled.payment.status, settled.payment.left) == (OrderStatus.REFUNDED, "refunded", usd(0))
    assert made_at(stripe) == [6183]
    assert history(late) == ["pending", "expired", "refund_pending", "refunded"]
    assert stock(late.lines[0].product_id) == 1
    assert [refund.reason for refund in books.refunds_of(order_id=late.order_id)] == [RefundReason.LATE]


def test_who_paid_late_for_what_is_gone_is_shown_the_order_and_not_thanked(
    stripe: FakeStripe, late: Order, guest: Owner, now: datetime, guest_client: Client
) -> None:
    factories.make_order(new_guest(now), {late.lines[0].product_id: 1}, now)

    answer = guest_client.get(f"/checkout/{late.order_id}/return/")

    assert answer["Location"].startswith(f"/orders/{late.order_id}/?key=")
    page = guest_client.get(answer["Location"])
    assert "Refunded" in page.text
    assert "Invoice" not in words_of(page.text)  # money that came and went back at once never gets one
    assert guest_client.get(f"/checkout/{late.order_id}/confirmation/").status_code == 302


def test_late_money_settled_by_two_at_once_is_taken_or_given_back_but_never_both(
    stripe: FakeStripe, late: Order, now: datetime
) -> None:
    rival = partial(services.settle, session_id=late.payment.session_id, now=now + HOLD)

    with run_before("TransactWriteItems", rival):
        settled = services.settle(session_id=late.payment.session_id, now=now + HOLD)

    assert settled.status is OrderStatus.PROCESSING
    assert (stock(late.lines[0].product_id), made_at(stripe)) == (0, [])
    assert len([item for item in items_of("Products") if item["SK"]["S"].startswith("STOCK#")]) == 4


def test_late_money_whose_refund_was_begun_meanwhile_is_not_shipped(
    stripe: FakeStripe, late: Order, guest: Owner, now: datetime
) -> None:
    product_id = late.lines[0].product_id
    other = factories.make_order(guest, {product_id: 1}, now)

    def given_back_and_free_again() -> None:
        services.settle(session_id=late.payment.session_id, now=now + HOLD)
        services.cancel_unpaid(order=other, now=now)

    with run_before("TransactWriteItems", given_back_and_free_again):
        settled = services.settle(session_id=late.payment.session_id, now=now + HOLD)

    assert (settled.status, made_at(stripe), stock(product_id)) == (OrderStatus.REFUNDED, [6183], 2)
