from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cart.delivery_domain import DeliveryMethod
from cart.domain import (
    MAX_LINES,
    MAX_QUANTITY,
    Buyer,
    Cart,
    CartState,
    Change,
    Item,
    KeptCart,
    Line,
    Merged,
    adopt_items,
    changes_of,
    merge_items,
    with_at_least,
)
from cart.tax_domain import TaxRule
from cart.totals_domain import totals_of
from shop.lib.money import Money


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def item(*, quantity: int = 2, price: int = 2000) -> Item:
    return Item("prod-1", "Mug", quantity, usd(price), "", datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("price", "available", "is_for_sale", "changes"),
    [
        (2000, 5, True, ()),
        (2000, 2, True, ()),
        (2001, 5, True, (Change.PRICE_ROSE,)),
        (1999, 5, True, (Change.PRICE_FELL,)),
        (2000, 1, True, (Change.SHORT,)),
        (2400, 1, True, (Change.SHORT, Change.PRICE_ROSE)),
        (2000, 0, True, (Change.SOLD_OUT,)),
        (2000, 5, False, (Change.GONE,)),
    ],
)
def test_a_line_tells_what_changed_since_it_was_seen(
    price: int, available: int, is_for_sale: bool, changes: tuple[Change, ...]
) -> None:
    assert changes_of(item(), price=usd(price), available=available, is_for_sale=is_for_sale) == changes


# --- Lines ------------------------------------------------------------------------------------------------------------


def line(*, quantity: int = 2, available: int = 5, changes: tuple[Change, ...] = ()) -> Line:
    return Line("prod-1", "Mug", "/mug/", "", "", quantity, available, usd(2400), usd(2400), changes)


@pytest.mark.parametrize(
    ("quantity", "available", "most", "is_all", "is_most"),
    [
        (2, 5, 5, False, False),
        (5, 5, 5, True, False),
        (5, 4, 4, False, False),
        (1, 0, 1, False, False),
        (99, 99, 99, True, False),
        (99, 100, 99, False, True),
        (98, 100, 99, False, False),
    ],
)
def test_a_line_knows_how_many_there_are(quantity: int, available: int, most: int, is_all: bool, is_most: bool) -> None:
    asked = line(quantity=quantity, available=available)

    assert (asked.most, asked.is_all_there_is, asked.is_most_we_sell) == (most, is_all, is_most)
    assert asked.amount == asked.priced.amount == usd(2400 * quantity)


@pytest.mark.parametrize(
    ("change", "counts", "blocks"),
    [
        (Change.PRICE_ROSE, True, False),
        (Change.PRICE_FELL, True, False),
        (Change.SHORT, True, True),
        (Change.SOLD_OUT, False, True),
        (Change.GONE, False, True),
    ],
)
def test_what_cannot_be_bought_blocks_and_what_is_not_there_does_not_count(change: Change, counts: bool, blocks: bool) -> None:
    changed = line(quantity=99, available=99, changes=(change, Change.PRICE_ROSE))

    assert (changed.counts, changed.blocks_checkout) == (counts, blocks)
    assert changed.is_all_there_is is counts
    assert replace(changed, available=100).is_most_we_sell is counts
    assert (line().counts, line().blocks_checkout) == (True, False)


# --- Carts ------------------------------------------------------------------------------------------------------------


def cart(*lines: Line, **more: Any) -> Cart:
    return Cart("cart-1", 1, lines, totals_of([], rule=TaxRule(Decimal(0)), shipping=usd(0)), **more)


def test_a_cart_can_be_bought_when_every_line_of_it_can() -> None:
    empty, whole = cart(), cart(line(), line(quantity=3))
    dearer, short = cart(line(changes=(Change.PRICE_ROSE,))), cart(line(), line(changes=(Change.SHORT,)))

    assert [(one.count, one.is_empty) for one in (empty, whole)] == [(0, True), (5, False)]
    assert [one.has_changes for one in (empty, whole, dearer, short)] == [False, False, True, True]
    assert [one.can_check_out for one in (empty, whole, dearer, short)] == [False, True, True, False]


