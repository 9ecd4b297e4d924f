"""The address form that several apps share. What each country's post wants is in `places`."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from shop.lib.fields import LineField
from shop.lib.places import (
    COUNTRIES,
    HOME_COUNTRY,
    POSTAL_WORDS,
    STATE_REQUIRED,
    STATE_WORDS,
    BadPostalCode,
    country_in_words,
    postal_code,
    postal_words,
    state_words,
)


def _label(words: Callable[[str], str]) -> SafeString:
    """A label in the words of every country, of which base.css shows those of the country chosen: it needs neither a script nor
    another request. The last is for all countries that have no words of their own."""
    told: dict[str, list[str]] = {}
    for country in (*sorted(STATE_WORDS.keys() | POSTAL_WORDS.keys()), "elsewhere"):
        text = words(country)
        told.setdefault(text[0].upper() + text[1:], []).append(f"in-{country}")
    return format_html(
        '<span class="by-country">{}</span>',
        format_html_join("", '<span class="{}">{}</span>', ((" ".join(classes), text) for text, classes in told.items())),
    )


def _state_label(country: str) -> str:
    return state_words(country) + ("" if country in STATE_REQUIRED else " (optional)")


class AddressForm(forms.Form):
    """Where to send the parcel. The country comes first: it decides what the fields below are called."""

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
    state = LineField(label=_label(_state_label), autocomplete="address-level1", max_length=50)
    zip_code = LineField(
        label=_label(postal_words),
        autocomplete="postal-code",
        max_length=16,
        missing="Please give the postal code.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        country = self["country"].value()
        self.fields["zip_code"].error_messages["required"] = f"Please give the {postal_words(country)}."

    def clean(self) -> None:
        country = self.cleaned_data.get("country")
        if country in STATE_REQUIRED and not self.cleaned_data.get("state") and "state" not in self.errors:
            self.add_error(
                "state", f"Please fill in the {state_words(country)}: the post in {country_in_words(country)} needs it."
            )
        if country and "zip_code" in self.cleaned_data:
            try:
                self.cleaned_data["zip_code"] = postal_code(country, self.cleaned_data["zip_code"])
            except BadPostalCode as problem:
                self.add_error("zip_code", _looks_like(country, problem.example))


def _looks_like(country: str, example: str) -> str:
    if country == "US":
        return "A US ZIP code has five digits, such as 10001, or nine, such as 10001-1234."
    place = country_in_words(country)
    words = postal_words(country)
    return f"{'An' if words[0] in 'AEIOU' else 'A'} {words} in {place} looks like {example}."
