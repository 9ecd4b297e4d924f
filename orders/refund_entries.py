"""A refund's entry in the books: drawn up, and written in one transaction with what order and stock make of it."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.operand import Value
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import StockReason
from orders.domain import Order, OrderLine
from orders.ledger_domain import Refund, RefundedPieces, RefundReason, RefundState, with_refunded
from orders.ledger_models import RefundRow, refund_key, to_refund_row
from orders.models import PAYMENT, REFUNDABLE, OrderRow, order_key
from orders.moving import OrderMoved, is_unchanged, sets_lines, stock_changed
from shop.lib.money import Money
from shop.lib.tables import Busy, all_of
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)


class NothingToRefund(Exception):
    """The refund would give nothing back, or names pieces that are not the order's or were refunded before."""


def refund_of_all(order: Order, reason: RefundReason, actor: str, now: datetime, *, note: str = "") -> Refund:
    """A refund of all that is left, all pieces not refunded yet with it and back on the shelf; not written yet."""
    lines = {line.product_id: line.refundable for line in order.lines}
    pieces = with_pieces_refunded(order, lines, restock=True)
    return draft(order, order.payment.left, reason, actor, now, pieces=pieces, note=note)


def write_down(order: Order, refund: Refund, *, actions: Sequence[Action], now: datetime) -> None:
    """Write a refund, take its amount from what is left, and put its pieces back: all or nothing.

    `actions` are further writes to the order, such as its move. Raises OrderMoved, Busy; then nothing was written.
    """
    there = catalog.products(product_ids=[piece.product_id for piece in refund.pieces], consistent=True)
    amount = Value(refund.amount.amount, REFUNDABLE)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[
                *actions,
                REFUNDABLE.set((REFUNDABLE | PAYMENT.amount) - amount),
                OrderRow.refund_count.set(order.refund_count + 1),
                sets_lines(lines_after(order, refund)),
                *([OrderRow.delivery_refunded.set(True)] if refund.delivery else []),
            ],
            condition=all_of(is_unchanged(order), _is_left(refund.amount)),
        )
        txn.save(to_refund_row(refund), condition=RefundRow.pk.does_not_exist())
        for piece in (piece for piece in refund.pieces if piece.returned and piece.product_id in there):
            catalog_services.return_stock(
                txn,
                product_id=piece.product_id,
                quantity=piece.returned,
                reason=StockReason.RETURN,
                order_id=order.order_id,
                actor=refund.actor,
                now=now,
            )

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(order.owner.key) or refused.is_about(refund_key(refund.order_id, refund.key).pk):
            raise OrderMoved(order.order_id) from refused
        raise Busy from refused  # a product was deleted at this very moment
    stock_changed(order)
    logger.info("refund %s of order %s asked for", refund.key, order.order_id)


def draft(
    order: Order,
    amount: Money,
    reason: RefundReason,
    actor: str,
    now: datetime,
    *,
    pieces: tuple[RefundedPieces, ...] = (),
    delivery: Money | None = None,
    note: str = "",
) -> Refund:
    """The order's next refund, not written yet."""
    return Refund(
        order_id=order.order_id,
        key=str(order.refund_count + 1),
        amount=amount,
        state=RefundState.ASKED,
        reason=reason,
        actor=actor,
        asked_at=now,
        payment_intent_id=order.payment.payment_intent_id,
        pieces=pieces,
        delivery=delivery,
        note=note,
    )


def with_pieces_refunded(
    order: Order, lines: Mapping[str, int], *, restock: bool, sent: Mapping[str, int] | None = None
) -> tuple[RefundedPieces, ...]:
    """The pieces of a refund of these quantities; `sent` says how many of a line's had left and came back.

    Raises NothingToRefund for what is not there to be refunded.
    """
    known = {line.product_id: line.refundable for line in order.lines}
    if any(quantity < 0 or quantity > known.get(product_id, -1) for product_id, quantity in lines.items()):
        raise NothingToRefund(order.order_id)
    told = sent or {}
    both = [
        (line, with_refunded(line, lines.get(line.product_id, 0), restock=restock, sent=told.get(line.product_id))[1])
        for line in order.lines
    ]
    if any(pieces and not (0 <= pieces.sent <= line.away and 0 <= pieces.unsent <= line.to_ship) for line, pieces in both):
        raise NothingToRefund(order.order_id)
    return tuple(pieces for _, pieces in both if pieces)


def lines_after(order: Order, refund: Refund) -> tuple[OrderLine, ...]:
    """The order's lines once this refund is written."""
    found = {piece.product_id: piece for piece in refund.pieces}
    return tuple(
        with_refunded(line, found[line.product_id].quantity, restock=True, sent=found[line.product_id].sent)[0]
        if line.product_id in found
        else line
        for line in order.lines
    )


def _is_left(amount: Money) -> Condition:
    """So much may still go back; an item written elsewhere keeps no such sum until its first refund."""
    enough: Condition = (amount.amount <= REFUNDABLE) | (REFUNDABLE.does_not_exist() & (PAYMENT.amount >= amount.amount))
    return enough
