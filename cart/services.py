"""What changes a cart. Beside it in the Carts table write `adopting`, when somebody signs in, and `discounts` its codes."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from pynamodb.exceptions import PutError, UpdateError
from pynamodb.transactions import TransactWrite

from cart.discount_domain import normal_code, why_unknown
from cart.discount_queries import customers_of
from cart.domain import (
    LIFETIME,
    MAX_LINES,
    MAX_QUANTITY,
    MOST_RESTORED,
    NOBODY,
    CartState,
    Item,
    KeptCart,
    merge_items,
    with_at_least,
)
from cart.models import CartRow, cart_key
from cart.queries import kept_cart, price_cart
from cart.writing import is_replaceable, is_unchanged, new_cart, row_of
from catalog import queries as catalog
from catalog.domain import Product
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.lib.tables import Busy, is_refused

_TRIES = 8
"""Two tabs that collide eight times in a row are no shopper."""
_LONGEST_PAUSE_SECONDS = 0.1
_LONGEST_SHOWN = 40
"""So much of a code nobody knows is repeated to who typed it."""

Items = tuple[Item, ...]


class NotForSale(Exception):
    """The product is sold out or not on sale; `name` is empty when there is no such product."""

    def __init__(self, *, name: str = "", is_sold_out: bool = False) -> None:
        super().__init__(name)
        self.name = name
        self.is_sold_out = is_sold_out


class CartFull(Exception):
    """The cart holds MAX_LINES different products already."""


class NotInCart(Exception):
    """The cart has no line of this product."""


class CodeRefused(Exception):
    """The discount code does not hold; the message says why, to be shown."""


@dataclass(frozen=True, slots=True)
class Added:
    """What adding did: `quantity` pieces went in, `in_cart` are there now; fewer than asked when the stock or limit ended."""

    name: str
    quantity: int
    in_cart: int
    is_limited: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """What putting an order's lines back did.

    `left_out` names what found no room, `lowered` are lines of fewer pieces than there would be if all had come back.
    """

    left_out: tuple[str, ...] = ()
    lowered: Items = ()
    is_beside_others: bool = False
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class BoughtAgain:
    """What putting an old order into the cart did: `missing` and `left_out` name products, `lowered` are lines of fewer."""

    missing: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    lowered: Items = ()
    is_nothing: bool = False


def add_to_cart(*, owner: Owner, product_id: str, quantity: int, now: datetime) -> Added:
    """Put pieces of a product into the cart, as many as there are. The line takes the price of now.

    Raises NotForSale, CartFull; then the cart is as it was.
    """
    try:
        product = catalog.product(product_id=product_id)
    except catalog.ProductNotFound:
        raise NotForSale from None
    if not product.can_be_bought or product.price.currency != settings.CURRENCY:
        raise NotForSale(name=product.name, is_sold_out=product.is_active and product.inventory <= 0)
    before = 0

    def change(items: Items) -> Items:
        nonlocal before
        before = next((item.quantity for item in items if item.product_id == product_id), 0)
        return _with_line(items, product, _limit(product, before + quantity), now)

    _change(owner, now, change)
    in_cart = _limit(product, before + quantity)
    return Added(
        name=product.name,
        quantity=max(0, in_cart - before),
        in_cart=in_cart,
        is_limited=in_cart < before + quantity,
    )


def change_quantity(*, owner: Owner, product_id: str, quantity: int, now: datetime) -> KeptCart:
    """Set a line to a quantity above 0, or to as many as there are. A changed price stays told until the order.

    Raises NotInCart; then the cart is as it was.
    """
    product = catalog.products(product_ids=[product_id]).get(product_id)

    def change(items: Items) -> Items:
        _line(items, product_id)
        if product is None or not product.can_be_bought:
            return items  # the cart page says why the line cannot be bought
        limited = _limit(product, quantity)
        return tuple(replace(item, quantity=limited) if item.product_id == product_id else item for item in items)

    return _change(owner, now, change)


def remove_line(*, owner: Owner, product_id: str, now: datetime) -> Item:
    """Take a line out of the cart; the line as it was, to be put back. Raises NotInCart."""
    removed: list[Item] = []

    def change(items: Items) -> Items:
        removed[:] = [_line(items, product_id)]
        return tuple(item for item in items if item.product_id != product_id)

    _change(owner, now, change)
    return removed[0]


def enter_code(*, owner: Owner, typed: str, now: datetime) -> str:
    """Put a discount code into the cart, in place of another. It counts whenever it holds: every pricing asks anew.

    Raises CodeRefused with the exact reason when it does not hold now; then the cart is as it was.
    """
    code = normal_code(typed)
    if not code:
        raise CodeRefused(why_unknown(" ".join(typed.split())[:_LONGEST_SHOWN]) if typed.strip() else "Please type a code first.")
    stored = kept_cart(owner=owner, now=now)
    if stored is None or stored.state is not CartState.OPEN or not stored.items:
        raise CodeRefused("Please put something in your cart first.")
    buyer = replace(NOBODY, customers=customers_of(owner=owner))
    why = price_cart(replace(stored, code=code), now=now, buyer=buyer).why_no_discount
    if why:
        raise CodeRefused(why)
    _change_cart(owner, now, lambda cart: cart if cart.code == code else replace(cart, code=code))
    return code


def remove_code(*, owner: Owner, now: datetime) -> None:
    """Take the discount code out of the cart. Without one nothing happens."""
    stored = kept_cart(owner=owner, now=now)
    if stored is not None and stored.state is CartState.OPEN and stored.code:
        _change_cart(owner, now, lambda cart: replace(cart, code="") if cart.code else cart)


def restore_lines(*, owner: Owner, order_id: str, items: Items, now: datetime) -> Restored:
    """Put the lines of an order that was not paid back into the cart, beside what is in it, once: asked again, nothing changes.

    Quantities add up, as far as there are pieces. What cannot be bought just now comes back as it was; the cart page says so.
    """
    products = catalog.products(product_ids=[item.product_id for item in items], consistent=True)
    most = {found.product_id: _limit(found, MAX_QUANTITY) for found in products.values() if found.can_be_bought}
    result = Restored(is_repeated=True)

    def change(cart: KeptCart) -> KeptCart:
        nonlocal result
        if order_id in cart.restored:
            result = Restored(is_repeated=True)
            return cart
        merged = merge_items(cart.items, items, most=most)
        result = Restored(left_out=merged.left_out, lowered=merged.lowered, is_beside_others=bool(cart.items))
        return replace(cart, items=merged.items, restored=(*cart.restored, order_id)[-MOST_RESTORED:])

    _change_cart(owner, now, change)
    return result


def buy_again(*, owner: Owner, items: Items, now: datetime) -> BoughtAgain:
    """See that the cart has at least these quantities, at the prices of now; pressed twice, it has no more. Raises Busy."""
    products = catalog.products(product_ids=[item.product_id for item in items])
    there = {
        found.product_id: found
        for found in products.values()
        if found.can_be_bought and found.price.currency == settings.CURRENCY
    }
    missing = tuple(item.name for item in items if item.product_id not in there)
    wanted = tuple(
        line for item in items if item.product_id in there for line in _with_line((), there[item.product_id], item.quantity, now)
    )
    if not wanted:
        return BoughtAgain(missing, is_nothing=True)
    most = {product_id: _limit(found, MAX_QUANTITY) for product_id, found in there.items()}
    result = BoughtAgain(missing)

    def change(items: Items) -> Items:
        nonlocal result
        merged = with_at_least(items, wanted, most=most)
        result = BoughtAgain(missing, merged.left_out, merged.lowered)
        return merged.items

    _change(owner, now, change)
    return result


def make_ready(*, owner: Owner, now: datetime) -> KeptCart:
    """Write the cart as it is, in our own form: one in the specification's form, written by somebody else, gets its id."""
    return _change(owner, now, lambda items: items)


