"""Cancelling, shipping and delivering what is paid: through the services."""

from datetime import datetime

import pytest

from orders import services
from orders.domain import Order, OrderStatus
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests.orders.paid import STAFF, ask, history, made_at, stock, stored, three_mugs_and_a_lamp

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return three_mugs_and_a_lamp(stripe, guest, now)


def test_a_paid_order_is_cancelled_whole_before_it_leaves(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    cancelled = services.cancel_order(order=paid, actor="shopper", now=now, note="Changed my mind")

    assert (cancelled.status, cancelled.payment.status) == (OrderStatus.CANCELLED, "refunded")
    assert made_at(stripe) == [11367]
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]
    assert not cancelled.was_never_paid
    assert (cancelled.history[-1].actor, cancelled.history[-1].note) == ("shopper", "Changed my mind")
    with pytest.raises(services.NotCancellable):
        services.cancel_order(order=cancelled, actor="shopper", now=now)


def test_what_was_refunded_before_is_neither_refunded_nor_put_back_again_by_cancelling(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    ask(paid, now, lines={paid.lines[0].product_id: 1}, restock=True)

    services.cancel_order(order=stored(paid), actor=STAFF, now=now)

    assert made_at(stripe) == [2592, 8775]
    assert [stock(line.product_id) for line in paid.lines] == [5, 3]


def test_an_order_of_which_a_parcel_has_left_is_not_cancelled(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    piece = {paid.lines[0].product_id: 1}
    services.ship(order=paid, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now, pieces=piece)

    with pytest.raises(services.NotCancellable):
        services.cancel_order(order=stored(paid), actor="shopper", now=now)

    assert made_at(stripe) == []


def test_an_order_leaves_in_parcels_and_arrives(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    mug, lamp = (line.product_id for line in paid.lines)
    first = services.ship(order=paid, carrier="UPS", tracking_number="1Z1", actor=STAFF, now=now, pieces={mug: 2})
    with pytest.raises(services.NothingToShip):
        services.ship(order=first, carrier="UPS", tracking_number="", actor=STAFF, now=now, pieces={mug: 2})

    second = services.ship(order=first, carrier="DHL", tracking_number="JD2", actor=STAFF, now=now)
    delivered = services.deliver(order=second, actor=STAFF, now=now)

    assert (first.status, second.status, delivered.status) == ("processing", "shipped", "delivered")
    assert [(parcel.carrier, parcel.tracking_number, parcel.pieces) for parcel in delivered.parcels] == [
        ("UPS", "1Z1", ((mug, 2),)),
        ("DHL", "JD2", ((mug, 1), (lamp, 1))),
    ]
    assert delivered.tracking_number == "1Z1"
    assert history(paid) == ["pending", "processing", "shipped", "delivered"]
    with pytest.raises(services.OrderMoved):
        services.deliver(order=second, actor=STAFF, now=now)
    with pytest.raises(services.OrderMoved):
        services.ship(order=second, carrier="", tracking_number="", actor=STAFF, now=now)


def test_pieces_refunded_before_they_left_stay(stripe: FakeStripe, paid: Order, now: datetime) -> None:
    mug, lamp = (line.product_id for line in paid.lines)
    ask(paid, now, lines={mug: 3}, restock=True)

    shipped = services.ship(order=stored(paid), carrier="", tracking_number="", actor=STAFF, now=now)

    assert (shipped.status, shipped.parcels[0].pieces) == (OrderStatus.SHIPPED, ((lamp, 1),))
