"""PaymentIntents, their charges, and refunds: where the pretended money is counted."""

from __future__ import annotations

from shop.local.fake_stripe import cards, customers, forms
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.money import shown
from shop.local.fake_stripe.state import State, new_id

_CONFIRM_PARAMS = (
    "payment_method",
    "off_session",
    "return_url",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "payment_method_types",
    "use_stripe_sdk",
    "error_on_requires_action",
)
_CREATE_PARAMS = (
    *_CONFIRM_PARAMS,
    "amount",
    "currency",
    "customer",
    "description",
    "metadata",
    "confirm",
    "automatic_payment_methods",
    "capture_method",
    "statement_descriptor",
    "statement_descriptor_suffix",
)
_REFUND_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
_CANCEL_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_intent(state: State, params: Json) -> Json:
    """POST /v1/payment_intents, paid at once when `confirm` is true."""
    forms.allow_only(params, _CREATE_PARAMS)
    amount = forms.amount(params, "amount")
    if amount is None:
        raise ApiError("Missing required param: amount.", code="parameter_missing", param="amount")
    if forms.choice(params, "capture_method", ("automatic", "automatic_async", "manual")) == "manual":
        raise ApiError("This stand-in captures at once; manual capture is not played.", param="capture_method")
    confirm, customer = forms.flag(params, "confirm"), forms.text(params, "customer")
    if customer is not None:
        customers.living(state, customer)
    intent = new_intent(state, amount=amount, currency=forms.currency(params), customer=customer, data=params)
    method = forms.text(params, "payment_method")
    if confirm and method is None:
        raise _no_method(intent)
    if method is not None:
        intent["payment_method"] = customers.resolve_method(state, method)["id"]
        intent["status"] = "requires_confirmation"
    state.add("payment_intents", intent)
    if confirm:
        _confirm(state, intent, params)
    return intent


