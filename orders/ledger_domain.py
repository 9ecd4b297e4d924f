"""What the books of the shop know of an order: refunds, invoices, daily figures, and what does not add up. Pure rules."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import floor

from cart.discount_domain import AppliedDiscount
from orders.domain import Address, Order, OrderLine
from shop.lib.money import Money


class RefundState(StrEnum):
    """Where a refund stands."""

    ASKED = "asked"
    """Decided and written down; whether Stripe knows of it is not known."""
    SENT = "sent"
    """Stripe has it and the bank is at it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        return self in (RefundState.ASKED, RefundState.SENT)


class RefundReason(StrEnum):
    """Why money goes back."""

    REQUESTED = "requested"
    CANCELLED = "cancelled"
    LATE = "late"
    """The payment came when the pieces were gone."""
    ELSEWHERE = "elsewhere"
    """Made at Stripe's own pages, and seen there."""


@dataclass(frozen=True, slots=True)
class RefundedPieces:
    """Pieces of a line in a refund; `shelved` of them are in stock again on its account, `returned` were put there by it.

    `unsent` of them had not left when they were refunded, the others had left and came back.
    """

    product_id: str
    quantity: int
    shelved: int = 0
    returned: int = 0
    unsent: int = 0

    @property
    def sent(self) -> int:
        return self.quantity - self.unsent


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that goes back, or has. `key` is its number within the order, or Stripe's own id for one made there."""

    order_id: str
    key: str
    amount: Money
    state: RefundState
    reason: RefundReason
    actor: str
    asked_at: datetime
    payment_intent_id: str
    pieces: tuple[RefundedPieces, ...] = ()
    delivery: Money | None = None
    note: str = ""
    stripe_id: str = ""
    failure: str = ""
    settled_at: datetime | None = None
    credit_note: str = ""

    @property
    def idempotency_key(self) -> str:
        """Under which Stripe is asked, each time anew, for one and the same refund."""
        return f"order:{self.order_id}:refund:{self.key}:v1"


def worth_of(order: Order, quantities: Mapping[str, int]) -> Money:
    """What these pieces cost, with their share of tax and discounts: all but delivery is shared out by price.

    Shares are differences of rounded running sums, so the refunds of all pieces, in whatever steps, add up to what was paid.
    """
    before = {line.product_id: line.refunded for line in order.lines}
    after = {product_id: before[product_id] + quantities.get(product_id, 0) for product_id in before}
    return _share(order, after) - _share(order, before)


def amount_asked(order: Order, lines: Mapping[str, int], *, delivery: bool, extra: Money | None) -> Money:
    """What goes back for these pieces, for the delivery (unless it went back before) and beside them."""
    amount = worth_of(order, lines) + (extra or Money.zero(order.total.currency))
    return amount + order.delivery_worth if delivery and not order.delivery_refunded else amount


def extra_of(order: Order, refund: Refund) -> Money:
    """What a refund gave back beside pieces and delivery; `order` is as the refund left it."""
    quantities = {piece.product_id: piece.quantity for piece in refund.pieces}
    counted = {} if refund.state is RefundState.FAILED else quantities
    lines = tuple(replace(line, refunded=line.refunded - counted.get(line.product_id, 0)) for line in order.lines)
    rest = refund.amount - worth_of(replace(order, lines=lines), quantities)
    return rest - refund.delivery if refund.delivery else rest


def _share(order: Order, quantities: Mapping[str, int]) -> Money:
    goods = order.total - order.delivery_worth
    gross = sum(_weight(line) for line in order.lines)
    part = sum(Fraction(_weight(line) * quantities[line.product_id], line.quantity) for line in order.lines)
    # Half-up; pieces that were given away are worth nothing.
    return Money(floor(goods.minor * part / gross + Fraction(1, 2)) if gross else 0, goods.currency)


def _weight(line: OrderLine) -> int:
    """A line's weight in sharing out: its price, or what was paid for it where taxes differ between lines."""
    return (line.amount if line.worth is None else line.worth).minor


def taxes_within(order: Order, refunds: Iterable[Refund]) -> list[Money]:
    """The tax contained in each of an order's refunds, in their order: of delivery its own, of the rest as tax is to goods.

    Together they never exceed the order's tax, and are all of it once everything has gone back.
    """
    goods = (order.total - order.delivery_worth).minor
    of_delivery = order.delivery_tax.minor if order.delivery_tax else 0
    left, back, taxes = order.tax.minor, 0, []
    for refund in refunds:
        back += refund.amount.minor
        part = refund.amount.minor - (refund.delivery.minor if refund.delivery else 0)
        tax = (2 * (order.tax.minor - of_delivery) * part + goods) // (2 * goods) if goods else 0
        tax += of_delivery if refund.delivery else 0
        tax = left if back >= order.total.minor else min(left, tax)
        left -= tax
        taxes.append(Money(tax, order.tax.currency))
    return taxes


