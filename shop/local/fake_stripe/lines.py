"""The line items and shipping options of a new Checkout Session."""

from __future__ import annotations

from shop.local.fake_stripe import forms
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State, new_id

MOST_LINES = 100


def read_lines(state: State, params: Json) -> tuple[list[Json], list[Json]]:
    """The products and the lines of the `line_items` parameter; nothing is kept yet."""
    given = forms.items(params, "line_items")
    if not given:
        raise ApiError("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if len(given) > MOST_LINES:
        raise ApiError(f"A Checkout Session takes at most {MOST_LINES} line items.", param="line_items")
    pairs = [_line(state, item, f"line_items[{place}]") for place, item in enumerate(given)]
    if len({line["currency"] for _, line in pairs}) > 1:
        raise ApiError("All prices in a Checkout Session must have the same currency.", param="line_items")
    return [product for product, _ in pairs], [line for _, line in pairs]


def _line(state: State, item: object, within: str) -> tuple[Json, Json]:
    if not isinstance(item, dict):
        raise ApiError(f"Invalid object: {within}", param=within)
    forms.allow_only(item, ("price_data", "quantity"), within=within)
    price_in, product_in = forms.inside(within, "price_data"), f"{within}[price_data][product_data]"
    price_data = forms.group(item, "price_data", within=within)
    forms.allow_only(price_data, ("currency", "unit_amount", "product_data", "tax_behavior"), within=price_in)
    product_data = forms.group(price_data, "product_data", within=price_in)
    known = ("name", "description", "images", "metadata", "tax_code")
    forms.allow_only(product_data, known, within=product_in)
    product = _product(state, product_data, product_in)
    currency = forms.currency(price_data, within=price_in)
    unit = forms.integer(price_data, "unit_amount", within=price_in, least=0)
    if unit is None:
        raise ApiError(
            f"Missing required param: {price_in}[unit_amount].", code="parameter_missing", param=f"{price_in}[unit_amount]"
        )
    quantity = forms.integer(item, "quantity", within=within, least=1)
    if quantity is None:
        raise ApiError(
            "Quantity is required. Add `quantity` to each line item.", code="parameter_missing", param=f"{within}[quantity]"
        )
    price = _price(state, product["id"], unit, currency)
    return product, {
        "id": new_id("li_1"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": unit * quantity,
        "amount_tax": 0,
        "amount_total": unit * quantity,
        "currency": currency,
        "description": product["name"],
        "metadata": {},
        "price": price,
        "quantity": quantity,
    }


def _product(state: State, data: Json, within: str) -> Json:
    return {
        "id": new_id("prod_", 14),
        "object": "product",
        "active": False,
        "created": state.now,
        "description": forms.text(data, "description", within=within),
        "images": forms.items(data, "images", within=within)[:8],
        "livemode": False,
        "metadata": forms.metadata(data, within=within),
        "name": forms.needed(data, "name", within=within),
        "tax_code": forms.text(data, "tax_code", within=within),
        "type": "service",
        "updated": state.now,
    }


def _price(state: State, product_id: str, unit: int, currency: str) -> Json:
    return {
        "id": new_id("price_1"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": state.now,
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": product_id,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": unit,
        "unit_amount_decimal": str(unit),
    }


def read_shipping(state: State, params: Json, currency: str) -> tuple[list[Json], list[Json]]:
    """The rates and the options of the `shipping_options` parameter; nothing is kept yet."""
    rates, options = [], []
    for place, option in enumerate(forms.items(params, "shipping_options")):
        within = f"shipping_options[{place}]"
        data = forms.group(option, "shipping_rate_data", within=within)
        within = f"{within}[shipping_rate_data]"
        known = ("display_name", "type", "fixed_amount", "delivery_estimate", "metadata", "tax_behavior", "tax_code")
        forms.allow_only(data, known, within=within)
        fixed = forms.group(data, "fixed_amount", within=within)
        amount = forms.integer(fixed, "amount", within=f"{within}[fixed_amount]", least=0) or 0
        if forms.currency(fixed, within=f"{within}[fixed_amount]") != currency:
            raise ApiError("Shipping must have the same currency as the line items.", param="shipping_options")
        rate = {
            "id": new_id("shr_1"),
            "object": "shipping_rate",
            "active": False,
            "created": state.now,
            "delivery_estimate": forms.group(data, "delivery_estimate", within=within) or None,
            "display_name": forms.needed(data, "display_name", within=within),
            "fixed_amount": {"amount": amount, "currency": currency},
            "livemode": False,
            "metadata": forms.metadata(data, within=within),
            "tax_behavior": "unspecified",
            "tax_code": None,
            "type": "fixed_amount",
        }
        rates.append(rate)
        options.append({"shipping_amount": amount, "shipping_rate": rate["id"]})
    return rates, options
