"""A guest's order becomes somebody's who opened an account with the address it was placed with."""

import logging
from datetime import datetime
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from accounts.domain import BadEmail, normalised_email
from orders import queries
from orders.domain import Order
from orders.models import REF_SK, OrderRow, RefRow, order_sk, ref_pk
from orders.queries import OrderNotFound
from shop.lib.owner import Owner
from shop.lib.tables import Busy, all_of
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

logger = logging.getLogger(__name__)

_TRIES = 5


class NotClaimable(Exception):
    """The order is somebody's already, was placed with another address, or is not paid."""


def claim_order(*, order: Order, viewer: Viewer, now: datetime) -> Order:
    """Let a guest's order be the viewer's, who opened it by its key and whose confirmed address it was placed with.

    `viewer` is one the tables confirmed.

    The order moves whole, with its reference, in one transaction on the order as it was read: whatever else changes it at this
    moment, neither is lost. Links in earlier mails go by the reference and still open it. Safe to repeat.

    Raises NotClaimable, Busy; then nothing was written.
    """
    owner = Owner(id=viewer.user_id, is_guest=False)
    for _ in range(_TRIES):
        if order.owner == owner:
            return order
        if not (viewer.is_signed_in and order.owner.is_guest and order.is_paid and _is_same_address(order.email, viewer.email)):
            raise NotClaimable(order.order_id)
        try:
            row = OrderRow.get(order.owner.key, order_sk(order.order_id), consistent_read=True)
            _move(row, owner, now)
        except (DoesNotExist, Refused):
            # Changed or moved at this very moment; or our own reply was lost.
            order = _as_it_is(order.order_id)
        else:
            logger.info("order %s belongs to %s now", order.order_id, owner.id)
            return queries.order_of(owner=owner, order_id=order.order_id)
    raise Busy


def _as_it_is(order_id: str) -> Order:
    try:
        return queries.order_by_id(order_id=order_id)
    except OrderNotFound as error:
        raise NotClaimable(order_id) from error


def _move(row: OrderRow, owner: Owner, now: datetime) -> None:
    kept = {name: value for name, value in row.attribute_values.items() if name not in ("pk", "sk")}
    moved = OrderRow(owner.key, row.sk, **(kept | {"user_id": owner.id, "claimed_at": now}))

    def build(txn: TransactWrite) -> None:
        txn.delete(OrderRow(row.pk, row.sk), condition=_is_exactly(row))
        txn.save(moved, condition=OrderRow.pk.does_not_exist())
        txn.update(
            RefRow(ref_pk(row.order_id), REF_SK),
            actions=[RefRow.owner.set(owner.key)],
            condition=RefRow.owner == row.pk,
        )

    run_transaction(build)


def _is_exactly(row: OrderRow) -> Condition:
    """The order is as it was read, to the last attribute: refunds, parcels and numbers go on while it moves."""
    attributes: dict[str, Any] = {name: one for name, one in OrderRow.get_attributes().items() if name not in ("pk", "sk")}
    return all_of(
        OrderRow.pk.exists(),
        *(
            one.does_not_exist() if (value := getattr(row, name)) is None else getattr(OrderRow, name) == value
            for name, one in attributes.items()
        ),
    )


def _is_same_address(one: str, other: str) -> bool:
    try:
        return normalised_email(one) == normalised_email(other)
    except BadEmail:
        return False
