"""The maps inside an order's row, and the functions map -> thing, thing -> map."""

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute

from cart.discount_domain import AppliedDiscount
from orders.domain import Address, HistoryEntry, OrderLine, OrderStatus, Parcel, Payment
from shop.lib.attributes import (
    DecimalAttribute,
    Document,
    DocumentListAttribute,
    IntegerAttribute,
    TextListAttribute,
    TimeAttribute,
)
from shop.lib.money import Money


class OrderItemMap(Document):
    product_id = UnicodeAttribute(attr_name="productId")
    product_name = UnicodeAttribute(attr_name="productName")
    quantity = IntegerAttribute()
    price = DecimalAttribute()
    currency = UnicodeAttribute()
    image_url = UnicodeAttribute(attr_name="imageUrl")
    # Beyond the spec's item; absent is none.
    refunded = IntegerAttribute(null=True)
    unsent = IntegerAttribute(null=True)
    shipped = IntegerAttribute(null=True)
    loose = IntegerAttribute(null=True)
    worth = DecimalAttribute(null=True)


class PaymentMap(Document):
    method = UnicodeAttribute()
    transaction_id = UnicodeAttribute(attr_name="transactionId", null=True)
    status = UnicodeAttribute()
    amount = DecimalAttribute()
    currency = UnicodeAttribute()
    # Beyond the spec's item: Stripe's Checkout Session and PaymentIntent.
    session_id = UnicodeAttribute(attr_name="sessionId", null=True)
    session_url = UnicodeAttribute(attr_name="sessionUrl", null=True)
    payment_intent_id = UnicodeAttribute(attr_name="paymentIntentId", null=True)
    refundable = DecimalAttribute(null=True)
    refunded = DecimalAttribute(null=True)
    failures = IntegerAttribute(null=True)
    card_brand = UnicodeAttribute(attr_name="cardBrand", null=True)
    card_last4 = UnicodeAttribute(attr_name="cardLast4", null=True)


class AddressMap(Document):
    name = UnicodeAttribute(null=True)
    street = UnicodeAttribute()
    street2 = UnicodeAttribute(null=True)
    city = UnicodeAttribute()
    state = UnicodeAttribute(null=True)
    zip_code = UnicodeAttribute(attr_name="zipCode")
    country = UnicodeAttribute()


class ShippingMap(Document):
    address = AddressMap()
    method = UnicodeAttribute()
    cost = DecimalAttribute()
    tracking_number = UnicodeAttribute(attr_name="trackingNumber", null=True)
    estimated_delivery = TimeAttribute(attr_name="estimatedDelivery", null=True)


class TotalsMap(Document):
    subtotal = DecimalAttribute()
    tax = DecimalAttribute()
    shipping = DecimalAttribute()
    total = DecimalAttribute()
    currency = UnicodeAttribute()
    # Beyond the spec's item; absent, tax is added and the delivery bears none.
    tax_included = BooleanAttribute(attr_name="taxIncluded", null=True)
    delivery_tax = DecimalAttribute(attr_name="deliveryTax", null=True)


class DiscountMap(Document):
    code = UnicodeAttribute()
    label = UnicodeAttribute()
    goods = DecimalAttribute()
    delivery = DecimalAttribute()
    currency = UnicodeAttribute()
    customers = TextListAttribute(null=True)
    returned = BooleanAttribute(null=True)


class HistoryMap(Document):
    status = UnicodeAttribute()
    at = TimeAttribute()
    actor = UnicodeAttribute()
    note = UnicodeAttribute(null=True)


class PieceMap(Document):
    product_id = UnicodeAttribute(attr_name="productId")
    quantity = IntegerAttribute()


class ParcelMap(Document):
    shipped_at = TimeAttribute(attr_name="shippedAt")
    carrier = UnicodeAttribute(null=True)
    tracking_number = UnicodeAttribute(attr_name="trackingNumber", null=True)
    actor = UnicodeAttribute(null=True)
    pieces = DocumentListAttribute(PieceMap)


def to_item_map(line: OrderLine) -> OrderItemMap:
    return OrderItemMap(
        product_id=line.product_id,
        product_name=line.name,
        quantity=line.quantity,
        price=line.unit_price.amount,
        currency=line.unit_price.currency,
        image_url=line.image,
        refunded=line.refunded or None,
        unsent=line.unsent if line.refunded else None,
        shipped=line.shipped or None,
        loose=line.loose or None,
        worth=None if line.worth is None else line.worth.amount,
    )


