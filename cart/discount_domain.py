"""Discount codes: what they take off, and the exact reason when they do not: pure rules, explained in docs/pricing.md."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shop.lib.money import Money

LEAST_LEFT = 100
"""Minor units of goods a code leaves to be paid: card payments have a least amount, and an order without any is a gift."""
COUNTED_FOR = timedelta(days=730)
"""So long after the last of them a customer's uses are known: a limit for each has to remember people, but not for ever."""
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9_-]{0,28}[A-Z0-9])?")
_HUNDRED = 100
_INSTANT = timedelta(microseconds=1)


class DiscountKind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"
    FREE_DELIVERY = "free_delivery"


class DiscountState(StrEnum):
    """Where a code stands for everybody, whatever is in their cart."""

    ACTIVE = "active"
    SCHEDULED = "scheduled"
    USED_UP = "used_up"
    ENDED = "ended"
    OFF = "off"


class BadDiscount(ValueError):
    """Terms that no code may have; `field` is the term, the message a sentence about it."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


@dataclass(frozen=True, slots=True)
class Discount:
    """The terms of a code. `version` counts its edits; `uses` is how many orders have it, where that was read."""

    code: str
    kind: DiscountKind
    percent: Decimal | None = None
    amount: Money | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    minimum: Money | None = None
    most_uses: int | None = None
    most_uses_each: int | None = None
    is_active: bool = True
    version: int = 1
    uses: int = 0
    uses_by_customer: int = 0

    def state(self, now: datetime) -> DiscountState:
        """Where it stands; what ends it for good comes before what may change."""
        if not self.is_active:
            return DiscountState.OFF
        if self.ends_at and self.ends_at <= now:
            return DiscountState.ENDED
        if self.most_uses is not None and self.uses >= self.most_uses:
            return DiscountState.USED_UP
        return DiscountState.SCHEDULED if self.starts_at and now < self.starts_at else DiscountState.ACTIVE

    @property
    def label(self) -> str:
        """What it gives, in words."""
        if self.kind is DiscountKind.PERCENT and self.percent is not None:
            return f"{self.percent.normalize():f} % off"
        return f"{self.amount} off" if self.kind is DiscountKind.AMOUNT else "Free delivery"

    def off(self, goods: Money) -> Money:
        """What it takes off goods of this value; at least LEAST_LEFT stays to be paid."""
        if self.kind is DiscountKind.PERCENT and self.percent is not None:
            off = goods.times(self.percent / _HUNDRED)
        elif self.kind is DiscountKind.AMOUNT and self.amount is not None:
            off = self.amount
        else:
            return Money.zero(goods.currency)
        return Money(max(0, min(off.minor, goods.minor - LEAST_LEFT)), goods.currency)

    def applied(self, goods: Money, delivery: Money, *, cheapest: Money) -> "AppliedDiscount":
        """What it takes off these goods and a delivery of this price.

        Free delivery is the cheapest one: who wants a dearer one pays the difference.
        """
        free = min(delivery.minor, cheapest.minor) if self.kind is DiscountKind.FREE_DELIVERY else 0
        return AppliedDiscount(self.code, self.label, self.off(goods), Money(free, delivery.currency))


@dataclass(frozen=True, slots=True)
class AppliedDiscount:
    """What a code took off an order: `goods` of the goods' price, `delivery` of the delivery's."""

    code: str
    label: str
    goods: Money
    delivery: Money

    @property
    def saved(self) -> Money:
        return self.goods + self.delivery


def normal_code(typed: str) -> str:
    """A code as it is kept: spaces dropped, letters large. Empty for what can be no code."""
    code = "".join(unicodedata.normalize("NFKC", typed).split()).upper()
    return code if _CODE.fullmatch(code) else ""


def require_sound(discount: Discount, *, currency: str) -> None:
    """Raise BadDiscount unless the terms make sense together."""
    if discount.code != normal_code(discount.code) or not discount.code:
        raise BadDiscount("code", "A code has up to 30 letters, digits and dashes, such as SPRING10.")
    if discount.kind is DiscountKind.PERCENT and not (discount.percent and 0 < discount.percent <= _HUNDRED):
        raise BadDiscount("percent", "Please give a percentage above 0 and up to 100.")
    if discount.kind is DiscountKind.AMOUNT and not (discount.amount and discount.amount.minor > 0):
        raise BadDiscount("amount", "Please give an amount above 0.")
    for field in ("amount", "minimum"):
        money: Money | None = getattr(discount, field)
        if money is not None and (money.currency != currency or money.minor < 0):
            raise BadDiscount(field, f"Please give an amount in {currency}.")
    if discount.starts_at and discount.ends_at and discount.ends_at <= discount.starts_at:
        raise BadDiscount("ends_at", "The code must end after it begins.")
    for field in ("most_uses", "most_uses_each"):
        if getattr(discount, field) is not None and getattr(discount, field) < 1:
            raise BadDiscount(field, "Please give a whole number from 1 up, or leave it empty.")


def why_unknown(code: str) -> str:
    return f"We do not know the code {code}. Please check how it is written."


def why_not(discount: Discount, *, goods: Money, now: datetime) -> str:
    """Why a code does not hold for goods of this value now, in a sentence; empty when it holds."""
    code = discount.code
    if why := _why_not_now(discount, goods, now) or _why_used_up(discount):
        return why
    if discount.minimum is not None and goods < discount.minimum:
        return f"{code} needs {discount.minimum} of goods; add {discount.minimum - goods}."
    if discount.kind is not DiscountKind.FREE_DELIVERY and not discount.off(goods):
        return f"{code} takes nothing off this cart."
    return ""


def _why_not_now(discount: Discount, goods: Money, now: datetime) -> str:
    amounts = (discount.amount, discount.minimum)
    if not discount.is_active or any(money is not None and money.currency != goods.currency for money in amounts):
        return f"{discount.code} is not valid any more."
    if discount.starts_at and now < discount.starts_at:
        return f"{discount.code} begins on {_day(discount.starts_at, now)}."
    if discount.ends_at and discount.ends_at <= now:
        return f"{discount.code} ended on {_day(discount.ends_at - _INSTANT, now)}."
    return ""


def _why_used_up(discount: Discount) -> str:
    each = discount.most_uses_each
    if discount.most_uses is not None and discount.uses >= discount.most_uses:
        return f"{discount.code} has been used up."
    if each is not None and discount.uses_by_customer >= each:
        return f"You have used {discount.code} already{'' if each == 1 else f' {each} times, as often as it may be'}."
    return ""


def _day(moment: datetime, now: datetime) -> str:
    """A day as it is said: with its year when that is not this one, with the time when it is today."""
    if moment.date() == now.date():
        return f"{moment.day} {moment:%B} at {moment:%H:%M} UTC"
    return f"{moment.day} {moment:%B}" + ("" if moment.year == now.year else f" {moment.year}")
