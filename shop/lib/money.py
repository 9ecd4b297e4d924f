"""Exact money: whole minor units (cents) and a currency, never a float. docs/pricing.md has the rounding rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Self

# Currencies whose smallest unit is not a hundredth: https://docs.stripe.com/currencies#zero-decimal (and #three-decimal)
_DIGITS = dict.fromkeys(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"], 0
) | dict.fromkeys(["BHD", "JOD", "KWD", "OMR", "TND"], 3)
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum or comparison."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (`Money(1999, "USD")` is $19.99) and its ISO 4217 currency."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str, currency: str) -> Self:
        """The amount written as a decimal number of major units; raises ValueError if it has more digits than the currency."""
        scaled = Decimal(amount).scaleb(digits(currency))
        if not scaled.is_finite() or scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} is no exact amount of {currency}")
        return cls(int(scaled), currency)

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """Major units, exactly: what the tables and the invoices carry."""
        return Decimal(self.minor).scaleb(-digits(self.currency))

    def times(self, rate: Decimal) -> "Money":
        """This amount times a rate such as a tax rate, rounded half-up to the minor unit."""
        return Money(int((self.minor * rate).quantize(Decimal(1), ROUND_HALF_UP)), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> "Money":
        return Money(self.minor * quantity, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.minor <= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        number = f"{abs(self.amount):,.{digits(self.currency)}f}"
        symbol = _SYMBOLS.get(self.currency, f"{self.currency} ")
        return f"{'-' if self.minor < 0 else ''}{symbol}{number}"

    def _same(self, other: "Money") -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.minor


def digits(currency: str) -> int:
    """How many decimal places the currency has."""
    return _DIGITS.get(currency, 2)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of the amounts; zero of the currency when there are none. Raises CurrencyMismatch."""
    result = Money.zero(currency)
    for amount in amounts:
        result = result + amount
    return result
