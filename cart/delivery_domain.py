"""Which ways of sending a parcel there are to a place, and what they cost: pure rules, explained in docs/pricing.md."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any

from cart.tax_domain import BadTable, country_codes
from shop.lib.money import Money
from shop.lib.places import country_in_words

_SATURDAY = 5
_MOST_DAYS = 90
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
_WEIGHT = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(g|kg|)\s*", re.IGNORECASE)
_GRAMS = Decimal(1000)
_METHOD_KEYS = frozenset({"code", "name", "days", "rates"})
_RATE_KEYS = frozenset({"price", "countries", "from", "up_to_grams", "days"})


@dataclass(frozen=True, slots=True)
class DeliveryMethod:
    """A way to send a parcel to a place: price and how many working days it takes, from and to."""

    code: str
    name: str
    price: Money
    days: tuple[int, int]

    def arrival(self, ordered_at: datetime) -> tuple[datetime, datetime]:
        """The first and the last day on which a parcel ordered at this moment arrives."""
        first, last = self.days
        return after_working_days(ordered_at, first), after_working_days(ordered_at, last)


def after_working_days(moment: datetime, days: int) -> datetime:
    """Midnight of the day so many working days (Monday to Friday) after the moment's day."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day


@dataclass(frozen=True, slots=True)
class Rate:
    """A price of a method: for some countries (or all that no other rate of it names), goods from a value, up to a weight."""

    price: Money
    days: tuple[int, int]
    least: Money
    countries: frozenset[str] = frozenset()
    up_to_grams: int | None = None

    def takes(self, grams: int) -> bool:
        return self.up_to_grams is None or grams <= self.up_to_grams


@dataclass(frozen=True, slots=True)
class Tariff:
    """A way of sending with all its prices."""

    code: str
    name: str
    rates: tuple[Rate, ...]

    def rates_to(self, country: str) -> tuple[Rate, ...]:
        """The prices for a country: those that name it, or else those that name none."""
        named = tuple(rate for rate in self.rates if country in rate.countries)
        return named or tuple(rate for rate in self.rates if not rate.countries)


@dataclass(frozen=True, slots=True)
class Unavailable:
    """A way of sending that these goods cannot go, and why not, in a sentence."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Offers:
    """The ways of sending that can be chosen, in the order of the table, and those that cannot."""

    methods: tuple[DeliveryMethod, ...]
    unavailable: tuple[Unavailable, ...] = ()

    @property
    def cheapest(self) -> DeliveryMethod | None:
        return min(self.methods, key=lambda method: method.price.minor, default=None)

    def method(self, code: str) -> DeliveryMethod | None:
        """The offered method of this code; None when it is not offered."""
        return next((method for method in self.methods if method.code == code), None)


NO_OFFERS = Offers(())


@dataclass(frozen=True, slots=True)
class FreeDelivery:
    """How far a cart is from free delivery: `missing` until `least`."""

    name: str
    least: Money
    missing: Money

    @property
    def reached(self) -> int:
        """How much of it is there already, in hundredths."""
        return 100 * (self.least - self.missing).minor // self.least.minor


def offers(tariffs: Sequence[Tariff], *, country: str, goods: Money, grams: int) -> Offers:
    """The ways to send goods of this value (discounts taken off) and weight to a country: of a method's prices the lowest."""
    methods, unavailable = [], []
    for tariff in tariffs:
        zone = tariff.rates_to(country)
        fitting = [rate for rate in zone if rate.takes(grams)]
        open_ones = [rate for rate in fitting if rate.least <= goods]
        if open_ones:
            best = min(open_ones, key=lambda rate: rate.price.minor)
            methods.append(DeliveryMethod(tariff.code, tariff.name, best.price, best.days))
        else:
            unavailable.append(Unavailable(tariff.name, _why_not(zone, fitting, country, goods, grams)))
    return Offers(tuple(methods), tuple(unavailable))


def free_delivery(tariffs: Sequence[Tariff], *, country: str, goods: Money, grams: int) -> FreeDelivery | None:
    """How much is missing to the nearest free delivery; None when there is none to reach, or some way is free already."""
    if any(not method.price for method in offers(tariffs, country=country, goods=goods, grams=grams).methods):
        return None
    free = [
        FreeDelivery(tariff.name, rate.least, rate.least - goods)
        for tariff in tariffs
        for rate in tariff.rates_to(country)
        if not rate.price and rate.takes(grams) and goods < rate.least
    ]
    return min(free, key=lambda found: found.missing.minor, default=None)


def name_of(tariffs: Sequence[Tariff], code: str) -> str:
    """What shoppers call a way of sending, one that is not in the table any more included."""
    named = next((tariff.name for tariff in tariffs if tariff.code == code), "")
    return named or f"{code.replace('_', ' ').capitalize()} delivery"


