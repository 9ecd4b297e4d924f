"""The writes every change of an order shares: what was read is their condition, the history grows with them."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from cart import discounts
from catalog import services as catalog_services
from orders.domain import HistoryEntry, Order, OrderLine, OrderStatus, require_transition
from orders.maps import HistoryMap, to_history_map, to_item_map
from orders.models import SESSION_ID, USE_RETURNED, OrderRow, status_partition
from shop.lib import actors
from shop.lib.tables import all_of

SHOPPER, STRIPE, CLOCK = actors.SHOPPER, actors.STRIPE, actors.CLOCK
"""Actors of an order's history."""


class OrderMoved(Exception):
    """The order's status changed in between; nothing was written."""


def moves(order: Order, to: OrderStatus, actor: str, now: datetime, *, note: str = "") -> list[Action]:
    """The writes every change of status makes: the status, its index key, the history and the time."""
    return moves_along(order, [to], actor, now, note=note)


def moves_along(order: Order, way: Iterable[OrderStatus], actor: str, now: datetime, *, note: str = "") -> list[Action]:
    """The writes of several changes of status that happen at one instant; the note is the first one's."""
    status: OrderStatus = order.status
    entries: list[HistoryMap] = []
    for to in way:
        require_transition(status, to)
        entries.append(to_history_map(HistoryEntry(to, now, actor, "" if entries else note)))
        status = to
    return [
        OrderRow.status.set(status),
        OrderRow.gsi1_pk.set(status_partition(status, order.order_id)),
        OrderRow.updated_at.set(now),
        OrderRow.history.set((OrderRow.history | []).append(entries)),
    ]


def is_unchanged(order: Order) -> Condition:
    """Status, refunds and parcels are as they were read: of a refund, a shipment and a cancellation at once, one wins."""
    return all_of(
        OrderRow.status == order.status,
        OrderRow.refund_count == order.refund_count if order.refund_count else OrderRow.refund_count.does_not_exist(),
        OrderRow.parcels[len(order.parcels) - 1].exists() if order.parcels else OrderRow.parcels.does_not_exist(),
        OrderRow.parcels[len(order.parcels)].does_not_exist(),
    )


def has_session(order: Order) -> Condition:
    """The order's payment page is the one we read: none has been opened since, or the same."""
    is_same: Condition = order.payment.session_id == SESSION_ID if order.payment.session_id else SESSION_ID.does_not_exist()
    return is_same


def sets_lines(lines: Iterable[OrderLine]) -> Action:
    """The write of an order's lines; only together with `is_unchanged`, or while the order is unpaid."""
    return OrderRow.items.set([to_item_map(line) for line in lines])


def retake_loose(txn: TransactWrite, order: Order, actor: str, now: datetime) -> None:
    """Add to a transaction: take the order's loose pieces out of stock again, if all are there."""
    for line in (line for line in order.lines if line.loose):
        catalog_services.retake_stock(
            txn, product_id=line.product_id, quantity=line.loose, order_id=order.order_id, actor=actor, now=now
        )


def return_use(txn: TransactWrite, order: Order, now: datetime) -> list[Action]:
    """Add to a transaction: an order given up gives the use of its discount code back. The writes of it to the order."""
    return _count_use(txn, order, now, returned=True)


def retake_use(txn: TransactWrite, order: Order, now: datetime) -> list[Action]:
    """Add to a transaction: an order that comes back to life uses its discount code again. The writes of it to the order."""
    return _count_use(txn, order, now, returned=False)


def _count_use(txn: TransactWrite, order: Order, now: datetime, *, returned: bool) -> list[Action]:
    if order.discount is None or order.discount_returned is returned:
        return []
    code, customers = order.discount.code, order.discount_customers
    discounts.count_use(txn, code=code, customers=customers, change=-1 if returned else 1, now=now)
    return [USE_RETURNED.set(returned)]


def stock_changed(order: Order) -> None:
    """Let product pages read the order's products anew: a transaction with their stock was committed."""
    catalog_services.stock_changed(product_ids=[line.product_id for line in order.lines])
