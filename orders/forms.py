"""Shapes of what the checkout accepts from a browser."""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from catalog.review_domain import Words
from orders.domain import Address, DeliveryMethod
from shop.lib.places import COUNTRIES, HOME_COUNTRY, STATE_REQUIRED, BadPostalCode, country_in_words, postal_code

_LINE_ENDS = re.compile(r"\r\n?")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*")
# Overrides and isolates of writing direction: unclosed, they turn round what stands after them on the page.
_TURNING_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def no_control_characters(value: str) -> None:
    """Refuse text with control characters: they have no place on a parcel label and break mail headers."""
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise ValidationError("Please write this without control characters.")


class LineField(forms.CharField):
    """One line of ordinary text. `missing` is what is said when it is empty; without it, it may be."""

    def __init__(self, *, label: str, autocomplete: str, missing: str = "", max_length: int = 100, help_text: str = "") -> None:
        super().__init__(
            label=label,
            max_length=max_length,
            required=bool(missing),
            help_text=help_text,
            validators=[no_control_characters],
            widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
            error_messages={"required": missing},
        )


class ContactForm(forms.Form):
    """Whom to write to."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        help_text="We send the order confirmation here.",
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        error_messages={
            "required": "Please give your e-mail address: the confirmation goes there.",
            "invalid": "This does not look like an e-mail address. It needs an @ and a domain, such as ada@example.com.",
        },
    )
    phone = forms.RegexField(
        r"^\+?[0-9 ()./-]{5,30}$",
        label="Phone (optional)",
        required=False,
        help_text="Only for the carrier, if the parcel cannot be delivered.",
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
        error_messages={"invalid": "A phone number has digits, and may have spaces, brackets, dashes and a + in front."},
    )


class AddressForm(forms.Form):
    """Where to send the parcel."""

    country = forms.ChoiceField(
        label="Country",
        choices=list(COUNTRIES.items()),
        initial=HOME_COUNTRY,
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={
            "required": "Please choose a country.",
            "invalid_choice": "We do not deliver there yet. Please choose a country from the list.",
        },
    )
    name = LineField(label="Full name", autocomplete="name", missing="Please give the full name of who gets the parcel.")
    street = LineField(
        label="Street and number", autocomplete="address-line1", missing="Please give the street and the house number."
    )
    street2 = LineField(label="Apartment, floor (optional)", autocomplete="address-line2")
    city = LineField(label="City", autocomplete="address-level2", missing="Please give the city.")
    state = LineField(
        label="State or region", autocomplete="address-level1", max_length=50, help_text="For Australia, Canada and the US."
    )
    zip_code = LineField(
        label="ZIP or postal code",
        autocomplete="postal-code",
        max_length=16,
        missing="Please give the ZIP or postal code.",
    )

    def clean(self) -> None:
        country = self.cleaned_data.get("country")
        if country in STATE_REQUIRED and not self.cleaned_data.get("state") and "state" not in self.errors:
            self.add_error("state", f"Please fill in the state or province: the post in {country_in_words(country)} needs it.")
        if country and "zip_code" in self.cleaned_data:
            try:
                self.cleaned_data["zip_code"] = postal_code(country, self.cleaned_data["zip_code"])
            except BadPostalCode as problem:
                self.add_error("zip_code", _postal_words(country, problem.example))

    def address(self) -> Address:
        """The address of a valid form."""
        return Address(**self.cleaned_data)


def _postal_words(country: str, example: str) -> str:
    if country == "US":
        return "A US ZIP code has five digits, such as 10001, or nine, such as 10001-1234."
    place = country_in_words(country)
    return f"A postal code in {place} looks like {example}." if example else f"This does not look like a postal code in {place}."


class DeliveryForm(forms.Form):
    """How to send the parcel: one of `methods`."""

    def __init__(self, *args: Any, methods: tuple[DeliveryMethod, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = methods
        self.fields["delivery"] = forms.ChoiceField(
            label="Delivery",
            choices=[(method.code, method.name) for method in methods],
            widget=forms.RadioSelect,
            error_messages={
                "required": "Please choose how we shall send it.",
                "invalid_choice": "Please choose one of these.",
            },
        )


class PlaceForm(forms.Form):
    """Which cart is ordered, the total in minor units the shopper agreed to, and the mark of all that was reviewed."""

    cart_id = forms.RegexField(r"^cart-[0-9a-z]{5,40}$")
    total_minor = forms.RegexField(r"^[0-9]{1,12}$")
    seen = forms.RegexField(r"^[0-9a-f]{20}-[0-9]{1,12}(\.[0-9]{1,12}){0,39}$")


class ProseField(forms.CharField):
    """Text a person writes for others, with lines (`has_lines`) or on one. Marks that turn the writing round are dropped."""

    def __init__(self, *, has_lines: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.has_lines = has_lines

    def to_python(self, value: Any) -> str:
        """The text as we keep it: our line ends, no more than one empty line together. Other control characters are refused."""
        text = _TURNING_MARKS.sub("", _LINE_ENDS.sub("\n", str(value or "")).replace("\t", " "))
        no_control_characters(text.replace("\n", " ") if self.has_lines else text)
        return str(super().to_python(_EMPTY_LINES.sub("\n\n", text)))


class ReviewForm(forms.Form):
    """What a buyer says of a product. It is shown as it was typed, as text: links and tags in it are letters like others."""

    stars = forms.TypedChoiceField(
        label="How many stars?",
        choices=[(5, "Excellent"), (4, "Good"), (3, "It will do"), (2, "Not good"), (1, "Bad")],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Please choose how many stars.", "invalid_choice": "Please choose from one to five stars."},
    )
    title = ProseField(label="In a few words (optional)", max_length=80, required=False)
    text = ProseField(
        label="Your review",
        max_length=2000,
        has_lines=True,
        help_text="What do you like, what not, and how do you use it? Up to 2,000 characters, without personal data.",
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": "Please write a sentence or two."},
    )
    author = ProseField(
        label="Name to show beside it",
        max_length=40,
        help_text="Your first name will do. Everybody can see it.",
        error_messages={"required": "Please give a name to show beside your review. It need not be your real one."},
    )

    def words(self) -> Words:
        """The words of a valid form."""
        return Words(**self.cleaned_data)
