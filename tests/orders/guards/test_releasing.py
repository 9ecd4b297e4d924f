"""The conditions that guard releasing unpaid orders, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from cart.queries import open_cart
from cart.services import Restored
from orders import queries, services
from orders.domain import HOLD, OrderStatus
from orders.jobs import release_unpaid_orders
from orders.payments import gateway
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls
from tests.orders.guards.stripes_word import LOST, deliver, event, paid_after_all, sessions
from tests.orders.paid import history, stock
from tests.rivals import fails, refusal, run_after, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")


def test_an_order_whose_page_opens_while_it_is_released_is_kept(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: factories.open_payment(order)):
        released = release_unpaid_orders(now=now + HOLD)

    stored = queries.order_by_id(order_id=order.order_id)
    assert (released, stored.status, stock(mug.product_id)) == (0, OrderStatus.PENDING, 3)
    assert stored.payment.session_id in sessions(stripe)
    assert release_unpaid_orders(now=now + HOLD) == 1
    assert sessions(stripe)[stored.payment.session_id]["status"] == "expired"
    assert stock(mug.product_id) == 5


def test_an_order_the_webhook_settles_between_stripes_word_and_the_release_stays_paid(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    answers: list[tuple[int, str]] = []

    def webhook() -> None:
        paid_after_all(stripe, order.payment.session_id)
        answers.append(deliver(client, event(stripe, order.payment.session_id)))

    with run_before("TransactWriteItems", webhook):
        released = release_unpaid_orders(now=now + HOLD)

    assert answers == [(200, "thank you")]
    assert released == 0
    assert history(order) == ["pending", "processing"]
    assert stock(mug.product_id) == 3


def test_an_order_paid_before_the_jobs_word_and_settled_by_the_webhook_first_is_settled_once(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    with run_around(gateway(), "expire_session", lambda: deliver(client, event(stripe, order.payment.session_id)), when="after"):
        released = release_unpaid_orders(now=now + HOLD)

    assert released == 0
    assert history(order) == ["pending", "processing"]
    assert stock(mug.product_id) == 3


@pytest.mark.parametrize(("payment_status", "status"), [("unpaid", OrderStatus.PENDING), ("paid", OrderStatus.PROCESSING)])
def test_an_order_whose_money_came_or_is_on_its_way_is_not_released(
    stripe: FakeStripe, guest: Owner, now: datetime, payment_status: str, status: OrderStatus
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    session = sessions(stripe)[order.payment.session_id]
    session.update(status="complete", payment_status=payment_status)

    with counted_calls() as calls:
        assert release_unpaid_orders(now=now + HOLD) == 0

    assert "TransactWriteItems" not in calls
    assert queries.order_by_id(order_id=order.order_id).status is status
    assert stock(mug.product_id) == 3
    session.update(payment_status="paid")
    assert services.settle(session_id=order.payment.session_id, now=now).status is OrderStatus.PROCESSING


@pytest.mark.parametrize("has_page", [False, True])
def test_an_order_the_shopper_cancels_while_the_job_releases_it_gives_its_pieces_back_once(
    stripe: FakeStripe, guest: Owner, now: datetime, has_page: bool
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    if has_page:
        order = factories.open_payment(order)

    with run_before("TransactWriteItems", lambda: services.cancel_unpaid(order=order, now=now)):
        released = release_unpaid_orders(now=now + HOLD)

    assert released == 0
    assert history(order) == ["pending", "cancelled"]
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize("has_page", [False, True])
def test_an_order_the_job_releases_while_the_shopper_cancels_it_gives_its_pieces_back_once(
    stripe: FakeStripe, guest: Owner, now: datetime, has_page: bool
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    if has_page:
        order = factories.open_payment(order)
    released: list[int] = []

    with (
        pytest.raises(services.OrderMoved),
        run_before("TransactWriteItems", lambda: released.append(release_unpaid_orders(now=now + HOLD))),
    ):
        services.cancel_unpaid(order=order, now=now)

    assert released == [1]
    assert history(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


def test_a_release_whose_reply_was_lost_is_made_once_and_counted(
    guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    wire = lost_reply("TransactWriteItems")

    released = release_unpaid_orders(now=now + HOLD)

    assert wire.count("TransactWriteItems") == 2
    assert released == 1
    assert history(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


def test_a_release_that_is_tried_again_after_its_reply_was_lost_is_made_once_and_counted(guest: Owner, now: datetime) -> None:
    """The first try's client has given up waiting: only the token they share tells DynamoDB that the two are one."""
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with run_after("TransactWriteItems", fails(LOST)) as calls:
        released = release_unpaid_orders(now=now + HOLD)

    assert calls.count("TransactWriteItems") == 2
    assert released == 1
    assert history(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refusal("TransactWriteItems", "ValidationException"), id="refused for good"),
        pytest.param(RuntimeError("a row that makes no sense"), id="unforeseen"),
    ],
)
def test_an_order_that_cannot_be_released_keeps_no_other_and_waits_for_the_next_run(
    guest: Owner, now: datetime, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    mug = factories.make_product(inventory=5)
    first, *others = (
        factories.make_order(new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=age)) for age in (3, 2, 1)
    )

    with run_before("TransactWriteItems", fails(trouble)):
        assert release_unpaid_orders(now=now + HOLD) == 2

    assert [history(order)[-1] for order in (first, *others)] == ["pending", "expired", "expired"]
    assert f"order {first.order_id} could not be released" in caplog.text
    assert stock(mug.product_id) == 4
    assert release_unpaid_orders(now=now + HOLD) == 1
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize("has_open_cart", [False, True])
def test_lines_put_back_into_a_cart_that_changes_meanwhile_join_what_is_there(
    stripe: FakeStripe, guest: Owner, now: datetime, has_open_cart: bool
) -> None:
    mug, lamp, cup = (factories.make_product(inventory=9) for _ in range(3))
    order = factories.make_order(guest, {mug.product_id: 4}, now)
    ended = services.cancel_unpaid(order=order, now=now)
    if has_open_cart:
        factories.fill_cart(guest, {cup.product_id: 1}, now)

    with run_before("PutItem", lambda: factories.fill_cart(guest, {lamp.product_id: 2}, now)):
        restored = services.put_back_in_cart(order=ended, owner=guest, now=now)

    there = [(cup.product_id, 1)] if has_open_cart else []
    lines = [(line.product_id, line.quantity) for line in open_cart(owner=guest, now=now).lines]
    assert lines == [*there, (lamp.product_id, 2), (mug.product_id, 4)]
    assert restored == Restored(is_beside_others=True)
    assert services.put_back_in_cart(order=ended, owner=guest, now=now) == Restored(is_repeated=True)
