"""Mails about orders. All raise what the mail backend raises; an order without an address, written elsewhere, has none."""

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
from shop.lib.money import Money


def order_url(order_id: str) -> str:
    """The address that opens an order to whoever holds it; on the shop's fixed origin."""
    return _url("orders:order", order_id)


def send_confirmation(order: Order) -> None:
    """The order is paid."""
    _send("confirmation", order, delivery_name=delivery_name(order.delivery_method), invoice_url=_url("orders:invoice", order))


def send_shipped(order: Order, parcel: Parcel) -> None:
    """A parcel has left; `is_last` says whether others follow."""
    _send(
        "shipped",
        order,
        parcel=parcel,
        pieces=_pieces(order, parcel.pieces),
        tracking_url=tracking_url(parcel.carrier, parcel.tracking_number),
        is_last=order.parcels[-1] == parcel and not any(line.to_ship for line in order.lines),
    )


def send_delivered(order: Order) -> None:
    """The order has arrived: what is in it may be reviewed."""
    to_review = [(line.name, _url("orders:review_product", order, line.product_id)) for line in order.lines if line.refundable]
    _send("delivered", order, to_review=to_review)


def send_cancelled(order: Order, *, back: Money) -> None:
    """The order was cancelled; `back` is what goes back, nothing when nothing had been paid."""
    _send("cancelled", order, back=back)


def send_expired(order: Order) -> None:
    """Nobody paid in time; what was chosen can be put into the cart again from the order's payment page."""
    pieces = [(line.name, line.quantity) for line in order.lines]
    _send("expired", order, pieces=pieces, again_url=_url("orders:pay", order))


def send_refunded(order: Order, refund: Refund, *, credit_note: str) -> None:
    """Money went back."""
    _send(
        "refunded",
        order,
        refund=refund,
        pieces=_pieces(order, ((piece.product_id, piece.quantity) for piece in refund.pieces)),
        credit_note=credit_note,
        credit_note_url=_url("orders:credit_note", order, credit_note) if credit_note else "",
    )


def send_late(order: Order, refund: Refund) -> None:
    """A payment came when the pieces were gone, and went back at once."""
    _send("late", order, refund=refund)


def send_link(order: Order) -> None:
    """Somebody asked for the link to the order and knew its number and address."""
    _send("link", order)


def _send(name: str, order: Order, **context: Any) -> None:
    if order.email:
        seen = {"order": order, "order_url": order_url(order.order_id), **context}
        mails.send(f"orders/emails/{name}", to=order.email, context=seen)


def _pieces(order: Order, pieces: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    names = {line.product_id: line.name for line in order.lines}
    return [(names.get(product_id, product_id), quantity) for product_id, quantity in pieces]


def _url(name: str, order: Order | str, *more: str) -> str:
    order_id = order if isinstance(order, str) else order.order_id
    return f"{settings.SITE_ORIGIN}{reverse(name, args=[order_id, *more])}?{urlencode({'key': key_of(order_id)})}"
