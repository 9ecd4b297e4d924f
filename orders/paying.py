"""From a pending order to a paid or an ended one: open the payment page, settle when the money is there, release when it is not.

Each step is safe to repeat, and Stripe's word comes before ours.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.transactions import TransactWrite

from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import StockReason
from orders import queries
from orders.domain import SESSION_LIFETIME, TRANSITIONS, Order, OrderStatus, require_transition
from orders.models import (
    SESSION_ID,
    EventRow,
    OrderRow,
    event_pk,
    order_key,
    to_payment_map,
)
from orders.moving import SHOPPER, STRIPE, OrderMoved, has_session, moves, stock_changed
from orders.payments import Event, PaymentInProgress, Session, SessionState, gateway
from shop.lib.once import KEEP
from shop.lib.tables import Busy, all_of, is_refused
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)

_WAITS = 20
_WAIT_SECONDS = 0.25
"""How often and how long a click waits for another that is opening the same payment page: 5 s in all."""


class UnknownOrder(Exception):
    """A payment of ours names an order we do not have (yet): Stripe shall tell us again."""


def open_payment(*, order: Order, success_url: str, cancel_url: str, pause: Callable[[float], None] = time.sleep) -> Order:
    """Give a pending order its payment page, or the one it has: Stripe is asked under one key, so repeats meet the same session.

    The session is saved on the order before anybody is sent to it: an order without a saved session can never be paid. Of many
    clicks at once one opens the page, the others wait for it.

    Raises PaymentsUnavailable, PaymentRefused, OrderMoved.
    """
    for _ in range(_WAITS):
        if order.payment.session_id:
            return order
        if order.status is not OrderStatus.PENDING:
            raise OrderMoved(order.order_id)
        try:
            session = gateway().open_session(
                order, success_url=success_url, cancel_url=cancel_url, expires_at=order.created_at + SESSION_LIFETIME
            )
        except PaymentInProgress:
            pause(_WAIT_SECONDS)
            order = queries.order_of(owner=order.owner, order_id=order.order_id)
        else:
            return _save_session(order, session)
    raise PaymentInProgress(order.order_id)


def _save_session(order: Order, session: Session) -> Order:
    payment = replace(order.payment, session_id=session.session_id, session_url=session.url)
    try:
        order_key(order.owner, order.order_id).update(
            actions=[OrderRow.payment.set(to_payment_map(payment))],
            condition=all_of(
                OrderRow.status == OrderStatus.PENDING,
                SESSION_ID.does_not_exist() | (session.session_id == SESSION_ID),
            ),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise OrderMoved(order.order_id) from error
    return replace(order, payment=payment)


def settle(*, session_id: str, now: datetime) -> Order:
    """Ask Stripe how a session stands and move its order accordingly. Browser return, webhook and job all call this.

    Only a paid session moves an order; an order that is paid already stays as it is. What does not add up goes to `review`
    with an error in the log: another amount or currency, another session, money for an order that was given up.

    Raises UnknownOrder, PaymentsUnavailable, PaymentRefused.
    """
    session = gateway().session(session_id)
    try:
        order = queries.order_by_id(order_id=session.order_id)
    except queries.OrderNotFound as error:
        raise UnknownOrder(session.order_id) from error
    return _settle(order, session, now)


def release(*, order: Order, to: OrderStatus, actor: str, now: datetime) -> Order:
    """End a pending order: close its session at Stripe first, put its pieces back into stock second.

    `to` is EXPIRED or CANCELLED. An order whose session turns out to be paid is settled instead.

    Raises PaymentsUnavailable (nothing is released without Stripe's word), OrderMoved, Busy.
    """
    require_transition(order.status, to)
    if order.payment.session_id:
        session = gateway().expire_session(order.payment.session_id)
        if session.state in (SessionState.PAID, SessionState.PROCESSING):
            return _settle(order, session, now)

    # A product deleted meanwhile has no stock to go back to; it must not keep the others' from going back.
    there = catalog.products(product_ids=[line.product_id for line in order.lines], consistent=True)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=moves(order, to, actor, now),
            condition=all_of(OrderRow.status == OrderStatus.PENDING, has_session(order)),
        )
        for line in (line for line in order.lines if line.product_id in there):
            catalog_services.return_stock(
                txn,
                product_id=line.product_id,
                quantity=line.quantity,
                reason=StockReason.RELEASE,
                order_id=order.order_id,
                actor=actor,
                now=now,
            )

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(order.owner.key):
            raise OrderMoved(order.order_id) from refused
        raise Busy from refused  # a product was deleted at this very moment: the next try sees it
    stock_changed(order)
    logger.info("order %s released as %s", order.order_id, to)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def cancel_unpaid(*, order: Order, now: datetime) -> Order:
    """Give up a pending order at the shopper's wish. Raises as `release` does; a paid one comes back as it is."""
    return release(order=order, to=OrderStatus.CANCELLED, actor=SHOPPER, now=now)


def record_event(*, event: Event, now: datetime) -> None:
    """Note that a Stripe event was acted on."""
    EventRow(
        event_pk(event.event_id),
        "STRIPE",
        kind=event.kind,
        order_id=event.order_id,
        received_at=now,
        expires_at=now + KEEP,
    ).save()


def _settle(order: Order, session: Session, now: datetime) -> Order:
    if session.state is not SessionState.PAID:
        return order
    is_its_own = order.payment.session_id in ("", session.session_id)
    if is_its_own and (order.is_paid or order.status is OrderStatus.REVIEW):
        return order
    fits = is_its_own and order.status is OrderStatus.PENDING and session.amount == order.total
    if not fits:
        logger.error("payment %s of session %s does not fit order %s", session.amount, session.session_id, order.order_id)
        if OrderStatus.REVIEW not in TRANSITIONS[order.status]:
            return order
    payment = replace(
        order.payment,
        status="completed" if fits else "review",
        amount=session.amount,
        transaction_id=session.charge_id,
        payment_intent_id=session.payment_intent_id,
    )
    to = OrderStatus.PROCESSING if fits else OrderStatus.REVIEW
    try:
        order_key(order.owner, order.order_id).update(
            actions=[*moves(order, to, STRIPE, now), OrderRow.payment.set(to_payment_map(payment))],
            condition=all_of(OrderRow.status == order.status, has_session(order)),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        # Somebody moved it in between: the webhook and the browser arrive together. A paid order, met again, ends this.
        return _settle(queries.order_of(owner=order.owner, order_id=order.order_id), session, now)
    return queries.order_of(owner=order.owner, order_id=order.order_id)
