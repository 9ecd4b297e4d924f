"""Small entries in the books: the day's figures, findings, numbers without gaps."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from pynamodb.transactions import TransactWrite

from orders.domain import OrderLine
from orders.ledger_domain import Finding, FindingKind
from orders.ledger_models import FiguresRow, figures_pk, figures_sk, finding_key, to_finding_row
from orders.sold_models import SoldRow, sold_pk, sold_sk

KEEP_SOLD = timedelta(days=40)
"""How long a day's pieces are kept by product: far longer than the day is ranked."""


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
                SoldRow.expires_at.set(at + KEEP_SOLD),
            ],
        )


def count_carts(*, number: int, now: datetime) -> None:
    """Let carts that were begun count in the day's figures: one write for a batch of them.

    There is no claim: a process that dies between this and its answer lets the batch be counted twice.
    """
    day = now.date()
    FiguresRow(figures_pk(day), figures_sk(day, settings.CURRENCY)).update(actions=[FiguresRow.carts.add(number)])


def note_finding(finding: Finding) -> None:
    """Let staff see what does not add up; seen again, it is the same finding."""
    to_finding_row(finding).save()


def drop_finding(kind: FindingKind, subject: str) -> None:
    """What did not add up does now, or a person has seen to it."""
    finding_key(kind, subject).delete()
