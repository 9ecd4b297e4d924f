"""Shapes of what staff's product pages accept. Anything may come in: what cannot be is said, and nothing typed is lost."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict

from catalog.domain import ProductStatus
from catalog.editing_domain import Draft
from catalog.forms import CONTROL
from shop.lib.fields import none_but_line_ends
from shop.lib.money import Money, digits

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 20_000
_LONGEST_PAIR = 200
_MOST_PAIRS = 40
_BLANK_PAIRS = 3
_MOST_CHOSEN = 100
_PAIRS = ("attribute", "option")
_ID = re.compile(r"[-a-zA-Z0-9_]{1,100}")
_TIME_FORMAT = "%Y-%m-%dT%H:%M"


def one_line(value: str) -> None:
    """Refuse more than a line."""
    if CONTROL.search(value):
        raise ValidationError("Please write this in one line.")


class LineField(forms.CharField):
    """A line of text."""

    def __init__(self, *, most: int = LONGEST_NAME, **kwargs: Any) -> None:
        super().__init__(max_length=most, validators=[one_line], **kwargs)
        self.error_messages.setdefault("max_length", "At most %(limit_value)d characters, please; these are %(show_value)d.")


class AmountField(forms.DecimalField):
    """An amount of the shop's currency in major units, to Money."""

    def __init__(self, **kwargs: Any) -> None:
        places = digits(settings.CURRENCY)
        own = kwargs.pop("error_messages", {})
        super().__init__(
            min_value=Decimal(0),
            max_digits=10 + places,
            decimal_places=places,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            error_messages={
                "invalid": "An amount such as 12.50, please.",
                "min_value": "An amount of nothing or more, please.",
                "max_digits": "This amount is too large.",
                "max_whole_digits": "This amount is too large.",
                "max_decimal_places": f"At most {places} digits after the point, please."
                if places
                else "Without a point, please.",
                **own,
            },
            **kwargs,
        )

    def clean(self, value: Any) -> Money | None:
        amount = super().clean(value)
        return None if amount is None else Money.of(amount, settings.CURRENCY)


_NO_PRICE = "The price has to be more than nothing."
_NO_SLUG = "Letters without accents, digits, - and _ alone, please, such as oak-bowl."


