"""Money back: written down first, asked of Stripe second, recorded third; each step safe to repeat.

What may still go back (`payment.refundable`) falls in the transaction that writes the refund down, so refunds never exceed what
was paid. A refund whose reply was lost is found again at Stripe by its number: by the job, by a webhook, by whoever looks first.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from orders import ledger_queries as books
from orders import queries
from orders.domain import Order, OrderStatus
from orders.ledger_domain import (
    Finding,
    FindingKind,
    Refund,
    RefundReason,
    RefundState,
    amount_asked,
    extra_of,
    without_refunded,
)
from orders.ledger_models import OPEN_REFUNDS_PARTITION, RefundRow, look_at, refund_key, to_finding_row
from orders.models import PAYMENT, REFUNDABLE, REFUNDED, OrderRow, order_key
from orders.moving import STRIPE, OrderMoved, is_unchanged, moves, sets_lines
from orders.payment_domain import MadeRefund, Progress
from orders.payments import PaymentRefused, PaymentsUnavailable, gateway
from orders.refund_entries import NothingToRefund, draft, lines_after, with_pieces_refunded, write_down
from shop.lib.deadline import OutOfTime
from shop.lib.money import Money
from shop.lib.tables import Busy, all_of
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)

_TRIES = 8
_LOOK_AGAIN = timedelta(hours=1)
"""A refund the bank is at is asked about so often."""


class RefundTooLarge(Exception):
    """More was to be given back than is left of what was paid; `left` is the most."""

    def __init__(self, left: Money) -> None:
        super().__init__(str(left))
        self.left = left


class NotRefundable(Exception):
    """The order has no money to give back, in its present state."""


def request_refund(
    *,
    order: Order,
    number: int,
    lines: dict[str, int],
    delivery: bool,
    extra: Money | None,
    restock: bool,
    note: str,
    actor: str,
    now: datetime,
    sent: Mapping[str, int] | None = None,
) -> Refund:
    """Give back what pieces of lines cost (tax and discounts included), the delivery, and any amount beside, together once.

    `sent` says how many pieces of a line had left and came back; of a line it does not name, what has not left is refunded first.
    An order of which nothing is left to leave, and a parcel has left, is shipped by it.

    `number` is that of the refund the form was drawn for (`order.refund_count + 1`): a second click meets the first one's refund,
    and who was overtaken by somebody else's is told so. What takes all that is left moves the order to `refund_pending`. When
    Stripe does not answer, the refund comes back open and the job carries it through.

    Raises OrderMoved, RefundTooLarge, NothingToRefund, NotRefundable, Busy; then nothing was written.
    """
    if number <= order.refund_count:
        return _met_again(order, number, lines, sent or {}, extra, now)
    if number != order.refund_count + 1:
        raise OrderMoved(order.order_id)
    if not order.can_be_refunded or not order.payment.payment_intent_id:
        raise NotRefundable(order.order_id)
    pieces = with_pieces_refunded(order, lines, restock=restock, sent=sent)
    amount = amount_asked(order, lines, delivery=delivery, extra=extra)
    if order.payment.left < amount:
        raise RefundTooLarge(order.payment.left)
    if not amount or amount.minor < 0 or (extra and extra.minor < 0):
        raise NothingToRefund(order.order_id)
    refund = draft(
        order,
        amount,
        RefundReason.REQUESTED,
        actor,
        now,
        pieces=pieces,
        delivery=order.delivery_worth if delivery and not order.delivery_refunded else None,
        note=note,
    )
    write_down(order, refund, actions=_moves_by(order, refund, actor, now), now=now)
    return carry_out(refund, now=now)


def refund_rest(*, order: Order, restock: bool, note: str, actor: str, now: datetime) -> Refund:
    """Give back everything that is left with every piece not refunded yet, though they were worth more than was paid for them.

    Raises OrderMoved, NothingToRefund, NotRefundable, Busy; then nothing was written.
    """
    if not order.can_be_refunded or not order.payment.payment_intent_id:
        raise NotRefundable(order.order_id)
    if not order.payment.left:
        raise NothingToRefund(order.order_id)
    pieces = with_pieces_refunded(order, {line.product_id: line.refundable for line in order.lines}, restock=restock)
    refund = draft(order, order.payment.left, RefundReason.REQUESTED, actor, now, pieces=pieces, note=note)
    write_down(order, refund, actions=_moves_by(order, refund, actor, now), now=now)
    return carry_out(refund, now=now)


def carry_out(refund: Refund, *, now: datetime) -> Refund:
    """Ask Stripe for a refund that is written down and record what it says; without an answer the refund stays open."""
    try:
        made = gateway().refund(
            refund.order_id,
            refund.key,
            payment_intent_id=refund.payment_intent_id,
            amount=refund.amount,
            idempotency_key=refund.idempotency_key,
        )
    except (PaymentsUnavailable, OutOfTime):
        logger.warning("refund %s of order %s: no word from Stripe yet", refund.key, refund.order_id, exc_info=True)
        return refund
    except PaymentRefused as error:
        return _refused(refund, str(error), now)
    return record(refund.order_id, refund.key, made, now)


def resume_refund(*, order_id: str, key: str, now: datetime) -> Refund:
    """Carry through a refund that is open: look for it at Stripe first, ask for it only when it is not there.

    Raises PaymentsUnavailable, PaymentRefused, OrderNotFound, RefundNotFound.
    """
    refund = books.refund(order_id=order_id, key=key)
    if not refund.state.is_open:
        return refund
    made = next((made for made in gateway().refunds_of(refund.payment_intent_id) if _is_same(refund, made)), None)
    if made:
        return record(order_id, key, made, now)
    return carry_out(refund, now=now) if refund.state is RefundState.ASKED else refund


def sync_refunds(*, order_id: str, now: datetime) -> Order:
    """Bring an order's refunds to what Stripe has: ours whose reply was lost, and those made at Stripe's own pages.

    Raises OrderNotFound, PaymentsUnavailable, PaymentRefused.
    """
    order = queries.order_by_id(order_id=order_id)
    if not order.payment.payment_intent_id:
        return order
    for made in gateway().refunds_of(order.payment.payment_intent_id):
        known = next((refund for refund in books.refunds_of(order_id=order_id) if _is_same(refund, made)), None)
        if known is None and made.progress is not Progress.FAILED:
            known = _seen_elsewhere(queries.order_by_id(order_id=order_id), made, now)
        if known:
            record(order_id, known.key, made, now)
    return queries.order_by_id(order_id=order_id)


def record(order_id: str, key: str, made: MadeRefund, now: datetime) -> Refund:
    """Write down what Stripe says of a refund; said twice, or by two at once, it is written once. Raises Busy."""
    for _ in range(_TRIES):
        refund = books.refund(order_id=order_id, key=key)
        if made.progress is Progress.PENDING:
            return _sent(refund, made, now)
        done = RefundState.SUCCEEDED if made.progress is Progress.SUCCEEDED else RefundState.FAILED
        if refund.state in (done, RefundState.FAILED):
            return refund
        order = queries.order_by_id(order_id=order_id)
        try:
            if done is RefundState.SUCCEEDED:
                return _succeeded(order, refund, made, now)
            return _failed(order, refund, made.failure or "the bank sent it back", now, stripe_id=made.stripe_id)
        except OrderMoved:
            continue
    raise Busy


def _moves_by(order: Order, refund: Refund, actor: str, now: datetime) -> list[Action]:
    """How a refund asked for moves its order: to its end, or to shipped when it takes what was still to leave."""
    if refund.amount == order.payment.left:
        return moves(order, OrderStatus.REFUND_PENDING, actor, now, note=refund.note)
    if order.status is OrderStatus.PROCESSING and order.parcels and not any(line.to_ship for line in lines_after(order, refund)):
        return moves(order, OrderStatus.SHIPPED, actor, now, note="The rest was refunded")
    return [OrderRow.updated_at.set(now)]


def _met_again(
    order: Order, number: int, lines: dict[str, int], sent: Mapping[str, int], extra: Money | None, now: datetime
) -> Refund:
    """The refund of this number, if it is what was asked for now. Raises OrderMoved."""
    try:
        refund = books.refund(order_id=order.order_id, key=str(number))
    except books.RefundNotFound:  # the one of this place was made at Stripe
        raise OrderMoved(order.order_id) from None
    same_pieces = {piece.product_id: piece.quantity for piece in refund.pieces} == {one: n for one, n in lines.items() if n}
    same_pieces = same_pieces and all(piece.sent == sent.get(piece.product_id, piece.sent) for piece in refund.pieces)
    # Of the delivery nothing is asked: a form drawn after its refund cannot name it any more.
    if not same_pieces or extra_of(order, refund) != (extra or Money.zero(refund.amount.currency)):
        raise OrderMoved(order.order_id)
    return carry_out(refund, now=now) if refund.state is RefundState.ASKED else refund


def _is_same(refund: Refund, made: MadeRefund) -> bool:
    return made.stripe_id in (refund.stripe_id, refund.key) or (bool(made.key) and made.key == refund.key)


def _sent(refund: Refund, made: MadeRefund, now: datetime) -> Refund:
    """The bank is at it: looked at again in an hour, unless a webhook comes first."""
    if not refund.state.is_open:
        return refund
    row = refund_key(refund.order_id, refund.key)

    def build(txn: TransactWrite) -> None:
        txn.update(
            row,
            actions=[
                RefundRow.state.set(RefundState.SENT),
                RefundRow.stripe_id.set(made.stripe_id),
                RefundRow.gsi1_sk.set(look_at(now + _LOOK_AGAIN, refund)),
            ],
            condition=RefundRow.gsi1_pk == OPEN_REFUNDS_PARTITION,
        )

    try:
        run_transaction(build)
    except Refused:
        return books.refund(order_id=refund.order_id, key=refund.key)
    return replace(refund, state=RefundState.SENT, stripe_id=made.stripe_id)


def _succeeded(order: Order, refund: Refund, made: MadeRefund, now: datetime) -> Refund:
    back = order.payment.given_back + refund.amount
    is_all = back == order.payment.amount
    actions = [
        REFUNDED.set(back.amount),
        PAYMENT.status.set("refunded" if is_all else "partially_refunded"),
        *(moves(order, OrderStatus.REFUNDED, STRIPE, now) if is_all and order.status is OrderStatus.REFUND_PENDING else []),
    ]
    done = replace(refund, state=RefundState.SUCCEEDED, stripe_id=made.stripe_id, settled_at=now)
    _end(order, refund, done, actions, now)
    return done


def _failed(order: Order, refund: Refund, why: str, now: datetime, *, stripe_id: str = "") -> Refund:
    """What was to go back stays with us; an order that counted on it is looked at by a person."""
    logger.error("refund %s of order %s failed: %s", refund.key, order.order_id, why)
    quantities = {piece.product_id: piece for piece in refund.pieces}
    lines = [
        without_refunded(line, quantities[line.product_id]) if line.product_id in quantities else line for line in order.lines
    ]
    back = order.payment.given_back - refund.amount if refund.state is RefundState.SUCCEEDED else order.payment.given_back
    counted_on_it = order.status in (OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED, OrderStatus.CANCELLED)
    # Pieces that should leave after all lie in stock, where others may buy them: nothing leaves before they are taken again.
    needs_pieces = order.status is OrderStatus.PROCESSING and any(piece.unsent and piece.shelved for piece in refund.pieces)
    actions = [
        REFUNDABLE.set((order.payment.left + refund.amount).amount),
        REFUNDED.set(back.amount),
        PAYMENT.status.set("partially_refunded" if back else "completed"),
        sets_lines(lines),
        *([OrderRow.delivery_refunded.remove()] if refund.delivery else []),
        *(moves(order, OrderStatus.REVIEW, STRIPE, now, note=f"Refund failed: {why}") if counted_on_it or needs_pieces else []),
    ]
    done = replace(refund, state=RefundState.FAILED, failure=why, stripe_id=stripe_id or refund.stripe_id, settled_at=now)
    finding = Finding(
        FindingKind.FAILED_REFUND,
        f"{order.order_id}-{refund.key}",
        now,
        why,
        order_id=order.order_id,
        payment_intent_id=refund.payment_intent_id,
        amount=refund.amount,
    )
    _end(order, refund, done, actions, now, finding=finding)
    return done


def _end(
    order: Order, refund: Refund, done: Refund, actions: list[Action], now: datetime, *, finding: Finding | None = None
) -> None:
    """Write a refund's end and what follows for its order, if both are as they were read. Raises OrderMoved."""

    def build(txn: TransactWrite) -> None:
        txn.update(
            refund_key(refund.order_id, refund.key),
            actions=[
                RefundRow.state.set(done.state),
                RefundRow.settled_at.set(now),
                RefundRow.gsi1_pk.remove(),
                RefundRow.gsi1_sk.remove(),
                *([RefundRow.stripe_id.set(done.stripe_id)] if done.stripe_id else []),
                *([RefundRow.failure.set(done.failure)] if done.failure else []),
            ],
            condition=RefundRow.state == refund.state,
        )
        txn.update(order_key(order.owner, order.order_id), actions=actions, condition=_books_unchanged(order))
        if finding:
            txn.save(to_finding_row(finding))

    try:
        run_transaction(build)
    except Refused as refused:
        raise OrderMoved(order.order_id) from refused


