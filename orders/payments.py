"""Stripe, behind one small gateway: the only place that knows its API. Tests and the laptop point it at a stand-in server."""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings

from orders.domain import Order
from orders.payment_domain import Event, MadePayment, MadeRefund, Progress, Session, SessionState
from orders.payment_params import deployment, line_items, metadata_of, payer
from shop.lib.deadline import require_time
from shop.lib.money import Money
from shop.lib.watching import call_to

if TYPE_CHECKING:
    import stripe

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 8
_SERVER_ERRORS = 500
_PAGE = 100
"""The longest page Stripe gives of a list. https://docs.stripe.com/api/pagination"""
T = TypeVar("T")
WEBHOOK_TOLERANCE_SECONDS = 300
"""How old a signed webhook may be; Stripe's own default. https://docs.stripe.com/webhooks#replay-attacks"""


class PaymentsUnavailable(Exception):
    """Stripe could not be reached or answered with its own trouble. Whether it acted is not known: ask again, by the same key."""


class PaymentInProgress(PaymentsUnavailable):
    """The same request is being worked on at this moment: another click or tab came first. Its result is there in a moment."""


class KeyRefused(PaymentsUnavailable):
    """Stripe does not accept our key."""


class KeyTooNarrow(PaymentsUnavailable):
    """Stripe accepts our key, which may not do this: a restricted one."""


class PaymentRefused(Exception):
    """Stripe understood the request and will not do it, now or later."""


class CustomerGone(PaymentRefused):
    """Stripe has no such customer (any more): deleted at its own pages, or of another account."""


class BadWebhook(Exception):
    """A webhook whose signature or age is wrong, or that is no event at all."""


