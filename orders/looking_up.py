"""A guest who lost the mail asks for the link to an order, by its number and the address it was placed with."""

from datetime import datetime, timedelta

from accounts.domain import BadEmail, normalised_email
from accounts.limits import Kind, count_tries
from orders import queries
from orders.domain import Order
from orders.models import LOOKUP_SK, LookupRow, lookup_pk
from shop.lib.ids import new_id

LOOKUP_LIFETIME = timedelta(days=1)
"""How long the stream may take to answer: a link that comes later surprises whoever asked for it."""


def ask_for_link(*, order_id: str, email: str, source: str, now: datetime) -> None:
    """Note that somebody wants the link to an order. The same four calls whether order and address fit, or exist at all.

    Raises TooManyTries, BadEmail; then nothing was noted.
    """
    address = normalised_email(email)
    count_tries((Kind.ORDER_SOURCE, source), (Kind.ORDER, address), now=now)
    pk = lookup_pk(new_id("look", now))
    LookupRow(pk, LOOKUP_SK, order_id=order_id, email=address, expires_at=now + LOOKUP_LIFETIME).save()


def order_asked_for(*, order_id: str, email: str, now: datetime) -> Order | None:
    """The order, if it was placed with this address and its link still opens; else None."""
    try:
        order = queries.order_by_id(order_id=order_id)
        fits = normalised_email(order.email) == normalised_email(email)
    except (queries.OrderNotFound, BadEmail):
        return None
    return order if fits and now < order.created_at + queries.LINK_LIFETIME else None
