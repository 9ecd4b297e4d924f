"""Small entries in the books: the day's figures, findings, numbers without gaps."""

from datetime import datetime
from typing import Any

from pynamodb.transactions import TransactWrite

from orders.ledger_domain import Finding, FindingKind
from orders.ledger_models import FiguresRow, figures_pk, figures_sk, finding_key, to_finding_row


def count(txn: TransactWrite, at: datetime, currency: str, **figures: Any) -> None:
    """Add to a transaction: let the figures of the day of `at` grow, such as `orders=1`. The claim is in the same transaction."""
    day = at.date()
    txn.update(
        FiguresRow(figures_pk(day), figures_sk(day, currency)),
        actions=[getattr(FiguresRow, name).add(value) for name, value in figures.items()],
    )


def note_finding(finding: Finding) -> None:
    """Let staff see what does not add up; seen again, it is the same finding."""
    to_finding_row(finding).save()


def drop_finding(kind: FindingKind, subject: str) -> None:
    """What did not add up does now, or a person has seen to it."""
    finding_key(kind, subject).delete()
