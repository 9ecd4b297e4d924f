"""The dashboard's arithmetic: a period, the one before it, and what changed between them. Pure rules."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from orders.ledger_domain import Figures
from shop.lib.money import Money

LONGEST = 92
"""Days of the longest period: with the one before it, figures of seven months at the most."""
_NAMED = {"today": 1, "7": 7, "30": 30}


class BadPeriod(ValueError):
    """These two days are no period; the message tells why."""


@dataclass(frozen=True, slots=True)
class Period:
    """Days from first to last, both included."""

    first: date
    last: date
    name: str = "custom"

    @property
    def length(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range(self.length)]

    @property
    def before(self) -> "Period":
        """As many days right before it, to compare with."""
        return Period(self.first - timedelta(days=self.length), self.first - timedelta(days=1), self.name)


def named_period(name: str, *, today: date) -> Period:
    """Today, or the last so many days with today; seven for a name that is none."""
    name = name if name in _NAMED else "7"
    return Period(today - timedelta(days=_NAMED[name] - 1), today, name)


def custom_period(first: date | None, last: date | None, *, today: date) -> Period:
    """The days somebody chose. Raises BadPeriod."""
    if first is None or last is None:
        raise BadPeriod("Please give the first and the last day.")
    if first > last:
        raise BadPeriod("The first day is after the last one.")
    if last > today:
        raise BadPeriod("The last day is still to come.")
    if (last - first).days >= LONGEST or first.year < 2000:  # noqa: PLR2004 - no shop of ours is older
        raise BadPeriod(f"That is too long: {LONGEST} days at the most.")
    return Period(first, last)


@dataclass(frozen=True, slots=True)
class Sums:
    """A period's sums."""

    orders: int
    sales: Money
    refunds: int
    refunded: Money
    failed: int
    carts: int = 0
    placed: int = 0
    customers: int = 0

    @property
    def average(self) -> Money:
        """The average order, to the minor unit below."""
        return Money(self.sales.minor // self.orders if self.orders else 0, self.sales.currency)

    @property
    def conversion(self) -> int:
        """Orders paid of a thousand carts begun; 0 where none was."""
        return _share(self.orders, self.carts)


def sums(days: Iterable[Figures], currency: str, *, customers: int = 0) -> Sums:
    """What the days add up to."""
    found = list(days)
    return Sums(
        orders=sum(day.orders for day in found),
        sales=Money(sum(day.revenue.minor for day in found), currency),
        refunds=sum(day.refunds for day in found),
        refunded=Money(sum(day.refunded.minor for day in found), currency),
        failed=sum(day.failed_payments for day in found),
        carts=sum(day.carts for day in found),
        placed=sum(day.placed for day in found),
        customers=customers,
    )


def change(now: int, before: int) -> str:
    """How much more or less it is, in words; a rise from nothing has no percentage."""
    if now == before:
        return "as much as before"
    if not before:
        return "none before"
    percent = round(100 * (now - before) / before)
    return f"{percent:+d} %".replace("-", "−") if percent else "about as much as before"


FIGURES = {
    "sales": "Sales",
    "orders": "Orders",
    "average": "Average order",
    "conversion": "Cart to order",
    "customers": "New customers",
    "refunds": "Refunds",
    "failed": "Failed payments",
}
"""What can be drawn as a chart, and what it is called."""
COUNTS = frozenset({"orders", "customers", "failed"})
"""Figures that are numbers of things; the others are money, but for the share of carts."""
LESS_IS_BETTER = frozenset({"refunds", "failed"})


_VALUES: Mapping[str, Callable[[Sums], int]] = {
    "sales": lambda found: found.sales.minor,
    "orders": lambda found: found.orders,
    "average": lambda found: found.average.minor,
    "conversion": lambda found: found.conversion,
    "customers": lambda found: found.customers,
    "refunds": lambda found: found.refunded.minor,
    "failed": lambda found: found.failed,
}


def sum_of(found: Sums, figure: str) -> int:
    """A period's value of a figure in whole units: things, minor units of money, thousandths."""
    return _VALUES[figure](found)


def shown(value: int, figure: str, currency: str) -> str:
    """A figure's value as people read it."""
    if figure == "conversion":
        return f"{value / 10:.1f} %"
    return f"{value:,}" if figure in COUNTS else str(Money(value, currency))


def _share(part: int, whole: int) -> int:
    return round(1000 * part / whole) if whole else 0
