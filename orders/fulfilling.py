"""From paid to delivered, or back: ship whole or in parcels, deliver, cancel, and end a review."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import StockReason
from orders import queries
from orders.domain import MOST_PARCELS, Order, OrderStatus, Parcel
from orders.ledger_domain import RefundReason
from orders.maps import to_parcel_map
from orders.models import PAYMENT, REFUNDABLE, TRACKING_NUMBER, OrderRow, order_key
from orders.moving import OrderMoved, is_unchanged, moves, retake_loose, retake_use, return_use, sets_lines, stock_changed
from orders.paying import release
from orders.refund_entries import refund_of_all, write_down
from orders.refunding import carry_out
from orders.settling import payment_of
from shop.lib.answers import Claim
from shop.lib.money import Money
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)


class NothingToShip(Exception):
    """The parcel would be empty, or hold more of a line than is still to leave: what was refunded stays."""


class TooManyParcels(Exception):
    """The order has as many parcels as one may have; the rest must leave in one go with the last."""


class NotCancellable(Exception):
    """The order has left, or ended: it can be refunded, but not cancelled."""


class NotInReview(Exception):
    """Somebody has ended the review already."""


class NotInStock(Exception):
    """The order's pieces went back into stock and are not all there any more."""


class MoneyIsThere(Exception):
    """The order was paid: its money must go back, or the payment be accepted. `amount` is how much it is."""

    def __init__(self, amount: Money) -> None:
        super().__init__(str(amount))
        self.amount = amount


class NoPayment(Exception):
    """There is no payment that could be accepted."""


def ship(
    *,
    order: Order,
    carrier: str,
    tracking_number: str,
    actor: str,
    now: datetime,
    pieces: Mapping[str, int] | None = None,
    claim: Claim | None = None,
) -> Order:
    """Note a parcel that leaves: with `pieces` by product, or with all that is still to leave. The last one makes it shipped.

    Raises OrderMoved when the order is not as it was read or not to be shipped, NothingToShip, TooManyParcels, and Repeated when
    the claim says that it was done before.
    """
    if order.status is not OrderStatus.PROCESSING:
        raise OrderMoved(order.order_id)
    if len(order.parcels) >= MOST_PARCELS:
        raise TooManyParcels(order.order_id)
    packed = {line.product_id: line.to_ship for line in order.lines} if pieces is None else dict(pieces)
    left = {line.product_id: line.to_ship for line in order.lines}
    if not any(packed.values()) or any(not 0 <= n <= left.get(product_id, -1) for product_id, n in packed.items()):
        raise NothingToShip(order.order_id)
    lines = tuple(replace(line, shipped=line.shipped + packed.get(line.product_id, 0)) for line in order.lines)
    parcel = Parcel(now, carrier, tracking_number, tuple((product_id, n) for product_id, n in packed.items() if n), actor)
    actions: list[Action] = [
        OrderRow.parcels.set((OrderRow.parcels | []).append([to_parcel_map(parcel)])),
        sets_lines(lines),
        OrderRow.updated_at.set(now),
    ]
    if tracking_number and not order.tracking_number:
        actions.append(TRACKING_NUMBER.set(tracking_number))
    if not any(line.to_ship for line in lines):
        actions = [*actions[:2], *actions[3:], *moves(order, OrderStatus.SHIPPED, actor, now)]
    return _write(order, actions, claim)


def deliver(*, order: Order, actor: str, now: datetime, claim: Claim | None = None) -> Order:
    """Note that an order has arrived. Raises OrderMoved when it is not on its way, Repeated."""
    if order.status is not OrderStatus.SHIPPED:
        raise OrderMoved(order.order_id)
    return _write(order, moves(order, OrderStatus.DELIVERED, actor, now), claim)


