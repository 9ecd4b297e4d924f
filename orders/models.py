"""Rows of the Orders table; here, and in the `*_models` beside it, is the only place where their key text is built."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from orders.domain import CheckoutDetails, Order, OrderStatus
from orders.maps import (
    AddressMap,
    DiscountMap,
    HistoryMap,
    OrderItemMap,
    ParcelMap,
    PaymentMap,
    ShippingMap,
    TotalsMap,
    to_address,
    to_address_map,
    to_discount,
    to_discount_map,
    to_history,
    to_history_map,
    to_item_map,
    to_line,
    to_parcel,
    to_payment,
    to_payment_map,
)
from shop.lib.attributes import (
    DocumentListAttribute,
    EpochAttribute,
    IntegerAttribute,
    TextMapAttribute,
    TimeAttribute,
    time_text,
)
from shop.lib.money import Money
from shop.lib.once import ClaimRow
from shop.lib.owner import Owner
from shop.lib.partitions import all_partitions, own_partition
from shop.lib.tables import BaseMeta, Row, table_name

REF_SK = "REF"
CHECKOUT_SK = "CHECKOUT"
LOOKUP_SK = "LOOKUP"
EVENT_SK = "STRIPE"
_ALL_ORDERS = "ORDER"
# What staff lists and the expiry job show and need.
_LISTED_ATTRIBUTES = ["orderId", "userId", "status", "email", "totals", "createdAt", "updatedAt", "dueAt"]


class OrderMeta(BaseMeta):
    table_name = table_name("Orders")


class StatusIndex(GlobalSecondaryIndex["OrderRow"]):
    """Orders of a status by the time they were placed."""

    class Meta:
        index_name = "GSI1"
        projection = IncludeProjection(_LISTED_ATTRIBUTES)

    gsi1_pk = UnicodeAttribute(hash_key=True, attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(range_key=True, attr_name="GSI1SK")


class DateIndex(GlobalSecondaryIndex["OrderRow"]):
    """All orders by the time they were placed."""

    class Meta:
        index_name = "GSI2"
        projection = IncludeProjection(_LISTED_ATTRIBUTES)

    gsi2_pk = UnicodeAttribute(hash_key=True, attr_name="GSI2PK")
    gsi2_sk = UnicodeAttribute(range_key=True, attr_name="GSI2SK")


class OrderRow(Row):
    """An order. Written once when placed; afterwards only by `update` with the old status as its condition."""

    class Meta(OrderMeta):
        # Events, effects and checkout details of this table end by it; an order carries none and stays.
        ttl_attribute = "expiresAt"

    order_id = UnicodeAttribute(attr_name="orderId")
    user_id = UnicodeAttribute(attr_name="userId")
    status = UnicodeAttribute()
    items = DocumentListAttribute(OrderItemMap)
    payment = PaymentMap()
    shipping = ShippingMap()
    totals = TotalsMap()
    created_at = TimeAttribute(attr_name="createdAt")
    updated_at = TimeAttribute(attr_name="updatedAt")
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)
    gsi2_pk = UnicodeAttribute(attr_name="GSI2PK", null=True)
    gsi2_sk = UnicodeAttribute(attr_name="GSI2SK", null=True)
    # Beyond the spec's item.
    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    due_at = TimeAttribute(attr_name="dueAt", null=True)
    history = DocumentListAttribute(HistoryMap, null=True)
    parcels = DocumentListAttribute(ParcelMap, null=True)
    refund_count = IntegerAttribute(attr_name="refundCount", null=True)
    delivery_refunded = BooleanAttribute(attr_name="deliveryRefunded", null=True)
    hold_extended = BooleanAttribute(attr_name="holdExtended", null=True)
    invoice_number = UnicodeAttribute(attr_name="invoiceNumber", null=True)
    discount = DiscountMap(null=True)
    # When a guest's order became an account's: its row is written anew under another key, and nothing follows from that.
    claimed_at = TimeAttribute(attr_name="claimedAt", null=True)

    by_status = StatusIndex()
    by_date = DateIndex()


# Paths within the row, for conditions and updates; to mypy they are what an instance holds there.
PAYMENT: Any = OrderRow.payment
SESSION_ID: Any = OrderRow.payment.session_id
REFUNDABLE: Any = OrderRow.payment.refundable
REFUNDED: Any = OrderRow.payment.refunded
USE_RETURNED: Any = OrderRow.discount.returned
TRACKING_NUMBER: Any = OrderRow.shipping.tracking_number


class RefRow(Row):
    """Finds an order by its number alone: names the owner under whom it is kept."""

    class Meta(OrderMeta):
        pass

    owner = UnicodeAttribute()


class CheckoutRow(Row):
    """What an owner has told the checkout so far. Gone with the cart's lifetime."""

    class Meta(OrderMeta):
        pass

    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    address = AddressMap(null=True)
    delivery = UnicodeAttribute(null=True)
    # What was typed into a step with a mistake in it, until it is put right or its time is over.
    typed_contact = TextMapAttribute(attr_name="typedContact", null=True)
    typed_address = TextMapAttribute(attr_name="typedAddress", null=True)
    typed_delivery = TextMapAttribute(attr_name="typedDelivery", null=True)
    typed_until = EpochAttribute(attr_name="typedUntil", null=True)
    expires_at = EpochAttribute(attr_name="expiresAt")


