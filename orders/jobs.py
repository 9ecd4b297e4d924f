"""What the schedule does to orders. Safe to run twice, and to be cut short."""

import logging
from datetime import datetime, timedelta

from orders import queries, services
from orders.domain import HOLD, OrderStatus
from orders.payments import PaymentsUnavailable
from shop.lib.deadline import OutOfTime
from shop.lib.owner import Owner

logger = logging.getLogger(__name__)

STUCK_AFTER = timedelta(minutes=15)
"""How long after the end of its hold a pending order is nobody's delay any more, but a fault."""


def release_unpaid_orders(*, now: datetime) -> int:
    """Expire pending orders whose hold is over and put their pieces back; how many were expired. The next run takes the rest."""
    released = 0
    for owner, order_id in queries.unpaid_orders_placed_before(moment=now - HOLD):
        try:
            released += _release(owner, order_id, now)
        except PaymentsUnavailable:
            # Without Stripe's word nothing is released, and the next order would only wait for the same silence.
            logger.warning("Stripe does not answer; unpaid orders stay as they are until the next run", exc_info=True)
            break
        except OutOfTime:
            logger.warning("no time left after %d orders; the next run takes the rest", released)
            break
        except Exception:  # one order that makes no sense must not keep all others from being released
            logger.exception("order %s could not be released", order_id)
    return released


def count_stuck_orders(*, now: datetime) -> int:
    """How many orders are long past their hold and still pending: they keep stock from everybody, and an alarm tells of them."""
    return sum(1 for _ in queries.unpaid_orders_placed_before(moment=now - HOLD - STUCK_AFTER))


def _release(owner: Owner, order_id: str, now: datetime) -> bool:
    order = queries.order_of(owner=owner, order_id=order_id)
    if order.status is not OrderStatus.PENDING or (order.due_at and order.due_at > now):
        return False
    try:
        ended = services.release(order=order, to=OrderStatus.EXPIRED, actor=services.CLOCK, now=now)
    except services.OrderMoved:
        return False  # paid or cancelled at this very moment
    return ended.status is OrderStatus.EXPIRED