def close_cart(
    txn: TransactWrite, *, owner: Owner, cart: KeptCart, order_id: str, due_at: datetime | None, now: datetime
) -> None:
    """Add to a transaction: the cart becomes this order's, if it is still open, unexpired and as it was read.

    `due_at` is when an unpaid order ends: until then the cart page looks how it stands.
    """
    txn.update(
        cart_key(owner),
        actions=[
            CartRow.state.set(CartState.CHECKED_OUT),
            CartRow.order_id.set(order_id),
            *([CartRow.order_due_at.set(due_at)] if due_at else []),
            CartRow.order_owner.remove(),
            CartRow.version.set(cart.version + 1),
            CartRow.updated_at.set(now),
        ],
        condition=is_unchanged(cart, now),
    )


def order_may_wait_until(*, owner: Owner, order_id: str, due_at: datetime) -> None:
    """Let the cart look longer how this order stands, if it is the one it tells of."""
    try:
        cart_key(owner).update(actions=[CartRow.order_due_at.set(due_at)], condition=CartRow.order_id == order_id)
    except UpdateError as error:
        if not is_refused(error):
            raise


def forget_cart(*, owner: Owner) -> None:
    """Delete the owner's cart, if there is one."""
    cart_key(owner).delete()


def _change(owner: Owner, now: datetime, change: Callable[[Items], Items]) -> KeptCart:
    """Change the lines of the owner's cart, or of a new one. Raises Busy."""
    return _change_cart(owner, now, lambda cart: replace(cart, items=change(cart.items)))


def _change_cart(owner: Owner, now: datetime, change: Callable[[KeptCart], KeptCart]) -> KeptCart:
    """Read, change, write if nobody wrote in between, else again: changes from two tabs both survive. Raises Busy.

    A change that gives the cart back as it is writes nothing.
    """
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        stored = kept_cart(owner=owner, now=now)
        cart = stored if stored and stored.state is CartState.OPEN else new_cart(stored, now)
        changed = change(cart)
        if changed is cart:
            return cart
        cart_id = cart.cart_id or new_id("cart", now)  # an item in the specification's own form has none
        changed = replace(changed, cart_id=cart_id, version=cart.version + 1, expires_at=now + LIFETIME)
        row = row_of(owner, changed, now)
        may_write = is_unchanged(cart, now) if cart is stored else is_replaceable(now)
        try:
            # Sent again by botocore after a lost reply, the write meets itself and must not count as somebody else's.
            row.save(may_write | (CartRow.written_by == row.written_by))
        except PutError as error:
            if not is_refused(error):
                raise
            continue
        return changed
    raise Busy


def _with_line(items: Items, product: Product, quantity: int, now: datetime) -> Items:
    """The lines with this product at this quantity and today's price: in its place, or added last. Raises CartFull."""
    line = Item(
        product_id=product.product_id,
        name=product.name,
        quantity=quantity,
        price_seen=product.price,
        image=product.photo.src if product.photo else "",
        added_at=next((item.added_at for item in items if item.product_id == product.product_id), now),
    )
    if any(item.product_id == product.product_id for item in items):
        return tuple(line if item.product_id == product.product_id else item for item in items)
    if len(items) >= MAX_LINES:
        raise CartFull
    return (*items, line)


def _limit(product: Product, quantity: int) -> int:
    return min(quantity, product.inventory, MAX_QUANTITY)


def _line(items: Items, product_id: str) -> Item:
    """Raises NotInCart."""
    found = next((item for item in items if item.product_id == product_id), None)
    if found is None:
        raise NotInCart(product_id)
    return found
