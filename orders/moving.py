"""The writes every change of an order's status shares: the old status is their condition, the history grows with them."""

from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from catalog import services as catalog_services
from orders.domain import HistoryEntry, Order, OrderStatus, require_transition
from orders.models import SESSION_ID, OrderRow, status_partition, to_history_map

SHOPPER, STRIPE, CLOCK = "shopper", "stripe", "clock"
"""Actors of an order's history."""


class OrderMoved(Exception):
    """The order's status changed in between; nothing was written."""


def moves(order: Order, to: OrderStatus, actor: str, now: datetime) -> list[Action]:
    """The writes every change of status makes: the status, its index key, the history and the time."""
    require_transition(order.status, to)
    return [
        OrderRow.status.set(to),
        OrderRow.gsi1_pk.set(status_partition(to)),
        OrderRow.updated_at.set(now),
        OrderRow.history.set((OrderRow.history | []).append([to_history_map(HistoryEntry(to, now, actor))])),
    ]


def has_session(order: Order) -> Condition:
    """The order's payment page is the one we read: none has been opened since, or the same."""
    is_same: Condition = order.payment.session_id == SESSION_ID if order.payment.session_id else SESSION_ID.does_not_exist()
    return is_same


def stock_changed(order: Order) -> None:
    """Let product pages read the order's products anew: a transaction with their stock was committed."""
    catalog_services.stock_changed(product_ids=[line.product_id for line in order.lines])
