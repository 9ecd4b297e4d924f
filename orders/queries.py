"""Reads of orders. docs/tables.md has a row for each."""

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar

from django.conf import settings
from django.core import signing
from pynamodb.exceptions import DoesNotExist
from pynamodb.pagination import ResultIterator

from cart.delivery_domain import name_of
from cart.discount_queries import customers_of
from cart.domain import Buyer, Cart
from orders.domain import Checkout, CheckoutDetails, Order, OrderStatus
from orders.models import (
    CHECKOUT_SK,
    REF_SK,
    CheckoutRow,
    OrderRow,
    RefRow,
    date_partitions,
    order_sk,
    ref_pk,
    status_partitions,
    time_bound,
    to_details,
    to_order,
    to_typed,
)
from shop.lib.attributes import time_text
from shop.lib.cursors import Page, read_page
from shop.lib.owner import Owner
from shop.lib.tables import Row, batch_get, count_up_to

R = TypeVar("R", bound=Row)
_BATCH = 100
"""The most keys DynamoDB reads in one call."""
_LINK_SALT = "shop.order-link"
HISTORY_SIZE = 10
"""Orders on a page of somebody's history."""
LINK_LIFETIME = timedelta(days=180)
"""How long the link in a mail opens its order: past the usual return and complaint periods."""


class OrderNotFound(Exception):
    """There is no such order, or it is not this person's: the two look the same from outside."""


def order_of(*, owner: Owner, order_id: str) -> Order:
    """The owner's order, as last written. Raises OrderNotFound."""
    try:
        return to_order(OrderRow.get(owner.key, order_sk(order_id), consistent_read=True))
    except DoesNotExist:
        raise OrderNotFound(order_id) from None


def order_by_id(*, order_id: str) -> Order:
    """Any order by its number, for webhooks, jobs and signed links: two calls. Raises OrderNotFound."""
    try:
        ref = RefRow.get(ref_pk(order_id), REF_SK, consistent_read=True)
    except DoesNotExist:
        raise OrderNotFound(order_id) from None
    return order_of(owner=Owner.of_key(ref.owner), order_id=order_id)


def orders_by_ids(*, order_ids: Iterable[str]) -> dict[str, Order]:
    """The orders of these numbers that exist, as last written: two calls a hundred."""
    owners = {row.pk.partition("#")[2]: row.owner for row in _batches(RefRow, [(ref_pk(one), REF_SK) for one in set(order_ids)])}
    keys = [(owner, order_sk(order_id)) for order_id, owner in owners.items()]
    return {row.order_id: to_order(row) for row in _batches(OrderRow, keys)}


def orders_placed_between(*, since: datetime, until: datetime) -> Iterator[str]:
    """Numbers of the orders placed at `since` or later and before `until`, oldest first; a moment behind the table."""
    placed = [
        OrderRow.by_date.query(
            partition,
            OrderRow.gsi2_sk.between(time_text(since), time_text(until)),
            attributes_to_get=["orderId", "GSI2SK"],
        )
        for partition in date_partitions()
    ]
    for row in heapq.merge(*placed, key=attrgetter("gsi2_sk")):
        yield row.order_id


def order_for(*, viewer: Owner | None, order_id: str, key: str, now: datetime) -> Order:
    """The order, for its owner or, for half a year, for who holds its key. Raises OrderNotFound for everybody else."""
    if key and _is_key_of(key, order_id):
        order = order_by_id(order_id=order_id)
        if now < order.created_at + LINK_LIFETIME:
            return order
    if viewer is None:
        raise OrderNotFound(order_id)
    return order_of(owner=viewer, order_id=order_id)


def key_of(order_id: str) -> str:
    """The key that opens an order to who holds it; always the same, for Stripe is sent it under one idempotency key."""
    return signing.Signer(salt=_LINK_SALT).signature(order_id)


def orders_of(*, owner: Owner, cursor: str = "", size: int = HISTORY_SIZE) -> Page[Order]:
    """A page of the owner's orders, newest first; a moment behind the table. One call."""

    def ask(**paging: Any) -> ResultIterator[OrderRow]:
        return OrderRow.query(owner.key, OrderRow.sk.startswith(order_sk("")), **paging)

    question = f"orders {owner.key}"
    return read_page(ask, to_order, key_names=("PK", "SK"), question=question, cursor=cursor, size=size, forward=False)


def has_ordered(*, owner: Owner) -> bool:
    """Whether the owner has an order, whatever became of it, as last written: one Query of one row."""
    return count_up_to(OrderRow, owner.key, begins=order_sk(""), at_most=1, consistent=True) > 0


def order_that_may_wait(*, owner: Owner | None, cart: Cart, now: datetime) -> Order | None:
    """The order the owner's last cart became, or the one they placed before signing in, while it may be waiting to be paid.

    None later, without a call.
    """
    if owner is None or not cart.order_id or cart.order_due_at is None or now >= cart.order_due_at:
        return None
    try:
        return order_of(owner=cart.order_owner or owner, order_id=cart.order_id)
    except OrderNotFound:
        return None


def checkout_details(*, owner: Owner, now: datetime) -> CheckoutDetails:
    """What the owner has told the checkout so far; empty when nothing, or when its time is over (TTL deletes it days later)."""
    return checkout(owner=owner, now=now).details


def checkout(*, owner: Owner, now: datetime) -> Checkout:
    """The details, and what stands in the steps' forms with a mistake in it."""
    try:
        row = CheckoutRow.get(owner.key, CHECKOUT_SK, consistent_read=True)
    except DoesNotExist:
        return Checkout(CheckoutDetails(), {})
    if row.expires_at <= now:
        return Checkout(CheckoutDetails(), {})
    is_typed = row.typed_until is not None and row.typed_until > now
    return Checkout(to_details(row), to_typed(row) if is_typed else {})


def buyer_of(*, owner: Owner, details: CheckoutDetails) -> Buyer:
    """What prices depend on, as far as the checkout was told."""
    customers = customers_of(owner=owner, email=details.email)
    if details.address is None:
        return Buyer(delivery=details.delivery, customers=customers)
    return Buyer(details.address.country, details.address.state, details.delivery, customers)


def delivery_name(code: str) -> str:
    """What shoppers call a way of sending, one that is no longer offered included."""
    return name_of(settings.DELIVERY_METHODS, code)


def unpaid_orders_placed_before(*, moment: datetime) -> Iterator[tuple[Owner, str]]:
    """Owner and number of orders that were pending and placed at `moment` or earlier, oldest first; a moment behind the table."""
    pending = [
        OrderRow.by_status.query(partition, OrderRow.gsi1_sk <= time_bound(moment))
        for partition in status_partitions(OrderStatus.PENDING)
    ]
    for row in heapq.merge(*pending, key=attrgetter("gsi1_sk")):
        yield Owner.of_key(row.pk), row.order_id


def _batches(row: type[R], keys: list[tuple[str, str]]) -> Iterator[R]:
    for start in range(0, len(keys), _BATCH):
        yield from batch_get(row, keys[start : start + _BATCH], consistent=True)


def _is_key_of(key: str, order_id: str) -> bool:
    # unsign also takes a key signed with one of SECRET_KEY_FALLBACKS, so that links outlive a change of the secret.
    try:
        signing.Signer(salt=_LINK_SALT).unsign(f"{order_id}:{key}")
    except signing.BadSignature:
        return False
    return True
