"""The conditions that guard settling a payment, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from orders import queries, services
from orders.domain import Order, OrderStatus
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.orders.guards.stripes_word import another_session, deliver, event, sessions
from tests.orders.paid import history, stock
from tests.rivals import Killed, killed, run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def unsaved(stripe: FakeStripe, guest: Owner, now: datetime) -> tuple[Order, str]:
    """A pending order and its session, which is paid: the process died before it could save the session on the order."""
    order = factories.make_order(guest, {factories.make_product(inventory=5).product_id: 2}, now)
    with pytest.raises(Killed), run_before("UpdateItem", killed):
        factories.open_payment(order)
    (session_id,) = sessions(stripe)
    assert stripe.pay(session_id) == "paid"
    return order, session_id


def test_a_session_saved_while_it_is_settled_stays_on_the_order(unsaved: tuple[Order, str], now: datetime) -> None:
    order, session_id = unsaved

    with run_before("UpdateItem", lambda: factories.open_payment(order)):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.PROCESSING
    assert settled.payment.session_id == session_id
    assert settled.payment.session_url != ""


def test_a_payment_is_reviewed_when_the_order_got_another_session_while_it_was_settled(
    stripe: FakeStripe, unsaved: tuple[Order, str], now: datetime
) -> None:
    order, session_id = unsaved

    def another_tab() -> None:
        stripe.state.idempotency.clear()
        factories.open_payment(order)

    with run_before("UpdateItem", another_tab):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.REVIEW
    assert settled.payment.session_id == next(other for other in sessions(stripe) if other != session_id)


@pytest.mark.parametrize("is_of_another_order", [False, True])
def test_a_foreign_session_of_the_right_amount_is_reviewed_and_never_accepted(
    stripe: FakeStripe,
    guest: Owner,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    is_of_another_order: bool,
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    if is_of_another_order:
        other = factories.make_order(new_guest(now), {mug.product_id: 2}, now)
        foreign = factories.open_payment(other).payment.session_id
        sessions(stripe)[foreign]["client_reference_id"] = order.order_id
    else:
        foreign = another_session(stripe, order)
    assert stripe.pay(foreign) == "paid"

    settled = services.settle(session_id=foreign, now=now)

    assert settled == queries.order_by_id(order_id=order.order_id)
    assert (settled.status, settled.payment.status) == (OrderStatus.REVIEW, "review")
    assert settled.payment.session_id == order.payment.session_id != foreign
    assert f"of session {foreign} does not fit order {order.order_id}" in caplog.text


def test_a_second_payment_of_a_paid_order_is_told_and_changes_nothing(
    stripe: FakeStripe, guest: Owner, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    second = another_session(stripe, order)
    for session_id in (order.payment.session_id, second):
        assert stripe.pay(session_id) == "paid"
    settled = services.settle(session_id=order.payment.session_id, now=now)
    assert "does not fit" not in caplog.text

    assert services.settle(session_id=second, now=now) == settled
    assert settled.status is OrderStatus.PROCESSING
    assert f"of session {second} does not fit order {order.order_id}" in caplog.text


def test_a_settlement_whose_reply_was_lost_is_made_once(
    stripe: FakeStripe, guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    wire = lost_reply("UpdateItem")

    settled = services.settle(session_id=order.payment.session_id, now=now)

    assert wire.count("UpdateItem") == 2
    assert (settled.status, settled.payment.status) == (OrderStatus.PROCESSING, "completed")
    assert history(order) == ["pending", "processing"]


def test_a_webhook_that_settles_first_leaves_the_browser_nothing_to_do(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    answers: list[tuple[int, str]] = []

    with run_before("UpdateItem", lambda: answers.append(deliver(client, event(stripe, order.payment.session_id)))):
        settled = services.settle(session_id=order.payment.session_id, now=now)

    assert answers == [(200, "thank you")]
    assert settled.status is OrderStatus.PROCESSING
    assert history(order) == ["pending", "processing"]
    assert "does not fit" not in caplog.text


@pytest.mark.parametrize("ended", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_money_for_an_order_given_up_while_it_is_settled_takes_its_pieces_again(
    stripe: FakeStripe, unsaved: tuple[Order, str], now: datetime, ended: OrderStatus
) -> None:
    order, session_id = unsaved

    with run_before("UpdateItem", lambda: services.release(order=order, to=ended, actor="test", now=now)):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.PROCESSING
    assert history(order) == ["pending", ended, "processing"]
    assert stock(order.lines[0].product_id) == 3
