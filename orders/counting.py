"""The day's figures, and the pieces sold of each product: sums that count nothing twice."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from pynamodb.transactions import TransactWrite

from orders.domain import Order, OrderLine
from orders.ledger_domain import Refund, RefundState
from orders.ledger_models import FiguresRow, figures_pk, figures_sk
from orders.models import EffectRow
from orders.sold_models import SoldRow, sold_pk, sold_sk
from shop.lib.once import done_claim
from shop.lib.transactions import Refused, run_transaction

_KEEP_SOLD = timedelta(days=40)
"""How long a day's pieces are kept by product: far longer than the day is ranked."""


def count_placed(*, order: Order, now: datetime) -> bool:
    """Let an order count among the day's placed ones, once; whether it did now."""
    return _count_once(f"{order.order_id}#figures-placed", order.created_at, order.total.currency, now, placed=1)


def count_paid(*, order: Order, now: datetime) -> bool:
    """Let a paid order and its pieces count in the figures of the day it was paid, once; whether it did now."""
    at = order.paid_at
    if at is None:
        return False
    figures = {"orders": 1, "items": order.count, "revenue": order.payment.amount.amount}
    name = f"{order.order_id}#figures-paid"
    return _count_once(name, at, order.payment.amount.currency, now, lines=order.lines, **figures)


def count_refund(*, refund: Refund, now: datetime) -> bool:
    """Let a refund count in the figures of the day it went back, and one that came back be taken out again, once each."""
    at = refund.settled_at or refund.asked_at
    name = f"{refund.order_id}#refund-{refund.key}"
    if refund.state is RefundState.SUCCEEDED:
        figures: dict[str, Any] = {"refunds": 1, "refunded": refund.amount.amount}
        return _count_once(f"{name}-figures", at, refund.amount.currency, now, **figures)
    figures = {"refunds": -1, "refunded": -refund.amount.amount}
    return _count_once(f"{name}-figures-back", at, refund.amount.currency, now, **figures)


def count_carts(*, number: int, now: datetime) -> None:
    """Let carts that were begun count in the day's figures: one write for a batch of them.

    There is no claim: a process that dies between this and its answer lets the batch be counted twice.
    """
    day = now.date()
    FiguresRow(figures_pk(day), figures_sk(day, settings.CURRENCY)).update(actions=[FiguresRow.carts.add(number)])


def count(txn: TransactWrite, at: datetime, currency: str, **figures: Any) -> None:
    """Add to a transaction: let the figures of the day of `at` grow, such as `orders=1`. The claim is in the same transaction."""
    day = at.date()
    txn.update(
        FiguresRow(figures_pk(day), figures_sk(day, currency)),
        actions=[getattr(FiguresRow, name).add(value) for name, value in figures.items()],
    )


def count_sold(txn: TransactWrite, at: datetime, lines: Iterable[OrderLine]) -> None:
    """Add to a transaction: let the pieces of each product grow that were sold on the day of `at`."""
    for line in lines:
        worth = line.unit_price * line.quantity
        txn.update(
            SoldRow(sold_pk(at.date(), worth.currency), sold_sk(line.product_id)),
            actions=[
                SoldRow.pieces.add(line.quantity),
                SoldRow.revenue.add(worth.amount),
                SoldRow.name.set(line.name),
                SoldRow.expires_at.set(at + _KEEP_SOLD),
            ],
        )


def _count_once(
    name: str, at: datetime, currency: str, now: datetime, *, lines: Sequence[OrderLine] = (), **figures: Any
) -> bool:
    """The claim and the sums are one transaction: a record that comes again finds the claim and counts nothing."""

    def build(txn: TransactWrite) -> None:
        txn.save(done_claim(EffectRow, name, now=now), condition=EffectRow.pk.does_not_exist())
        count(txn, at, currency, **figures)
        count_sold(txn, at, lines)

    try:
        run_transaction(build)
    except Refused:
        return False
    return True
