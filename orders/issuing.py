"""Invoices and credit notes, from the stream: numbers without gaps."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from orders import ledger_queries as books
from orders import queries
from orders.domain import Order
from orders.ledger_domain import Invoice, InvoiceLine, Refund, RefundState
from orders.ledger_models import (
    CREDIT_NOTES,
    INVOICES,
    InvoiceRow,
    RefundRow,
    SequenceRow,
    number_text,
    refund_key,
    sequence_key,
    to_invoice_row,
)
from orders.models import OrderRow, order_key
from shop.lib.tables import Busy
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)

_TRIES = 20
"""How often the next number is asked for while others take it: each refusal is somebody else's document done."""


def issue_invoice(*, order: Order, now: datetime) -> Invoice:
    """Give a paid order its invoice and the next number, in one transaction; asked again, the invoice it has.

    Raises InvoiceNotFound for an order that was never paid, Busy.
    """
    for _ in range(_TRIES):
        try:
            return books.invoice_of(order)
        except books.InvoiceNotFound:
            if order.paid_at is None:
                raise
        last = _last_of(INVOICES)
        invoice = _drawn_up(order, number_text(INVOICES, last + 1), now)
        if _is_written(_invoicing(order, invoice, last)):
            logger.info("invoice %s issued for order %s", invoice.number, order.order_id)
            return invoice
        order = queries.order_by_id(order_id=order.order_id)  # it may be kept under another owner by now
    raise Busy


def issue_credit_note(*, order_id: str, key: str, now: datetime) -> str:
    """Give a refund of an invoiced order its credit note's number; empty for an order that has no invoice. Raises Busy."""
    order = queries.order_by_id(order_id=order_id)
    if order.paid_at is None:
        return ""
    issue_invoice(order=order, now=now)
    for _ in range(_TRIES):
        refund = books.refund(order_id=order_id, key=key)
        if refund.credit_note or refund.state is not RefundState.SUCCEEDED:
            return refund.credit_note
        last = _last_of(CREDIT_NOTES)
        number = number_text(CREDIT_NOTES, last + 1)
        if _is_written(_crediting(refund, number, last)):
            return number
    raise Busy


def _invoicing(order: Order, invoice: Invoice, last: int) -> Callable[[TransactWrite], None]:
    def build(txn: TransactWrite) -> None:
        _move_on(txn, INVOICES, last)
        txn.save(to_invoice_row(invoice), condition=InvoiceRow.pk.does_not_exist())
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[OrderRow.invoice_number.set(invoice.number)],
            condition=OrderRow.pk.exists() & OrderRow.invoice_number.does_not_exist(),
        )

    return build


def _crediting(refund: Refund, number: str, last: int) -> Callable[[TransactWrite], None]:
    def build(txn: TransactWrite) -> None:
        _move_on(txn, CREDIT_NOTES, last)
        txn.update(
            refund_key(refund.order_id, refund.key),
            actions=[RefundRow.credit_note.set(number)],
            condition=(RefundRow.state == RefundState.SUCCEEDED) & RefundRow.credit_note.does_not_exist(),
        )

    return build


def _move_on(txn: TransactWrite, sequence: str, last: int) -> None:
    """The sequence moves on only together with what bears the number."""
    txn.update(
        sequence_key(sequence),
        actions=[SequenceRow.last.set(last + 1)],
        condition=SequenceRow.last == last if last else SequenceRow.last.does_not_exist(),
    )


def _last_of(sequence: str) -> int:
    try:
        key = sequence_key(sequence)
        return SequenceRow.get(key.pk, key.sk, consistent_read=True).last
    except DoesNotExist:
        return 0


def _is_written(build: Callable[[TransactWrite], None]) -> bool:
    """Whether it was written; if not, the number went to another document, or the document was there."""
    try:
        run_transaction(build)
    except Refused:
        return False
    return True


def _drawn_up(order: Order, number: str, now: datetime) -> Invoice:
    return Invoice(
        number=number,
        order_id=order.order_id,
        issued_at=now,
        ordered_at=order.created_at,
        paid_at=order.paid_at or now,
        seller=tuple(settings.INVOICE_SELLER),
        buyer=order.address,
        email=order.email,
        lines=tuple(InvoiceLine(line.name, line.quantity, line.unit_price) for line in order.lines),
        subtotal=order.subtotal,
        tax=order.tax,
        shipping=order.shipping,
        total=order.total,
        delivery_method=queries.delivery_name(order.delivery_method),
        payment_method=order.payment.method,
        discount=order.discount,
        tax_included=order.tax_included,
    )
