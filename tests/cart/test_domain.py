from datetime import UTC, datetime

import pytest

from cart.domain import Change, Item, changes_of
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
