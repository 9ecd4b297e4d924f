"""What the schedule does to orders. Safe to run twice, and to be cut short: each asks what time is left before it goes on."""

import logging
from datetime import datetime, timedelta

from orders import ledger_queries as books
from orders import queries, services
from orders.domain import HOLD, HOLD_EXTENSION, OrderStatus
from orders.payments import PaymentsUnavailable
from shop.lib.deadline import OutOfTime, time_left
from shop.lib.owner import Owner

logger = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=15)
"""How long after the end of its longest hold a pending order is nobody's delay any more, but a fault."""
_ENOUGH_SECONDS = 15.0
"""With less time left nothing further is begun: a call to Stripe and a transaction fit into it."""


def release_unpaid_orders(*, now: datetime) -> int:
    """Expire pending orders whose hold is over and put their pieces back; how many were expired. The next run takes the rest."""
    released = 0
    for owner, order_id in queries.unpaid_orders_placed_before(moment=now - HOLD):
        if time_left() < _ENOUGH_SECONDS:
            break
        try:
            released += _release(owner, order_id, now)
        except OutOfTime:
            logger.warning("no time left after %d orders; the next run takes the rest", released)
            break
        except PaymentsUnavailable:
            # Without Stripe's word nothing is released, and the next order would only wait for the same silence.
            logger.warning("Stripe does not answer; unpaid orders stay as they are until the next run", exc_info=True)
            break
        except Exception:  # one order that makes no sense must not keep all others from being released
            logger.exception("order %s could not be released", order_id)
    return released


def count_stuck_orders(*, now: datetime) -> int:
    """How many orders are long past their hold and still pending: they keep stock from everybody, and an alarm tells of them."""
    return sum(1 for _ in queries.unpaid_orders_placed_before(moment=now - HOLD - HOLD_EXTENSION - STUCK_AFTER))


def settle_paid_orders(*, now: datetime) -> int:
    """Settle orders that were paid and whose shopper and webhook both got lost; how many."""
    try:
        return services.settle_unnoticed(now=now)
    except (PaymentsUnavailable, OutOfTime):
        logger.warning("Stripe does not answer; what was paid is noticed by the next run", exc_info=True)
        return 0


def resume_refunds(*, now: datetime) -> int:
    """Carry through refunds whose reply was lost or that the bank is at; how many came to an end."""
    ended = 0
    for order_id, key in books.open_refunds(until=now):
        if time_left() < _ENOUGH_SECONDS:
            break
        try:
            ended += not services.resume_refund(order_id=order_id, key=key, now=now).state.is_open
        except (PaymentsUnavailable, OutOfTime):
            logger.warning("Stripe does not answer; refunds go on with the next run", exc_info=True)
            break
        except Exception:
            logger.exception("refund %s of order %s could not be resumed", key, order_id)
    return ended


def reconcile(*, now: datetime) -> int:
    """Compare orders with Stripe, in both directions; how many findings there are."""
    try:
        return services.reconcile(now=now)
    except (PaymentsUnavailable, OutOfTime):
        logger.warning("Stripe does not answer; the next run goes on from here", exc_info=True)
        return len(books.findings())


def reconcile_stock(*, now: datetime) -> int:
    """Compare stock with what came in and went out; how many products do not add up."""
    return services.reconcile_stock(now=now)


def rank_sold(*, now: datetime) -> int:
    """Rank what is sold most, where orders came since; how many days were ranked."""
    return services.rank_sold(now=now)


def _release(owner: Owner, order_id: str, now: datetime) -> bool:
    order = queries.order_of(owner=owner, order_id=order_id)
    if order.status is not OrderStatus.PENDING or (order.due_at and order.due_at > now):
        return False
    try:
        ended = services.release(order=order, to=OrderStatus.EXPIRED, actor=services.CLOCK, now=now)
    except services.OrderMoved:
        return False  # paid or cancelled at this very moment
    return ended.status is OrderStatus.EXPIRED