def with_refunded(
    line: OrderLine, quantity: int, *, restock: bool, sent: int | None = None
) -> tuple[OrderLine, RefundedPieces | None]:
    """The line with more pieces refunded, and what that does to the stock: loose pieces lie there already.

    `sent` of the pieces had left and came back; unless told, what has not left is refunded first.
    """
    if not quantity:
        return line, None
    loose = min(quantity, line.loose)
    shelved = quantity if restock else loose
    unsent = min(quantity, line.to_ship) if sent is None else quantity - sent
    pieces = RefundedPieces(line.product_id, quantity, shelved=shelved, returned=shelved - loose, unsent=unsent)
    changed = replace(line, refunded=line.refunded + quantity, unsent=line.unsent + unsent, loose=line.loose - loose)
    return changed, pieces


def without_refunded(line: OrderLine, pieces: RefundedPieces) -> OrderLine:
    """The line after a refund of it failed: to be refunded again; what it put into stock lies there loose."""
    refunded = line.refunded - pieces.quantity
    unsent = min(refunded, line.unsent - pieces.unsent)
    return replace(line, refunded=refunded, unsent=unsent, loose=line.loose + pieces.shelved)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    name: str
    quantity: int
    unit_price: Money

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice as it was issued; nothing that happens to order, customer or shop later changes it."""

    number: str
    order_id: str
    issued_at: datetime
    ordered_at: datetime
    paid_at: datetime
    seller: tuple[str, ...]
    buyer: Address
    email: str
    lines: tuple[InvoiceLine, ...]
    subtotal: Money
    tax: Money
    shipping: Money
    total: Money
    delivery_method: str
    payment_method: str
    discount: AppliedDiscount | None = None
    tax_included: bool = False


@dataclass(frozen=True, slots=True)
class CreditNote:
    """What takes back an invoice, whole or in part, when money went back."""

    number: str
    invoice_number: str
    issued_at: datetime
    refund: Refund
    tax: Money
    """The tax contained in the refund."""
    lines: tuple[InvoiceLine, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """A day's sums, in one currency."""

    day: date
    placed: int
    orders: int
    items: int
    revenue: Money
    refunds: int
    refunded: Money
    failed_payments: int
    carts: int = 0
    """Carts begun, whatever became of them."""

    @property
    def average(self) -> Money:
        """The average order, to the minor unit below."""
        return Money(self.revenue.minor // self.orders if self.orders else 0, self.revenue.currency)


MOST_RANKED = 50
"""Products kept of a day by pieces, and as many by money: about 5 KB."""


@dataclass(frozen=True, slots=True)
class Sold:
    """What was sold of a product: pieces of paid orders, and what they cost before discounts and taxes on top."""

    product_id: str
    name: str
    pieces: int
    revenue: Money


def best_of(sold: Iterable[Sold]) -> list[Sold]:
    """The best by pieces and the best by money, each product once."""
    found = list(sold)
    by_pieces = sorted(found, key=lambda one: (-one.pieces, one.product_id))[:MOST_RANKED]
    by_money = sorted(found, key=lambda one: (-one.revenue.minor, one.product_id))[:MOST_RANKED]
    return list(dict.fromkeys([*by_pieces, *by_money]))


def added_up(entries: Iterable[tuple[str, str, int, int]], currency: str) -> tuple[Sold, ...]:
    """Each product once, with the sums of its days and the name it had last.

    An entry is a product's id and name, its pieces on a day and their money in minor units: a quarter has thousands.
    """
    names: dict[str, str] = {}
    pieces: Counter[str] = Counter()
    money: Counter[str] = Counter()
    for product_id, name, count, minor in entries:
        names[product_id] = name
        pieces[product_id] += count
        money[product_id] += minor
    return tuple(Sold(one, name, pieces[one], Money(money[one], currency)) for one, name in names.items())


class FindingKind(StrEnum):
    """What does not add up between the shop, Stripe and the stock."""

    PAYMENT_WITHOUT_ORDER = "payment_without_order"
    SECOND_PAYMENT = "second_payment"
    UNSETTLED = "unsettled"
    """Paid at Stripe, and the order does not take it."""
    AMOUNT = "amount"
    ORDER_WITHOUT_PAYMENT = "order_without_payment"
    REFUNDS = "refunds"
    """Stripe has given back another sum than the order says."""
    STUCK_REFUND = "stuck_refund"
    FAILED_REFUND = "failed_refund"
    STUCK_ORDER = "stuck_order"
    """Unpaid long past its hold."""
    STOCK = "stock"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not add up; `subject` is the payment, order, refund or product it is about."""

    kind: FindingKind
    subject: str
    found_at: datetime
    detail: str
    order_id: str = ""
    payment_intent_id: str = ""
    amount: Money | None = None


STUCK_AFTER = timedelta(hours=1)
"""A refund that Stripe has not heard of, or an order whose hold is over, for so long is for a person to see."""
