"""Coupons of a fixed amount: made by the shop for one session, redeemed when it is paid."""

from __future__ import annotations

from shop.local.fake_stripe import forms
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State, new_id

_PARAMS = ("id", "amount_off", "currency", "duration", "max_redemptions", "name", "metadata", "redeem_by")
_LONGEST_NAME = 40


def create_coupon(state: State, params: Json) -> Json:
    """POST /v1/coupons. Only an amount off, once, is played here."""
    forms.allow_only(params, _PARAMS)
    amount = forms.integer(params, "amount_off", least=1)
    if amount is None:
        raise ApiError("You must pass either `percent_off` or `amount_off` when creating a coupon.", param="amount_off")
    if forms.text(params, "duration") not in (None, "once"):
        raise ApiError("Only coupons that last `once` can be created here.", param="duration")
    name = forms.text(params, "name", most=_LONGEST_NAME)
    coupon_id = forms.text(params, "id") or new_id("", 8)
    if coupon_id in state.tables["coupons"]:
        raise ApiError("Coupon already exists.", code="resource_already_exists", param="id")
    coupon = {
        "id": coupon_id,
        "object": "coupon",
        "amount_off": amount,
        "created": state.now,
        "currency": forms.currency(params),
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": forms.integer(params, "max_redemptions", least=1),
        "metadata": forms.metadata(params),
        "name": name,
        "percent_off": None,
        "redeem_by": forms.integer(params, "redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    return state.add("coupons", coupon)


def read_discounts(state: State, params: Json, currency: str) -> Json | None:
    """The coupon of a new session's `discounts`; a session takes one."""
    given = forms.items(params, "discounts")
    if not given:
        return None
    if len(given) > 1:
        raise ApiError("You may only specify one discount.", param="discounts")
    forms.allow_only(given[0], ("coupon",), within="discounts[0]")
    coupon = state.find("coupons", forms.needed(given[0], "coupon", within="discounts[0]"), param="discounts[0][coupon]")
    if not coupon["valid"]:
        raise ApiError(f"Coupon {coupon['id']} is used up and cannot be applied.", param="discounts[0][coupon]")
    if coupon["currency"] != currency:
        raise ApiError("The coupon has another currency than the line items.", param="discounts[0][coupon]")
    return coupon


def take_off(coupon: Json | None, items: list[Json]) -> int:
    """Share what the coupon takes off among the lines; how much it is: never more than they cost."""
    whole = sum(item["amount_subtotal"] for item in items)
    off = min(coupon["amount_off"], whole) if coupon else 0
    upto = given = 0
    for item in items:
        upto += item["amount_subtotal"]
        item["amount_discount"] = off * upto // whole - given if whole else 0
        given += item["amount_discount"]
        item["amount_total"] = item["amount_subtotal"] - item["amount_discount"]
    return off


def redeem(state: State, session: Json) -> None:
    """Count the coupon of a session that was paid."""
    for discount in session["discounts"]:
        coupon = state.tables["coupons"][discount["coupon"]]
        coupon["times_redeemed"] += 1
        most = coupon["max_redemptions"]
        coupon["valid"] = most is None or coupon["times_redeemed"] < most
