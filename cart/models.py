"""Rows of the Carts table, and the only place where their key text is built."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from cart.discount_domain import Discount, DiscountKind
from cart.domain import CartState, Item, KeptCart
from cart.totals_domain import Totals
from shop.lib.attributes import (
    DecimalAttribute,
    Document,
    DocumentListAttribute,
    EpochAttribute,
    IntegerAttribute,
    TextListAttribute,
    TimeAttribute,
)
from shop.lib.audit import AuditRow
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import BaseMeta, Row, table_name

CART_SK = "CART"
DISCOUNTS_PK = "DISCOUNTS"
USES_SK = "USES"


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


class CartMeta(BaseMeta):
    table_name = table_name("Carts")


class CartRow(Row):
    """One cart an owner. Every write carries the version it was read at."""

    class Meta(CartMeta):
        ttl_attribute = "expiresAt"

    user_id = UnicodeAttribute(attr_name="userId")
    items = DocumentListAttribute(ItemMap)
    totals = TotalsMap()
    updated_at = TimeAttribute(attr_name="updatedAt")
    expires_at = EpochAttribute(attr_name="expiresAt")
    # Beyond the spec's item.
    cart_id = UnicodeAttribute(attr_name="cartId", null=True)
    state = UnicodeAttribute(null=True)
    version = IntegerAttribute(null=True)
    order_id = UnicodeAttribute(attr_name="orderId", null=True)
    order_due_at = EpochAttribute(attr_name="orderDueAt", null=True)
    order_owner = UnicodeAttribute(attr_name="orderOwner", null=True)
    restored = TextListAttribute(attr_name="restoredOrders", null=True)
    discount_code = UnicodeAttribute(attr_name="discountCode", null=True)
    written_by = UnicodeAttribute(attr_name="writtenBy", null=True)


class DiscountRow(Row):
    """The terms of a discount code. Staff edit them with a `version` condition; uses are counted elsewhere."""

    class Meta(CartMeta):
        pass

    kind = UnicodeAttribute()
    percent = DecimalAttribute(null=True)
    amount = DecimalAttribute(null=True)
    minimum = DecimalAttribute(null=True)
    currency = UnicodeAttribute()
    starts_at = TimeAttribute(attr_name="startsAt", null=True)
    ends_at = TimeAttribute(attr_name="endsAt", null=True)
    most_uses = IntegerAttribute(attr_name="mostUses", null=True)
    most_uses_each = IntegerAttribute(attr_name="mostUsesEach", null=True)
    is_active = BooleanAttribute(attr_name="isActive")
    version = IntegerAttribute()


class UsesRow(Row):
    """How many orders have a code: all together, or one customer's. The former knows which terms are the present ones, the
    latter ends some time after the last use; one of earlier days has no end before its next."""

    class Meta(CartMeta):
        pass

    uses = IntegerAttribute(null=True)
    expires_at = EpochAttribute(attr_name="expiresAt", null=True)
    terms_version = IntegerAttribute(attr_name="termsVersion", null=True)


class UseRow(Row):
    """An order that has a code, for staff to see; what counts is the counter."""

    class Meta(CartMeta):
        pass

    order_id = UnicodeAttribute(attr_name="orderId")
    placed_at = TimeAttribute(attr_name="placedAt")
    saved = DecimalAttribute()
    currency = UnicodeAttribute()
    is_returned = BooleanAttribute(attr_name="isReturned")


class CartAuditRow(AuditRow):
    """What staff did to a discount code."""

    class Meta(CartMeta):
        pass


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
        order_owner=Owner.of_key(row.order_owner) if row.order_owner else None,
        restored=tuple(row.restored or ()),
        code=row.discount_code or "",
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


def discount_pk(code: str) -> str:
    return f"DISCOUNT#{code}"


def discount_key(code: str) -> DiscountRow:
    """A row that carries nothing but its key, for updates by condition."""
    return DiscountRow(DISCOUNTS_PK, code)


def uses_key(code: str, customer: str = "") -> UsesRow:
    """The counter of a code's orders, or of one customer's among them."""
    return UsesRow(discount_pk(code), f"CUSTOMER#{customer}" if customer else USES_SK)


def use_sk(order_id: str = "") -> str:
    """The sort key of an order that has a code; without its number, what all of them begin with."""
    return f"ORDER#{order_id}"


def to_discount_row(discount: Discount, *, currency: str) -> DiscountRow:
    row = discount_key(discount.code)
    row.kind, row.percent, row.currency = discount.kind, discount.percent, currency
    row.amount = None if discount.amount is None else discount.amount.amount
    row.minimum = None if discount.minimum is None else discount.minimum.amount
    row.starts_at, row.ends_at = discount.starts_at, discount.ends_at
    row.most_uses, row.most_uses_each = discount.most_uses, discount.most_uses_each
    row.is_active, row.version = discount.is_active, discount.version
    return row


def to_discount(row: DiscountRow, *, uses: int = 0, uses_by_customer: int = 0) -> Discount:
    return Discount(
        code=row.sk,
        kind=DiscountKind(row.kind),
        percent=row.percent,
        amount=None if row.amount is None else Money.of(row.amount, row.currency),
        minimum=None if row.minimum is None else Money.of(row.minimum, row.currency),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        most_uses=row.most_uses,
        most_uses_each=row.most_uses_each,
        is_active=row.is_active,
        version=row.version,
        uses=uses,
        uses_by_customer=uses_by_customer,
    )
