"""Things tests need in the tables, by plain functions with defaults."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cart import services as cart_services
from cart.queries import open_cart
from catalog import queries as catalog_queries
from catalog import services as catalog_services
from catalog.domain import Category, Product, ProductStatus, Rating, availability_of
from catalog.models import SKU_SK, SkuRow, product_key, sku_pk
from orders import services as order_services
from orders.domain import Address, CheckoutDetails, Order
from orders.queries import buyer_of
from shop.lib.money import Money
from shop.lib.owner import Owner

_numbers = itertools.count(1)

ADDRESS = Address(name="Ada Lovelace", street="123 Main St", city="New York", state="NY", zip_code="10001", country="US")
DETAILS = CheckoutDetails(email="ada@example.com", phone="", address=ADDRESS, delivery="standard")


def product(**overrides: Any) -> Product:
    """A product that is nowhere yet."""
    number = next(_numbers)
    inventory = overrides.get("inventory", 20)
    made = Product(
        product_id=f"prod-{number:06d}",
        slug=f"mug-{number}",
        name=f"Mug {number}",
        description="A mug.",
        price=Money(2400, "USD"),
        category="Kitchen & Table",
        sub_category="Cups & Mugs",
        brand="Saltmere",
        photos=(),
        availability=availability_of(inventory),
        rating=Rating(Decimal("4.8"), 212),
        created_at=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
        inventory=inventory,
        sku=f"SAL-MUG-{number}",
        status=ProductStatus.ACTIVE,
        updated_at=datetime(2026, 1, 1, 12, 0, tzinfo=UTC),
        attributes={"material": "Stoneware"},
        version=1,
    )
    return replace(made, **overrides)


def make_product(**overrides: Any) -> Product:
    """A product in the table."""
    made = product(**overrides)
    catalog_services.create_product(product=made)
    return made


def delete_product(product_id: str) -> None:
    """Delete a product, sold or not, as another hand does with its item and its SKU; the stream's record has been worked off."""
    found = catalog_queries.product(product_id=product_id, consistent=True)
    product_key(product_id).delete()
    SkuRow(sku_pk(found.sku), SKU_SK).delete()
    catalog_services.note_gone(product=found)


def make_category(name: str = "Kitchen & Table", slug: str = "kitchen-table") -> Category:
    """A category in the table."""
    made = Category(name=name, slug=slug, intro="For the table.")
    catalog_services.save_category(category=made, position=0)
    return made


def fill_cart(owner: Owner, lines: dict[str, int], now: datetime) -> str:
    """Put quantities of products, by id, into the owner's cart; the cart's id."""
    for product_id, quantity in lines.items():
        cart_services.add_to_cart(owner=owner, product_id=product_id, quantity=quantity, now=now)
    return open_cart(owner=owner, now=now).cart_id


def ready_to_order(owner: Owner, lines: dict[str, int], now: datetime, details: CheckoutDetails = DETAILS) -> dict[str, Any]:
    """A filled cart with all the checkout asks for; the arguments `place_order` wants."""
    cart_id = fill_cart(owner, lines, now)
    order_services.remember_details(owner=owner, details=details, now=now)
    cart = open_cart(owner=owner, now=now, buyer=buyer_of(owner=owner, details=details))
    seen = order_services.review_mark(cart, details)
    return {"owner": owner, "cart_id": cart_id, "total_seen": cart.totals.total.minor, "seen": seen, "now": now}


def make_order(owner: Owner, lines: dict[str, int], now: datetime) -> Order:
    """A pending order."""
    return order_services.place_order(**ready_to_order(owner, lines, now))


def open_payment(order: Order) -> Order:
    """The order with a payment page at the stand-in Stripe."""
    return order_services.open_payment(
        order=order, success_url="http://testserver/success", cancel_url="http://testserver/cancel"
    )
