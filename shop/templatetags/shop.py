"""Filters and tags of our templates; built in, so that no template loads them."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from shop import subjects
from shop.lib import actors
from shop.lib import words as texts
from shop.lib.access import Permission, viewer_of
from shop.lib.addresses import with_query

if TYPE_CHECKING:
    from catalog.shelf import Choice

_TICK = (
    '<li><label class="tick"><input type="checkbox" id="{}" name="{}" value="{}"{}>'
    ' <span>{}</span> <span class="tally">{}</span></label></li>'
)
_CHECKED, _DISABLED = mark_safe(" checked"), mark_safe(" disabled")

_SEARCHED = {
    "orders": ("orders_staff:orders", Permission.ORDERS_VIEW),
    "customers": ("accounts_staff:customers", Permission.CUSTOMERS_VIEW),
    "products": ("catalog_staff:products", Permission.PRODUCTS_VIEW),
}
register = template.Library()
register.filter(texts.label)
register.filter(actors.actor_words)
register.filter(subjects.page_of)


@register.inclusion_tag("staff/elsewhere.html", takes_context=True)
def elsewhere(context: Any, here: str, words: str) -> dict[str, Any]:
    """The other lists of staff's in which the words looked for could be meant: a name may be a product's or a customer's."""
    viewer = viewer_of(context.request)
    lists = [
        (label, with_query(reverse(name), {"q": words}))
        for label, (name, permission) in _SEARCHED.items()
        if words and label != here and viewer.may(permission)
    ]
    return {"words": words, "lists": lists}


@register.simple_tag
def ticks(choices: "Iterable[Choice]", name: str) -> SafeString:
    """Choices to tick, a row each. In Python, for a list has a hundred: as a template's loop they took a third of its time."""
    rows = ((_tick(choice.id, name, choice.value, _state(choice), choice.label, choice.count),) for choice in choices)
    return format_html_join("\n        ", "{}", rows)


@lru_cache(4096, typed=True)  # what is marked as safe is not what only looks the same
def _tick(*parts: object) -> SafeString:
    """A row. Most are on the next list again, and escaping its parts takes ten times as long as finding it."""
    return format_html(_TICK, *parts)


def _state(choice: "Choice") -> str:
    if choice.is_chosen:
        return _CHECKED
    return "" if choice.count else _DISABLED


@register.filter
@lru_cache(256)
def stars(average: Decimal) -> str:
    """A rating in tenths, rounded to the half star: 4.3 is "45"; the stylesheet has a width for each."""
    halves = (average * 2).quantize(Decimal(1), ROUND_HALF_UP)
    return str(int(min(max(halves, Decimal(0)), Decimal(10)) * 5))


@register.filter
def field_words(name: str) -> str:
    """What a field of an audit entry is called, as the editor calls it."""
    from catalog.editing_domain import label_of  # staff's alone: no shopper's page waits for it

    return label_of(name)
