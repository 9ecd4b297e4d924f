"""Form fields and the address form that several apps share. What each country's post wants is in `places`."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError

from shop.lib.places import COUNTRIES, HOME_COUNTRY, STATE_REQUIRED, BadPostalCode, country_in_words, postal_code


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


class PhoneField(forms.RegexField):
    """A phone number, if somebody likes to give one."""

    def __init__(self) -> None:
        super().__init__(
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


def _postal_words(country: str, example: str) -> str:
    if country == "US":
        return "A US ZIP code has five digits, such as 10001, or nine, such as 10001-1234."
    place = country_in_words(country)
    return f"A postal code in {place} looks like {example}." if example else f"This does not look like a postal code in {place}."
