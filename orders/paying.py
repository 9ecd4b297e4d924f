"""A pending order's way: open the payment page, keep the pieces longer, count refused cards, release when no money comes.

Each step is safe to repeat, and Stripe's word comes before ours: `orders/settling.py` hears it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.transactions import TransactWrite

from cart import services as cart_services
from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import StockReason
from orders import queries
from orders.counting import count
from orders.domain import HOLD_EXTENSION, MOST_FAILED_PAYMENTS, SESSION_LIFETIME, Order, OrderStatus, require_transition
from orders.models import EVENT_SK, PAYMENT, SESSION_ID, EventRow, OrderRow, event_pk, order_key
from orders.moving import SHOPPER, STRIPE, OrderMoved, has_session, moves, return_use, sets_lines, stock_changed
from orders.payment_domain import Event, Session, SessionState
from orders.payments import CustomerGone, PaymentInProgress, gateway
from orders.settling import UnknownOrder, settle_by
from orders.wallet import customer_of, forget_customer
from shop.lib.once import KEEP
from shop.lib.owner import Owner
from shop.lib.tables import Busy, all_of, is_refused
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)

_WAITS = 20
_WAIT_SECONDS = 0.25
"""How often and how long a click waits for another that is opening the same payment page: 5 s in all."""


class HoldOver(Exception):
    """The order's pieces are not kept any more, or were kept longer once already."""


def open_payment(*, order: Order, success_url: str, cancel_url: str, pause: Callable[[float], None] = time.sleep) -> Order:
    """Give a pending order its payment page, or the one it has: Stripe is asked under one key, so repeats meet the same session.

    The session is saved on the order before anybody is sent to it: an order without a saved session can never be paid. Of many
    clicks at once one opens the page, the others wait for it.

    Raises PaymentsUnavailable, PaymentRefused, OrderMoved.
    """
    customer = "" if order.payment.session_id else customer_of(order.owner)
    for _ in range(_WAITS):
        if order.payment.session_id:
            return order
        if order.status is not OrderStatus.PENDING:
            raise OrderMoved(order.order_id)
        try:
            session = gateway().open_session(
                order,
                success_url=success_url,
                cancel_url=cancel_url,
                expires_at=order.created_at + SESSION_LIFETIME,
                customer=customer,
            )
        except CustomerGone:
            forget_customer(order.owner, customer)
            customer = ""
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
            actions=[SESSION_ID.set(session.session_id), PAYMENT.session_url.set(session.url)],
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


def release(*, order: Order, to: OrderStatus, actor: str, now: datetime, note: str = "") -> Order:
    """End a pending order: close its session at Stripe first, put its pieces back into stock second.

    `to` is EXPIRED or CANCELLED. An order whose session turns out to be paid is settled instead.

    Raises PaymentsUnavailable (nothing is released without Stripe's word), OrderMoved, Busy.
    """
    require_transition(order.status, to)
    if order.payment.session_id:
        session = gateway().expire_session(order.payment.session_id)
        if session.state in (SessionState.PAID, SessionState.PROCESSING):
            return settle_by(order, session, now)

    # A product deleted meanwhile has no stock to go back to; it must not keep the others' from going back.
    there = catalog.products(product_ids=[line.product_id for line in order.lines], consistent=True)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[
                *moves(order, to, actor, now, note=note),
                sets_lines(replace(line, loose=line.quantity) for line in order.lines),
                *return_use(txn, order, now),
            ],
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


def extend_hold(*, order: Order, visitor: Owner | None = None, now: datetime) -> Order:
    """Keep an unpaid order's pieces a quarter of an hour longer: once, and while they are kept.

    Carts that tell of it, its owner's and the visitor's (who may have signed in meanwhile), tell of it as long.
    Raises HoldOver when the time is over or was extended before; then nothing was written to the order.
    """
    if order.due_at is None:
        raise HoldOver(order.order_id)
    # First, since an extension is asked for once: a cart that looks too long does no harm, one that forgot the order would.
    for one in {order.owner, visitor or order.owner}:
        cart_services.order_may_wait_until(owner=one, order_id=order.order_id, due_at=order.due_at + HOLD_EXTENSION)
    try:
        order_key(order.owner, order.order_id).update(
            actions=[OrderRow.due_at.set(order.due_at + HOLD_EXTENSION), OrderRow.hold_extended.set(True)],
            condition=all_of(
                OrderRow.status == OrderStatus.PENDING,
                OrderRow.due_at == order.due_at,
                OrderRow.due_at > now,
                OrderRow.hold_extended.does_not_exist(),
            ),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        stored = queries.order_of(owner=order.owner, order_id=order.order_id)
        # Our own write, met again after its reply was lost, or another tab's: the pieces are kept longer either way.
        if stored.hold_extended and not order.hold_extended and stored.is_awaiting_payment:
            return stored
        raise HoldOver(order.order_id) from error
    return replace(order, due_at=order.due_at + HOLD_EXTENSION, hold_extended=True)


def note_failed_payment(*, event: Event, now: datetime) -> Order:
    """Count a refused card, on the order and in the day's figures, once an event; too many end the order.

    Raises UnknownOrder, PaymentsUnavailable, Busy.
    """
    try:
        order = queries.order_by_id(order_id=event.order_id)
    except queries.OrderNotFound as error:
        raise UnknownOrder(event.order_id) from error

    def build(txn: TransactWrite) -> None:
        txn.save(_event_row(event, now), condition=EventRow.pk.does_not_exist())
        txn.update(order_key(order.owner, order.order_id), actions=[PAYMENT.failures.set((PAYMENT.failures | 0) + 1)])
        count(txn, now, order.total.currency, failed_payments=1)

    try:
        run_transaction(build)
    except Refused:
        logger.info("event %s was counted before", event.event_id)
    order = queries.order_of(owner=order.owner, order_id=order.order_id)
    if order.payment.failures >= MOST_FAILED_PAYMENTS and order.is_awaiting_payment:
        logger.warning("order %s ends after %d refused cards", order.order_id, order.payment.failures)
        try:
            return release(order=order, to=OrderStatus.CANCELLED, actor=STRIPE, now=now, note="Too many refused cards")
        except OrderMoved:
            return queries.order_of(owner=order.owner, order_id=order.order_id)
    return order


def record_event(*, event: Event, now: datetime) -> None:
    """Note that a Stripe event was acted on."""
    _event_row(event, now).save()


def _event_row(event: Event, now: datetime) -> EventRow:
    return EventRow(
        event_pk(event.event_id),
        EVENT_SK,
        kind=event.kind,
        order_id=event.order_id,
        received_at=now,
        expires_at=now + KEEP,
    )
