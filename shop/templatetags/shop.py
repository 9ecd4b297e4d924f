"""Filters of our templates; built in, so that no template loads them."""

from decimal import ROUND_HALF_UP, Decimal

from django import template

from shop.lib import words

register = template.Library()
register.filter(words.label)


@register.filter
def stars(average: Decimal) -> str:
    """A rating in tenths, rounded to the half star: 4.3 is "45"; the stylesheet has a width for each."""
    halves = (average * 2).quantize(Decimal(1), ROUND_HALF_UP)
    return str(int(min(max(halves, Decimal(0)), Decimal(10)) * 5))
