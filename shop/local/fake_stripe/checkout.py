"""Checkout Sessions: made by the shop, paid on the hosted page, over after their time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shop.local.fake_stripe import coupons, customers, forms, lines, payments
from shop.local.fake_stripe.cards import CardDetails
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State, new_id

LEAST_LIFE, MOST_LIFE = 30 * 60, 24 * 3600
_ECHOED = (
    "billing_address_collection",
    "locale",
    "submit_type",
    "customer_creation",
    "saved_payment_method_options",
    "client_reference_id",
    "customer_email",
    "origin_context",
)
_PARAMS = (
    *_ECHOED,
    "mode",
    "ui_mode",
    "line_items",
    "discounts",
    "shipping_options",
    "customer",
    "customer_update",
    "metadata",
    "payment_intent_data",
    "payment_method_types",
    "success_url",
    "cancel_url",
    "expires_at",
    "currency",
)
_INTENT_DATA = (
    "metadata",
    "receipt_email",
    "description",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
)


@dataclass(frozen=True)
class Paid:
    """How an attempt on the hosted page ended."""

    outcome: Literal["paid", "declined", "authenticate", "expired"]
    session: Json


def create_session(state: State, params: Json) -> Json:
    """POST /v1/checkout/sessions: all checks come first, so a refusal leaves nothing behind."""
    forms.allow_only(params, _PARAMS)
    _check_mode(params)
    success_url = forms.url(params, "success_url")
    if success_url is None:
        raise ApiError("Missing required param: success_url.", code="parameter_missing", param="success_url")
    products, items = lines.read_lines(state, params)
    rates, shipping = lines.read_shipping(state, params, items[0]["currency"])
    coupon = coupons.read_discounts(state, params, items[0]["currency"])
    subtotal = sum(line["amount_subtotal"] for line in items)
    off = coupons.take_off(coupon, items)
    _check_total(subtotal - off + sum(option["shipping_amount"] for option in shipping[:1]))
    session = {
        **_blank(state),
        **{name: forms.text(params, name) for name in _ECHOED if name != "saved_payment_method_options"},
        "saved_payment_method_options": forms.group(params, "saved_payment_method_options") or None,
        "amount_subtotal": subtotal,
        "cancel_url": forms.url(params, "cancel_url"),
        "currency": items[0]["currency"],
        "customer": _customer(state, params),
        "discounts": [{"coupon": coupon["id"], "promotion_code": None}] if coupon else [],
        "customer_creation": None if params.get("customer") else params.get("customer_creation", "if_required"),
        "expires_at": _expiry(state, params),
        "metadata": forms.metadata(params),
        "shipping_options": shipping,
        "success_url": success_url,
    }
    intent_data = _intent_data(state, params)
    session["url"] = page_url(state, session)
    _total(session, shipping[0] if shipping else None, off=off)
    for product in products:
        state.add("products", product)
    for rate in rates:
        state.add("shipping_rates", rate)
    state.session_extras[session["id"]] = {"line_items": items, "intent_data": intent_data}
    return state.add("sessions", session)


def page_url(state: State, session: Json) -> str | None:
    """Where the shopper pays; None once the session is over."""
    return f"{state.base_url}/c/pay/{session['id']}" if session["status"] == "open" else None


def _check_mode(params: Json) -> None:
    if forms.needed(params, "mode") != "payment":
        raise ApiError("Only sessions in `payment` mode can be created here.", param="mode")
    if forms.text(params, "ui_mode") not in (None, "hosted", "hosted_page"):
        raise ApiError("Only hosted pages can be created here.", param="ui_mode")
    if params.get("customer") and params.get("customer_email"):
        raise ApiError("You may only specify one of these parameters: customer, customer_email.")
    if any(kind != "card" for kind in forms.items(params, "payment_method_types")):
        raise ApiError("Only `card` is accepted here.", param="payment_method_types")


def _customer(state: State, params: Json) -> str | None:
    customer = forms.text(params, "customer")
    if customer is not None:
        customers.living(state, customer)
    return customer


def _expiry(state: State, params: Json) -> int:
    expires_at = forms.integer(params, "expires_at")
    if expires_at is None:
        return state.now + MOST_LIFE
    if expires_at < state.now + LEAST_LIFE:
        raise ApiError(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.", param="expires_at"
        )
    if expires_at > state.now + MOST_LIFE:
        raise ApiError(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at"
        )
    return expires_at


def _intent_data(state: State, params: Json) -> Json:
    data = forms.group(params, "payment_intent_data")
    forms.allow_only(data, _INTENT_DATA, within="payment_intent_data")
    # Built once and thrown away: what the intent would refuse later is refused now.
    payments.new_intent(state, amount=forms.LEAST_AMOUNT, currency="usd", customer=None, data=data)
    return data


def _check_total(total: int) -> None:
    if total < forms.LEAST_AMOUNT:
        message = "The Checkout Session's total amount due must add up to at least 50 minor units of its currency."
        raise ApiError(message, code="amount_too_small", param="line_items")
    forms.check_amount(total, param="line_items")


def _total(session: Json, shipping: Json | None, *, off: int) -> None:
    amount = shipping["shipping_amount"] if shipping else 0
    session["amount_total"] = session["amount_subtotal"] - off + amount
    session["total_details"] = {"amount_discount": off, "amount_shipping": amount, "amount_tax": 0}
    session["shipping_cost"] = shipping and {
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "shipping_rate": shipping["shipping_rate"],
    }


def _blank(state: State) -> Json:
    nothing = (
        "after_expiration allow_promotion_codes client_secret collected_information consent consent_collection "
        "currency_conversion customer_account customer_details invoice payment_intent payment_link "
        "payment_method_configuration_details presentment_details recovered_from return_url setup_intent "
        "shipping_address_collection subscription wallet_options"
    )
    return {
        "id": new_id("cs_test_a1", 56),
        "object": "checkout.session",
        **dict.fromkeys(nothing.split()),
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": state.now,
        "custom_fields": [],
        "custom_text": {"after_submit": None, "shipping_address": None, "submit": None, "terms_of_service_acceptance": None},
        "invoice_creation": {"enabled": False},
        "livemode": False,
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "status": "open",
        "ui_mode": "hosted_page",
    }


def expire_session(state: State, session_id: str, params: Json) -> Json:
    """POST /v1/checkout/sessions/{id}/expire: only an open session can be expired."""
    forms.allow_only(params, ())
    session = state.find("sessions", session_id, param="session")
    if session["status"] != "open":
        raise ApiError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
    _expire(state, session)
    return session


def expire_due(state: State) -> None:
    """Expire every open session whose time is over."""
    for session in list(state.tables["sessions"].values()):
        if session["status"] == "open" and session["expires_at"] <= state.now:
            _expire(state, session)


def _expire(state: State, session: Json) -> None:
    session.update(status="expired", url=None)
    state.touch()
    if session["payment_intent"]:
        intent = state.tables["payment_intents"][session["payment_intent"]]
        payments.cancel(state, intent, reason="expired")
    state.emit("checkout.session.expired", session, group=session["payment_intent"] or session["id"])


def choose_shipping(state: State, session: Json, rate_id: str) -> None:
    """The shopper picked another way of shipping on the hosted page."""
    for option in session["shipping_options"]:
        if option["shipping_rate"] == rate_id and session["status"] == "open":
            _total(session, option, off=session["total_details"]["amount_discount"])
            state.touch()


def pay(state: State, session: Json, card: CardDetails, *, email: str, save_card: bool = False) -> Paid:
    """Try to pay an open session; a session already paid stays paid once."""
    if session["status"] != "open":
        return Paid("paid" if session["status"] == "complete" else "expired", session)
    intent = _intent_of(state, session)
    method = state.add("payment_methods", customers.new_method(state, card, email=email))
    if save_card:
        method["allow_redisplay"] = "always"
        intent["setup_future_usage"] = intent["setup_future_usage"] or "on_session"
    intent["payment_method"] = method["id"]
    payments.attempt(state, intent)
    return _outcome(state, session, intent)


def pay_with(state: State, session: Json, method: Json) -> Paid:
    """Try to pay an open session with a card its customer has saved."""
    if session["status"] != "open":
        return Paid("paid" if session["status"] == "complete" else "expired", session)
    intent = _intent_of(state, session)
    intent["payment_method"] = method["id"]
    payments.attempt(state, intent)
    return _outcome(state, session, intent)


def authenticate(state: State, session: Json, *, passed: bool) -> Paid:
    """The shopper came back from the bank's page."""
    if session["status"] != "open":
        return Paid("paid" if session["status"] == "complete" else "expired", session)
    intent = _intent_of(state, session)
    payments.authenticate(state, intent, passed=passed)
    return _outcome(state, session, intent)