def new_intent(state: State, *, amount: int, currency: str, customer: str | None, data: Json) -> Json:
    """A PaymentIntent not yet kept; `data` holds the parameters that are copied as they are."""
    intent_id = new_id("pi_3")
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": new_id(f"{intent_id}_secret_", 25),
        "confirmation_method": "automatic",
        "created": state.now,
        "currency": currency,
        "customer": customer,
        "description": forms.text(data, "description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": forms.metadata(data),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": forms.text(data, "receipt_email"),
        "review": None,
        "setup_future_usage": forms.choice(data, "setup_future_usage", ("on_session", "off_session")),
        "shipping": forms.group(data, "shipping") or None,
        "source": None,
        "statement_descriptor": forms.text(data, "statement_descriptor", most=22),
        "statement_descriptor_suffix": forms.text(data, "statement_descriptor_suffix", most=22),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def confirm_intent(state: State, intent_id: str, params: Json) -> Json:
    """POST /v1/payment_intents/{id}/confirm: 402 when the card is declined."""
    forms.allow_only(params, _CONFIRM_PARAMS)
    intent = state.find("payment_intents", intent_id, param="intent")
    _refuse_checkouts(state, intent, "confirm")
    if intent["status"] not in _CONFIRMABLE:
        raise _unexpected(intent, f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.")
    method = forms.text(params, "payment_method")
    if method is not None:
        intent["payment_method"] = customers.resolve_method(state, method)["id"]
    if intent["payment_method"] is None:
        raise _no_method(intent)
    _confirm(state, intent, params)
    return intent


def _confirm(state: State, intent: Json, params: Json) -> None:
    return_url = forms.url(params, "return_url")
    card = cards.by_name(state.test_cards[intent["payment_method"]])
    if card.authenticates and forms.flag(params, "off_session"):
        _fail(state, intent, cards.OFF_SESSION)
    else:
        attempt(state, intent)
    if intent["next_action"] is not None:
        intent["next_action"]["redirect_to_url"]["return_url"] = return_url
    error = intent["last_payment_error"]
    if error is not None:
        raise ApiError(
            error["message"],
            status=402,
            kind="card_error",
            code=error["code"],
            extra={name: error[name] for name in ("charge", "decline_code", "payment_method") if name in error}
            | {"payment_intent": dict(intent)},
        )


def attempt(state: State, intent: Json) -> None:
    """Try to pay with the intent's payment method: it succeeds, fails, or asks for authentication."""
    card = cards.by_name(state.test_cards[intent["payment_method"]])
    intent["last_payment_error"] = None
    intent["next_action"] = None
    state.touch()
    if card.authenticates:
        intent["status"] = "requires_action"
        redirect = {"url": f"{state.base_url}/c/authenticate/{intent['id']}", "return_url": None}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
        return
    _settle(state, intent, card.decline)


def authenticate(state: State, intent: Json, *, passed: bool) -> None:
    """The shopper answered the bank's question; what was answered before stays as it is."""
    if intent["status"] != "requires_action":
        return
    intent["next_action"] = None
    card = cards.by_name(state.test_cards[intent["payment_method"]])
    if passed:
        _settle(state, intent, card.decline)
    else:
        _fail(state, intent, cards.NOT_AUTHENTICATED, charged=False)


def _settle(state: State, intent: Json, decline: cards.Decline | None) -> None:
    if decline is not None:
        _fail(state, intent, decline)
        return
    charge = _charge(state, intent, None)
    intent.update(status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"])
    method = state.tables["payment_methods"][intent["payment_method"]]
    if intent["setup_future_usage"] and intent["customer"]:
        customers.attach(state, method, intent["customer"])
    state.emit("charge.succeeded", charge, group=intent["id"])
    state.emit("payment_intent.succeeded", intent, group=intent["id"])


def _fail(state: State, intent: Json, decline: cards.Decline, *, charged: bool = True) -> None:
    method = state.tables["payment_methods"][intent["payment_method"]]
    error: Json = {
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
        "payment_method": dict(method),
        # Stripe calls a failed authentication a bad request, every other refusal the card's.
        "type": "card_error" if charged else "invalid_request_error",
    }
    if charged:
        charge = _charge(state, intent, decline)
        intent["latest_charge"] = error["charge"] = charge["id"]
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    intent.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
    state.touch()
    state.emit("payment_intent.payment_failed", intent, group=intent["id"])


def _charge(state: State, intent: Json, decline: cards.Decline | None) -> Json:
    method = state.tables["payment_methods"][intent["payment_method"]]
    paid = decline is None
    charge: Json = {
        "id": new_id("ch_3"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if paid else 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "TEST SHOP",
        "captured": paid,
        "created": state.now,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _outcome(decline),
        "paid": paid,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": dict(method["card"]), "type": "card"},
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "succeeded" if paid else "failed",
        "transfer_data": None,
        "transfer_group": None,
    }
    return state.add("charges", charge)


def _outcome(decline: cards.Decline | None) -> Json:
    return {
        "advice_code": "try_again_later" if decline else None,
        "network_advice_code": None,
        "network_decline_code": "05" if decline else None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline.decline_code if decline else None,
        "risk_level": "normal",
        "seller_message": "The bank did not say why." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def cancel_intent(state: State, intent_id: str, params: Json) -> Json:
    """POST /v1/payment_intents/{id}/cancel."""
    forms.allow_only(params, ("cancellation_reason",))
    reason = forms.choice(params, "cancellation_reason", _CANCEL_REASONS)
    intent = state.find("payment_intents", intent_id, param="intent")
    _refuse_checkouts(state, intent, "cancel")
    if intent["status"] not in _CONFIRMABLE:
        message = f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}."
        raise _unexpected(intent, message)
    cancel(state, intent, reason=reason)
    return intent


def cancel(state: State, intent: Json, *, reason: str | None) -> None:
    """Close an intent that was not paid."""
    intent.update(status="canceled", canceled_at=state.now, cancellation_reason=reason, next_action=None)
    state.touch()
    state.emit("payment_intent.canceled", intent, group=intent["id"])


def _refuse_checkouts(state: State, intent: Json, verb: str) -> None:
    if any(session["payment_intent"] == intent["id"] for session in state.tables["sessions"].values()):
        message = f"You cannot {verb} PaymentIntents created by Checkout; expire the Checkout Session instead."
        raise _unexpected(intent, message)


def _no_method(intent: Json) -> ApiError:
    return _unexpected(
        intent,
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update "
        "the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with "
        "a payment method or ConfirmationToken.",
    )


def _unexpected(intent: Json, message: str) -> ApiError:
    return ApiError(message, code="payment_intent_unexpected_state", extra={"payment_intent": dict(intent)})


def create_refund(state: State, params: Json) -> Json:
    """POST /v1/refunds: of the whole rest, or of `amount`, and never of more than remains."""
    forms.allow_only(params, ("amount", "payment_intent", "charge", "reason", "metadata"))
    charge = _refundable_charge(state, params)
    asked = forms.integer(params, "amount", least=1)
    reason = forms.choice(params, "reason", _REFUND_REASONS)
    metadata = forms.metadata(params)
    rest = charge["amount"] - charge["amount_refunded"]
    if rest == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise ApiError(message, code="charge_already_refunded")
    amount = rest if asked is None else asked
    if amount > rest:
        of_what = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        more, less = shown(amount, charge["currency"]), shown(rest, charge["currency"])
        message = f"Refund amount ({more}) is greater than {of_what} ({less})"
        raise ApiError(message, code="amount_too_large", param="amount")
    return _refund(state, charge, amount, reason, metadata)


def _refundable_charge(state: State, params: Json) -> Json:
    intent_id, charge_id = forms.text(params, "payment_intent"), forms.text(params, "charge")
    if (intent_id is None) == (charge_id is None):
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise ApiError(message, code="parameter_missing" if charge_id is None else None)
    if intent_id is not None:
        intent = state.find("payment_intents", intent_id, param="payment_intent")
        if intent["status"] != "succeeded":
            message = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise ApiError(message, param="payment_intent")
        charge_id = intent["latest_charge"]
    charge = state.find("charges", str(charge_id), param="charge")
    if not charge["paid"]:
        raise ApiError(f"Charge {charge_id} was not paid and cannot be refunded.", param="charge")
    return charge


def _refund(state: State, charge: Json, amount: int, reason: str | None, metadata: dict[str, str]) -> Json:
    card: Json = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    refund: Json = {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": state.now,
        "currency": charge["currency"],
        "destination_details": {"card": card, "type": "card"},
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }
    state.add("refunds", refund)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    group = charge["payment_intent"]
    state.emit("refund.created", refund, group=group)
    state.emit("charge.refunded", charge, group=group, previous=before)
    # Stripe's second word on a card refund: the bank's reference number has come.
    reference = {"reference": new_id("", 23).upper(), "reference_status": "available"}
    refund["destination_details"] = {"card": {**card, **reference}, "type": "card"}
    state.emit("refund.updated", refund, group=group, previous={"destination_details": {"card": card}})
    return refund
