"""The dashboard's arithmetic: a period, the one before it, and what changed between them. Pure rules."""

from collections.abc import Iterable, Mapping
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

    @property
    def average(self) -> Money:
        """The average order, to the minor unit below."""
        return Money(self.sales.minor // self.orders if self.orders else 0, self.sales.currency)


def sums(days: Iterable[Figures], currency: str) -> Sums:
    """What the days add up to."""
    found = list(days)
    return Sums(
        orders=sum(day.orders for day in found),
        sales=Money(sum(day.revenue.minor for day in found), currency),
        refunds=sum(day.refunds for day in found),
        refunded=Money(sum(day.refunded.minor for day in found), currency),
        failed=sum(day.failed_payments for day in found),
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
    "refunds": "Refunds",
    "failed": "Failed payments",
}
"""What can be drawn as a chart, and what it is called."""


def value_of(day: Figures | None, figure: str) -> int:
    """A day's value of a figure in whole units (minor ones of money); nothing happened on a day that is None."""
    if day is None:
        return 0
    values: Mapping[str, int] = {
        "sales": day.revenue.minor,
        "orders": day.orders,
        "average": day.average.minor,
        "refunds": day.refunded.minor,
        "failed": day.failed_payments,
    }
    return values[figure]
