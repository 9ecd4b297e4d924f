"""How a cart is written: whole, and only as long as it is as it was read."""

import uuid
from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.condition import Condition

from cart.domain import LIFETIME, CartState, KeptCart
from cart.models import CartRow, cart_key, to_item_maps, to_totals_map
from cart.queries import rough_totals
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.lib.tables import all_of


def new_cart(last: KeptCart | None, now: datetime) -> KeptCart:
    """An empty cart, which still knows the order the last one became: it may be waiting to be paid."""
    made = KeptCart(new_id("cart", now), (), CartState.OPEN, 0, now + LIFETIME)
    return replace(made, order_id=last.order_id, order_due_at=last.order_due_at, order_owner=last.order_owner) if last else made


def is_unchanged(cart: KeptCart, now: datetime) -> Condition:
    """The condition that nobody has changed the cart since it was read, and that it still lives."""
    # An item in the spec's own form, written by somebody else, has no version, state or id. The id is compared because the
    # next cart's versions begin anew.
    return all_of(
        CartRow.version == cart.version if cart.version else CartRow.version.does_not_exist(),
        CartRow.cart_id == cart.cart_id if cart.cart_id else CartRow.cart_id.does_not_exist(),
        (CartRow.state == CartState.OPEN) | CartRow.state.does_not_exist(),
        CartRow.expires_at > now,
    )


def is_replaceable(now: datetime) -> Condition:
    """The condition that there is no open cart: a new one may be written."""
    is_free: Condition = CartRow.pk.does_not_exist() | (CartRow.expires_at <= now) | (CartRow.state == CartState.CHECKED_OUT)
    return is_free


def row_of(owner: Owner, cart: KeptCart, now: datetime) -> CartRow:
    """The row of a cart, marked as this writer's."""
    row = cart_key(owner)
    row.user_id = owner.id
    row.items = to_item_maps(cart.items)
    row.totals = to_totals_map(rough_totals(cart.items))
    row.updated_at = now
    row.expires_at = cart.expires_at
    row.cart_id = cart.cart_id
    row.state = cart.state
    row.version = cart.version
    row.order_id = cart.order_id
    row.order_due_at = cart.order_due_at
    row.order_owner = cart.order_owner.key if cart.order_owner else None
    row.restored = list(cart.restored) or None
    row.discount_code = cart.code or None
    row.written_by = uuid.uuid4().hex
    return row
