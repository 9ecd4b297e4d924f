"""Which tax is due where, and on what: pure rules. docs/pricing.md explains them with worked examples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from shop.lib.money import Money
from shop.lib.places import COUNTRIES

_KNOWN = frozenset({"countries", "regions", "rate", "classes", "included", "delivery"})


class BadTable(ValueError):
    """A table of rates that is none; the message is a sentence without its full stop."""


@dataclass(frozen=True, slots=True)
class TaxRule:
    """The tax of a place: of goods by their class, and of delivery. Added to prices, or included in them.

    Without countries it holds wherever no other rule does; with regions only in these of the countries.
    """

    rate: Decimal
    is_included: bool = False
    classes: Mapping[str, Decimal] = field(default_factory=dict)
    delivery: Decimal = Decimal(0)
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    def rate_of(self, tax_class: str) -> Decimal:
        """The rate of goods of this class; a class the rule does not name has the ordinary rate."""
        return self.classes.get(tax_class.casefold(), self.rate)

    def tax_of(self, amount: Money, rate: Decimal) -> Money:
        """The tax of an amount, rounded half-up to the minor unit: what comes on top of it, or the part of it that is tax."""
        part, whole = rate.as_integer_ratio()
        if self.is_included:
            whole += part
        return Money((2 * amount.minor * part + whole) // (2 * whole), amount.currency)


def rule_for(rules: Sequence[TaxRule], *, country: str, region: str = "") -> TaxRule:
    """The rule of a place: its region's before its country's, and the rule for everywhere else last."""
    folded = _folded(region)
    of_country = [rule for rule in rules if country in rule.countries]
    found = next((rule for rule in of_country if folded in rule.regions), None)
    found = found or next((rule for rule in of_country if not rule.regions), None)
    return found or next(rule for rule in rules if not rule.countries)


def tax_rules_from(table: Any) -> tuple[TaxRule, ...]:
    """The rules written as a list of objects (see docs/pricing.md). Raises BadTable with a sentence about what is wrong."""
    if not isinstance(table, list) or not table:
        raise BadTable("it must be a list of at least one rule")
    rules = tuple(_rule(entry, f"rule {number}") for number, entry in enumerate(table, start=1))
    if sum(not rule.countries for rule in rules) != 1:
        raise BadTable("exactly one rule must be without countries: it holds wherever no other does")
    places = [place for rule in rules for place in _places(rule)]
    for country, region in places:
        if places.count((country, region)) > 1:
            raise BadTable(f"two rules are for {region or COUNTRIES[country]}" + (f" in {COUNTRIES[country]}" if region else ""))
    return rules


def _rule(entry: Any, where: str) -> TaxRule:
    if not isinstance(entry, dict):
        raise BadTable(f'{where} must be an object such as {{"rate": "0.08"}}')
    if unknown := sorted(set(entry) - _KNOWN):
        raise BadTable(f"{where} has {unknown[0]!r}, which is none of {', '.join(sorted(_KNOWN))}")
    classes, included = entry.get("classes", {}), entry.get("included", False)
    if "rate" not in entry:
        raise BadTable(f'{where} needs a "rate"')
    if not isinstance(classes, dict):
        raise BadTable(f'{where}: "classes" must be an object such as {{"books": "0.05"}}')
    if not isinstance(included, bool):
        raise BadTable(f'{where}: "included" may be true or false')
    countries = country_codes(entry.get("countries", []), where)
    regions = texts(entry.get("regions", []), f'{where}: "regions"')
    if regions and len(countries) != 1:
        raise BadTable(f"{where} names regions, so it must name exactly one country")
    return TaxRule(
        rate=_rate(entry["rate"], where),
        is_included=included,
        classes={name.casefold(): _rate(rate, f"{where}, class {name!r}") for name, rate in classes.items()},
        delivery=_rate(entry.get("delivery", "0"), f"{where}, delivery"),
        countries=frozenset(countries),
        regions=frozenset(map(_folded, regions)),
    )


def country_codes(value: Any, where: str) -> tuple[str, ...]:
    """A list of countries we deliver to, by their codes. Raises BadTable."""
    codes = texts(value, f'{where}: "countries"')
    if unknown := [code for code in codes if code not in COUNTRIES]:
        raise BadTable(f"{where} names the country {unknown[0]!r}, to which nothing is delivered")
    return codes


def texts(value: Any, what: str) -> tuple[str, ...]:
    """A list of texts. Raises BadTable."""
    if not isinstance(value, list) or not all(isinstance(text, str) and text.strip() for text in value):
        raise BadTable(f"{what} must be a list of texts")
    return tuple(text.strip() for text in value)


def _rate(value: Any, where: str) -> Decimal:
    try:
        rate = Decimal(value) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
    except InvalidOperation:
        rate = None
    if rate is None or not rate.is_finite() or not 0 <= rate <= 1:
        raise BadTable(f'{where} has the rate {value!r}; it may be a number from 0 to 1, such as "0.08"')
    return rate


def _places(rule: TaxRule) -> Iterable[tuple[str, str]]:
    for country in rule.countries:
        yield from ((country, region) for region in rule.regions or ("",))


def _folded(region: str) -> str:
    return " ".join(region.split()).casefold()
