"""The staff page of delivery and tax: the tables in force, and what an example costs by them."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from cart.delivery_domain import kilos
from cart.delivery_queries import delivery_table
from cart.discount_domain import normal_code
from cart.domain import Buyer, Cart, CartState, Item, KeptCart
from cart.queries import price_cart, tax_rule
from cart.staff_forms import ExampleForm
from cart.tax_domain import TaxRule
from catalog.staff_queries import products_of_skus
from shop.lib.access import Permission, require_staff
from shop.lib.clock import utc_now
from shop.lib.places import COUNTRIES, HOME_COUNTRY

_HUNDRED = 100
_LETTERS_OF_A_STATE = 3


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def tables(request: HttpRequest) -> HttpResponse:
    """The settings' tables, and an example priced as carts are: the same function, the same catalogue, the same code."""
    form = ExampleForm(request.GET if "country" in request.GET else None)
    context: dict[str, Any] = {
        "form": form,
        "methods": delivery_table(),
        "rules": [_rule(rule) for rule in settings.TAX_RULES],
        "home": COUNTRIES[HOME_COUNTRY],
        "currency": settings.CURRENCY,
    }
    if form.is_bound and form.is_valid():
        context |= _example(form, utc_now())
    return render(request, "staff/cart/tariffs.html", context)


def _example(form: ExampleForm, now: datetime) -> dict[str, Any]:
    told = form.cleaned_data
    known = products_of_skus(skus=list(form.pieces)) if form.pieces else {}
    items = tuple(
        Item(known[sku].product_id, known[sku].name, count, known[sku].price, "", now)
        for sku, count in form.pieces.items()
        if sku in known
    )
    buyer = Buyer(told["country"] or HOME_COUNTRY, told["region"], told["delivery"])
    kept = KeptCart("example", items, CartState.OPEN, 0, now, code=normal_code(told["code"]))
    cart = price_cart(kept, now=now, buyer=buyer)
    return {
        "cart": cart,
        "is_empty": not any(line.counts for line in cart.lines),
        "unknown": [sku for sku in form.pieces if sku not in known],
        "place": ", ".join(filter(None, (told["region"], buyer.country_in_words))),
        "kilos": kilos(sum(line.grams * line.quantity for line in cart.lines if line.counts)),
        "rule": _rule(tax_rule(buyer)),
        "rates": [(line, _percent(tax_rule(buyer).rate_of(line.tax_class))) for line in cart.lines],
        "is_asked_way": _is_asked_way(cart, told["delivery"]),
    }


def _is_asked_way(cart: Cart, asked: str) -> bool:
    """Whether the parcel goes the way that was asked for: one that does not fit gives way to the cheapest."""
    return not asked or (cart.delivery is not None and cart.delivery.code == asked)


def _rule(rule: TaxRule) -> dict[str, Any]:
    return {
        "where": _countries(rule.countries) or ("Everywhere else" if len(settings.TAX_RULES) > 1 else "Everywhere"),
        "regions": ", ".join(sorted(map(_region, rule.regions))),
        "rate": _percent(rule.rate),
        "classes": _classes(rule.classes),
        "delivery": _percent(rule.delivery),
        "is_included": rule.is_included,
    }


def _classes(classes: Mapping[str, Decimal]) -> list[tuple[str, str]]:
    return [(name, _percent(rate)) for name, rate in sorted(classes.items())]


def _region(folded: str) -> str:
    """A region as people write it; rules compare without case."""
    return folded.upper() if len(folded) <= _LETTERS_OF_A_STATE else folded.title()


def _countries(codes: frozenset[str]) -> str:
    return ", ".join(sorted(COUNTRIES[code] for code in codes))


def _percent(rate: Decimal) -> str:
    return f"{(rate * _HUNDRED).normalize():f}\N{NO-BREAK SPACE}%"