class ProductForm(forms.Form):
    """A product as staff write it. Attributes and options are pairs of repeated fields, so that rows need no script."""

    name = LineField(label="Name", error_messages={"required": "A product needs a name."})
    slug = forms.SlugField(
        label="Address",
        required=False,
        max_length=LONGEST_NAME,
        error_messages={"invalid": _NO_SLUG},
        help_text="The last part of the page’s address; empty makes one of the name. Old addresses keep leading here.",
    )
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 7}),
        validators=[none_but_line_ends],
    )
    brand = LineField(label="Brand", required=False)
    price = AmountField(label="Price", error_messages={"required": "A product needs a price.", "min_value": _NO_PRICE})
    compare_at_price = AmountField(
        label="Old price", required=False, help_text="What it cost before; shown struck through where it is more than the price."
    )
    category = forms.ChoiceField(
        label="Category",
        error_messages={
            "required": "Choose a category.",
            "invalid_choice": "There is no category “%(value)s”: it has to be made first.",
        },
    )
    sub_category = LineField(label="Subcategory", required=False)
    sku = LineField(
        label="SKU",
        most=64,
        help_text="Your number for it; no two products share one.",
        error_messages={"required": "A product needs a SKU, a number of your own."},
    )
    weight = forms.IntegerField(
        label="Weight in grams",
        required=False,
        min_value=0,
        max_value=1_000_000,
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value"), "Whole grams, please: from 0 to 1000000, a ton."),
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
        help_text="Packed, as delivery is priced; empty: the attribute “weight” counts.",
    )
    tax_class = LineField(
        label="Tax class",
        required=False,
        most=40,
        help_text="As the tax rules name it, such as books; empty: the ordinary one.",
    )
    family = forms.SlugField(
        label="Family",
        required=False,
        max_length=100,
        error_messages={"invalid": _NO_SLUG},
        help_text="Products of one family differ by the options below, and link to each other.",
    )
    status = forms.TypedChoiceField(
        label="Status",
        coerce=ProductStatus,
        error_messages={
            "required": "Choose draft, active or archived.",
            "invalid_choice": "“%(value)s” is no status: choose draft, active or archived.",
        },
    )
    publish_at = forms.DateTimeField(
        label="Publish at (UTC)",
        required=False,
        input_formats=[_TIME_FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_TIME_FORMAT),
        error_messages={"invalid": "A day and time such as 2027-05-31 09:30, please."},
        help_text="For a draft: it becomes active then, by itself.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    seen = forms.CharField(widget=forms.HiddenInput, required=False, strip=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        categories: Sequence[str],
        draft: Draft,
        now: datetime,
    ) -> None:
        self.now, self.draft = now, draft
        super().__init__(data, initial=_initial(draft), use_required_attribute=False)
        known = list(dict.fromkeys([*categories, *([draft.category] if draft.category else [])]))
        blank = [] if draft.category else [("", "Choose one")]
        self.fields["category"].choices = [*blank, *((name, name) for name in known)]  # type: ignore[attr-defined]  # a ChoiceField
        offered = [ProductStatus.DRAFT, ProductStatus.ACTIVE, ProductStatus.ARCHIVED]
        if draft.status not in offered:
            offered.append(draft.status)
        self.fields["status"].choices = [(status, status.capitalize()) for status in offered]  # type: ignore[attr-defined]  # a ChoiceField

    def clean_price(self) -> Money | None:
        price: Money | None = self.cleaned_data["price"]
        if price is not None and not price:
            raise ValidationError(_NO_PRICE)
        return price

    def clean_description(self) -> str:
        # Browsers send line ends of their own; a text nobody touched must stay the same.
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    def clean_publish_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["publish_at"]
        return at.astimezone(UTC).replace(microsecond=0) if at else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        at, status = cleaned.get("publish_at"), cleaned.get("status")
        if at and status and status is not ProductStatus.DRAFT:
            self.add_error("publish_at", "Only a draft waits for its time: choose Draft, or leave the time empty.")
        elif at and at <= self.now and at != self.draft.publish_at:
            self.add_error("publish_at", "This time has passed. To publish now, choose Active and leave the time empty.")
        for kind in _PAIRS:
            cleaned[f"{kind}s"] = self._clean_pairs(kind)
        if cleaned.get("family") and not cleaned["options"]:
            self.add_error("family", "A member of a family needs an option that tells it from the others, such as colour: Sand.")
        return cleaned

    @property
    def written(self) -> Draft:
        """What was written. Of a valid form alone."""
        cleaned = self.cleaned_data
        return Draft(**{name: cleaned[name] for name in Draft.__dataclass_fields__})

    @property
    def seen_texts(self) -> dict[str, str]:
        """What the writer began with; nothing where that was tampered with."""
        try:
            seen = json.loads(self.cleaned_data.get("seen") or "{}")
        except ValueError:
            return {}
        return {str(name): str(text) for name, text in seen.items()} if isinstance(seen, dict) else {}

    def attribute_rows(self) -> list[tuple[str, str]]:
        """The rows of attributes to draw, some blank ones last."""
        return self._rows("attribute")

    def option_rows(self) -> list[tuple[str, str]]:
        """The rows of options to draw."""
        return self._rows("option")[:_MOST_PAIRS]

    def _rows(self, kind: str) -> list[tuple[str, str]]:
        if self.is_bound:
            rows = [pair for pair in self._typed(kind) if any(pair)]
        else:
            rows = list((self.draft.attributes if kind == "attribute" else self.draft.options).items())
        blank = _BLANK_PAIRS if kind == "attribute" else 1
        return [*rows, *[("", "")] * blank]

    def _typed(self, kind: str) -> list[tuple[str, str]]:
        data: Any = self.data
        names, values = data.getlist(f"{kind}_name"), data.getlist(f"{kind}_value")
        return [(name.strip(), value.strip()) for name, value in zip(names, values, strict=False)][: 2 * _MOST_PAIRS]

    def _clean_pairs(self, kind: str) -> dict[str, str]:
        pairs: dict[str, str] = {}
        for name, value in (pair for pair in self._typed(kind) if any(pair)):
            try:
                _check_pair(kind, name, value, pairs)
            except ValidationError as error:
                self.add_error(None, error)
            pairs[name] = value
        return pairs


