"""Countries parcels go to, and how their post writes its codes: pure rules. An address form of any app uses them."""

import re
import unicodedata
from dataclasses import dataclass

COUNTRIES = {
    "AU": "Australia",
    "AT": "Austria",
    "BE": "Belgium",
    "CA": "Canada",
    "DK": "Denmark",
    "FI": "Finland",
    "FR": "France",
    "DE": "Germany",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "NL": "Netherlands",
    "NZ": "New Zealand",
    "NO": "Norway",
    "PL": "Poland",
    "PT": "Portugal",
    "ES": "Spain",
    "SE": "Sweden",
    "CH": "Switzerland",
    "GB": "United Kingdom",
    "US": "United States",
}
"""ISO 3166-1 codes and the names shoppers read, sorted as they read them."""
_LONG_CODES = {
    "AUS": "AU",
    "AUT": "AT",
    "BEL": "BE",
    "CAN": "CA",
    "DNK": "DK",
    "FIN": "FI",
    "FRA": "FR",
    "DEU": "DE",
    "IRL": "IE",
    "ITA": "IT",
    "JPN": "JP",
    "NLD": "NL",
    "NZL": "NZ",
    "NOR": "NO",
    "POL": "PL",
    "PRT": "PT",
    "ESP": "ES",
    "SWE": "SE",
    "CHE": "CH",
    "GBR": "GB",
    "USA": "US",
}
HOME_COUNTRY = "US"
"""Where the shop is: what an address form offers first."""
STATE_REQUIRED = frozenset({"AU", "CA", "US"})
"""Countries whose post wants the state or province."""
STATE_WORDS = {
    "US": "state",
    "CA": "province or territory",
    "AU": "state or territory",
    "GB": "county",
    "IE": "county",
    "JP": "prefecture",
    "ES": "province",
    "IT": "province",
}
"""What a country is divided into, where people there do not call it a region."""
POSTAL_WORDS = {"US": "ZIP code", "AU": "postcode", "GB": "postcode", "NZ": "postcode", "IE": "Eircode"}
"""What its postal codes are called, where not that."""
_WITH_ARTICLE = frozenset({"GB", "NL", "US"})


class BadPostalCode(ValueError):
    """No postal code of the country; `example` is one."""

    def __init__(self, example: str) -> None:
        super().__init__(example)
        self.example = example


@dataclass(frozen=True, slots=True)
class _PostalRule:
    """The parts of a code written without spaces and dashes, what stands between them, and an example."""

    parts: str
    between: str
    example: str


_POSTAL_RULES = {
    "AT": _PostalRule(r"(\d{4})", "", "1010"),
    "AU": _PostalRule(r"(\d{4})", "", "2000"),
    "BE": _PostalRule(r"(\d{4})", "", "1000"),
    "CA": _PostalRule(r"([A-Z]\d[A-Z])(\d[A-Z]\d)", " ", "K1A 0B1"),
    "CH": _PostalRule(r"(\d{4})", "", "8001"),
    "DE": _PostalRule(r"(\d{5})", "", "10115"),
    "DK": _PostalRule(r"(\d{4})", "", "1050"),
    "ES": _PostalRule(r"(\d{5})", "", "28013"),
    "FI": _PostalRule(r"(\d{5})", "", "00100"),
    "FR": _PostalRule(r"(\d{5})", "", "75001"),
    "GB": _PostalRule(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", " ", "SW1A 1AA"),
    "IE": _PostalRule(r"([A-Z]\d[\dW])([A-Z\d]{4})", " ", "D02 X285"),
    "IT": _PostalRule(r"(\d{5})", "", "00184"),
    "JP": _PostalRule(r"(\d{3})(\d{4})", "-", "100-0001"),
    "NL": _PostalRule(r"(\d{4})([A-Z]{2})", " ", "1012 AB"),
    "NO": _PostalRule(r"(\d{4})", "", "0150"),
    "NZ": _PostalRule(r"(\d{4})", "", "6011"),
    "PL": _PostalRule(r"(\d{2})(\d{3})", "-", "00-001"),
    "PT": _PostalRule(r"(\d{4})(\d{3})", "-", "1000-001"),
    "SE": _PostalRule(r"(\d{3})(\d{2})", " ", "111 22"),
    "US": _PostalRule(r"(\d{5})(\d{4})?", "-", "10001"),
}
_DASHES = "\u2212\u30fc"  # the minus sign and the long vowel mark, which Japanese keyboards give for a dash


def country_code(written: str) -> str:
    """Our code of a country as another system may write it, such as "USA"; what we do not know stays as it is."""
    return _LONG_CODES.get(written.upper(), written)


def country_in_words(code: str) -> str:
    """The country as it stands within a sentence: "the United States", "France"."""
    name = COUNTRIES.get(code, code)
    return f"the {name}" if code in _WITH_ARTICLE else name


def state_words(country: str) -> str:
    """What people of the country call the part of it that an address names, within a sentence."""
    return STATE_WORDS.get(country, "region")


def postal_words(country: str) -> str:
    """What people of the country call a postal code, within a sentence."""
    return POSTAL_WORDS.get(country, "postal code")


def postal_code(country: str, typed: str) -> str:
    """A postal code as the country's post writes it, from what somebody typed: "sw1a1aa" is "SW1A 1AA", "D-10115" is "10115".

    Says that the form is right, not that such a place exists. For countries of `COUNTRIES`. Raises BadPostalCode.
    """
    text = unicodedata.normalize("NFKC", typed).upper()
    rule = _POSTAL_RULES[country]
    compact = "".join(char for char in text if unicodedata.category(char) not in ("Zs", "Pd") and char not in _DASHES)
    # "D-10115": the country's sign before a code that begins with a digit.
    sign = f"(?:{country}|{country[0]})?" if rule.example[0].isdigit() else ""
    found = re.fullmatch(sign + rule.parts, compact, re.ASCII)
    if found is None:
        raise BadPostalCode(rule.example)
    return rule.between.join(filter(None, found.groups()))
