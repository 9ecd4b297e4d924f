"""Ways of sending, before anything is known of a parcel. Asks no table."""

from dataclasses import dataclass

from django.conf import settings

from cart.delivery_domain import DeliveryMethod, Tariff, kilos, offers
from shop.lib.money import Money
from shop.lib.places import COUNTRIES, HOME_COUNTRY


@dataclass(frozen=True, slots=True)
class ShownRate:
    """A price of a way of sending, in words: where to, goods from which value (None: any), up to which weight (empty: any)."""

    where: str
    least: Money | None
    most: str
    days: tuple[int, int]
    price: Money


@dataclass(frozen=True, slots=True)
class ShownTariff:
    """A way of sending with all its prices, as people read them."""

    code: str
    name: str
    rates: tuple[ShownRate, ...]
    goes_everywhere: bool


def delivery_methods() -> tuple[DeliveryMethod, ...]:
    """The ways to send a parcel home when nothing is known of what is in it."""
    nothing = Money.zero(settings.CURRENCY)
    return offers(settings.DELIVERY_METHODS, country=HOME_COUNTRY, goods=nothing, grams=0).methods


def delivery_table() -> tuple[ShownTariff, ...]:
    """All ways of sending with all their prices, in the order of the setting."""
    return tuple(map(_shown, settings.DELIVERY_METHODS))


def delivery_countries() -> tuple[str, ...]:
    """The countries that any way of sending goes to, as they are listed."""
    return tuple(name for code, name in COUNTRIES.items() if any(tariff.rates_to(code) for tariff in settings.DELIVERY_METHODS))


def _shown(tariff: Tariff) -> ShownTariff:
    elsewhere = "everywhere else" if any(rate.countries for rate in tariff.rates) else "everywhere"
    rates = tuple(
        ShownRate(
            where=", ".join(sorted(COUNTRIES[code] for code in rate.countries)) or elsewhere,
            least=rate.least or None,
            most=kilos(rate.up_to_grams) if rate.up_to_grams else "",
            days=rate.days,
            price=rate.price,
        )
        for rate in tariff.rates
    )
    return ShownTariff(tariff.code, tariff.name, rates, goes_everywhere=any(not rate.countries for rate in tariff.rates))