class StripeGateway:
    """The calls the shop makes to Stripe. All raise PaymentsUnavailable or PaymentRefused."""

    def __init__(self, *, secret_key: str, webhook_secret: str, api_origin: str) -> None:
        # Imported here: stripe costs 50 ms of a cold start, and most requests pay nobody.
        import stripe

        self._stripe = stripe
        self._webhook_secret = webhook_secret
        self._is_live_key = secret_key.startswith(("sk_live_", "rk_live_"))
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_origin},
            http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS)),
        )

    def open_session(
        self, order: Order, *, success_url: str, cancel_url: str, expires_at: datetime, customer: str = ""
    ) -> Session:
        """Create the order's Checkout Session; asked again with the same order, Stripe returns the first.

        A customer's saved cards are offered, and a tick box saves another. What a discount code took off the goods is a coupon
        for this one order: Stripe takes no negative lines. Raises CustomerGone as well.
        """
        coupon = self._coupon(order)
        params: Any = {
            "mode": "payment",
            # Cards alone: a slow method (a bank debit) would hold the stock for days, and Stripe offers what its dashboard says.
            "payment_method_types": ["card"],
            "client_reference_id": order.order_id,
            **payer(order, customer),
            "line_items": line_items(order),
            **({"discounts": [{"coupon": coupon}]} if coupon else {}),
            "metadata": metadata_of(order),
            "payment_intent_data": {"metadata": metadata_of(order), "description": f"Order {order.order_id}"},
            "success_url": success_url,
            "cancel_url": cancel_url,
            "expires_at": int(expires_at.timestamp()),
        }
        options: Any = {"idempotency_key": f"order:{order.order_id}:session:v1{customer and f':{customer}'}"}
        return self._session(lambda: self._client.v1.checkout.sessions.create(params, options))

    def session(self, session_id: str) -> Session:
        """The session as Stripe has it now, with its PaymentIntent."""
        params: Any = {"expand": ["payment_intent.latest_charge"]}
        return self._session(lambda: self._client.v1.checkout.sessions.retrieve(session_id, params))

    def expire_session(self, session_id: str) -> Session:
        """Close the session so that it can never be paid, and tell how it stands: a session paid meanwhile stays paid."""
        try:
            return self._session(lambda: self._client.v1.checkout.sessions.expire(session_id))
        except PaymentRefused:  # only an open session expires: it is paid or has expired by itself
            return self.session(session_id)

    def refund(self, order_id: str, key: str, *, payment_intent_id: str, amount: Money, idempotency_key: str) -> MadeRefund:
        """Give money back; asked again under the same key, Stripe returns the first. `key` is our number for the refund."""
        params: Any = {
            "payment_intent": payment_intent_id,
            "amount": amount.minor,
            "reason": "requested_by_customer",
            "metadata": {"order_id": order_id, "refund": key, "deployment": deployment()},
        }
        options: Any = {"idempotency_key": idempotency_key}
        return _to_refund(self._ask(lambda: self._client.v1.refunds.create(params, options), "refund"))

    def refunds_of(self, payment_intent_id: str) -> tuple[MadeRefund, ...]:
        """All refunds of a payment, oldest first, wherever they were made."""
        params: Any = {"payment_intent": payment_intent_id, "limit": _PAGE}
        found = self._ask(lambda: list(self._client.v1.refunds.list(params).auto_paging_iter()), "refunds")
        return tuple(_to_refund(refund) for refund in reversed(found))

    def payment(self, payment_intent_id: str) -> MadePayment:
        """The payment as Stripe has it now."""
        params: Any = {"expand": ["latest_charge"]}
        return self._to_payment(self._ask(lambda: self._client.v1.payment_intents.retrieve(payment_intent_id, params), "payment"))

    def session_of(self, payment_intent_id: str) -> Session | None:
        """The session a payment was made on; None for one that was made otherwise."""
        params: Any = {"payment_intent": payment_intent_id, "limit": 1, "expand": ["data.payment_intent.latest_charge"]}
        found = self._ask(lambda: self._client.v1.checkout.sessions.list(params), "sessions").data
        return _to_session(found[0]) if found else None

    def paid_sessions(self, since: datetime, until: datetime) -> Iterator[Session]:
        """Sessions opened in that time that are complete, newest first; of every shop on the account."""
        params: Any = {"created": _between(since, until), "limit": _PAGE, "status": "complete"}
        return (_to_session(found) for found in self._pages(lambda more: self._client.v1.checkout.sessions.list(params | more)))

    def payments_between(self, since: datetime, until: datetime) -> Iterator[MadePayment]:
        """This shop's payments begun at `since` or later and before `until`, newest first, read a hundred a call."""
        params: Any = {"created": _between(since, until), "limit": _PAGE, "expand": ["data.latest_charge"]}
        for intent in self._pages(lambda more: self._client.v1.payment_intents.list(params | more)):
            made = self._to_payment(intent)
            if made.is_ours:
                yield made

    def refunded_between(self, since: datetime, until: datetime) -> Iterator[MadeRefund]:
        """The account's refunds made in that time, newest first: those of other shops on the account are among them."""
        params: Any = {"created": _between(since, until), "limit": _PAGE}
        return (_to_refund(refund) for refund in self._pages(lambda more: self._client.v1.refunds.list(params | more)))

    def read_webhook(self, body: bytes, signature: str) -> Event:
        """The event in a webhook's raw body. Raises BadWebhook unless Stripe signed it within the last five minutes."""
        try:
            event = self._stripe.Webhook.construct_event(
                body, signature, self._webhook_secret, WEBHOOK_TOLERANCE_SECONDS
            ).to_dict()
            thing = event["data"]["object"]
            metadata = thing.get("metadata") or {}
            is_our_mode = bool(event["livemode"]) == self._is_live_key
            return Event(
                event_id=event["id"],
                kind=event["type"],
                session_id=thing["id"] if thing.get("object") == "checkout.session" else "",
                order_id=metadata.get("order_id", ""),
                is_ours=metadata.get("deployment") == deployment() and is_our_mode,
                payment_intent_id=thing["id"] if thing.get("object") == "payment_intent" else thing.get("payment_intent") or "",
                is_unmarked="deployment" not in metadata and is_our_mode,
                failure=_failure_in(thing),
            )
        except (self._stripe.SignatureVerificationError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise BadWebhook from error

    def call(self, ask: Callable[["stripe.StripeClient"], T], what: str) -> T:
        """What Stripe answers to a call of its client: for `customers`."""
        return self._ask(lambda: ask(self._client), what)

    def _coupon(self, order: Order) -> str:
        """The coupon of the order's discount, made once; empty for an order without."""
        if order.discount is None or not order.discount.goods:
            return ""
        off = order.discount.goods
        params: Any = {
            "amount_off": off.minor,
            "currency": off.currency.lower(),
            "duration": "once",
            "max_redemptions": 1,
            "name": order.discount.code,
            "metadata": metadata_of(order),
        }
        options: Any = {"idempotency_key": f"order:{order.order_id}:coupon:v1"}
        return str(self._ask(lambda: self._client.v1.coupons.create(params, options), "coupon").id)

    def _session(self, call: Callable[[], "stripe.checkout.Session"]) -> Session:
        return _to_session(self._ask(call, "session"))

    def _pages(self, read: Callable[[dict[str, str]], Any]) -> Iterator[Any]:
        more: dict[str, str] = {}
        while True:
            page = self._ask(lambda: read(more), "list")  # noqa: B023 - called at once
            yield from page.data
            if not page.has_more or not page.data:
                return
            more = {"starting_after": page.data[-1].id}

    def _ask(self, call: Callable[[], T], what: str) -> T:
        """What Stripe answers, its trouble and its refusals told apart."""
        require_time(CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS)
        try:
            with call_to("Stripe", what):
                return call()
        except (self._stripe.APIConnectionError, self._stripe.RateLimitError) as error:
            raise PaymentsUnavailable from error
        except self._stripe.AuthenticationError as error:
            logger.critical("Stripe does not accept our key: nobody can pay", exc_info=error)
            raise KeyRefused from error
        except self._stripe.PermissionError as error:
            logger.critical("our key at Stripe may not do this: %s", what, exc_info=error)
            raise KeyTooNarrow(error.user_message or str(error)) from error
        except self._stripe.StripeError as error:
            if error.http_status == HTTPStatus.CONFLICT:
                raise PaymentInProgress from error
            if error.http_status is None or error.http_status >= _SERVER_ERRORS:
                raise PaymentsUnavailable from error
            is_gone = error.code == "resource_missing" and getattr(error, "param", "") == "customer"
            raise (CustomerGone if is_gone else PaymentRefused)(error.user_message or str(error)) from error

    def _to_payment(self, intent: "stripe.PaymentIntent") -> MadePayment:
        charge: Any = intent.latest_charge
        currency = intent.currency.upper()
        metadata: dict[str, str] = intent.metadata.to_dict() if intent.metadata else {}
        return MadePayment(
            payment_intent_id=intent.id,
            order_id=metadata.get("order_id", ""),
            amount=Money(intent.amount_received if intent.status == "succeeded" else 0, currency),
            refunded=Money(charge.amount_refunded if charge is not None and not isinstance(charge, str) else 0, currency),
            is_ours=metadata.get("deployment") == deployment() and bool(intent.livemode) == self._is_live_key,
        )


@cache
def gateway() -> StripeGateway:
    """The gateway of this process."""
    return StripeGateway(
        secret_key=settings.STRIPE_SECRET_KEY,
        webhook_secret=settings.STRIPE_WEBHOOK_SECRET,
        api_origin=settings.STRIPE_API_ORIGIN,
    )


def _to_session(session: "stripe.checkout.Session") -> Session:
    # An id alone, unless it was asked for whole.
    intent = None if isinstance(session.payment_intent, str) else session.payment_intent
    brand, last4 = _card_of(intent) if intent else ("", "")
    return Session(
        session_id=session.id,
        url=session.url or "",
        state=_state(session),
        order_id=session.client_reference_id or "",
        amount=Money(session.amount_total or 0, (session.currency or "").upper()),
        payment_intent_id=intent.id if intent else str(session.payment_intent or ""),
        charge_id=_charge_id(intent) if intent else "",
        card_brand=brand,
        card_last4=last4,
    )


def _between(since: datetime, until: datetime) -> dict[str, int]:
    return {"gte": int(since.timestamp()), "lt": int(until.timestamp())}


def _to_refund(refund: "stripe.Refund") -> MadeRefund:
    metadata: dict[str, str] = refund.metadata.to_dict() if refund.metadata else {}
    if metadata.get("deployment") != deployment():
        metadata = {}
    intent = refund.payment_intent
    return MadeRefund(
        stripe_id=refund.id,
        key=metadata.get("refund", ""),
        order_id=metadata.get("order_id", ""),
        amount=Money(refund.amount, refund.currency.upper()),
        # `requires_action` waits for the customer, as bank transfers may; cards go from pending to an end by themselves.
        progress={"succeeded": Progress.SUCCEEDED, "failed": Progress.FAILED, "canceled": Progress.FAILED}.get(
            refund.status or "", Progress.PENDING
        ),
        payment_intent_id=(intent if isinstance(intent, str) else intent.id) if intent else "",
        failure=getattr(refund, "failure_reason", None) or "",
    )


def _failure_in(thing: dict[str, Any]) -> str:
    error = thing.get("last_payment_error") or {}
    return str(error.get("decline_code") or error.get("code") or "")


def _charge_id(intent: Any) -> str:
    charge = intent.latest_charge
    return charge if isinstance(charge, str) else (charge.id if charge else "")


def _card_of(intent: Any) -> tuple[str, str]:
    """Brand and last digits of the card a payment was made with; empty where Stripe was not asked for its charge."""
    charge = intent.latest_charge
    details = None if charge is None or isinstance(charge, str) else charge.payment_method_details
    card = getattr(details, "card", None)
    return (card.brand or "", card.last4 or "") if card else ("", "")


def _state(session: "stripe.checkout.Session") -> SessionState:
    if session.payment_status in ("paid", "no_payment_required"):
        return SessionState.PAID
    if session.status == "complete":  # a slow payment method: the money is on its way
        return SessionState.PROCESSING
    return SessionState.EXPIRED if session.status == "expired" else SessionState.OPEN