def days_of(tariffs: Sequence[Tariff], code: str, country: str) -> tuple[int, int] | None:
    """How many working days a way of sending takes to a country; None for one that does not go there any more."""
    rates = next((tariff.rates_to(country) for tariff in tariffs if tariff.code == code), ())
    return rates[0].days if rates else None


def grams_of(text: str) -> int:
    """The weight in a product's attribute, such as "390 g", "1.05 kg" or "390"; 0 for one that is none."""
    found = _WEIGHT.fullmatch(text)
    if found is None:
        return 0
    weight = Decimal(found[1]) * (_GRAMS if found[2].lower() == "kg" else 1)
    return int(weight.to_integral_value(ROUND_CEILING))


def kilos(grams: int) -> str:
    """A weight as people write it, kept on one line."""
    return f"{(grams / _GRAMS).normalize():f}\N{NO-BREAK SPACE}kg"


def tariffs_from(table: Any, *, currency: str) -> tuple[Tariff, ...]:
    """The methods written as a list of objects (see docs/pricing.md). Raises BadTable with a sentence about what is wrong."""
    if not isinstance(table, list) or not table:
        raise BadTable("it must be a list of at least one method")
    tariffs = tuple(_tariff(entry, f"method {number}", currency) for number, entry in enumerate(table, start=1))
    codes = [tariff.code for tariff in tariffs]
    for code in codes:
        if codes.count(code) > 1:
            raise BadTable(f"two methods have the code {code!r}")
    return tariffs


def _why_not(zone: Iterable[Rate], fitting: Sequence[Rate], country: str, goods: Money, grams: int) -> str:
    zone = tuple(zone)
    if not zone:
        return f"Does not go to {country_in_words(country)}."
    if not fitting:
        most = max(rate.up_to_grams or 0 for rate in zone)
        return f"Takes up to {_weight(most)}; this order weighs {_weight(grams)}."
    least = min((rate.least for rate in fitting), key=lambda least: least.minor)
    return f"For goods of {least} or more; add {least - goods}."


def _weight(grams: int) -> str:
    return f"{grams} g" if grams < _GRAMS else f"{(grams / _GRAMS).normalize():f} kg"


def _tariff(entry: Any, where: str, currency: str) -> Tariff:
    _only(entry, _METHOD_KEYS, where)
    code, name, rates = entry.get("code"), entry.get("name"), entry.get("rates")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        raise BadTable(f'{where} needs a "code" of small letters, digits and dashes, such as "standard"')
    if not isinstance(name, str) or not name.strip():
        raise BadTable(f'{where} ({code}) needs a "name"')
    days = _days(entry.get("days"), f"{where} ({code})")
    if not isinstance(rates, list) or not rates:
        raise BadTable(f'{where} ({code}) needs "rates", a list of at least one price')
    return Tariff(code, name.strip(), tuple(_rate(rate, f"{where} ({code})", days, currency) for rate in rates))


def _rate(entry: Any, where: str, days: tuple[int, int], currency: str) -> Rate:
    _only(entry, _RATE_KEYS, where)
    grams = entry.get("up_to_grams")
    if grams is not None and (not isinstance(grams, int) or isinstance(grams, bool) or grams <= 0):
        raise BadTable(f'{where}: "up_to_grams" is {grams!r}; it may be a whole number of grams')
    return Rate(
        price=_money(entry.get("price"), f'{where}: "price"', currency),
        days=_days(entry["days"], where) if "days" in entry else days,
        least=_money(entry.get("from", "0"), f'{where}: "from"', currency),
        countries=frozenset(country_codes(entry.get("countries", []), where)),
        up_to_grams=grams,
    )


def _only(entry: Any, known: frozenset[str], where: str) -> None:
    if not isinstance(entry, dict):
        raise BadTable(f"{where} must be an object with {', '.join(sorted(known))}")
    if unknown := sorted(set(entry) - known):
        raise BadTable(f"{where} has {unknown[0]!r}, which is none of {', '.join(sorted(known))}")


def _days(value: Any, where: str) -> tuple[int, int]:
    if not isinstance(value, list) or [type(day) for day in value] != [int, int] or not 0 <= value[0] <= value[1] <= _MOST_DAYS:
        raise BadTable(f'{where}: "days" is {value!r}; it may be the first and the last working day, such as [3, 5]')
    return value[0], value[1]


def _money(value: Any, where: str, currency: str) -> Money:
    try:
        money = (
            Money.of(Decimal(value), currency) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
        )
    except (ValueError, ArithmeticError):
        money = None
    if money is None or money.minor < 0:
        raise BadTable(f'{where} is {value!r}; it may be an amount such as "9.99"')
    return money
