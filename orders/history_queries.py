"""Somebody's orders as they look for them: by day, by where they stand, by number. A page is one call of bounded size.

Numbers of ours sort by time, and so do orders under their owner: newest first is the key's order, days are a range of keys. Where
an order stands is no part of the key. Asked for that, a page looks through so many orders and says how far back it came, rather
than reading on until it is full.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from pynamodb.expressions.condition import Condition
from pynamodb.pagination import ResultIterator

from cart.domain import LIFETIME
from orders.domain import Order, OrderStatus
from orders.models import OrderRow, order_sk, to_order
from shop.lib.cursors import Page, look_through
from shop.lib.ids import id_bound, time_of
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import all_of

PAGE_SIZE = 10
LOOK = 200
"""Orders that one page looks through at most for those of a status or a part of a number."""
_PREFIX = "ord"
_WHOLE = 17
"""Characters of a number of ours after its prefix."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody looks for among their orders: first and last day (in UTC), statuses, a part of the number."""

    first: date | None = None
    last: date | None = None
    statuses: Collection[OrderStatus] = ()
    number: str = ""

    @property
    def is_all(self) -> bool:
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class History:
    """A page of somebody's orders. `looked_back_to` is set when more orders are there than one page looks through."""

    page: Page[Order]
    looked_back_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What somebody has bought: paid orders and their sums, and the latest of all orders. `is_all` is false for who has more."""

    orders: int
    spent: Money
    refunded: Money
    latest: tuple[Order, ...]
    is_all: bool

    @property
    def average(self) -> Money:
        """The average order, to the minor unit below."""
        return Money(self.spent.minor // self.orders if self.orders else 0, self.spent.currency)


def history_of(*, owner: Owner, wanted: Wanted, cursor: str = "") -> History:
    """A page of the owner's orders, newest first; a moment behind the table. One call, whatever there is."""
    keys = _keys(wanted)
    filters = _filters(wanted)

    def ask(**paging: Any) -> ResultIterator[OrderRow]:
        return OrderRow.query(owner.key, keys, filter_condition=filters, **paging)

    question = f"history {owner.key} {wanted.first} {wanted.last} {sorted(wanted.statuses)} {wanted.number}"
    page, end = look_through(
        ask,
        to_order,
        row=OrderRow,
        key_names=("PK", "SK"),
        question=question,
        cursor=cursor,
        size=PAGE_SIZE,
        look=PAGE_SIZE + 1 if filters is None else LOOK,
        forward=False,
    )
    return History(page, time_of(end["SK"]["S"]) if end and filters is not None else None)


def spending_of(*, owner: Owner) -> Spending:
    """What somebody has bought, by their newest orders: one call, whatever there is.

    A sum over orders as they stand is right whatever became of them (claimed, refunded, cancelled), which a counter beside
    them would have to follow.
    """
    begins = OrderRow.sk.startswith(order_sk(""))
    found = [to_order(row) for row in OrderRow.query(owner.key, begins, scan_index_forward=False, limit=LOOK)]
    paid = [order for order in found if order.is_paid and order.total.currency == settings.CURRENCY]
    zero = Money.zero(settings.CURRENCY)
    return Spending(
        orders=len(paid),
        spent=sum((order.payment.amount for order in paid), zero),
        refunded=sum((order.payment.given_back for order in paid), zero),
        latest=tuple(found[:PAGE_SIZE]),
        is_all=len(found) < LOOK,
    )


def _keys(wanted: Wanted) -> Condition:
    """The range of numbers. A number is as old as its cart, so the range begins a cart's life before the first day."""
    if len(wanted.number) == _WHOLE:
        whole: Condition = OrderRow.sk == order_sk(f"{_PREFIX}-{wanted.number}")
        return whole
    first, last = order_sk(""), order_sk("~")
    if wanted.first:
        first = order_sk(id_bound(_PREFIX, _midnight(wanted.first) - LIFETIME))
    if wanted.last:
        last = order_sk(id_bound(_PREFIX, _midnight(wanted.last) + timedelta(days=1)))
    condition: Condition = OrderRow.sk.between(first, last)
    return condition


def _filters(wanted: Wanted) -> Condition | None:
    conditions: list[Condition] = []
    if wanted.first:
        conditions.append(OrderRow.created_at >= _midnight(wanted.first))
    if wanted.last:
        conditions.append(OrderRow.created_at < _midnight(wanted.last) + timedelta(days=1))
    if wanted.statuses:
        conditions.append(OrderRow.status.is_in(*sorted(wanted.statuses)))
    if wanted.number and len(wanted.number) != _WHOLE:
        conditions.append(OrderRow.order_id.contains(wanted.number))
    return all_of(*conditions) if conditions else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
