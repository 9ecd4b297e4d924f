"""Rows of the Carts table, and the only place where their key text is built."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from cart.domain import CartState, Item, KeptCart, Totals
from shop.lib.attributes import DecimalAttribute, Document, EpochAttribute, IntegerAttribute, TimeAttribute
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import BaseMeta, Row, table_name

CART_SK = "CART"


class ItemMap(Document):
    product_id = UnicodeAttribute(attr_name="productId")
    product_name = UnicodeAttribute(attr_name="productName")
    quantity = IntegerAttribute()
    price = DecimalAttribute()
    currency = UnicodeAttribute()
    image_url = UnicodeAttribute(attr_name="imageUrl")
    added_at = TimeAttribute(attr_name="addedAt")


class TotalsMap(Document):
    subtotal = DecimalAttribute()
    tax = DecimalAttribute()
    shipping = DecimalAttribute()
    total = DecimalAttribute()
    currency = UnicodeAttribute()


class CartRow(Row):
    """One cart an owner. Every write carries the version it was read at."""

    class Meta(BaseMeta):
        table_name = table_name("Carts")
        ttl_attribute = "expiresAt"

    user_id = UnicodeAttribute(attr_name="userId")
    items: ListAttribute[ItemMap] = ListAttribute(of=ItemMap)
    totals = TotalsMap()
    updated_at = TimeAttribute(attr_name="updatedAt")
    expires_at = EpochAttribute(attr_name="expiresAt")
    # Beyond the spec's item.
    cart_id = UnicodeAttribute(attr_name="cartId", null=True)
    state = UnicodeAttribute(null=True)
    version = IntegerAttribute(null=True)
    order_id = UnicodeAttribute(attr_name="orderId", null=True)
    order_due_at = EpochAttribute(attr_name="orderDueAt", null=True)
    # "of" names what items are to PynamoDB.
    restored: ListAttribute[str] = ListAttribute(of=UnicodeAttribute, attr_name="restoredOrders", null=True)  # type: ignore[arg-type]
    written_by = UnicodeAttribute(attr_name="writtenBy", null=True)


def cart_key(owner: Owner) -> CartRow:
    """A row that carries nothing but its key, for updates by condition."""
    return CartRow(owner.key, CART_SK)


def to_kept_cart(row: CartRow) -> KeptCart:
    return KeptCart(
        cart_id=row.cart_id or "",
        items=tuple(
            Item(
                product_id=item.product_id,
                name=item.product_name,
                quantity=item.quantity,
                price_seen=Money.of(item.price, item.currency),
                image=item.image_url,
                added_at=item.added_at,
            )
            for item in row.items
        ),
        state=CartState(row.state or CartState.OPEN),
        version=row.version or 0,
        expires_at=row.expires_at,
        order_id=row.order_id,
        order_due_at=row.order_due_at,
        restored=tuple(row.restored or ()),
    )


def to_item_maps(items: tuple[Item, ...]) -> list[ItemMap]:
    return [
        ItemMap(
            product_id=item.product_id,
            product_name=item.name,
            quantity=item.quantity,
            price=item.price_seen.amount,
            currency=item.price_seen.currency,
            image_url=item.image,
            added_at=item.added_at,
        )
        for item in items
    ]


def to_totals_map(totals: Totals) -> TotalsMap:
    return TotalsMap(
        subtotal=totals.subtotal.amount,
        tax=totals.tax.amount,
        shipping=totals.shipping.amount,
        total=totals.total.amount,
        currency=totals.total.currency,
    )
