"""Why a discount code does not hold, in the sentence the shopper reads."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cart.discount_domain import BadDiscount, Discount, DiscountKind, require_sound, why_not
from shop.lib.money import Money

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SPRING = Discount("SPRING10", DiscountKind.PERCENT, percent=Decimal(10))


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.mark.parametrize(
    ("changes", "goods", "why"),
    [
        ({}, 1000, ""),
        ({"is_active": False}, 1000, "SPRING10 is not valid any more."),
        ({"minimum": Money(1000, "EUR")}, 1000, "SPRING10 is not valid any more."),
        ({"starts_at": NOW + timedelta(hours=3)}, 1000, "SPRING10 begins on 23 November at 15:00 UTC."),
        ({"starts_at": NOW + timedelta(days=2)}, 1000, "SPRING10 begins on 25 November."),
        ({"starts_at": NOW + timedelta(days=60)}, 1000, "SPRING10 begins on 22 January 2027."),
        ({"ends_at": NOW - timedelta(days=1)}, 1000, "SPRING10 ended on 22 November."),
        ({"minimum": usd(5000)}, 3990, "SPRING10 needs $50.00 of goods; add $10.10."),
        ({"minimum": usd(5000)}, 5000, ""),
        ({"most_uses": 3, "uses": 3}, 1000, "SPRING10 has been used up."),
        ({"most_uses": 3, "uses": 2}, 1000, ""),
        ({"most_uses_each": 1, "uses_by_customer": 1}, 1000, "You have used SPRING10 already."),
        (
            {"most_uses_each": 2, "uses_by_customer": 2},
            1000,
            "You have used SPRING10 already 2 times, as often as it may be.",
        ),
        ({}, 4, "SPRING10 takes nothing off this cart."),  # a tenth of four cents is none
        ({"kind": DiscountKind.FREE_DELIVERY, "percent": None}, 4, ""),
    ],
)
def test_a_code_says_why_it_does_not_hold(changes: dict[str, Any], goods: int, why: str) -> None:
    assert why_not(replace(SPRING, **changes), goods=usd(goods), now=NOW) == why


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "spring 10"}, "code"),
        ({"code": ""}, "code"),
        ({"percent": None}, "percent"),
        ({"percent": Decimal(101)}, "percent"),
        ({"kind": DiscountKind.AMOUNT, "amount": None}, "amount"),
        ({"kind": DiscountKind.AMOUNT, "amount": usd(0)}, "amount"),
        ({"minimum": Money(1, "EUR")}, "minimum"),
        ({"starts_at": NOW, "ends_at": NOW}, "ends_at"),
        ({"most_uses": 0}, "most_uses"),
        ({"most_uses_each": 0}, "most_uses_each"),
    ],
)
def test_terms_that_make_no_sense_are_refused_by_their_field(changes: dict[str, Any], field: str) -> None:
    require_sound(SPRING, currency="USD")

    with pytest.raises(BadDiscount) as refusal:
        require_sound(replace(SPRING, **changes), currency="USD")

    assert refusal.value.field == field
