"""Shapes of what the profile pages accept from a browser."""

from dataclasses import asdict
from typing import Any

from django import forms

from accounts.book_domain import AddressKind, mark_of
from accounts.domain import SavedAddress
from accounts.forms import NameField
from shop.lib.address_form import AddressForm
from shop.lib.fields import PhoneField
from shop.lib.places import country_code


class ProfileForm(forms.Form):
    """What somebody is called."""

    first_name = NameField(label="First name", autocomplete="given-name")
    last_name = NameField(label="Last name", autocomplete="family-name")
    phone = PhoneField()


class SavedAddressForm(AddressForm):
    """An entry of the address book. `seen` marks the entry as it was when the form was opened."""

    kind = forms.ChoiceField(
        label="What is it for?",
        choices=[(AddressKind.SHIPPING, "Deliveries"), (AddressKind.BILLING, "Billing")],
        initial=AddressKind.SHIPPING,
        error_messages={"required": "Please choose one of these.", "invalid_choice": "Please choose one of these."},
    )
    is_default = forms.BooleanField(label="Offer this one first", required=False)
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)

    def entry(self, address_id: str = "") -> SavedAddress:
        """The entry of a valid form."""
        return SavedAddress(address_id=address_id, **{name: text for name, text in self.cleaned_data.items() if name != "seen"})


def fields_of(entry: SavedAddress) -> dict[str, Any]:
    """What the form shows of an entry."""
    return asdict(entry) | {"country": country_code(entry.country), "seen": mark_of(entry)}
