"""Ways of sending, before anything is known of a parcel. Asks no table."""

from django.conf import settings

from cart.delivery_domain import DeliveryMethod, offers
from shop.lib.money import Money
from shop.lib.places import HOME_COUNTRY


def delivery_methods() -> tuple[DeliveryMethod, ...]:
    """The ways to send a parcel home when nothing is known of what is in it."""
    nothing = Money.zero(settings.CURRENCY)
    return offers(settings.DELIVERY_METHODS, country=HOME_COUNTRY, goods=nothing, grams=0).methods
