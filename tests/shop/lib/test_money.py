from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop.lib.money import CurrencyMismatch, Money, total


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("199.99", "USD", 19999), ("0", "USD", 0), ("10.1", "USD", 1010), ("1200", "JPY", 1200), ("1.234", "KWD", 1234)],
)
def test_a_decimal_amount_becomes_minor_units_and_back(amount: str, currency: str, minor: int) -> None:
    money = Money.of(amount, currency)

    assert money == Money(minor, currency)
    assert money.amount == Decimal(amount)


@pytest.mark.parametrize(("amount", "currency"), [("0.001", "USD"), ("1.5", "JPY"), ("NaN", "USD"), ("Infinity", "USD")])
def test_what_is_no_exact_amount_is_refused(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match="no exact amount"):
        Money.of(amount, currency)


def test_two_currencies_never_meet() -> None:
    dollars, euros = Money(100, "USD"), Money(100, "EUR")

    for meet in (lambda: dollars + euros, lambda: dollars - euros, lambda: dollars < euros, lambda: dollars <= euros):
        with pytest.raises(CurrencyMismatch):
            meet()
    with pytest.raises(CurrencyMismatch):
        total([dollars, euros], "USD")


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(123456789, "USD"), "$1,234,567.89"),
        (Money(-999, "USD"), "-$9.99"),
        (Money(1200, "JPY"), "¥1,200"),
        (Money(500, "SEK"), "SEK 5.00"),
        (Money(0, "EUR"), "€0.00"),
    ],
)
def test_money_reads_as_shoppers_write_it(money: Money, text: str) -> None:
    assert str(money) == text


@given(minor=st.integers(0, 10**12), rate=st.decimals(0, 1, places=4))
def test_a_rate_rounds_half_up_to_the_minor_unit(minor: int, rate: Decimal) -> None:
    exact = Fraction(minor) * Fraction(rate)

    rounded = Money(minor, "USD").times(rate)

    assert rounded.minor == (exact + Fraction(1, 2)).__floor__()