def _books_unchanged(order: Order) -> Condition:
    """Nothing was refunded since, asked for since, or moved."""
    left, back = order.payment.refundable, order.payment.refunded
    return all_of(
        is_unchanged(order),
        REFUNDABLE.does_not_exist() if left is None else left.amount == REFUNDABLE,
        REFUNDED.does_not_exist() if back is None else back.amount == REFUNDED,
    )


def _refused(refund: Refund, why: str, now: datetime) -> Refund:
    """Stripe will not do it: recorded, and then seen whether somebody has given the money back at Stripe's own pages."""
    for _ in range(_TRIES):
        stored = books.refund(order_id=refund.order_id, key=refund.key)
        if not stored.state.is_open:
            return stored
        try:
            failed = _failed(queries.order_by_id(order_id=refund.order_id), stored, why, now)
        except OrderMoved:
            continue
        try:
            sync_refunds(order_id=refund.order_id, now=now)
        except (PaymentsUnavailable, PaymentRefused, OutOfTime):
            logger.warning("order %s: refunds made elsewhere are seen later", refund.order_id, exc_info=True)
        return failed
    raise Busy


def _seen_elsewhere(order: Order, made: MadeRefund, now: datetime) -> Refund | None:
    """Write down a refund that was made at Stripe's own pages; None while a refund of ours stands for that money."""
    if order.payment.left < made.amount:
        logger.error("refund %s at Stripe exceeds what is left of order %s", made.stripe_id, order.order_id)
        return None
    refund = replace(
        draft(order, made.amount, RefundReason.ELSEWHERE, STRIPE, now),
        key=made.stripe_id,
        stripe_id=made.stripe_id,
        state=RefundState.SENT,
    )
    takes_rest = made.amount == order.payment.left and order.can_be_refunded
    move = moves(order, OrderStatus.REFUND_PENDING, STRIPE, now, note="Refunded at Stripe") if takes_rest else []
    try:
        write_down(order, refund, actions=move, now=now)
    except OrderMoved:  # seen by two at once, or the order moved: whoever looks next finds it as it is
        return next((one for one in books.refunds_of(order_id=order.order_id) if one.key == made.stripe_id), None)
    return refund
