"""Rows of the books in the Orders table: refunds, invoices, figures, findings. Their key text is built here and nowhere else."""

from datetime import date, datetime
from decimal import Decimal

from pynamodb.attributes import UnicodeAttribute

from orders.ledger_domain import (
    Figures,
    Finding,
    FindingKind,
    Invoice,
    InvoiceLine,
    Refund,
    RefundedPieces,
    RefundReason,
    RefundState,
)
from orders.maps import AddressMap, DiscountMap, TotalsMap, to_address, to_address_map, to_discount, to_discount_map
from orders.models import OrderMeta, StatusIndex, ref_pk
from shop.lib.attributes import (
    DecimalAttribute,
    Document,
    DocumentListAttribute,
    IntegerAttribute,
    TextListAttribute,
    TimeAttribute,
    time_text,
)
from shop.lib.audit import AuditRow
from shop.lib.money import Money
from shop.lib.tables import Item, Row, value_of

OPEN_REFUNDS_PARTITION = "REFUND#open"
FINDINGS_PK = "FINDINGS"
BOOKS_PK = "BOOKS"
"""What lies under no order."""
BOOKMARK_PK = "RECONCILIATION"
INVOICE_SK = "INVOICE"
INVOICES, CREDIT_NOTES = "INVOICE", "CREDIT_NOTE"
"""The two sequences of numbers without gaps."""
_PREFIXES = {INVOICES: "INV", CREDIT_NOTES: "CN"}


class RefundedPiecesMap(Document):
    product_id = UnicodeAttribute(attr_name="productId")
    quantity = IntegerAttribute()
    shelved = IntegerAttribute(null=True)
    returned = IntegerAttribute(null=True)
    unsent = IntegerAttribute(null=True)


class RefundRow(Row):
    """A refund, beside its order's reference. While open it is in GSI1 for the job, sorted there by when to look at it."""

    class Meta(OrderMeta):
        pass

    order_id = UnicodeAttribute(attr_name="orderId")
    key = UnicodeAttribute(attr_name="refundKey")
    amount = DecimalAttribute()
    currency = UnicodeAttribute()
    state = UnicodeAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    asked_at = TimeAttribute(attr_name="askedAt")
    payment_intent_id = UnicodeAttribute(attr_name="paymentIntentId")
    pieces = DocumentListAttribute(RefundedPiecesMap, null=True)
    delivery = DecimalAttribute(null=True)
    note = UnicodeAttribute(null=True)
    stripe_id = UnicodeAttribute(attr_name="stripeId", null=True)
    failure = UnicodeAttribute(null=True)
    settled_at = TimeAttribute(attr_name="settledAt", null=True)
    credit_note = UnicodeAttribute(attr_name="creditNote", null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)

    by_work = StatusIndex()


class InvoiceLineMap(Document):
    name = UnicodeAttribute()
    quantity = IntegerAttribute()
    price = DecimalAttribute()


class InvoiceRow(Row):
    """An order's invoice, written once."""

    class Meta(OrderMeta):
        pass

    number = UnicodeAttribute()
    order_id = UnicodeAttribute(attr_name="orderId")
    issued_at = TimeAttribute(attr_name="issuedAt")
    ordered_at = TimeAttribute(attr_name="orderedAt")
    paid_at = TimeAttribute(attr_name="paidAt")
    seller = TextListAttribute()
    buyer = AddressMap()
    email = UnicodeAttribute(null=True)
    lines = DocumentListAttribute(InvoiceLineMap)
    totals = TotalsMap()
    delivery_method = UnicodeAttribute(attr_name="deliveryMethod")
    payment_method = UnicodeAttribute(attr_name="paymentMethod")
    discount = DiscountMap(null=True)


class SequenceRow(Row):
    """The last number given of a sequence; moved only in the transaction that writes the document which bears it."""

    class Meta(OrderMeta):
        pass

    last = IntegerAttribute()


