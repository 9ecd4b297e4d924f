"""Shapes of what catalogue pages accept in the query: anything may come in there, and a bad link still shows a shelf."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict

from catalog.review_domain import ReviewStatus
from catalog.search.engine import Filters, Sort
from shop.lib.fields import EmailField
from shop.lib.money import Money

CHEAPEST, DEAREST = "price", "-price"
SORTS: dict[str, tuple[str, Sort]] = {
    "featured": ("Featured", Sort.FEATURED),
    "relevance": ("Best match", Sort.RELEVANCE),
    CHEAPEST: ("Price, low to high", Sort.PRICE_ASC),
    DEAREST: ("Price, high to low", Sort.PRICE_DESC),
    "newest": ("Newest", Sort.NEWEST),
    "rating": ("Best rated", Sort.RATING),
}
"""The orders of a list by their word in the address: what shoppers read, and what the engine is asked."""
ATTRIBUTE_PREFIX = "attr."
_LONGEST_VALUE = 100
_MOST_VALUES = 20
_LAST_PAGE = 10_000
_WHITE = re.compile(r"\s+")
# No control characters: nothing we sell has them, and they break logs and headers.
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class PriceField(forms.DecimalField):
    """An amount in major units, as a shopper types it, to minor units."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, min_value=Decimal(0), max_digits=10, decimal_places=2, **kwargs)

    def clean(self, value: Any) -> int | None:
        amount = super().clean(value)
        return None if amount is None else Money.of(amount, settings.CURRENCY).minor


class FilterForm(forms.Form):
    """The single values of a list's address. What does not fit is left out and named in `problems`."""

    q = forms.CharField(required=False)
    price_min = PriceField(label="Lowest price")
    price_max = PriceField(label="Highest price")
    in_stock = forms.BooleanField(required=False)
    sort = forms.CharField(required=False)
    page = forms.RegexField(r"^[0-9]{1,5}$", required=False)
    cursor = forms.CharField(max_length=1000, required=False)

    def __init__(self, query: QueryDict, *, category: str = "") -> None:
        super().__init__({name: value for name, value in query.items() if name in self.base_fields})
        self.query = query
        self.category = category
        self.is_valid()

    @property
    def text(self) -> str:
        """What is searched for, as one line."""
        return _tidy(self._value("q"))

    @property
    def chosen_sort(self) -> str:
        """The chosen order's word; without one, best match when words are searched and featured otherwise."""
        chosen = self._value("sort")
        return chosen if chosen in SORTS else ("relevance" if self.text else "featured")

    @property
    def chosen_page(self) -> int:
        return min(max(int(self._value("page") or 1), 1), _LAST_PAGE)

    @property
    def chosen_cursor(self) -> str:
        return self._value("cursor")

    @property
    def problems(self) -> list[str]:
        """What could not be used, in words for the shopper."""
        return [
            f"{self.fields[name].label} has to be an amount such as 25 or 24.99, so we left it out."
            for name in ("price_min", "price_max")
            if name in self.errors
        ]

    def filters(self) -> Filters:
        """What the engine is asked. A lowest price above the highest is taken the other way round."""
        low, high = self.cleaned_data.get("price_min"), self.cleaned_data.get("price_max")
        if low is not None and high is not None and low > high:
            low, high = high, low
        return Filters(
            text=self.text,
            category=self.category,
            sub_categories=self._values("type"),
            brands=self._values("brand"),
            price_min=low,
            price_max=high,
            in_stock=bool(self.cleaned_data.get("in_stock")),
            attributes={
                name.removeprefix(ATTRIBUTE_PREFIX): self._values(name)
                for name in sorted(self.query)[:_MOST_VALUES]
                if name.startswith(ATTRIBUTE_PREFIX) and self._values(name)
            },
        )

    def _value(self, name: str) -> str:
        return str(self.cleaned_data.get(name) or "")

    def _values(self, name: str) -> frozenset[str]:
        return frozenset(filter(None, (_tidy(value) for value in self.query.getlist(name)[:_MOST_VALUES])))


class SeenForm(forms.Form):
    """Which product a visitor is looking at."""

    seen = forms.RegexField(r"^[A-Za-z0-9_-]+$", max_length=64)


class TellMeForm(forms.Form):
    """Whom to tell that a product is back."""

    email = EmailField()


class DecisionForm(forms.Form):
    """A moderator's decision on a review, and the status it was made on."""

    status = forms.TypedChoiceField(choices=[(ReviewStatus.APPROVED, ""), (ReviewStatus.REJECTED, "")], coerce=ReviewStatus)
    seen = forms.TypedChoiceField(choices=[(status, "") for status in ReviewStatus], coerce=ReviewStatus)


def _tidy(text: str) -> str:
    return _WHITE.sub(" ", CONTROL.sub(" ", text)).strip()[:_LONGEST_VALUE]