def cancel_order(*, order: Order, actor: str, now: datetime, note: str = "") -> Order:
    """End an order that has not left: an unpaid one is released, a paid one refunded in full, its pieces back on the shelf.

    An unpaid order that turns out to be paid at this moment is settled and comes back paid: cancel it again if that is still
    the wish. When Stripe does not answer, the refund stays open and the job carries it through.

    Raises NotCancellable, OrderMoved, Busy, PaymentsUnavailable (of an unpaid order); then nothing was written.
    """
    if order.status is OrderStatus.PENDING:
        return release(order=order, to=OrderStatus.CANCELLED, actor=actor, now=now, note=note)
    if not order.can_be_cancelled or not order.payment.payment_intent_id:
        raise NotCancellable(order.order_id)
    move = moves(order, OrderStatus.CANCELLED, actor, now, note=note)
    refund = refund_of_all(order, RefundReason.CANCELLED, actor, now, note=note)
    write_down(order, refund, actions=move, now=now)
    carry_out(refund, now=now)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def accept_review(*, order: Order, actor: str, now: datetime, note: str) -> Order:
    """A person has looked at the payment and takes it as it is: the order is paid. Pieces given back are taken again.

    Raises NotInReview, NoPayment, NotInStock, Busy; then nothing was written.
    """
    if order.status is not OrderStatus.REVIEW:
        raise NotInReview(order.order_id)
    if not order.payment.payment_intent_id or not order.payment.left:
        raise NoPayment(order.order_id)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[
                *moves(order, OrderStatus.PROCESSING, actor, now, note=note),
                PAYMENT.status.set("partially_refunded" if order.payment.given_back else "completed"),
                REFUNDABLE.set(order.payment.left.amount),
                sets_lines(replace(line, loose=0) for line in order.lines),
                *retake_use(txn, order, now),
            ],
            condition=is_unchanged(order),
        )
        retake_loose(txn, order, actor, now)

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(order.owner.key):
            raise NotInReview(order.order_id) from refused
        raise NotInStock(order.order_id) from refused
    stock_changed(order)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def put_into_review(*, order: Order, actor: str, now: datetime, note: str) -> Order:
    """Stop a paid order that does not add up before it leaves. Raises OrderMoved."""
    if order.status is not OrderStatus.PROCESSING:
        raise OrderMoved(order.order_id)
    return _write(order, moves(order, OrderStatus.REVIEW, actor, now, note=note))


def drop_review(*, order: Order, actor: str, now: datetime, note: str) -> Order:
    """End an order in review that nobody has paid for, and put its pieces back into stock, but for those that have left.

    Raises NotInReview, MoneyIsThere, Busy, PaymentsUnavailable; then nothing was written.
    """
    if order.status is not OrderStatus.REVIEW:
        raise NotInReview(order.order_id)
    made = payment_of(order)
    if made and made.refunded < made.amount:
        raise MoneyIsThere(made.amount - made.refunded)
    here = {line.product_id: min(line.refundable, line.to_ship) for line in order.lines}
    there = catalog.products(product_ids=list(here), consistent=True)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=[
                *moves(order, OrderStatus.CANCELLED, actor, now, note=note),
                PAYMENT.status.set("void"),
                sets_lines(replace(line, loose=max(line.loose, here[line.product_id])) for line in order.lines),
                *return_use(txn, order, now),
            ],
            condition=is_unchanged(order),
        )
        for line in order.lines:
            if here[line.product_id] > line.loose and line.product_id in there:
                catalog_services.return_stock(
                    txn,
                    product_id=line.product_id,
                    quantity=here[line.product_id] - line.loose,
                    reason=StockReason.RELEASE,
                    order_id=order.order_id,
                    actor=actor,
                    now=now,
                )

    try:
        run_transaction(build)
    except Refused as refused:
        raise NotInReview(order.order_id) from refused
    stock_changed(order)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def _write(order: Order, actions: list[Action], claim: Claim | None = None) -> Order:
    """Write a change, if the order is as it was read and the claim, if any, is free. Raises OrderMoved, Repeated, Busy.

    One write, and yet a transaction: its token lets a try whose reply was lost be sent again without meeting itself.
    """

    def build(txn: TransactWrite) -> None:
        txn.update(order_key(order.owner, order.order_id), actions=actions, condition=is_unchanged(order))
        if claim:
            claim.join(txn)

    try:
        run_transaction(build)
    except Refused as refused:
        if claim:
            claim.check(refused)
        raise OrderMoved(order.order_id) from refused
    return queries.order_of(owner=order.owner, order_id=order.order_id)
