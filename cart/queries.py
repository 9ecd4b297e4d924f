"""Reads of carts. docs/tables.md has a row for each."""

from dataclasses import replace
from datetime import datetime

from django.conf import settings
from pynamodb.exceptions import DoesNotExist

from cart.delivery_domain import DeliveryMethod, Offers, free_delivery, grams_of, offers
from cart.discount_domain import Discount, why_not, why_unknown
from cart.discount_queries import discount_for
from cart.domain import MAX_QUANTITY, NOBODY, Buyer, Cart, CartState, Item, KeptCart, Line, Mark, changes_of
from cart.models import CART_SK, CartRow, to_kept_cart
from cart.tax_domain import TaxRule, rule_for
from cart.totals_domain import Priced, Totals, totals_of, worths_of
from catalog import queries as catalog
from catalog.domain import Product
from shop.lib.money import Money, total
from shop.lib.owner import Owner

_WEIGHT = "weight"
"""The product attribute that says what one piece weighs."""


def kept_cart(*, owner: Owner, now: datetime, consistent: bool = True) -> KeptCart | None:
    """The cart as stored, open or checked out; None when there is none or its time is over (TTL deletes it days later)."""
    try:
        cart = to_kept_cart(CartRow.get(owner.key, CART_SK, consistent_read=consistent))
    except DoesNotExist:
        return None
    return cart if cart.expires_at > now else None


def open_cart(*, owner: Owner | None, now: datetime, buyer: Buyer = NOBODY) -> Cart:
    """The owner's open cart priced by today's catalogue: two calls, three with a discount code in it.

    Without a cart, or with one that has become an order, it is empty.
    """
    kept = kept_cart(owner=owner, now=now) if owner else None
    if kept is None:
        return price_cart(KeptCart("", (), CartState.OPEN, 0, now), now=now, buyer=buyer)
    if kept.state is not CartState.OPEN:
        kept = replace(kept, cart_id="", items=(), version=0, code="")
    return price_cart(kept, now=now, buyer=buyer)


def price_cart(kept: KeptCart, *, now: datetime, buyer: Buyer = NOBODY, consistent: bool = False) -> Cart:
    """Kept lines met with the catalogue of now, and with the prices, taxes and discounts of this buyer."""
    found = catalog.products(product_ids=[item.product_id for item in kept.items], consistent=consistent)
    lines = tuple(_line(item, found.get(item.product_id)) for item in kept.items)
    counted = [line for line in lines if line.counts]
    subtotal = total((line.amount for line in counted), settings.CURRENCY)
    discount, why = _discount(kept, subtotal, buyer, now, consistent=consistent) if counted else (None, "")
    goods = subtotal - discount.off(subtotal) if discount else subtotal
    grams = sum(line.grams * line.quantity for line in counted)
    found_offers = offers(settings.DELIVERY_METHODS, country=buyer.country, goods=goods, grams=grams)
    delivery = found_offers.method(buyer.delivery) or found_offers.cheapest
    totals = _totals(counted, discount, found_offers, delivery, buyer)
    if discount and totals.discount and not totals.discount.saved:
        totals, why = replace(totals, discount=None), f"Delivery is free already: {discount.code} takes nothing off."
    return Cart(
        cart_id=kept.cart_id,
        version=kept.version,
        lines=lines,
        totals=totals,
        order_id=kept.order_id or "",
        order_due_at=kept.order_due_at,
        order_owner=kept.order_owner,
        buyer=buyer,
        offers=found_offers,
        delivery=delivery,
        free_delivery=free_delivery(settings.DELIVERY_METHODS, country=buyer.country, goods=goods, grams=grams),
        code=kept.code,
        discount=discount if totals.discount else None,
        why_no_discount=why,
    )


def line_worths(cart: Cart) -> tuple[Money, ...]:
    """What is paid for each line of a cart that can be ordered; empty where prices alone say so (see `worths_of`)."""
    off = cart.totals.discount.goods if cart.totals.discount else Money.zero(settings.CURRENCY)
    return worths_of([line.priced for line in cart.lines], rule=tax_rule(cart.buyer), off=off)


def rough_totals(items: tuple[Item, ...]) -> Totals:
    """The totals kept beside a stored cart: at the prices seen, by the ordinary tax and delivery at home, without any code."""
    priced = [Priced(item.price_seen, item.quantity) for item in items]
    goods = total((line.amount for line in priced), settings.CURRENCY)
    cheapest = offers(settings.DELIVERY_METHODS, country=NOBODY.country, goods=goods, grams=0).cheapest
    return totals_of(priced, rule=tax_rule(NOBODY), shipping=cheapest.price if cheapest else Money.zero(settings.CURRENCY))


def tax_rule(buyer: Buyer) -> TaxRule:
    """The tax of the place the goods go to."""
    return rule_for(settings.TAX_RULES, country=buyer.country, region=buyer.region)


def _totals(
    counted: list[Line], discount: Discount | None, found: Offers, delivery: DeliveryMethod | None, buyer: Buyer
) -> Totals:
    price = delivery.price if delivery else Money.zero(settings.CURRENCY)
    cheapest = found.cheapest.price if found.cheapest else price
    subtotal = total((line.amount for line in counted), settings.CURRENCY)
    applied = discount.applied(subtotal, price, cheapest=cheapest) if discount else None
    return totals_of(
        [line.priced for line in counted],
        rule=tax_rule(buyer),
        shipping=price - applied.delivery if applied else price,
        discount=applied,
    )


def _discount(kept: KeptCart, goods: Money, buyer: Buyer, now: datetime, *, consistent: bool) -> tuple[Discount | None, str]:
    """The cart's discount if it holds, else why not."""
    if not kept.code:
        return None, ""
    found = discount_for(code=kept.code, customers=buyer.customers, now=now, consistent=consistent)
    if found is None:
        return None, why_unknown(kept.code)
    why = why_not(found, goods=goods, now=now)
    return (None if why else found), why


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
        tax_class=product.tax_class if product else "",
        grams=_grams(product) if product else 0,
    )


def _grams(product: Product) -> int:
    # What staff weighed, packed, counts before what shoppers read of the product itself.
    return product.weight if product.weight is not None else grams_of(product.attributes.get(_WEIGHT, ""))
