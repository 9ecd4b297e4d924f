"""Filters of our templates; built in, so that no template loads them."""

import re
from decimal import ROUND_HALF_UP, Decimal

from django import template

register = template.Library()


@register.filter
def label(name: str) -> str:
    """An attribute's key as shoppers read it: `seatHeight` is "Seat height"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").split()
    return " ".join(words).lower().capitalize()


@register.filter
def stars(average: Decimal) -> str:
    """A rating in tenths, rounded to the half star: 4.3 is "45"; the stylesheet has a width for each."""
    halves = (average * 2).quantize(Decimal(1), ROUND_HALF_UP)
    return str(int(min(max(halves, Decimal(0)), Decimal(10)) * 5))