def _check_pair(kind: str, name: str, value: str, pairs: Mapping[str, str]) -> None:
    if not (name and value):
        raise ValidationError(f"The {kind} “{name or value}” needs both a name and a value.")
    if name in pairs:
        raise ValidationError(f"The {kind} “{name}” is there twice.")
    if len(pairs) >= _MOST_PAIRS:
        raise ValidationError(f"A product can have {_MOST_PAIRS} {kind}s at most.")
    if max(len(name), len(value)) > _LONGEST_PAIR:
        raise ValidationError(f"The {kind} “{name[:40]}” is too long: {_LONGEST_PAIR} characters at most.")
    one_line(name)
    one_line(value)


def _initial(draft: Draft) -> dict[str, Any]:
    given: dict[str, Any] = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    given["price"] = f"{draft.price.amount:f}" if draft.price else ""
    given["compare_at_price"] = f"{draft.compare_at_price.amount:f}" if draft.compare_at_price else ""
    return given


def values_of(draft: Draft) -> dict[str, str]:
    """The single fields of the form as a browser would send them for a draft that nobody touched."""
    given = {name: "" if value is None else str(value) for name, value in _initial(draft).items()}
    given["publish_at"] = draft.publish_at.strftime(_TIME_FORMAT) if draft.publish_at else ""
    return {name: given[name] for name in given if name not in ("attributes", "options")}


class Bulk(forms.Form):
    """What to do with several products."""

    ACTIONS = (
        ("activate", "Make active"),
        ("archive", "Archive"),
        ("category", "Move to category"),
        ("price", "Change price by %"),
    )
    action = forms.ChoiceField(choices=ACTIONS)
    category = forms.CharField(max_length=LONGEST_NAME, required=False)
    percent = forms.DecimalField(required=False, min_value=Decimal(-90), max_value=Decimal(900), max_digits=6, decimal_places=2)

    def __init__(self, data: QueryDict, *, categories: Sequence[str]) -> None:
        super().__init__(data)
        self.categories = categories

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        action = cleaned.get("action")
        if action == "category" and cleaned.get("category") not in self.categories:
            self.add_error("category", "Choose the category to move them to.")
        if action == "price" and "percent" not in self.errors and not cleaned.get("percent"):
            self.add_error("percent", "Say by how many percent, such as 5 or -10.")
        return cleaned

    @property
    def chosen(self) -> list[str]:
        """The ids of the products, each once."""
        data: Any = self.data
        return list(dict.fromkeys(id_ for id_ in data.getlist("id") if _ID.fullmatch(id_)))[:_MOST_CHOSEN]

    @property
    def seen(self) -> dict[str, int]:
        """The versions the decision was made on, by id."""
        data: Any = self.data
        pairs = (entry.partition(":") for entry in data.getlist("seen"))
        return {id_: int(version) for id_, _, version in pairs if _ID.fullmatch(id_) and version.isascii() and version.isdigit()}


class PhotosForm(forms.Form):
    """What to do with a product's photographs, as they were when the page was drawn."""

    _LONGEST_ALT = 300
    do = forms.RegexField(r"^(up|down|remove|texts)(:[0-9]{1,2})?$")

    @property
    def move(self) -> tuple[str, int]:
        """What to do, and with which one, counted from 0."""
        what, _, place = self.cleaned_data["do"].partition(":")
        return what, int(place or 0)

    @property
    def keys(self) -> list[str]:
        """The photographs the writer saw, in their order."""
        data: Any = self.data
        return list(data.getlist("key"))

    @property
    def texts(self) -> list[str]:
        """What each shows, in words."""
        data: Any = self.data
        return [CONTROL.sub(" ", text).strip()[: self._LONGEST_ALT] for text in data.getlist("alt")]


class UploadForm(forms.Form):
    """A file that a browser is about to send."""

    type = forms.CharField(max_length=100)
    size = forms.IntegerField(min_value=0)