def to_payment_map(payment: Payment) -> PaymentMap:
    return PaymentMap(
        method=payment.method,
        status=payment.status,
        amount=payment.amount.amount,
        currency=payment.amount.currency,
        transaction_id=payment.transaction_id or None,
        session_id=payment.session_id or None,
        session_url=payment.session_url or None,
        payment_intent_id=payment.payment_intent_id or None,
        refundable=None if payment.refundable is None else payment.refundable.amount,
        refunded=None if payment.refunded is None else payment.refunded.amount,
        failures=payment.failures or None,
        card_brand=payment.card_brand or None,
        card_last4=payment.card_last4 or None,
    )


def to_address_map(address: Address) -> AddressMap:
    return AddressMap(
        name=address.name or None,
        street=address.street,
        street2=address.street2 or None,
        city=address.city,
        state=address.state or None,
        zip_code=address.zip_code,
        country=address.country,
    )


def to_discount_map(discount: AppliedDiscount, customers: tuple[str, ...] = ()) -> DiscountMap:
    return DiscountMap(
        code=discount.code,
        label=discount.label,
        goods=discount.goods.amount,
        delivery=discount.delivery.amount,
        currency=discount.goods.currency,
        customers=list(customers) or None,
    )


def to_discount(row: DiscountMap | None) -> AppliedDiscount | None:
    if row is None:
        return None
    return AppliedDiscount(row.code, row.label, Money.of(row.goods, row.currency), Money.of(row.delivery, row.currency))


def to_history_map(entry: HistoryEntry) -> HistoryMap:
    return HistoryMap(status=entry.status, at=entry.at, actor=entry.actor, note=entry.note or None)


def to_parcel_map(parcel: Parcel) -> ParcelMap:
    return ParcelMap(
        shipped_at=parcel.shipped_at,
        carrier=parcel.carrier or None,
        tracking_number=parcel.tracking_number or None,
        actor=parcel.actor or None,
        pieces=[PieceMap(product_id=product_id, quantity=quantity) for product_id, quantity in parcel.pieces],
    )


def to_line(item: OrderItemMap) -> OrderLine:
    refunded, shipped = item.refunded or 0, item.shipped or 0
    # An item that does not tell: as many as can have stayed.
    unsent = max(0, min(refunded, item.quantity - shipped)) if item.unsent is None else item.unsent
    return OrderLine(
        product_id=item.product_id,
        name=item.product_name,
        quantity=item.quantity,
        unit_price=Money.of(item.price, item.currency),
        image=item.image_url,
        refunded=refunded,
        unsent=unsent,
        shipped=shipped,
        loose=item.loose or 0,
        worth=None if item.worth is None else Money.of(item.worth, item.currency),
    )


def to_history(entry: HistoryMap) -> HistoryEntry:
    return HistoryEntry(OrderStatus(entry.status), entry.at, entry.actor, entry.note or "")


def to_parcel(parcel: ParcelMap) -> Parcel:
    return Parcel(
        shipped_at=parcel.shipped_at,
        carrier=parcel.carrier or "",
        tracking_number=parcel.tracking_number or "",
        pieces=tuple((piece.product_id, piece.quantity) for piece in parcel.pieces),
        actor=parcel.actor or "",
    )


def to_payment(row: PaymentMap) -> Payment:
    return Payment(
        amount=Money.of(row.amount, row.currency),
        status=row.status,
        method=row.method,
        session_id=row.session_id or "",
        session_url=row.session_url or "",
        transaction_id=row.transaction_id or "",
        payment_intent_id=row.payment_intent_id or "",
        refundable=None if row.refundable is None else Money.of(row.refundable, row.currency),
        refunded=None if row.refunded is None else Money.of(row.refunded, row.currency),
        failures=row.failures or 0,
        card_brand=row.card_brand or "",
        card_last4=row.card_last4 or "",
    )


def to_address(row: AddressMap) -> Address:
    return Address(
        name=row.name or "",
        street=row.street,
        street2=row.street2 or "",
        city=row.city,
        state=row.state or "",
        zip_code=row.zip_code,
        country=row.country,
    )
