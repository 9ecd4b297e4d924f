"""Mails about orders, written and not yet sent: whoever sends one sees to it that the order has an address."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse

from orders.carriers import tracking_url
from orders.domain import Order, Parcel
from orders.ledger_domain import Refund
from orders.queries import delivery_name, key_of
from shop.lib import mails
from shop.lib.mails import Mail
from shop.lib.money import Money


def order_url(order_id: str) -> str:
    """The address that opens an order to whoever holds it; on the shop's fixed origin."""
    return _url("orders:order", order_id)


def confirmation(order: Order) -> Mail:
    """The order is paid."""
    return _written(
        "confirmation", order, delivery_name=delivery_name(order.delivery_method), invoice_url=_url("orders:invoice", order)
    )


def shipped(order: Order, parcel: Parcel) -> Mail:
    """A parcel has left; `is_last` says whether others follow."""
    return _written(
        "shipped",
        order,
        parcel=parcel,
        pieces=_pieces(order, parcel.pieces),
        tracking_url=tracking_url(parcel.carrier, parcel.tracking_number),
        is_last=order.parcels[-1] == parcel and not any(line.to_ship for line in order.lines),
    )


def delivered(order: Order) -> Mail:
    """The order has arrived: what is in it may be reviewed."""
    to_review = [(line.name, _url("orders:review_product", order, line.product_id)) for line in order.lines if line.refundable]
    return _written("delivered", order, to_review=to_review)


def cancelled(order: Order, *, back: Money) -> Mail:
    """The order was cancelled; `back` is what goes back, nothing when nothing had been paid."""
    return _written("cancelled", order, back=back)


def expired(order: Order) -> Mail:
    """Nobody paid in time; what was chosen can be put into the cart again from the order's payment page."""
    pieces = [(line.name, line.quantity) for line in order.lines]
    return _written("expired", order, pieces=pieces, again_url=_url("orders:pay", order))


def refunded(order: Order, refund: Refund, *, credit_note: str) -> Mail:
    """Money went back."""
    return _written(
        "refunded",
        order,
        refund=refund,
        pieces=_pieces(order, ((piece.product_id, piece.quantity) for piece in refund.pieces)),
        credit_note=credit_note,
        credit_note_url=_url("orders:credit_note", order, credit_note) if credit_note else "",
    )


def late(order: Order, refund: Refund) -> Mail:
    """A payment came when the pieces were gone, and went back at once."""
    return _written("late", order, refund=refund)


def link(order: Order) -> Mail:
    """Somebody asked for the link to the order and knew its number and address."""
    return _written("link", order)


def _written(name: str, order: Order, **context: Any) -> Mail:
    seen = {"order": order, "order_url": order_url(order.order_id), **context}
    return mails.written(f"orders/emails/{name}", to=order.email, context=seen)


def _pieces(order: Order, pieces: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    names = {line.product_id: line.name for line in order.lines}
    return [(names.get(product_id, product_id), quantity) for product_id, quantity in pieces]


def _url(name: str, order: Order | str, *more: str) -> str:
    order_id = order if isinstance(order, str) else order.order_id
    return f"{settings.SITE_ORIGIN}{reverse(name, args=[order_id, *more])}?{urlencode({'key': key_of(order_id)})}"
