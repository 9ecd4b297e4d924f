"""The address form speaks of states and postal codes as people in the chosen country do."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from shop.lib.address_form import AddressForm
from shop.lib.places import COUNTRIES


def shown(name: str, country: str) -> list[str]:
    """The words of a field's label that stand for a country, by their classes."""
    spans = re.findall(r'<span class="([^"]*)">([^<]*)</span>', str(AddressForm()[name].label))
    own = [words for classes, words in spans if f"in-{country}" in classes.split()]
    return own or [words for classes, words in spans if "in-elsewhere" in classes.split()]


@pytest.mark.parametrize(
    ("country", "state", "code"),
    [
        ("US", "State", "ZIP code"),
        ("CA", "Province or territory", "Postal code"),
        ("AU", "State or territory", "Postcode"),
        ("GB", "County (optional)", "Postcode"),
        ("IE", "County (optional)", "Eircode"),
        ("JP", "Prefecture (optional)", "Postal code"),
        ("IT", "Province (optional)", "Postal code"),
        ("NZ", "Region (optional)", "Postcode"),
        ("DE", "Region (optional)", "Postal code"),
    ],
)
def test_labels_are_in_the_words_of_the_country(country: str, state: str, code: str) -> None:
    assert (shown("state", country), shown("zip_code", country)) == ([state], [code])


def test_the_style_sheet_shows_one_label_for_every_country() -> None:
    sheet = (Path(settings.BASE_DIR) / "static/css/buying.css").read_text()
    hidden = re.search(r"form:has\(:is\(([^)]*)\):checked\) \.in-elsewhere \{ display: none; \}", sheet)
    assert hidden
    own = set(re.findall(r"in-([A-Z]{2})", f"{AddressForm()['state'].label}{AddressForm()['zip_code'].label}"))

    assert set(re.findall(r'\[value="(\w+)"\]', hidden[1])) == own
    assert set(re.findall(r'form:has\(\[value="(\w+)"\]:checked\) \.in-(\w+)', sheet)) == {(code, code) for code in own}
    assert own < COUNTRIES.keys()


@pytest.mark.parametrize(
    ("country", "words"), [("US", "ZIP code"), ("IE", "Eircode"), ("FR", "postal code"), ("??", "postal code")]
)
def test_a_missing_code_is_asked_for_by_its_name(country: str, words: str) -> None:
    assert AddressForm({"country": country}).errors["zip_code"] == [f"Please give the {words}."]


def test_a_wrong_code_is_told_by_its_name() -> None:
    assert AddressForm({"country": "IE", "zip_code": "1"}).errors["zip_code"] == ["An Eircode in Ireland looks like D02 X285."]
