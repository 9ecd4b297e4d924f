"""Orders in review: a person takes the payment as it is, gives the money back or ends the order; each only where it fits."""

from datetime import datetime
from functools import partial

import pytest

from orders import ledger_queries as books
from orders import services
from orders.domain import MOST_PARCELS, Order, OrderStatus
from orders.ledger_domain import FindingKind
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of
from tests.orders.paid import EVE, STAFF, made_at, stock, stored, three_mugs_and_a_lamp, usd
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return three_mugs_and_a_lamp(stripe, guest, now)


@pytest.fixture
def stopped(paid: Order, now: datetime) -> Order:
    """The paid order, put into review before it left."""
    return services.put_into_review(order=paid, actor=STAFF, now=now, note="Two cards, one name")


@pytest.fixture
def bounced(stripe: FakeStripe, paid: Order, now: datetime) -> Order:
    """In review because its refund failed after the pieces had gone back on the shelf."""
    charge = next(iter(stripe.state.tables["charges"].values()))
    charge["paid"] = False
    services.refund_rest(order=paid, restock=True, note="", actor=STAFF, now=now)
    charge["paid"] = True
    return stored(paid)


def test_only_a_paid_order_that_has_not_left_is_stopped(stripe: FakeStripe, paid: Order, guest: Owner, now: datetime) -> None:
    shipped = services.ship(order=paid, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now)
    unpaid = factories.make_order(new_guest(now), {factories.make_product().product_id: 1}, now)
    before = items_of("Orders")

    for order in (shipped, unpaid):
        with pytest.raises(services.OrderMoved):
            services.put_into_review(order=order, actor=STAFF, now=now, note="")

    assert items_of("Orders") == before


def test_what_is_not_in_review_is_neither_accepted_nor_ended(paid: Order, now: datetime) -> None:
    for judge in (services.accept_review, services.drop_review):
        with pytest.raises(services.NotInReview):
            judge(order=paid, actor=STAFF, now=now, note="")

    assert stored(paid) == paid


def test_an_order_whose_money_is_here_is_not_ended_and_says_how_much_it_is(stopped: Order, now: datetime) -> None:
    with pytest.raises(services.MoneyIsThere) as refusal:
        services.drop_review(order=stopped, actor=STAFF, now=now, note="")

    assert refusal.value.amount == usd(11367)
    assert stored(stopped) == stopped
    assert [stock(line.product_id) for line in stopped.lines] == [2, 2]


def test_pieces_that_have_left_do_not_come_back_into_stock_when_their_order_is_ended(
    stripe: FakeStripe, paid: Order, now: datetime
) -> None:
    mug, lamp = paid.lines
    left = services.ship(order=paid, carrier="", tracking_number="", actor=STAFF, now=now, pieces={mug.product_id: 1})
    stopped = services.put_into_review(order=left, actor=STAFF, now=now, note="Stripe knows of no payment")
    stripe.state.tables["payment_intents"].clear()

    dropped = services.drop_review(order=stopped, actor=STAFF, now=now, note="")

    assert dropped.status is OrderStatus.CANCELLED
    assert (stock(mug.product_id), stock(lamp.product_id)) == (4, 3)
    assert [line.loose for line in dropped.lines] == [2, 1]


def test_of_two_who_judge_at_once_one_wins(stopped: Order, now: datetime) -> None:
    accept = partial(services.accept_review, order=stopped, actor=STAFF, now=now, note="fine")

    with pytest.raises(services.NotInReview), run_before("TransactWriteItems", accept):
        accept()

    after = stored(stopped)
    assert (after.status, after.payment.left) == (OrderStatus.PROCESSING, usd(11367))
    assert [entry.note for entry in after.history].count("fine") == 1


def test_an_order_whose_pieces_were_sold_meanwhile_is_not_accepted(bounced: Order, now: datetime) -> None:
    factories.make_order(new_guest(now), {bounced.lines[0].product_id: 3}, now)

    with pytest.raises(services.NotInStock):
        services.accept_review(order=bounced, actor=STAFF, now=now, note="")

    assert stored(bounced) == bounced
    assert [stock(line.product_id) for line in bounced.lines] == [2, 3]


def test_a_refund_that_failed_is_made_again_by_the_finding_that_tells_of_it(
    stripe: FakeStripe, bounced: Order, now: datetime
) -> None:
    services.put_right(kind=FindingKind.FAILED_REFUND, subject=f"{bounced.order_id}-1", actor=EVE, now=now)

    after = stored(bounced)
    assert (after.status, after.payment.left, made_at(stripe)) == (OrderStatus.REFUNDED, usd(0), [11367])
    assert [stock(line.product_id) for line in bounced.lines] == [5, 3]
    assert books.findings() == ()


def test_an_order_leaves_in_so_many_parcels_at_the_most(
    stripe: FakeStripe, guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_PARCELS > 3
    monkeypatch.setattr("orders.fulfilling.MOST_PARCELS", 2)
    order = three_mugs_and_a_lamp(stripe, guest, now)
    one = {order.lines[0].product_id: 1}
    for _ in range(2):
        order = services.ship(order=order, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now, pieces=one)

    with pytest.raises(services.TooManyParcels):
        services.ship(order=order, carrier="UPS", tracking_number="1Z", actor=STAFF, now=now, pieces=one)

    assert stored(order) == order
