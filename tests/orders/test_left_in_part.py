"""Refunds of orders of which a parcel has left and others wait: what goes back, what stays, what may still leave."""

from datetime import datetime

import pytest

from orders import services
from orders.domain import Order, OrderLine, OrderStatus
from orders.maps import to_item_map, to_line
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests.orders.paid import STAFF, ask, made_at, stock, stored, three_mugs_and_a_lamp, usd

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return three_mugs_and_a_lamp(stripe, guest, now)


def left_in_part(paid: Order, now: datetime) -> tuple[Order, str, str]:
    """The order of three mugs and a lamp after one mug has left, and the two products."""
    mug, lamp = (line.product_id for line in paid.lines)
    order = services.ship(order=paid, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now, pieces={mug: 1})
    return order, mug, lamp


def test_a_piece_that_left_and_came_back_keeps_none_of_the_others_from_leaving(paid: Order, now: datetime) -> None:
    order, mug, lamp = left_in_part(paid, now)

    refund = ask(order, now, lines={mug: 1}, sent={mug: 1}, restock=True)
    after = stored(paid)

    assert [(piece.quantity, piece.sent, piece.unsent) for piece in refund.pieces] == [(1, 1, 0)]
    assert [(line.refunded, line.unsent, line.away, line.to_ship) for line in after.lines] == [(1, 0, 0, 2), (0, 0, 0, 1)]
    shipped = services.ship(order=after, carrier="UPS", tracking_number="2Z", actor=STAFF, now=now)
    assert (shipped.status, shipped.parcels[1].pieces) == (OrderStatus.SHIPPED, ((mug, 2), (lamp, 1)))


def test_unless_told_pieces_that_have_not_left_are_refunded_first_and_never_leave(paid: Order, now: datetime) -> None:
    order, mug, lamp = left_in_part(paid, now)

    refund = ask(order, now, lines={mug: 3})
    after = stored(paid)

    assert [(piece.quantity, piece.sent) for piece in refund.pieces] == [(3, 1)]
    assert [(line.refunded, line.unsent, line.to_ship) for line in after.lines] == [(3, 2, 0), (0, 0, 1)]
    with pytest.raises(services.NothingToShip):
        services.ship(order=after, carrier="", tracking_number="", actor=STAFF, now=now, pieces={mug: 1, lamp: 1})
    assert stored(paid) == after
    assert services.ship(order=after, carrier="", tracking_number="", actor=STAFF, now=now).parcels[1].pieces == ((lamp, 1),)


@pytest.mark.parametrize(("quantity", "sent"), [(1, 2), (2, 2), (3, 0), (1, -1), (4, 1)])
def test_no_more_pieces_come_back_than_left_and_no_more_stay_than_wait(
    stripe: FakeStripe, paid: Order, now: datetime, quantity: int, sent: int
) -> None:
    order, mug, _ = left_in_part(paid, now)

    with pytest.raises(services.NothingToRefund):
        ask(order, now, lines={mug: quantity}, sent={mug: sent})

    assert (stored(paid), made_at(stripe)) == (order, [])


def test_a_form_sent_again_with_another_word_about_its_pieces_is_not_the_same_refund(paid: Order, now: datetime) -> None:
    order, mug, _ = left_in_part(paid, now)
    asked = {"number": 1, "lines": {mug: 1}}

    first = ask(order, now, **asked, sent={mug: 1})

    assert ask(stored(paid), now, **asked, sent={mug: 1}) == first
    with pytest.raises(services.OrderMoved):
        ask(stored(paid), now, **asked, sent={mug: 0})


def test_a_refund_of_all_that_still_waits_makes_an_order_shipped_that_left_in_part(paid: Order, now: datetime) -> None:
    order, mug, lamp = left_in_part(paid, now)

    ask(order, now, lines={mug: 2, lamp: 1}, restock=True)

    after = stored(paid)
    assert (after.status, after.history[-1].note) == (OrderStatus.SHIPPED, "The rest was refunded")
    assert services.deliver(order=after, actor=STAFF, now=now).status is OrderStatus.DELIVERED


def test_pieces_in_stock_again_whose_refund_failed_do_not_leave_before_they_are_taken_again(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    mug = paid.lines[0].product_id
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False

    ask(paid, now, lines={mug: 2}, restock=True)

    after = stored(paid)
    assert (after.status, after.lines[0].unsent, after.lines[0].loose, stock(mug)) == (OrderStatus.REVIEW, 0, 2, 4)
    accepted = services.accept_review(order=after, actor=STAFF, now=now, note="")
    assert (accepted.status, accepted.lines[0].to_ship, stock(mug)) == (OrderStatus.PROCESSING, 3, 2)


def test_a_line_that_does_not_tell_which_pieces_left_keeps_back_as_many_as_can_have_stayed() -> None:
    row = to_item_map(OrderLine("prod-1", "Mug", 3, usd(100), "", refunded=2, shipped=2))
    row.unsent = None

    assert (to_line(row).unsent, to_line(row).to_ship, to_line(row).away) == (1, 0, 1)