TYPED: dict[str, TextMapAttribute] = {
    "contact": CheckoutRow.typed_contact,
    "address": CheckoutRow.typed_address,
    "delivery": CheckoutRow.typed_delivery,
}
"""Where a step's typed fields are kept."""


class EffectRow(ClaimRow):
    """An effect of an order, such as its confirmation mail, done once."""

    class Meta(OrderMeta):
        pass


class LookupRow(Row):
    """Somebody asked for the link to an order. Whether number and address fit is found out in the stream, out of their sight."""

    class Meta(OrderMeta):
        pass

    order_id = UnicodeAttribute(attr_name="orderId")
    email = UnicodeAttribute()
    expires_at = EpochAttribute(attr_name="expiresAt")


class EventRow(Row):
    """A Stripe event we acted on: a trail for people, not the guard against doing it twice (that is the order's status)."""

    class Meta(OrderMeta):
        pass

    kind = UnicodeAttribute()
    order_id = UnicodeAttribute(attr_name="orderId")
    received_at = TimeAttribute(attr_name="receivedAt")
    expires_at = EpochAttribute(attr_name="expiresAt")


def order_sk(order_id: str) -> str:
    return f"ORDER#{order_id}"


def ref_pk(order_id: str) -> str:
    return f"ORDER#{order_id}"


def lookup_pk(lookup_id: str) -> str:
    return f"LOOKUP#{lookup_id}"


def event_pk(event_id: str) -> str:
    return f"EVENT#{event_id}"


def status_partition(status: OrderStatus, order_id: str) -> str:
    return own_partition(f"STATUS#{status}", order_id)


def status_partitions(status: OrderStatus) -> tuple[str, ...]:
    """All partitions that orders of a status lie in."""
    return all_partitions(f"STATUS#{status}")


def date_partition(order_id: str) -> str:
    return own_partition(_ALL_ORDERS, order_id)


def date_partitions() -> tuple[str, ...]:
    """All partitions that orders lie in by their date."""
    return all_partitions(_ALL_ORDERS)


def time_bound(at: datetime) -> str:
    """A sort key after every order placed at `at` or before."""
    return f"{time_text(at)}#~"


def order_key(owner: Owner, order_id: str) -> OrderRow:
    """A row that carries nothing but its key, for updates by condition."""
    return OrderRow(owner.key, order_sk(order_id))