def test_a_way_of_sending_is_chosen_or_there_is_none() -> None:
    parcel = DeliveryMethod("standard", "Parcel", usd(999), (3, 5))

    assert [
        (one.is_delivery_chosen, one.is_undeliverable)
        for one in (
            cart(line(), delivery=parcel, buyer=Buyer(delivery="standard")),
            cart(line(), delivery=parcel, buyer=Buyer(delivery="express")),
            cart(line(), delivery=parcel),
            cart(line()),
            cart(),
        )
    ] == [(True, False), (False, False), (False, False), (False, True), (False, False)]


def test_an_order_may_wait_for_its_payment_until_its_time() -> None:
    due = datetime(2026, 11, 23, 12, 31, tzinfo=UTC)
    kept = KeptCart("cart-1", (item(), item(quantity=3)), CartState.OPEN, 1, due, order_id="ord-1", order_due_at=due)

    assert kept.count == 5
    assert kept.has_order_that_may_wait(due - timedelta(seconds=1))
    assert not kept.has_order_that_may_wait(due)
    assert not kept.has_order_that_may_wait(due + timedelta(seconds=1))
    assert not replace(kept, order_id=None).has_order_that_may_wait(due - timedelta(seconds=1))
    assert not replace(kept, order_due_at=None).has_order_that_may_wait(due - timedelta(seconds=1))


# --- Two lots of lines made one ---------------------------------------------------------------------------------------


def lot(**quantities: int) -> tuple[Item, ...]:
    return tuple(replace(item(quantity=quantity), product_id=key, name=key.title()) for key, quantity in quantities.items())


def amounts(items: tuple[Item, ...]) -> dict[str, int]:
    return {one.product_id: one.quantity for one in items}


def test_lines_are_added_up_as_far_as_there_are_pieces() -> None:
    merged = merge_items(lot(mug=2, bowl=4), lot(bowl=3, cup=5, plate=100), most={"bowl": 6, "cup": 5, "mug": 1})

    assert amounts(merged.items) == {"mug": 2, "bowl": 6, "cup": 5, "plate": 99}
    assert amounts(merged.lowered) == {"bowl": 6, "plate": 99}
    assert merged.left_out == ()


def test_a_product_that_comes_twice_is_one_line() -> None:
    merged = merge_items((), (*lot(mug=2), *lot(mug=3)), most={"mug": 50})

    assert amounts(merged.items) == {"mug": 5}
    assert merged.lowered == ()


def test_what_finds_no_room_is_named_and_what_is_there_stays() -> None:
    full = lot(**{f"p{number}": 1 for number in range(MAX_LINES - 1)})
    merged = merge_items(full, lot(p0=4, mug=2, bowl=3, cup=1), most={})

    assert len(merged.items) == MAX_LINES == 40
    assert amounts(merged.items)["p0"] == 5
    assert amounts(merged.items)["mug"] == 2
    assert merged.left_out == ("Bowl", "Cup")
    assert merge_items(lot(**{f"p{n}": 1 for n in range(41)}), lot(mug=1), most={}).left_out == ("Mug",)


def test_lines_that_come_back_come_once() -> None:
    once = with_at_least(lot(mug=2, bowl=9), lot(mug=5, bowl=3, cup=1), most={"mug": 4})
    again = with_at_least(once.items, lot(mug=5, bowl=3, cup=1), most={"mug": 4})

    assert amounts(once.items) == amounts(again.items) == {"mug": 4, "bowl": 9, "cup": 1}
    assert amounts(once.lowered) == {"mug": 4}
    assert with_at_least(lot(mug=5), lot(mug=5), most={}) == Merged(lot(mug=5))


def test_adopting_adds_up_and_lowers_what_there_is_no_longer() -> None:
    adopted = adopt_items(lot(mug=4, bowl=3), lot(mug=2, cup=1), most={"mug": 5, "bowl": 2, "cup": 9})

    assert amounts(adopted.items) == {"mug": 5, "bowl": 2, "cup": 1}
    assert amounts(adopted.lowered) == {"mug": 5, "bowl": 2}
    assert amounts(adopt_items(lot(mug=60), lot(mug=60), most={}).items) == {"mug": MAX_QUANTITY}
    swapped = adopt_items(lot(mug=2, cup=1), lot(mug=4, bowl=3), most={"mug": 5, "bowl": 2, "cup": 9})
    assert amounts(swapped.items) == amounts(adopted.items)