def _intent_of(state: State, session: Json) -> Json:
    # Stripe makes the PaymentIntent when the shopper first tries to pay, not before.
    if session["payment_intent"] is None:
        intent = payments.new_intent(
            state,
            amount=session["amount_total"],
            currency=session["currency"],
            customer=session["customer"],
            data=state.session_extras[session["id"]]["intent_data"],
        )
        session["payment_intent"] = state.add("payment_intents", intent)["id"]
    intent = state.tables["payment_intents"][session["payment_intent"]]
    intent["amount"] = session["amount_total"]
    return intent


def _outcome(state: State, session: Json, intent: Json) -> Paid:
    if intent["status"] == "requires_action":
        return Paid("authenticate", session)
    if intent["status"] != "succeeded":
        return Paid("declined", session)
    details = state.tables["payment_methods"][intent["payment_method"]]["billing_details"]
    if session["customer_creation"] == "always":
        customer = state.add("customers", customers.new_customer(state, email=details["email"], name=details["name"]))
        session["customer"] = intent["customer"] = customer["id"]
        state.tables["charges"][intent["latest_charge"]]["customer"] = customer["id"]
    known = ("address", "email", "name", "phone")
    session["customer_details"] = {name: details[name] for name in known} | {"tax_exempt": "none", "tax_ids": []}
    coupons.redeem(state, session)
    session.update(status="complete", payment_status="paid", url=None)
    state.emit("checkout.session.completed", session, group=intent["id"])
    return Paid("paid", session)
