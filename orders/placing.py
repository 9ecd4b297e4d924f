"""From a cart to a pending order: one transaction that takes the pieces out of stock, or changes nothing."""

import hashlib
from datetime import datetime

from pynamodb.transactions import TransactWrite

from cart import discounts
from cart import queries as carts
from cart import services as cart_services
from cart.discount_domain import Discount
from cart.domain import NOBODY, Buyer, Cart, CartState, KeptCart
from catalog import services as catalog_services
from orders import queries
from orders.domain import (
    HOLD,
    CheckoutDetails,
    HistoryEntry,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    order_id_for,
)
from orders.models import REF_SK, OrderRow, RefRow, ref_pk, to_row
from orders.moving import SHOPPER, stock_changed
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.lib.transactions import Refused, run_transaction


class CartChanged(Exception):
    """The cart is not as the shopper saw it: changed in another tab, or empty."""


class OutOfStock(CartChanged):
    """Lines that cannot be bought as asked: sold out, too few left, or no longer for sale. `names` are their products'."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class TotalChanged(Exception):
    """The total is not what the shopper agreed to; `total` is what it is now, `why` says so where a discount code ended."""

    def __init__(self, total: Money, why: str = "") -> None:
        super().__init__(str(total))
        self.total, self.why = total, why


class DetailsMissing(Exception):
    """The checkout does not know yet whom to write to, where to send or how."""


def place_order(*, owner: Owner, cart_id: str, total_seen: int, seen: str, now: datetime) -> Order:
    """Turn the cart into a pending order and take its pieces out of stock, or change nothing.

    `total_seen` is the total in minor units that the shopper agreed to, `seen` the mark of all that was reviewed. A cart
    that is an order already gives that order: a second click or tab is no second order.

    Raises OutOfStock, CartChanged, TotalChanged, DetailsMissing, Busy; then nothing was written.
    """
    kept = carts.kept_cart(owner=owner, now=now)
    placed = _placed_before(owner, cart_id, kept)
    if placed:
        return placed
    if kept is None or kept.cart_id != cart_id or kept.state is not CartState.OPEN:
        raise CartChanged
    order, discount = _draft(owner, kept, total_seen, seen, now)
    try:
        run_transaction(
            lambda txn: _add_placement(txn, order, kept, discount, now),
            # A consistent look before another try: most of a rush for the last pieces ends here, without one more write.
            before_retry=lambda: _look_again(owner, kept, discount, total_seen, seen, now),
        )
    except (Refused, CartChanged, TotalChanged, Busy) as refusal:
        # Another tab may have won; or our own reply was lost and a later try met what the first had done.
        placed = _placed_before(owner, cart_id, carts.kept_cart(owner=owner, now=now))
        if placed:
            return placed
        if not isinstance(refusal, Refused):
            raise
        if discount and discounts.is_about_uses(refusal, discount.code):
            _draft(owner, kept, total_seen, seen, now)  # tells that its last use went to somebody else
        _require_buyable(kept, NOBODY, now)
        raise CartChanged from refusal
    stock_changed(order)
    return order


def review_mark(cart: Cart, details: CheckoutDetails) -> str:
    """A mark of everything the shopper reviewed, so that the order is placed only if it is all still so.

    A digest of all but the prices, and the prices in minor units: what fell since is passed on without asking again.
    """
    code = cart.discount.code if cart.discount else ""
    reviewed = (cart.cart_id, cart.version, [(line.product_id, line.quantity) for line in cart.lines], details, code)
    digest = hashlib.sha256(repr(reviewed).encode()).hexdigest()[:20]
    return f"{digest}-{'.'.join(str(line.unit_price.minor) for line in cart.lines)}"


def _consent(cart: Cart, mark: str, total_seen: int, seen: str) -> str:
    """What is to be noted of prices that fell since the review; empty when nothing changed.

    Raises TotalChanged, CartChanged for whatever else changed: a rise wants the shopper's consent, and so does a swap.
    """
    total = cart.totals.total
    if mark == seen and total.minor == total_seen:
        return ""
    if mark != seen and total.minor <= total_seen and _only_fell(mark, seen):
        return f"Prices fell after the review: {total} instead of {Money(total_seen, total.currency)}"
    if total.minor != total_seen:
        raise TotalChanged(total, cart.why_no_discount)
    raise CartChanged


def _only_fell(mark: str, seen: str) -> bool:
    """Whether two marks differ in nothing but prices that are lower now. A forged mark can but consent to more."""
    digest, _, prices = mark.partition("-")
    digest_seen, _, prices_seen = seen.partition("-")
    now, before = prices.split("."), prices_seen.split(".")
    return digest == digest_seen and len(now) == len(before) and all(int(a) <= int(b) for a, b in zip(now, before, strict=True))


def _placed_before(owner: Owner, cart_id: str, kept: KeptCart | None) -> Order | None:
    """The order this cart became, or None while it has not: the order's number follows from the cart's."""
    if not cart_id or (kept and kept.cart_id == cart_id and kept.state is CartState.OPEN):
        return None
    try:
        return queries.order_of(owner=owner, order_id=order_id_for(cart_id))
    except queries.OrderNotFound:
        return None


def _draft(owner: Owner, kept: KeptCart, total_seen: int, seen: str, now: datetime) -> tuple[Order, Discount | None]:
    """The order as it would be placed now, and the terms of its discount code."""
    details = queries.checkout_details(owner=owner, now=now)
    buyer = queries.buyer_of(owner=owner, details=details)
    cart = _require_buyable(kept, buyer, now)
    delivery = cart.delivery
    if not (details.email and details.address and delivery and cart.is_delivery_chosen):
        raise DetailsMissing
    note = _consent(cart, review_mark(cart, details), total_seen, seen)
    order = Order(
        order_id=order_id_for(kept.cart_id),
        owner=owner,
        status=OrderStatus.PENDING,
        email=details.email,
        phone=details.phone,
        lines=_frozen_lines(cart),
        address=details.address,
        delivery_method=delivery.code,
        subtotal=cart.totals.subtotal,
        tax=cart.totals.tax,
        shipping=cart.totals.shipping,
        total=cart.totals.total,
        payment=Payment(amount=cart.totals.total),
        created_at=now,
        updated_at=now,
        due_at=now + HOLD,
        estimated_delivery=delivery.arrival(now)[1],
        history=(HistoryEntry(OrderStatus.PENDING, now, SHOPPER, note),),
        discount=cart.totals.discount,
        discount_customers=buyer.customers if cart.discount else (),
        tax_included=cart.totals.tax_included,
        delivery_tax=cart.totals.delivery_tax,
    )
    return order, cart.discount


def _look_again(owner: Owner, kept: KeptCart, discount: Discount | None, total_seen: int, seen: str, now: datetime) -> None:
    if discount:  # its last use may be gone
        _draft(owner, kept, total_seen, seen, now)
    else:
        _require_buyable(kept, NOBODY, now)


def _require_buyable(kept: KeptCart, buyer: Buyer, now: datetime) -> Cart:
    """The cart priced by a consistent read. Raises OutOfStock, or CartChanged when it is empty."""
    cart = carts.price_cart(kept, now=now, buyer=buyer, consistent=True)
    blocked = tuple(line.name for line in cart.lines if line.blocks_checkout)
    if blocked:
        raise OutOfStock(blocked)
    if cart.is_empty:
        raise CartChanged
    return cart


def _frozen_lines(cart: Cart) -> tuple[OrderLine, ...]:
    worths = carts.line_worths(cart) or (None,) * len(cart.lines)
    return tuple(
        OrderLine(line.product_id, line.name, line.quantity, line.unit_price, line.photo_src, worth=worth)
        for line, worth in zip(cart.lines, worths, strict=True)
    )


def _add_placement(txn: TransactWrite, order: Order, kept: KeptCart, discount: Discount | None, now: datetime) -> None:
    if discount:
        discounts.take_use(txn, discount=discount, customers=order.discount_customers, now=now)
    for line in order.lines:
        catalog_services.take_stock(
            txn,
            product_id=line.product_id,
            quantity=line.quantity,
            price=line.unit_price,
            order_id=order.order_id,
            actor=SHOPPER,
            now=now,
        )
    txn.save(to_row(order), condition=OrderRow.pk.does_not_exist())
    txn.save(RefRow(ref_pk(order.order_id), REF_SK, owner=order.owner.key), condition=RefRow.pk.does_not_exist())
    cart_services.close_cart(txn, owner=order.owner, cart=kept, order_id=order.order_id, due_at=order.due_at, now=now)
