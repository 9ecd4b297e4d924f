"""From a pending order to a paid one, by Stripe's word: when the money is there, in time, late, twice or not as it should be."""

import logging
from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from orders import queries
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Finding, FindingKind, RefundReason
from orders.models import PAYMENT, REFUNDABLE, OrderRow, order_key
from orders.moving import STRIPE, OrderMoved, has_session, moves, retake_loose, retake_use, sets_lines, stock_changed
from orders.noting import note_finding
from orders.payment_domain import MadePayment, Session, SessionState
from orders.payments import PaymentRefused, gateway
from orders.refund_entries import refund_of_all, write_down
from orders.refunding import carry_out
from shop.lib.tables import all_of, is_refused
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)


class UnknownOrder(Exception):
    """A payment of ours names an order we do not have (yet): Stripe shall tell us again."""


def settle(*, session_id: str, now: datetime) -> Order:
    """Ask Stripe how a session stands and move its order accordingly. Browser return, webhook and job all call this.

    Only a paid session moves an order; an order that is paid already stays as it is. Money for an order that was given up takes
    its pieces again, or goes back. What does not add up goes to `review` with an error in the log: another amount or currency,
    another session. A second payment of a paid order becomes a finding.

    Raises UnknownOrder, PaymentsUnavailable, PaymentRefused.
    """
    session = gateway().session(session_id)
    try:
        order = queries.order_by_id(order_id=session.order_id)
    except queries.OrderNotFound as error:
        raise UnknownOrder(session.order_id) from error
    return settle_by(order, session, now)


def payment_of(order: Order) -> MadePayment | None:
    """The order's payment as Stripe has it; None when Stripe knows of none that was received for this order.

    Raises PaymentsUnavailable.
    """
    if not order.payment.payment_intent_id:
        return None
    try:
        made = gateway().payment(order.payment.payment_intent_id)
    except PaymentRefused:
        return None
    return made if made.amount and made.order_id == order.order_id else None


def settle_by(order: Order, session: Session, now: datetime) -> Order:
    """Move an order as this session of Stripe's says. Raises PaymentsUnavailable, PaymentRefused."""
    if session.state is not SessionState.PAID:
        return order
    is_its_own = order.payment.session_id in ("", session.session_id)
    is_expected = is_its_own and session.amount == order.total
    is_known = order.payment.payment_intent_id == session.payment_intent_id or not order.payment.payment_intent_id
    if order.payment.status != "pending" and is_its_own and is_known:
        return order
    if is_expected and order.was_never_paid:
        return _settle_late(order, session, now)
    if not is_expected or order.payment.status != "pending":
        logger.error("payment %s of session %s does not fit order %s", session.amount, session.session_id, order.order_id)
    if order.payment.status != "pending":
        note_finding(_second_payment(order, session, now))
        return order
    to = OrderStatus.PROCESSING if is_expected else OrderStatus.REVIEW
    try:
        order_key(order.owner, order.order_id).update(
            actions=[
                *moves(order, to, STRIPE, now, note=_misfit(order, session)),
                *_notes_payment(session, "completed" if is_expected else "review"),
            ],
            condition=all_of(OrderRow.status == order.status, has_session(order)),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        # Somebody moved it in between: the webhook and the browser arrive together. A paid order, met again, ends this.
        return settle_by(queries.order_of(owner=order.owner, order_id=order.order_id), session, now)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def _misfit(order: Order, session: Session) -> str:
    """Why a payment is not the one expected, for who has to judge it; empty for one that is."""
    if order.payment.session_id not in ("", session.session_id):
        return "It was paid on another payment page than the order's own"
    return "" if session.amount == order.total else f"Stripe took {session.amount}, and the order is about {order.total}"


def _settle_late(order: Order, session: Session, now: datetime) -> Order:
    """Money for an order that was given up: its pieces are taken again if all are there, else it goes back at once.

    Either is one transaction on the order as it was read, so never both.
    """

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[
                *moves(order, OrderStatus.PROCESSING, STRIPE, now, note="Paid late; everything was still there"),
                *_notes_payment(session, "completed"),
                sets_lines(replace(line, loose=0) for line in order.lines),
                *retake_use(txn, order, now),
            ],
            condition=all_of(OrderRow.status == order.status, has_session(order)),
        )
        retake_loose(txn, order, STRIPE, now)

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(order.owner.key):
            return settle_by(queries.order_of(owner=order.owner, order_id=order.order_id), session, now)
        return _give_back_late(order, session, now)
    stock_changed(order)
    logger.warning("order %s was paid after it was given up; its pieces were taken again", order.order_id)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def _give_back_late(order: Order, session: Session, now: datetime) -> Order:
    paid = replace(order, payment=replace(order.payment, payment_intent_id=session.payment_intent_id))
    refund = refund_of_all(paid, RefundReason.LATE, STRIPE, now)
    note = "Paid late, and no longer all there"
    try:
        write_down(
            order,
            refund,
            actions=[
                *moves(order, OrderStatus.REFUND_PENDING, STRIPE, now, note=note),
                *_notes_payment(session, "completed", is_refundable=False),
            ],
            now=now,
        )
    except OrderMoved:
        return settle_by(queries.order_of(owner=order.owner, order_id=order.order_id), session, now)
    logger.warning("order %s was paid after it was given up, and goes back", order.order_id)
    carry_out(refund, now=now)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def _notes_payment(session: Session, status: str, *, is_refundable: bool = True) -> list[Action]:
    """The writes that note a payment, each at its own place: what the job or a webhook noted beside them stays."""
    return [
        PAYMENT.status.set(status),
        PAYMENT.amount.set(session.amount.amount),
        PAYMENT.currency.set(session.amount.currency),
        PAYMENT.transaction_id.set(session.charge_id or None),
        PAYMENT.payment_intent_id.set(session.payment_intent_id or None),
        *([PAYMENT.card_brand.set(session.card_brand)] if session.card_brand else []),
        *([PAYMENT.card_last4.set(session.card_last4)] if session.card_last4 else []),
        *([REFUNDABLE.set(session.amount.amount)] if is_refundable else []),
    ]


def _second_payment(order: Order, session: Session, now: datetime) -> Finding:
    return Finding(
        FindingKind.SECOND_PAYMENT,
        session.payment_intent_id or session.session_id,
        now,
        f"Session {session.session_id} was paid beside the payment the order has.",
        order_id=order.order_id,
        payment_intent_id=session.payment_intent_id,
        amount=session.amount,
    )
