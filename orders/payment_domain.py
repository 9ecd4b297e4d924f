"""What Stripe's objects mean to an order: sessions, payments, refunds and events, as far as it cares."""

from dataclasses import dataclass
from enum import StrEnum

from shop.lib.money import Money


class SessionState(StrEnum):
    """Where a Checkout Session stands, as far as an order cares."""

    OPEN = "open"
    PAID = "paid"
    PROCESSING = "processing"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session and, once paid, its money."""

    session_id: str
    url: str
    state: SessionState
    order_id: str
    amount: Money
    payment_intent_id: str = ""
    charge_id: str = ""
    card_brand: str = ""
    card_last4: str = ""


class Progress(StrEnum):
    """Where a refund stands at Stripe, as far as an order cares."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class MadeRefund:
    """A refund as Stripe has it. `key` is our number for it, empty for one made at Stripe's own pages."""

    stripe_id: str
    key: str
    amount: Money
    progress: Progress
    payment_intent_id: str
    order_id: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class MadePayment:
    """A PaymentIntent of this shop as Stripe has it; `amount` is what was received, nothing unless it succeeded."""

    payment_intent_id: str
    order_id: str
    amount: Money
    refunded: Money
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Event:
    """A verified webhook: a hint that a session, a payment or a refund changed."""

    event_id: str
    kind: str
    session_id: str
    order_id: str
    is_ours: bool
    payment_intent_id: str = ""
    is_unmarked: bool = False
    """Whether it names no shop at all, as what is made at Stripe's own pages does: whose it is, its payment knows."""
    failure: str = ""
    """Why a payment failed, in Stripe's short word for it."""

    @property
    def is_about_refunds(self) -> bool:
        return self.kind.startswith("refund.") or self.kind in ("charge.refunded", "charge.refund.updated")

    @property
    def is_failed_payment(self) -> bool:
        return self.kind in ("payment_intent.payment_failed", "checkout.session.async_payment_failed")