class FiguresRow(Row):
    """A day's sums. They grow in the transaction that claims the effect which they count."""

    class Meta(OrderMeta):
        pass

    placed = IntegerAttribute(null=True)
    orders = IntegerAttribute(null=True)
    items = IntegerAttribute(null=True)
    revenue = DecimalAttribute(null=True)
    refunds = IntegerAttribute(null=True)
    refunded = DecimalAttribute(null=True)
    failed_payments = IntegerAttribute(attr_name="failedPayments", null=True)
    carts = IntegerAttribute(null=True)


class FindingRow(Row):
    """Something that does not add up, until it does."""

    class Meta(OrderMeta):
        pass

    kind = UnicodeAttribute()
    subject = UnicodeAttribute()
    found_at = TimeAttribute(attr_name="foundAt")
    detail = UnicodeAttribute()
    order_id = UnicodeAttribute(attr_name="orderId", null=True)
    payment_intent_id = UnicodeAttribute(attr_name="paymentIntentId", null=True)
    amount = DecimalAttribute(null=True)
    currency = UnicodeAttribute(null=True)


class OrderAuditRow(AuditRow):
    """What staff did to an order or to the books."""

    class Meta(OrderMeta):
        pass


class BookmarkRow(Row):
    """Up to when everything was compared, and the page of the stock that comes next."""

    class Meta(OrderMeta):
        pass

    until = TimeAttribute(null=True)
    cursor = UnicodeAttribute(null=True)


def refund_sk(key: str = "") -> str:
    """The key of a refund; without a number what all of them begin with."""
    return f"REFUND#{key}"


def refund_key(order_id: str, key: str) -> RefundRow:
    """A row that carries nothing but its key, for updates by condition."""
    return RefundRow(ref_pk(order_id), refund_sk(key))


def figures_pk(day: date) -> str:
    return f"STATS#{day:%Y-%m}"


def figures_sk(day: date, currency: str) -> str:
    return f"DAY#{day:%Y-%m-%d}#{currency}"


def sequence_key(sequence: str) -> SequenceRow:
    return SequenceRow("SEQUENCE", sequence)


def number_text(sequence: str, number: int) -> str:
    """A document's number as people read it, such as INV-000042."""
    return f"{_PREFIXES[sequence]}-{number:06d}"


def finding_key(kind: FindingKind, subject: str) -> FindingRow:
    return FindingRow(FINDINGS_PK, f"{kind}#{subject}")


def to_refund_row(refund: Refund) -> RefundRow:
    """The row of a refund; in the job's index while it is open, to be looked at from when it was asked for."""
    row = refund_key(refund.order_id, refund.key)
    row.order_id, row.key = refund.order_id, refund.key
    row.amount, row.currency = refund.amount.amount, refund.amount.currency
    row.state, row.reason, row.actor = refund.state, refund.reason, refund.actor
    row.asked_at = refund.asked_at
    row.payment_intent_id = refund.payment_intent_id
    row.pieces = [
        RefundedPiecesMap(
            product_id=piece.product_id,
            quantity=piece.quantity,
            shelved=piece.shelved or None,
            returned=piece.returned or None,
            unsent=piece.unsent or None,
        )
        for piece in refund.pieces
    ] or None
    row.delivery = None if refund.delivery is None else refund.delivery.amount
    row.note = refund.note or None
    row.stripe_id = refund.stripe_id or None
    row.failure = refund.failure or None
    row.settled_at = refund.settled_at
    if refund.state.is_open:
        row.gsi1_pk = OPEN_REFUNDS_PARTITION
        row.gsi1_sk = look_at(refund.asked_at, refund)
    return row


def look_at(moment: datetime, refund: Refund) -> str:
    """The sort key under which the job finds an open refund from that moment on."""
    return f"{time_text(moment)}#{refund.order_id}#{refund.key}"


