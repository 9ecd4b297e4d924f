"""What an order is and which way it may go: pure rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cart.discount_domain import AppliedDiscount
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.places import COUNTRIES


class OrderStatus(StrEnum):
    """Where an order stands."""

    PENDING = "pending"
    PROCESSING = "processing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REFUND_PENDING = "refund_pending"
    REFUNDED = "refunded"
    REVIEW = "review"


TRANSITIONS: dict[OrderStatus, frozenset[OrderStatus]] = {
    OrderStatus.PENDING: frozenset({OrderStatus.PROCESSING, OrderStatus.EXPIRED, OrderStatus.CANCELLED, OrderStatus.REVIEW}),
    OrderStatus.PROCESSING: frozenset(
        {OrderStatus.SHIPPED, OrderStatus.CANCELLED, OrderStatus.REFUND_PENDING, OrderStatus.REVIEW}
    ),
    OrderStatus.SHIPPED: frozenset({OrderStatus.DELIVERED, OrderStatus.REFUND_PENDING}),
    OrderStatus.DELIVERED: frozenset({OrderStatus.REFUND_PENDING}),
    # Money that arrives although the hold had ended: its pieces are taken again if all are there, else it goes back at once.
    OrderStatus.EXPIRED: frozenset({OrderStatus.PROCESSING, OrderStatus.REFUND_PENDING, OrderStatus.REVIEW}),
    OrderStatus.CANCELLED: frozenset({OrderStatus.PROCESSING, OrderStatus.REFUND_PENDING, OrderStatus.REVIEW}),
    # A refund that Stripe refuses, or that comes back from the bank, is looked at by a person.
    OrderStatus.REFUND_PENDING: frozenset({OrderStatus.REFUNDED, OrderStatus.REVIEW}),
    OrderStatus.REFUNDED: frozenset({OrderStatus.REVIEW}),
    OrderStatus.REVIEW: frozenset({OrderStatus.PROCESSING, OrderStatus.REFUND_PENDING, OrderStatus.CANCELLED}),
}

PAID = frozenset(
    {
        OrderStatus.PROCESSING,
        OrderStatus.SHIPPED,
        OrderStatus.DELIVERED,
        OrderStatus.REFUND_PENDING,
        OrderStatus.REFUNDED,
    }
)

REFUNDABLE = frozenset({OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED, OrderStatus.REVIEW})
"""Where what was paid, or a part of it, can be given back."""
REVIEWABLE = frozenset({OrderStatus.PROCESSING, OrderStatus.SHIPPED, OrderStatus.DELIVERED})
"""Who bought may say what they think: paid, and not given back."""

KEPT = timedelta(minutes=30)
"""How long shoppers are told that their pieces are kept for them."""
HOLD = KEPT + timedelta(minutes=1)
"""How long stock is held for an unpaid order; the job then ends it, at Stripe first. A minute longer than told: who pays just in
time must not lose a race against the job."""
HOLD_EXTENSION = timedelta(minutes=15)
"""How much longer the shopper may have, once; the payment page lives beyond it (SESSION_LIFETIME)."""
MOST_FAILED_PAYMENTS = 10
"""Refused cards after which an order is given up: nobody has so many cards but who tries stolen ones."""
MOST_PARCELS = 20
"""Parcels of one order: they are kept on it, and an item of the table is bounded."""
SESSION_LIFETIME = timedelta(minutes=80)
"""When Stripe ends the payment page by itself, counted from the order: a net under the job. It refuses less than 30 minutes from
the request, so a payment page can be opened, and asked for again after trouble, in the last minute of a hold made longer.
https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at"""
_CARD_NAMES = {"amex": "American Express", "mastercard": "Mastercard", "unionpay": "UnionPay", "jcb": "JCB"}
_MISREAD = str.maketrans("ilo", "110")


class IllegalTransition(Exception):
    """An order was asked to move where TRANSITIONS does not lead."""

    def __init__(self, old: OrderStatus, new: OrderStatus) -> None:
        super().__init__(f"{old} -> {new}")
        self.old, self.new = old, new


def require_transition(old: OrderStatus, new: OrderStatus) -> None:
    """Raise IllegalTransition unless an order may go from `old` to `new`."""
    if new not in TRANSITIONS[old]:
        raise IllegalTransition(old, new)


def order_id_for(cart_id: str) -> str:
    """The number of the order a cart becomes: one cart, one order, however often it is asked."""
    return f"ord-{cart_id.removeprefix('cart-')}"


def order_id_as_typed(text: str) -> str:
    """The number of an order as somebody typed it: in capitals, with blanks or without its beginning. Empty when it is none.

    Letters that numbers do not have are read as the digits they look like.
    """
    typed = "".join(text.split()).lower().removeprefix("#").removeprefix("ord-").translate(_MISREAD)
    return f"ord-{typed}" if typed.isascii() and typed.isalnum() else ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a parcel goes."""

    name: str
    street: str
    city: str
    state: str
    zip_code: str
    country: str
    street2: str = ""

    @property
    def country_name(self) -> str:
        """The country as shoppers read it; an unknown code, from an item written elsewhere, as it stands."""
        return COUNTRIES.get(self.country, self.country)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line frozen when the order was placed."""

    product_id: str
    name: str
    quantity: int
    unit_price: Money
    image: str
    refunded: int = 0
    """Pieces that were refunded, or are about to be."""
    unsent: int = 0
    """Of the refunded pieces those that had not left: they stay."""
    shipped: int = 0
    worth: Money | None = None
    """What was paid for the line with its part of discount and tax; only where lines bear tax of different rates."""
    loose: int = 0
    """Pieces back in stock without a refund that stands for them: of an order released, or whose refund failed."""

    @property
    def amount(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def refundable(self) -> int:
        """Pieces not refunded yet."""
        return self.quantity - self.refunded

    @property
    def to_ship(self) -> int:
        """Pieces that are still to leave: what was refunded before it left stays."""
        return max(0, self.quantity - self.unsent - self.shipped)

    @property
    def away(self) -> int:
        """Pieces that have left and are not refunded: what of them comes back can be."""
        return max(0, self.shipped - (self.refunded - self.unsent))


@dataclass(frozen=True, slots=True)
class CheckoutDetails:
    """What a shopper has told the checkout so far; every step keeps what the others know."""

    email: str = ""
    phone: str = ""
    address: Address | None = None
    delivery: str = ""


@dataclass(frozen=True, slots=True)
class Checkout:
    """All a shopper has told the checkout: `details` are right; `typed` is what stands in a step's form with a mistake in it.

    `typed` has a step's name and its fields' texts, exactly as they were typed.
    """

    details: CheckoutDetails
    typed: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Payment:
    """How an order is paid. `session_id` is Stripe's Checkout Session, `transaction_id` the charge once there is one."""

    amount: Money
    status: str = "pending"
    method: str = "card"
    session_id: str = ""
    session_url: str = ""
    transaction_id: str = ""
    payment_intent_id: str = ""
    refundable: Money | None = None
    """What was paid less every refund asked for; None while nothing was paid, and on an item written elsewhere."""
    refunded: Money | None = None
    """What has gone back for certain; None while nothing has."""
    failures: int = 0
    """Cards that were refused."""
    card_brand: str = ""
    """What was paid with, as Stripe names it (`visa`), and the card's last four digits; empty on an item written elsewhere."""
    card_last4: str = ""

    @property
    def left(self) -> Money:
        """The most that can still be refunded."""
        return self.amount if self.refundable is None else self.refundable

    @property
    def card(self) -> str:
        """The card in words, such as "Visa ending in 4242"; empty when it is not known."""
        if not self.card_last4:
            return ""
        name = _CARD_NAMES.get(self.card_brand) or self.card_brand.replace("_", " ").title() or "Card"
        return f"{name} ending in {self.card_last4}"

    @property
    def given_back(self) -> Money:
        return Money.zero(self.amount.currency) if self.refunded is None else self.refunded


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    status: OrderStatus
    at: datetime
    actor: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What left the house in one box: pieces by product, who carries it and how to follow it."""

    shipped_at: datetime
    carrier: str
    tracking_number: str
    pieces: tuple[tuple[str, int], ...]
    actor: str = ""
    """Who sent it off, where that was kept."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order whole."""

    order_id: str
    owner: Owner
    status: OrderStatus
    email: str
    phone: str
    lines: tuple[OrderLine, ...]
    address: Address
    delivery_method: str
    subtotal: Money
    tax: Money
    shipping: Money
    total: Money
    payment: Payment
    created_at: datetime
    updated_at: datetime
    due_at: datetime | None
    estimated_delivery: datetime | None = None
    tracking_number: str = ""
    history: tuple[HistoryEntry, ...] = ()
    parcels: tuple[Parcel, ...] = ()
    refund_count: int = 0
    """How many refunds were asked for: the next one's number is one more."""
    delivery_refunded: bool = False
    hold_extended: bool = False
    invoice_number: str = ""
    discount: AppliedDiscount | None = None
    discount_customers: tuple[str, ...] = ()
    """The names under which the use of the code was counted beside the code's own count."""
    discount_returned: bool = False
    """Whether the use was given back: the order was given up unpaid."""
    tax_included: bool = False
    """Whether `tax` is contained in the prices, instead of added to them."""
    delivery_tax: Money | None = None
    """The part of `tax` that is the delivery's."""

    @property
    def delivery_worth(self) -> Money:
        """What was paid for the delivery, with the tax on it."""
        return self.shipping if self.tax_included or self.delivery_tax is None else self.shipping + self.delivery_tax

    @property
    def is_paid(self) -> bool:
        return self.status in PAID

    @property
    def paid_at(self) -> datetime | None:
        """When the order became a paid one; None for one that never was, though money may have come and gone."""
        return next((entry.at for entry in self.history if entry.status is OrderStatus.PROCESSING), None)

    @property
    def can_be_reviewed(self) -> bool:
        """Whether its buyer may review what is in it."""
        return self.status in REVIEWABLE

    def line_of(self, product_id: str) -> OrderLine | None:
        """The line of a product; None when the product is not in the order."""
        return next((line for line in self.lines if line.product_id == product_id), None)

    @property
    def goes_back(self) -> bool:
        """Whether its money is on its way back, or is back: nobody is thanked for it."""
        return self.status in (OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED)

    @property
    def was_never_paid(self) -> bool:
        """Whether the order ended without money: its lines may go back into a cart."""
        return self.status in (OrderStatus.EXPIRED, OrderStatus.CANCELLED) and self.payment.status == "pending"

    @property
    def can_be_cancelled(self) -> bool:
        """Whether the shopper may still give it up: unpaid, or paid and nothing of it has left."""
        return self.status is OrderStatus.PENDING or (self.status is OrderStatus.PROCESSING and not self.parcels)

    @property
    def gets_invoice(self) -> bool:
        """Whether it was ever a paid order: money that came and went back at once is none."""
        return self.paid_at is not None

    @property
    def was_charged(self) -> bool:
        """Whether money was taken for it, whatever became of it since."""
        return self.payment.status not in ("pending", "void")

    @property
    def can_be_refunded(self) -> bool:
        """Whether staff may give money back where it stands."""
        return self.status in REFUNDABLE

    @property
    def has_left(self) -> bool:
        """Whether anything of it has left the house."""
        return any(line.shipped for line in self.lines)

    @property
    def is_settled_up(self) -> bool:
        """Whether all that was paid has gone back."""
        return not self.payment.left and self.payment.given_back == self.payment.amount

    @property
    def is_awaiting_payment(self) -> bool:
        return self.status is OrderStatus.PENDING

    @property
    def kept_until(self) -> datetime:
        """Until when the pieces of an unpaid order are kept, as shoppers are told."""
        return self.created_at + KEPT + (HOLD_EXTENSION if self.hold_extended else timedelta())

    @property
    def count(self) -> int:
        return sum(line.quantity for line in self.lines)
