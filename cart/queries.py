"""Reads of carts. docs/tables.md has a row for each."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from pynamodb.exceptions import DoesNotExist

from cart.domain import MAX_QUANTITY, Cart, CartState, Item, KeptCart, Line, Mark, changes_of, totals_of
from cart.models import CART_SK, CartRow, to_kept_cart
from catalog import queries as catalog
from catalog.domain import Product
from shop.lib.money import Money
from shop.lib.owner import Owner


def kept_cart(*, owner: Owner, now: datetime, consistent: bool = True) -> KeptCart | None:
    """The cart as stored, open or checked out; None when there is none or its time is over (TTL deletes it days later)."""
    try:
        cart = to_kept_cart(CartRow.get(owner.key, CART_SK, consistent_read=consistent))
    except DoesNotExist:
        return None
    return cart if cart.expires_at > now else None


def open_cart(*, owner: Owner | None, now: datetime, shipping: Money | None = None) -> Cart:
    """The owner's open cart priced by today's catalogue: two calls. `shipping` is the standard delivery unless another is chosen.

    Without a cart, or with one that has become an order, it is empty.
    """
    kept = kept_cart(owner=owner, now=now) if owner else None
    if kept is None:
        return price_cart(KeptCart("", (), CartState.OPEN, 0, now), shipping=shipping)
    if kept.state is not CartState.OPEN:
        kept = replace(kept, cart_id="", items=(), version=0)
    return price_cart(kept, shipping=shipping)


def price_cart(kept: KeptCart, *, shipping: Money | None = None, consistent: bool = False) -> Cart:
    """Kept lines met with the catalogue of now."""
    found = catalog.products(product_ids=[item.product_id for item in kept.items], consistent=consistent)
    lines = tuple(_line(item, found.get(item.product_id)) for item in kept.items)
    return Cart(
        cart_id=kept.cart_id,
        version=kept.version,
        lines=lines,
        totals=totals_of(
            [(line.unit_price, line.quantity) for line in lines if line.counts],
            tax_rate=settings.TAX_RATE,
            shipping=shipping or standard_shipping(),
        ),
        order_id=kept.order_id or "",
        order_due_at=kept.order_due_at,
    )


def mark(*, owner: Owner | None, now: datetime, product_id: str = "") -> Mark:
    """The badge, and on a product's page what the cart holds of it: one call at most, two for a product that is in the cart."""
    kept = kept_cart(owner=owner, now=now, consistent=False) if owner else None
    if kept is None or kept.state is not CartState.OPEN:
        return Mark(0)
    in_cart = next((item.quantity for item in kept.items if item.product_id == product_id), 0)
    if not in_cart:
        return Mark(kept.count)
    try:
        stock = catalog.product(product_id=product_id).inventory
    except catalog.ProductNotFound:
        stock = 0
    return Mark(kept.count, in_cart, more=max(0, min(stock, MAX_QUANTITY) - in_cart))


def standard_shipping() -> Money:
    """What delivery costs before a method is chosen."""
    return Money.of(settings.DELIVERY_STANDARD, settings.CURRENCY)


def _line(item: Item, product: Product | None) -> Line:
    # A price in another currency cannot be added up with the others: nobody can buy it here until staff have mended it.
    is_for_sale = product is not None and product.is_active and product.price.currency == settings.CURRENCY
    available = product.inventory if product is not None and is_for_sale else 0
    price = product.price if product is not None and is_for_sale else item.price_seen
    photo = product.photo if product else None
    return Line(
        product_id=item.product_id,
        name=product.name if product else item.name,
        path=product.path if product is not None and is_for_sale else "",
        photo_src=photo.src if photo else "",
        photo_srcset=photo.srcset if photo else "",
        quantity=item.quantity,
        available=available,
        unit_price=price,
        price_seen=item.price_seen,
        changes=changes_of(item, price=price, available=available, is_for_sale=is_for_sale),
    )
