from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cart.domain import Change, Item, Totals, changes_of, totals_of
from shop.lib.money import CurrencyMismatch, Money

NINE_NINETY_NINE = Money(999, "USD")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def test_the_cart_of_the_specification_costs_what_it_says() -> None:
    totals = totals_of([(usd(19999), 2), (usd(1299), 3)], tax_rate=Decimal("0.08"), shipping=NINE_NINETY_NINE)

    assert totals == Totals(subtotal=usd(43895), tax=usd(3512), shipping=usd(999), total=usd(48406))


def test_an_empty_cart_costs_nothing_delivery_included() -> None:
    assert totals_of([], tax_rate=Decimal("0.08"), shipping=NINE_NINETY_NINE) == Totals(usd(0), usd(0), usd(0), usd(0))


def test_totals_that_do_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="is not"):
        Totals(subtotal=usd(100), tax=usd(8), shipping=usd(0), total=usd(109))


def test_a_price_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        totals_of([(Money(100, "EUR"), 1)], tax_rate=Decimal(0), shipping=NINE_NINETY_NINE)


@settings(max_examples=1000)
@given(
    lines=st.lists(st.tuples(st.integers(1, 10_000_000), st.integers(1, 99)), min_size=1, max_size=40),
    rate=st.decimals(0, 1, places=4),
    shipping=st.integers(0, 100_000),
)
def test_totals_equal_exact_arithmetic_in_fractions(lines: list[tuple[int, int]], rate: Decimal, shipping: int) -> None:
    subtotal = sum(Fraction(price) * quantity for price, quantity in lines)
    tax = (subtotal * Fraction(rate) + Fraction(1, 2)).__floor__()

    totals = totals_of([(usd(price), quantity) for price, quantity in lines], tax_rate=rate, shipping=usd(shipping))

    assert (totals.subtotal.minor, totals.tax.minor, totals.shipping.minor, totals.total.minor) == (
        subtotal,
        tax,
        shipping,
        subtotal + tax + shipping,
    )


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
