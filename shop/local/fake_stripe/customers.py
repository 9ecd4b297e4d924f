"""Customers and their saved cards."""

from __future__ import annotations

import datetime as dt

from shop.local.fake_stripe import cards, forms
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State, new_id

_FIELDS = ("email", "name", "phone", "description")
_GROUPS = ("address", "shipping")
_CUSTOMER_PARAMS = (*_FIELDS, *_GROUPS, "metadata", "preferred_locales", "invoice_settings")


def create_customer(state: State, params: Json) -> Json:
    """POST /v1/customers."""
    forms.allow_only(params, (*_CUSTOMER_PARAMS, "payment_method"))
    card = forms.text(params, "payment_method")
    customer = new_customer(state)
    _change(customer, params)
    if card is not None:
        method = resolve_method(state, card)
        state.add("customers", customer)
        attach(state, method, customer["id"])
    return state.add("customers", customer)


def new_customer(state: State, *, email: str | None = None, name: str | None = None) -> Json:
    """A customer not yet kept."""
    return {
        "id": new_id("cus_", 14),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": state.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "email": email,
        "invoice_prefix": new_id("", 8).upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
        "livemode": False,
        "metadata": {},
        "name": name,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def update_customer(state: State, customer_id: str, params: Json) -> Json:
    """POST /v1/customers/{id}: what is not given stays; an empty text clears a field."""
    forms.allow_only(params, _CUSTOMER_PARAMS)
    customer = living(state, customer_id, param="id")
    _change(customer, params)
    state.touch()
    return customer


def _change(customer: Json, params: Json) -> None:
    # All checks first: a refused update changes nothing.
    changes: Json = {name: forms.text(params, name) for name in _FIELDS if name in params}
    changes |= {name: forms.group(params, name) or None for name in _GROUPS if name in params}
    if "preferred_locales" in params:
        changes["preferred_locales"] = forms.items(params, "preferred_locales")
    settings = forms.group(params, "invoice_settings")
    metadata = dict(customer["metadata"])
    for key, value in forms.metadata(params).items():
        if value:
            metadata[key] = value
        else:
            metadata.pop(key, None)
    customer.update(changes, metadata=metadata)
    customer["invoice_settings"] = {**customer["invoice_settings"], **settings}


def retrieve_customer(state: State, customer_id: str) -> Json:
    """GET /v1/customers/{id}; a deleted customer is still known as deleted."""
    customer = state.find("customers", customer_id)
    if customer.get("deleted"):
        return {"id": customer_id, "object": "customer", "deleted": True}
    return customer


def delete_customer(state: State, customer_id: str) -> Json:
    """DELETE /v1/customers/{id}: the saved cards go with it."""
    living(state, customer_id, param="id")
    gone: Json = {"id": customer_id, "object": "customer", "deleted": True}
    state.tables["customers"][customer_id] = gone
    for method in state.tables["payment_methods"].values():
        if method["customer"] == customer_id:
            method["customer"] = None
    state.touch()
    return gone


def living(state: State, customer_id: str, *, param: str = "customer") -> Json:
    """A customer that has not been deleted."""
    customer = state.find("customers", customer_id, param=param)
    if customer.get("deleted"):
        message = f"No such customer: '{customer_id}'; a deleted customer can't be used."
        raise ApiError(message, code="resource_missing", param=param)
    return customer


def create_method(state: State, params: Json) -> Json:
    """POST /v1/payment_methods, with a card given as `card[token]` or `card[number]`."""
    forms.allow_only(params, ("type", "card", "billing_details", "metadata", "allow_redisplay"))
    if forms.needed(params, "type") != "card":
        raise ApiError("Only cards can be created here.", param="type")
    card = _card_param(state, forms.group(params, "card"))
    email = forms.text(forms.group(params, "billing_details"), "email")
    metadata = forms.metadata(params)
    method = new_method(state, card, email=email)
    method["metadata"] = metadata
    return state.add("payment_methods", method)


def _card_param(state: State, given: Json) -> cards.CardDetails:
    forms.allow_only(given, ("token", "number", "exp_month", "exp_year", "cvc"), within="card")
    token = forms.text(given, "token", within="card")
    if token is not None:
        card = cards.from_token(token, _today(state))
        if card is None:
            raise ApiError(f"No such token: '{token}'", code="resource_missing", param="card[token]")
        return card
    number = forms.needed(given, "number", within="card")
    month = forms.integer(given, "exp_month", within="card") or 0
    year = forms.integer(given, "exp_year", within="card") or 0
    if not number.isdecimal() or not cards.luhn_holds(number):
        message = "Your card number is incorrect."
        raise ApiError(message, status=402, kind="card_error", code="incorrect_number", param="number")
    if month not in range(1, 13) or (year, month) < (_today(state).year, _today(state).month):
        message = "Your card's expiration date is invalid."
        raise ApiError(message, status=402, kind="card_error", code="invalid_expiry_year", param="exp_year")
    return cards.CardDetails(number, month, year, "")


def new_method(state: State, card: cards.CardDetails, *, email: str | None) -> Json:
    """A payment method not yet kept; the number is not in it, only how the card behaves."""
    method_id = new_id("pm_1")
    state.test_cards[method_id] = card.test_card.name
    return {
        "id": method_id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None},
            "email": email,
            "name": card.name or None,
            "phone": None,
            "tax_id": None,
        },
        "card": {
            "brand": card.brand,
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "country": "US",
            "display_brand": card.brand,
            "exp_month": card.exp_month,
            "exp_year": card.exp_year,
            "fingerprint": card.fingerprint,
            "funding": "credit",
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": state.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }


def resolve_method(state: State, method_id: str) -> Json:
    """A kept payment method, or a new one made from a ready-made name such as `pm_card_visa`."""
    card = cards.from_token(method_id, _today(state))
    if card is not None:
        return state.add("payment_methods", new_method(state, card, email=None))
    return state.find("payment_methods", method_id, param="payment_method")


def attach_method(state: State, method_id: str, params: Json) -> Json:
    """POST /v1/payment_methods/{id}/attach."""
    forms.allow_only(params, ("customer",))
    customer = living(state, forms.needed(params, "customer"))
    method = resolve_method(state, method_id)
    if method["customer"] not in (None, customer["id"]):
        raise ApiError("The payment method you provided has already been attached to a customer.")
    return attach(state, method, customer["id"])


def attach(state: State, method: Json, customer_id: str) -> Json:
    """Save a card for a customer."""
    method["customer"] = customer_id
    state.touch()
    return method


def detach_method(state: State, method_id: str, params: Json) -> Json:
    """POST /v1/payment_methods/{id}/detach."""
    forms.allow_only(params, ())
    method = state.find("payment_methods", method_id)
    if method["customer"] is None:
        message = "The payment method you provided is not attached to a customer so detachment is impossible."
        raise ApiError(message)
    method["customer"] = None
    state.touch()
    return method


def methods_of(state: State, customer_id: str) -> list[Json]:
    """A customer's saved cards, oldest first."""
    living(state, customer_id)
    return [method for method in state.tables["payment_methods"].values() if method["customer"] == customer_id]


def _today(state: State) -> dt.date:
    return dt.datetime.fromtimestamp(state.now, dt.UTC).date()
