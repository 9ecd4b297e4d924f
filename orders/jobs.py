"""What the schedule does to orders. Safe to run twice, and to be cut short."""

import logging
from datetime import datetime

from orders import queries, services
from orders.domain import HOLD, OrderStatus
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.transactions import Busy

logger = logging.getLogger(__name__)


def release_unpaid_orders(*, now: datetime) -> int:
    """Expire pending orders whose hold is over and put their pieces back; how many were expired. The next run takes the rest."""
    released = 0
    for order in queries.unpaid_orders_placed_before(moment=now - HOLD):
        try:
            ended = services.release(order=order, to=OrderStatus.EXPIRED, actor=services.CLOCK, now=now)
        except (PaymentsUnavailable, PaymentRefused, services.OrderMoved, Busy):
            # Without Stripe's word nothing is released; a moved order needs nothing. Either way the others shall not wait.
            logger.warning("order %s could not be released, trying again next time", order.order_id, exc_info=True)
            continue
        released += ended.status is OrderStatus.EXPIRED
    return released
