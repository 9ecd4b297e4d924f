"""Reads of the books: refunds, invoices, figures, findings. docs/tables.md has a row for each."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from pynamodb.exceptions import DoesNotExist

from orders.domain import Order
from orders.ledger_domain import CreditNote, Figures, Finding, FindingKind, Invoice, InvoiceLine, Refund, taxes_within
from orders.ledger_models import (
    BOOKMARK_PK,
    FINDINGS_PK,
    INVOICE_SK,
    OPEN_REFUNDS_PARTITION,
    BookmarkRow,
    FiguresRow,
    FindingRow,
    InvoiceRow,
    OrderAuditRow,
    RefundRow,
    figures_pk,
    figures_sk,
    finding_key,
    refund_sk,
    to_figures,
    to_finding,
    to_invoice,
    to_refund,
)
from orders.models import OrderRow, ref_pk
from shop.lib import audit
from shop.lib.attributes import time_text
from shop.lib.audit import Entry
from shop.lib.cursors import Page
from shop.lib.kept import MOST_WAITING, forget, kept
from shop.lib.tables import count_up_to, items_of

_FOUND = "findings-count"
_MOST_DAYS = 1000
"""Of a month, in all the currencies there ever were."""


class RefundNotFound(Exception):
    """The order has no refund of this number."""


class InvoiceNotFound(Exception):
    """The order has no invoice: it was not paid, or its number is given in a moment."""


class FindingNotFound(Exception):
    """There is no such finding (any more)."""


def refund(*, order_id: str, key: str) -> Refund:
    """A refund as last written. Raises RefundNotFound."""
    try:
        return to_refund(RefundRow.get(ref_pk(order_id), refund_sk(key), consistent_read=True))
    except DoesNotExist:
        raise RefundNotFound(f"{order_id} {key}") from None


def refunds_of(*, order_id: str) -> tuple[Refund, ...]:
    """An order's refunds as last written, oldest first."""
    rows = RefundRow.query(ref_pk(order_id), RefundRow.sk.startswith(refund_sk()), consistent_read=True)
    return in_order(map(to_refund, rows))


def in_order(refunds: Iterable[Refund]) -> tuple[Refund, ...]:
    """An order's refunds, oldest first."""
    return tuple(sorted(refunds, key=lambda found: (found.asked_at, found.key)))


def open_refunds(*, until: datetime) -> Iterator[tuple[str, str]]:
    """Order and number of refunds that are open and to be looked at by then, the longest waiting first."""
    for row in RefundRow.by_work.query(OPEN_REFUNDS_PARTITION, RefundRow.gsi1_sk <= f"{time_text(until)}#~"):
        yield row.pk.partition("#")[2], row.sk.removeprefix(refund_sk())


def invoice_of(order: Order) -> Invoice:
    """The order's invoice as it was issued. Raises InvoiceNotFound."""
    try:
        return to_invoice(InvoiceRow.get(ref_pk(order.order_id), INVOICE_SK, consistent_read=True))
    except DoesNotExist:
        raise InvoiceNotFound(order.order_id) from None


def credit_notes_of(order: Order) -> tuple[CreditNote, ...]:
    """The credit notes to the order's invoice, oldest first; none when it has no invoice."""
    numbered = sorted((one for one in refunds_of(order_id=order.order_id) if one.credit_note), key=lambda one: one.credit_note)
    if not numbered:
        return ()
    invoice = invoice_of(order)
    return tuple(
        CreditNote(
            number=found.credit_note,
            invoice_number=invoice.number,
            issued_at=found.settled_at or found.asked_at,
            refund=found,
            tax=tax,
            lines=_lines_of(order, found),
        )
        for found, tax in zip(numbered, taxes_within(order, numbered), strict=True)
    )


def _lines_of(order: Order, found: Refund) -> tuple[InvoiceLine, ...]:
    lines = {line.product_id: line for line in order.lines}
    return tuple(
        InvoiceLine(lines[piece.product_id].name, piece.quantity, lines[piece.product_id].unit_price)
        for piece in found.pieces
        if piece.product_id in lines
    )


def daily_figures(*, first: date, last: date, currency: str) -> tuple[Figures, ...]:
    """The days from first to last on which anything happened: one query a month, whatever was sold."""
    found: list[Figures] = []
    month = first.replace(day=1)
    while month <= last:
        rows = FiguresRow.query(
            figures_pk(month),
            FiguresRow.sk.between(figures_sk(max(first, month), ""), figures_sk(min(last, _month_end(month)), "~")),
        )
        days = map(to_figures, items_of(rows, most=_MOST_DAYS))
        found += [figures for figures in days if figures.revenue.currency == currency]
        month = _month_end(month) + timedelta(days=1)
    return tuple(found)


def findings() -> tuple[Finding, ...]:
    """Everything that does not add up, oldest first."""
    return tuple(sorted(map(to_finding, FindingRow.query(FINDINGS_PK, consistent_read=True)), key=lambda one: one.found_at))


def findings_count() -> int:
    """How much does not add up, a minute ago at the most, counted up to MOST_WAITING: one Query."""
    return kept(_FOUND, partial(count_up_to, FindingRow, FINDINGS_PK, at_most=MOST_WAITING, consistent=True))


def forget_findings_count() -> None:
    """Have them counted anew: after one was seen to."""
    forget(_FOUND)


def finding(*, kind: FindingKind, subject: str) -> Finding:
    """One thing that does not add up. Raises FindingNotFound."""
    key = finding_key(kind, subject)
    try:
        return to_finding(FindingRow.get(key.pk, key.sk, consistent_read=True))
    except DoesNotExist:
        raise FindingNotFound(f"{kind} {subject}") from None


def entries_of_month(*, month: datetime, cursor: str = "") -> Page[Entry]:
    """What staff did to orders and books in a month, newest first: one Query and one BatchGet."""
    return audit.entries_of_month(OrderAuditRow, OrderRow.by_status, month, cursor=cursor)


def bookmark(name: str) -> BookmarkRow | None:
    """How far a job of many runs has come; None before its first."""
    try:
        return BookmarkRow.get(BOOKMARK_PK, name, consistent_read=True)
    except DoesNotExist:
        return None


def _month_end(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
