"""The conditions that guard opening an order's payment page, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from orders import payments, queries, services
from orders.domain import OrderStatus, order_id_for
from orders.payments import gateway
from shop.lib.owner import Owner
from shop.lib.tables import connection
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.orders.guards.stripes_word import sessions
from tests.orders.paid import stock
from tests.orders.walk import orders
from tests.rivals import Killed, killed, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")


def test_a_process_that_dies_when_stripe_has_opened_the_page_leaves_one_page_for_the_next_try(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    with pytest.raises(Killed), run_around(gateway(), "open_session", killed, when="after"):
        factories.open_payment(services.place_order(**ready))
    (session_id,) = sessions(stripe)
    assert queries.order_by_id(order_id=order_id_for(ready["cart_id"])).payment.session_id == ""

    order = factories.open_payment(services.place_order(**ready | {"now": now + timedelta(seconds=9)}))

    assert list(sessions(stripe)) == [session_id]
    assert queries.order_by_id(order_id=order.order_id).payment.session_id == session_id
    assert (len(orders()), stock(mug.product_id)) == (1, 3)


def test_an_order_cancelled_while_stripe_opens_its_page_gets_no_page(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with (
        pytest.raises(services.OrderMoved),
        run_around(gateway(), "open_session", lambda: services.cancel_unpaid(order=order, now=now), when="after"),
    ):
        factories.open_payment(order)

    stored = queries.order_by_id(order_id=order.order_id)
    assert (stored.status, stored.payment.session_id) == (OrderStatus.CANCELLED, "")
    assert stock(mug.product_id) == 5


def test_the_page_an_order_has_is_never_replaced_by_another(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    opened: list[str] = []

    def another_tab() -> None:
        stripe.state.idempotency.clear()  # Stripe forgets keys after a day
        opened.append(factories.open_payment(order).payment.session_id)

    with pytest.raises(services.OrderMoved), run_before("UpdateItem", another_tab):
        factories.open_payment(order)

    assert len(sessions(stripe)) == 2
    assert [queries.order_by_id(order_id=order.order_id).payment.session_id] == opened


def test_a_page_whose_saving_was_answered_into_the_void_is_the_orders_page(
    stripe: FakeStripe, guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    wire = lost_reply("UpdateItem")

    opened = factories.open_payment(order)

    assert wire.count("UpdateItem") == 2
    assert list(sessions(stripe)) == [opened.payment.session_id]
    assert queries.order_by_id(order_id=order.order_id).payment == opened.payment


def test_stripe_and_the_tables_are_waited_for_no_longer_than_a_request_can_bear(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    stripe.faults.api.append(ApiFault("error_before", times=9))

    with pytest.raises(payments.PaymentsUnavailable):
        factories.open_payment(order)

    assert len(stripe.state.requests) == 1  # the library itself tries nothing again
    assert gateway()._client._requestor._get_http_client()._timeout == (2, 8)  # type: ignore[attr-defined]  # no public way to ask
    config = connection().client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (1, 2, 3)