def to_row(order: Order) -> OrderRow:
    """The row of a newly placed order."""
    placed = f"{time_text(order.created_at)}#{order.order_id}"
    return OrderRow(
        order.owner.key,
        order_sk(order.order_id),
        order_id=order.order_id,
        user_id=order.owner.id,
        status=order.status,
        items=[to_item_map(line) for line in order.lines],
        payment=to_payment_map(order.payment),
        shipping=ShippingMap(
            address=to_address_map(order.address),
            method=order.delivery_method,
            cost=order.shipping.amount,
            tracking_number=order.tracking_number or None,
            estimated_delivery=order.estimated_delivery,
        ),
        totals=TotalsMap(
            subtotal=order.subtotal.amount,
            tax=order.tax.amount,
            shipping=order.shipping.amount,
            total=order.total.amount,
            currency=order.total.currency,
            tax_included=order.tax_included or None,
            delivery_tax=order.delivery_tax.amount if order.delivery_tax else None,
        ),
        email=order.email,
        phone=order.phone or None,
        created_at=order.created_at,
        updated_at=order.updated_at,
        due_at=order.due_at,
        history=[to_history_map(entry) for entry in order.history],
        discount=to_discount_map(order.discount, order.discount_customers) if order.discount else None,
        gsi1_pk=status_partition(order.status, order.order_id),
        gsi1_sk=placed,
        gsi2_pk=date_partition(order.order_id),
        gsi2_sk=placed,
    )


def to_order(row: OrderRow) -> Order:
    currency = row.totals.currency
    return Order(
        order_id=row.order_id,
        owner=Owner.of_key(row.pk),
        status=OrderStatus(row.status),
        email=row.email or "",
        phone=row.phone or "",
        lines=tuple(map(to_line, row.items)),
        address=to_address(row.shipping.address),
        delivery_method=row.shipping.method,
        subtotal=Money.of(row.totals.subtotal, currency),
        tax=Money.of(row.totals.tax, currency),
        shipping=Money.of(row.totals.shipping, currency),
        total=Money.of(row.totals.total, currency),
        payment=to_payment(row.payment),
        created_at=row.created_at,
        updated_at=row.updated_at,
        due_at=row.due_at,
        estimated_delivery=row.shipping.estimated_delivery,
        tracking_number=row.shipping.tracking_number or "",
        history=tuple(map(to_history, row.history or ())),
        parcels=tuple(map(to_parcel, row.parcels or ())),
        refund_count=row.refund_count or 0,
        delivery_refunded=bool(row.delivery_refunded),
        hold_extended=bool(row.hold_extended),
        invoice_number=row.invoice_number or "",
        discount=to_discount(row.discount),
        discount_customers=tuple((row.discount.customers or ()) if row.discount else ()),
        discount_returned=bool(row.discount and row.discount.returned),
        tax_included=bool(row.totals.tax_included),
        delivery_tax=None if row.totals.delivery_tax is None else Money.of(row.totals.delivery_tax, currency),
    )


def to_checkout_row(owner: Owner, details: CheckoutDetails, *, expires_at: datetime) -> CheckoutRow:
    return CheckoutRow(
        owner.key,
        CHECKOUT_SK,
        email=details.email or None,
        phone=details.phone or None,
        address=to_address_map(details.address) if details.address else None,
        delivery=details.delivery or None,
        expires_at=expires_at,
    )


def to_details(row: CheckoutRow) -> CheckoutDetails:
    return CheckoutDetails(
        email=row.email or "",
        phone=row.phone or "",
        address=to_address(row.address) if row.address else None,
        delivery=row.delivery or "",
    )


def to_typed(row: CheckoutRow) -> dict[str, Mapping[str, str]]:
    """The steps with a mistake in them, and what was typed there."""
    kept = {"contact": row.typed_contact, "address": row.typed_address, "delivery": row.typed_delivery}
    return {step: fields for step, fields in kept.items() if fields}


def checkout_key(owner: Owner) -> CheckoutRow:
    """A row that carries nothing but its key, for updates."""
    return CheckoutRow(owner.key, CHECKOUT_SK)
