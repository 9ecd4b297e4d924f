"""The conditions that guard refunds, cancellations and parcels: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial

import pytest

from orders import ledger_queries as books
from orders import services
from orders.domain import Order
from orders.models import REFUNDABLE, order_key
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests.orders.paid import (
    STAFF,
    ask,
    made_at,
    stock,
    stored,
    three_mugs_and_a_lamp,
    usd,
)
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return three_mugs_and_a_lamp(stripe, guest, now)


def test_two_refunds_at_once_never_exceed_what_was_paid(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    rival = partial(ask, paid, now, extra=usd(8000))

    with pytest.raises(services.OrderMoved), run_before("TransactWriteItems", rival):
        ask(paid, now, extra=usd(8000))

    assert (made_at(stripe), stored(paid).payment.left) == ([8000], usd(3367))


def test_what_is_left_is_a_condition_of_its_own(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    def less_is_left() -> None:
        order_key(paid.owner, paid.order_id).update(actions=[REFUNDABLE.set(Decimal("3.67"))])

    with pytest.raises(services.OrderMoved), run_before("TransactWriteItems", less_is_left):
        ask(paid, now, extra=usd(11367))

    assert made_at(stripe) == []
    assert books.refunds_of(order_id=paid.order_id) == ()


def _refunded(order: Order, now: datetime) -> object:
    return services.refund_rest(order=order, restock=True, note="", actor=STAFF, now=now)


def _cancelled(order: Order, now: datetime) -> object:
    return services.cancel_order(order=order, actor="shopper", now=now)


def _shipped(order: Order, now: datetime) -> object:
    return services.ship(order=order, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now)


def _shipped_in_part(order: Order, now: datetime) -> object:
    return services.ship(
        order=order, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now, pieces={order.lines[0].product_id: 1}
    )


def _refunded_in_part(order: Order, now: datetime) -> object:
    return ask(order, now, lines={order.lines[0].product_id: 1}, restock=True)


Move = Callable[[Order, datetime], object]
MOVES: list[Move] = [_refunded, _cancelled, _shipped, _shipped_in_part, _refunded_in_part]


@pytest.mark.parametrize("slower", MOVES)
@pytest.mark.parametrize("quicker", MOVES)
def test_of_refund_cancellation_and_shipment_at_once_one_wins(
    stripe: FakeStripe, paid: Order, now: datetime, quicker: Move, slower: Move
) -> None:
    with pytest.raises(services.OrderMoved), run_before("TransactWriteItems", lambda: quicker(paid, now)):
        slower(paid, now)

    after = stored(paid)
    ends: dict[Move, tuple[str, list[int]]] = {
        _refunded: ("refunded", [5, 3]),
        _cancelled: ("cancelled", [5, 3]),
        _shipped: ("shipped", [2, 2]),
        _shipped_in_part: ("processing", [2, 2]),
        _refunded_in_part: ("processing", [3, 2]),
    }
    status, back = ends[quicker]
    assert after.status == status
    assert [stock(line.product_id) for line in paid.lines] == back
    assert sum(made_at(stripe)) == after.payment.given_back.minor


@pytest.mark.parametrize("slower", [_shipped, _shipped_in_part, _refunded, _refunded_in_part])
def test_of_a_second_parcel_and_something_else_at_once_one_wins(
    stripe: FakeStripe, paid: Order, now: datetime, slower: Move
) -> None:
    _shipped_in_part(paid, now)
    seen = stored(paid)

    with pytest.raises(services.OrderMoved), run_before("TransactWriteItems", lambda: _shipped_in_part(seen, now)):
        slower(seen, now)

    assert [line.shipped for line in stored(paid).lines] == [2, 0]
    assert made_at(stripe) == []
