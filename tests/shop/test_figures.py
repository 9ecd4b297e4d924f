"""Periods, sums and what changed between them."""

from datetime import date

import pytest

from orders.ledger_domain import Figures
from shop.figures import BadPeriod, Period, change, custom_period, named_period, sums
from shop.lib.money import Money

TODAY = date(2026, 3, 10)


def _day(day: date, *, orders: int, revenue: int, refunds: int = 0, refunded: int = 0, failed: int = 0) -> Figures:
    return Figures(day, orders, orders, orders, Money(revenue, "USD"), refunds, Money(refunded, "USD"), failed)


@pytest.mark.parametrize(
    ("name", "first", "before"),
    [
        ("today", TODAY, Period(date(2026, 3, 9), date(2026, 3, 9), "today")),
        ("7", date(2026, 3, 4), Period(date(2026, 2, 25), date(2026, 3, 3), "7")),
        ("30", date(2026, 2, 9), Period(date(2026, 1, 10), date(2026, 2, 8), "30")),
    ],
)
def test_a_named_period_ends_today_and_is_compared_with_as_many_days(name: str, first: date, before: Period) -> None:
    period = named_period(name, today=TODAY)
    assert (period.first, period.last, period.before) == (first, TODAY, before)


def test_a_name_that_is_none_is_a_week() -> None:
    assert named_period("nonsense", today=TODAY).length == 7


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (None, TODAY, "first and the last"),
        (TODAY, date(2026, 3, 9), "after the last"),
        (TODAY, date(2026, 3, 11), "still to come"),
        (date(2025, 12, 8), TODAY, "92 days at the most"),
        (date(1, 1, 1), date(1, 1, 2), "too long"),
    ],
)
def test_what_is_no_period(first: date | None, last: date | None, said: str) -> None:
    with pytest.raises(BadPeriod, match=said):
        custom_period(first, last, today=TODAY)


def test_the_longest_period() -> None:
    assert custom_period(date(2025, 12, 9), TODAY, today=TODAY).length == 92


def test_sums() -> None:
    found = sums(
        [
            _day(TODAY, orders=2, revenue=1001, refunds=1, refunded=300, failed=4),
            _day(date(2026, 3, 9), orders=1, revenue=500),
        ],
        "USD",
    )
    assert (found.orders, found.sales.minor, found.average.minor) == (3, 1501, 500)
    assert (found.refunds, found.refunded.minor, found.failed) == (1, 300, 4)
    assert sums([], "USD").average == Money(0, "USD")


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (3, 2, "+50 %"),
        (1, 2, "−50 %"),
        (0, 2, "−100 %"),
        (5, 5, "as much as before"),
        (5, 0, "none before"),
        (1001, 1000, "about as much as before"),
    ],
)
def test_a_change_in_words(now: int, before: int, said: str) -> None:
    assert change(now, before) == said
