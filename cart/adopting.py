"""What somebody put into a cart, or ordered, before they signed in."""

import random
import time
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from pynamodb.transactions import TransactWrite

from cart.domain import LIFETIME, MAX_QUANTITY, MOST_RESTORED, CartState, Item, KeptCart, Merged, adopt_items
from cart.models import CartRow, cart_key
from cart.queries import kept_cart
from cart.writing import is_replaceable, is_unchanged, new_cart, row_of
from catalog import queries as catalog
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.lib.transactions import Refused, run_transaction

_TRIES = 8
_LONGEST_PAUSE_SECONDS = 0.1

Items = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What somebody had before they signed in: lines, and the order that may wait to be paid."""

    merged: Merged | None
    order_id: str = ""
    is_told_by_cart: bool = False
    """Whether the cart page tells of that order from now on."""


def adopt_guest_cart(*, guest: Owner, owner: Owner, now: datetime) -> Adopted | None:
    """Put what somebody chose before signing in into their own cart, added up as far as the stock goes. None without any.

    The order they placed before, while it may wait to be paid, is told of by their own cart from now on, unless that tells of
    another. The guest's cart ends in the same transaction, so that doing it again, or twice at once, adopts once. Raises Busy.
    """
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        theirs = kept_cart(owner=guest, now=now)
        if theirs is None:
            return None
        chosen = theirs.items if theirs.state is CartState.OPEN else ()
        if not chosen and not theirs.has_order_that_may_wait(now):
            return None
        stored = kept_cart(owner=owner, now=now)
        cart = stored if stored and stored.state is CartState.OPEN else new_cart(stored, now)
        merged = adopt_items(cart.items, chosen, most=_most_of((*cart.items, *chosen)) if chosen else {})
        changed = replace(
            _with_order_of(theirs, guest, cart, now),
            cart_id=cart.cart_id or new_id("cart", now),
            items=merged.items if chosen else cart.items,
            restored=(*cart.restored, *theirs.restored)[-MOST_RESTORED:],
            code=cart.code or (theirs.code if chosen else ""),
            version=cart.version + 1,
            expires_at=now + LIFETIME,
        )
        try:
            run_transaction(partial(_add_adoption, guest, theirs, owner, cart if cart is stored else None, changed, now))
        except Refused:
            continue  # one of the two changed meanwhile, or another request has just done it
        order_id = theirs.order_id or "" if theirs.has_order_that_may_wait(now) else ""
        return Adopted(merged if chosen else None, order_id, is_told_by_cart=changed.order_id == order_id)
    raise Busy


def _add_adoption(
    guest: Owner, theirs: KeptCart, owner: Owner, before: KeptCart | None, changed: KeptCart, now: datetime, txn: TransactWrite
) -> None:
    is_as_read = is_unchanged(theirs, now) if theirs.state is CartState.OPEN else CartRow.cart_id == theirs.cart_id
    txn.delete(cart_key(guest), condition=is_as_read)
    txn.save(row_of(owner, changed, now), condition=is_unchanged(before, now) if before else is_replaceable(now))


def _with_order_of(theirs: KeptCart, guest: Owner, cart: KeptCart, now: datetime) -> KeptCart:
    """The cart, telling of the guest's order that may wait to be paid, unless it tells of one already."""
    if not theirs.has_order_that_may_wait(now) or cart.has_order_that_may_wait(now):
        return cart
    return replace(cart, order_id=theirs.order_id, order_due_at=theirs.order_due_at, order_owner=theirs.order_owner or guest)


def _most_of(items: Items) -> dict[str, int]:
    """How many of each product there can be in a cart. Of what is sold out or gone the cart page tells; the wish is kept."""
    found = catalog.products(product_ids=[item.product_id for item in items])
    return {product_id: min(product.inventory, MAX_QUANTITY) for product_id, product in found.items() if product.inventory > 0}