def to_refund(row: RefundRow) -> Refund:
    return Refund(
        order_id=row.order_id,
        key=row.key,
        amount=Money.of(row.amount, row.currency),
        state=RefundState(row.state),
        reason=RefundReason(row.reason),
        actor=row.actor,
        asked_at=row.asked_at,
        payment_intent_id=row.payment_intent_id,
        pieces=tuple(
            RefundedPieces(piece.product_id, piece.quantity, piece.shelved or 0, piece.returned or 0, piece.unsent or 0)
            for piece in row.pieces or ()
        ),
        delivery=None if row.delivery is None else Money.of(row.delivery, row.currency),
        note=row.note or "",
        stripe_id=row.stripe_id or "",
        failure=row.failure or "",
        settled_at=row.settled_at,
        credit_note=row.credit_note or "",
    )


def to_invoice_row(invoice: Invoice) -> InvoiceRow:
    return InvoiceRow(
        ref_pk(invoice.order_id),
        INVOICE_SK,
        number=invoice.number,
        order_id=invoice.order_id,
        issued_at=invoice.issued_at,
        ordered_at=invoice.ordered_at,
        paid_at=invoice.paid_at,
        seller=list(invoice.seller),
        buyer=to_address_map(invoice.buyer),
        email=invoice.email or None,
        lines=[InvoiceLineMap(name=line.name, quantity=line.quantity, price=line.unit_price.amount) for line in invoice.lines],
        totals=TotalsMap(
            subtotal=invoice.subtotal.amount,
            tax=invoice.tax.amount,
            shipping=invoice.shipping.amount,
            total=invoice.total.amount,
            currency=invoice.total.currency,
            tax_included=invoice.tax_included or None,
        ),
        delivery_method=invoice.delivery_method,
        payment_method=invoice.payment_method,
        discount=to_discount_map(invoice.discount) if invoice.discount else None,
    )


def to_invoice(row: InvoiceRow) -> Invoice:
    currency = row.totals.currency
    return Invoice(
        number=row.number,
        order_id=row.order_id,
        issued_at=row.issued_at,
        ordered_at=row.ordered_at,
        paid_at=row.paid_at,
        seller=tuple(row.seller),
        buyer=to_address(row.buyer),
        email=row.email or "",
        lines=tuple(InvoiceLine(line.name, line.quantity, Money.of(line.price, currency)) for line in row.lines),
        subtotal=Money.of(row.totals.subtotal, currency),
        tax=Money.of(row.totals.tax, currency),
        shipping=Money.of(row.totals.shipping, currency),
        total=Money.of(row.totals.total, currency),
        delivery_method=row.delivery_method,
        payment_method=row.payment_method,
        discount=to_discount(row.discount),
        tax_included=bool(row.totals.tax_included),
    )


def to_figures(item: Item) -> Figures:
    """A day's sums, from an item: a period has up to two hundred."""
    _, day, currency = value_of(item, FiguresRow.sk).split("#")
    return Figures(
        day=date.fromisoformat(day),
        placed=value_of(item, FiguresRow.placed, 0),
        orders=value_of(item, FiguresRow.orders, 0),
        items=value_of(item, FiguresRow.items, 0),
        revenue=Money.of(value_of(item, FiguresRow.revenue, Decimal(0)), currency),
        refunds=value_of(item, FiguresRow.refunds, 0),
        refunded=Money.of(value_of(item, FiguresRow.refunded, Decimal(0)), currency),
        failed_payments=value_of(item, FiguresRow.failed_payments, 0),
        carts=value_of(item, FiguresRow.carts, 0),
    )


def to_finding_row(finding: Finding) -> FindingRow:
    row = finding_key(finding.kind, finding.subject)
    row.kind, row.subject, row.found_at, row.detail = finding.kind, finding.subject, finding.found_at, finding.detail
    row.order_id = finding.order_id or None
    row.payment_intent_id = finding.payment_intent_id or None
    if finding.amount is not None:
        row.amount, row.currency = finding.amount.amount, finding.amount.currency
    return row


def to_finding(row: FindingRow) -> Finding:
    return Finding(
        kind=FindingKind(row.kind),
        subject=row.subject,
        found_at=row.found_at,
        detail=row.detail,
        order_id=row.order_id or "",
        payment_intent_id=row.payment_intent_id or "",
        amount=None if row.amount is None else Money.of(row.amount, row.currency or ""),
    )
