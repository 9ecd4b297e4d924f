"""The record of what went in and out of stock adds up to the stock, whatever happens."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from catalog import queries, services, stock_check
from catalog.domain import StockMovement, StockReason
from catalog.models import ProductRow, product_key
from catalog.stock_check import accept_stock, stock_sum
from orders import services as order_services
from orders.domain import OrderStatus
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.test_races import at_once
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

RECEIVED, SALE, RELEASE = StockReason.RECEIVED, StockReason.SALE, StockReason.RELEASE
ADJUSTMENT, LOSS = StockReason.ADJUSTMENT, StockReason.LOSS


def stock(product_id: str) -> int:
    return queries.product(product_id=product_id, consistent=True).inventory


def movements(product_id: str) -> list[StockMovement]:
    """All that was recorded, latest first."""
    return list(queries.stock_movements(product_id=product_id, size=1000).items)


def told(product_id: str) -> list[tuple[int, str, str, str]]:
    return [(found.change, found.reason, found.actor, found.order_id) for found in movements(product_id)]


def recorded() -> list[dict[str, Any]]:
    return [item for item in items_of("Products") if item["SK"]["S"].startswith("STOCK#")]


def test_a_sale_and_its_release_are_recorded_with_order_and_actor(guest: Owner, now: datetime) -> None:
    mug, lamp = factories.make_product(inventory=9), factories.make_product(inventory=4)
    order = factories.make_order(guest, {mug.product_id: 3, lamp.product_id: 1}, now)
    later = now + timedelta(minutes=1)
    order_services.release(order=order, to=OrderStatus.EXPIRED, actor="clock", now=later)

    assert told(mug.product_id) == [
        (3, RELEASE, "clock", order.order_id),
        (-3, SALE, "shopper", order.order_id),
        (9, RECEIVED, "shop", ""),
    ]
    assert told(lamp.product_id) == [
        (1, RELEASE, "clock", order.order_id),
        (-1, SALE, "shopper", order.order_id),
        (4, RECEIVED, "shop", ""),
    ]
    assert [found.at for found in movements(mug.product_id)] == [later, now, mug.created_at]


def test_a_refused_order_records_nothing(guest: Owner, now: datetime) -> None:
    mug, lamp = factories.make_product(inventory=5), factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2, lamp.product_id: 1}, now)
    services.set_stock(product_id=mug.product_id, inventory=1, now=now)
    before = recorded()

    with pytest.raises(order_services.OutOfStock):
        order_services.place_order(**ready)

    assert recorded() == before


def test_the_records_add_up_to_the_stock_after_a_hundred_steps_of_any_kind(now: datetime) -> None:
    rng = random.Random(20261123)
    mug = factories.make_product(inventory=30)
    unpaid = []
    sold = 0

    for minute in range(100):
        at = now + timedelta(minutes=minute)
        step = rng.choice(["order", "order", "release", "receive", "lose", "count"])
        pieces = rng.randint(1, 6)
        if step == "order" and stock(mug.product_id) >= pieces:
            unpaid.append(factories.make_order(new_guest(at), {mug.product_id: pieces}, at))
            sold += pieces
        elif step == "release" and unpaid:
            order = unpaid.pop(rng.randrange(len(unpaid)))
            order_services.release(order=order, to=OrderStatus.CANCELLED, actor="shopper", now=at)
            sold -= order.lines[0].quantity
        elif step == "receive":
            services.adjust_stock(product_id=mug.product_id, change=pieces, reason=RECEIVED, actor="user-1", now=at)
        elif step == "lose" and stock(mug.product_id) >= pieces:
            services.adjust_stock(product_id=mug.product_id, change=-pieces, reason=LOSS, actor="user-1", now=at)
        elif step == "count":
            services.adjust_stock(
                product_id=mug.product_id, absolute=stock(mug.product_id) + 1, reason=ADJUSTMENT, actor="user-1", now=at
            )

    found = movements(mug.product_id)
    assert {movement.reason for movement in found} == {RECEIVED, SALE, RELEASE, LOSS, ADJUSTMENT}
    assert sum(movement.change for movement in found) == stock(mug.product_id)
    assert -sum(movement.change for movement in found if movement.reason in (SALE, RELEASE)) == sold


def test_many_adjustments_and_sales_at_once_all_count(now: datetime) -> None:
    mug = factories.make_product(inventory=20)
    carts = [factories.ready_to_order(new_guest(now), {mug.product_id: 1}, now) for _ in range(8)]

    def take_two() -> object:
        return services.adjust_stock(product_id=mug.product_id, change=-2, reason=LOSS, actor="user-1", now=now)

    tasks: list[Callable[[], object]] = [partial(order_services.place_order, **cart) for cart in carts]
    answers = at_once([*tasks, *[take_two] * 8])

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(answer, services.NotEnoughStock | order_services.OutOfStock) for answer in refused)
    assert sum(found.change for found in movements(mug.product_id)) == stock(mug.product_id) >= 0
    assert len(movements(mug.product_id)) == 1 + 16 - len(refused)


def test_more_than_there_is_cannot_be_taken_out_and_says_how_much_there_is(now: datetime) -> None:
    mug = factories.make_product(inventory=3)
    before = items_of("Products")

    with pytest.raises(services.NotEnoughStock) as refusal:
        services.adjust_stock(product_id=mug.product_id, change=-4, reason=LOSS, actor="user-1", now=now)

    assert refusal.value.left == 3
    assert items_of("Products") == before


@pytest.mark.parametrize("number", [{"change": 5}, {"change": -1}, {"absolute": 5}])
def test_a_product_that_is_not_there_has_no_stock(number: dict[str, Any], now: datetime) -> None:
    with pytest.raises(queries.ProductNotFound):
        services.adjust_stock(product_id="prod-none", reason=RECEIVED, actor="user-1", now=now, **number)

    assert items_of("Products") == []


@pytest.mark.parametrize("number", [{}, {"change": 1, "absolute": 1}, {"absolute": -1}])
def test_a_change_that_makes_no_sense_is_a_programming_error(number: dict[str, Any], now: datetime) -> None:
    mug = factories.make_product(inventory=3)

    with pytest.raises(ValueError, match="either a change"):
        services.adjust_stock(product_id=mug.product_id, reason=RECEIVED, actor="user-1", now=now, **number)

    assert stock(mug.product_id) == 3


def test_what_changes_nothing_is_not_recorded(now: datetime) -> None:
    mug = factories.make_product(inventory=3)

    assert services.adjust_stock(product_id=mug.product_id, absolute=3, reason=ADJUSTMENT, actor="user-1", now=now) is None
    assert services.adjust_stock(product_id=mug.product_id, change=0, reason=ADJUSTMENT, actor="user-1", now=now) is None

    assert len(movements(mug.product_id)) == 1


def test_a_sale_between_counting_and_writing_keeps_its_place(now: datetime) -> None:
    mug = factories.make_product(inventory=10)
    cart = factories.ready_to_order(new_guest(now), {mug.product_id: 4}, now)

    with run_before("TransactWriteItems", lambda: order_services.place_order(**cart)):
        movement = services.adjust_stock(
            product_id=mug.product_id, absolute=8, reason=ADJUSTMENT, actor="user-1", now=now, note="Shelf B counted"
        )

    assert movement is not None
    assert (movement.change, movement.note) == (2, "Shelf B counted")
    assert movement in movements(mug.product_id)
    assert stock(mug.product_id) == 8 == sum(found.change for found in movements(mug.product_id))


def test_counting_gives_up_when_the_stock_never_rests(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    from catalog import stock as stock_module

    mug = factories.make_product(inventory=10)
    real = queries.product

    def sold_meanwhile(**asked: Any) -> Any:
        found = real(**asked)
        services.adjust_stock(product_id=mug.product_id, change=1, reason=RECEIVED, actor="user-2", now=now)
        return found

    monkeypatch.setattr(stock_module, "product", sold_meanwhile)
    with pytest.raises(Busy):
        services.adjust_stock(product_id=mug.product_id, absolute=2, reason=ADJUSTMENT, actor="user-1", now=now)
    monkeypatch.undo()

    assert {found.actor for found in movements(mug.product_id)} == {"shop", "user-2"}


def test_a_lost_reply_records_the_change_once(lost_reply: Callable[[str], list[str]], now: datetime) -> None:
    mug = factories.make_product(inventory=3)
    lost_reply("TransactWriteItems")

    services.adjust_stock(product_id=mug.product_id, change=5, reason=RECEIVED, actor="user-1", now=now)

    assert [found.change for found in movements(mug.product_id)] == [5, 3]
    assert stock(mug.product_id) == 8


def test_movements_are_paged_latest_first_with_one_call(now: datetime) -> None:
    mug = factories.make_product(inventory=1)
    for minute in range(1, 6):
        at = now + timedelta(minutes=minute)
        services.adjust_stock(product_id=mug.product_id, change=minute, reason=RECEIVED, actor="user-1", now=at)

    with counted_calls() as calls:
        first = queries.stock_movements(product_id=mug.product_id, size=4)
    second = queries.stock_movements(product_id=mug.product_id, size=4, cursor=first.next_cursor)
    other = queries.stock_movements(product_id=factories.make_product().product_id, size=4, cursor=first.next_cursor)

    assert calls == ["Query"]
    assert [found.change for found in first.items] == [5, 4, 3, 2]
    assert [found.change for found in second.items] == [1, 1]
    assert second.next_cursor == ""
    assert [found.change for found in other.items] == [20]


def test_products_loaded_in_bulk_begin_their_record_with_what_they_start_with() -> None:
    loaded = [factories.product(inventory=7), factories.product(inventory=0)]

    services.load_products(entries=[(product, ()) for product in loaded])

    assert [told(product.product_id) for product in loaded] == [[(7, RECEIVED, "shop", "")], []]


# --- The sum of the record --------------------------------------------------------------------------------------------


def lose_one(product_id: str, now: datetime) -> None:
    services.adjust_stock(product_id=product_id, change=-1, reason=LOSS, actor="user-2", now=now)


def test_a_sale_between_the_looks_at_stock_and_record_is_no_drift(now: datetime) -> None:
    mug = factories.make_product(inventory=10)

    with run_before("Query", partial(lose_one, mug.product_id, now)):
        found = stock_sum(product_id=mug.product_id, now=now)

    assert (found.inventory, found.recorded, found.drift) == (9, 9, 0)


def test_a_stock_that_never_rests_is_told_as_it_was_seen_last(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(inventory=10)
    real = queries.product

    def sold_behind_the_look(**asked: Any) -> Any:
        found = real(**asked)
        lose_one(mug.product_id, now)
        return found

    monkeypatch.setattr(stock_check, "product", sold_behind_the_look)
    found = stock_sum(product_id=mug.product_id, now=now)

    # Three looks, each at the stock, at the record and once more at the stock.
    assert (found.inventory, found.recorded, stock(mug.product_id)) == (6, 5, 4)


def test_a_drift_is_accepted_once_and_what_adds_up_is_left_alone(now: datetime) -> None:
    mug = factories.make_product(inventory=10)
    product_key(mug.product_id).update(actions=[ProductRow.inventory.set(12)])

    assert accept_stock(product_id=mug.product_id, actor="user-1", now=now).drift == 2
    before = recorded()
    assert accept_stock(product_id=mug.product_id, actor="user-1", now=now).drift == 0

    assert recorded() == before
    assert told(mug.product_id) == [(2, ADJUSTMENT, "user-1", ""), (10, RECEIVED, "shop", "")]


def test_a_sale_while_a_drift_is_accepted_leaves_it_to_be_looked_at_again(now: datetime) -> None:
    mug = factories.make_product(inventory=10)
    product_key(mug.product_id).update(actions=[ProductRow.inventory.set(12)])

    with run_before("TransactWriteItems", partial(lose_one, mug.product_id, now)), pytest.raises(Busy):
        accept_stock(product_id=mug.product_id, actor="user-1", now=now)

    assert told(mug.product_id) == [(-1, LOSS, "user-2", ""), (10, RECEIVED, "shop", "")]
    assert accept_stock(product_id=mug.product_id, actor="user-1", now=now).drift == 2
