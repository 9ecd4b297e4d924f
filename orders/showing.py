"""What every page about one order shares: who may see it, its addresses, and the words for where it stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.text import slugify

from orders import queries, services
from orders.carriers import tracking_url
from orders.domain import Order, OrderLine, OrderStatus, Parcel
from orders.ledger_domain import Refund, RefundState
from shop.lib.access import confirmed_owner_of, confirmed_viewer_of, owner_of, viewer_of
from shop.lib.clock import utc_now
from shop.lib.tables import Busy, trouble_as_busy

STATUS_WORDS = {
    OrderStatus.PENDING: "Placed, waiting for payment",
    OrderStatus.PROCESSING: "Paid",
    OrderStatus.SHIPPED: "Shipped",
    OrderStatus.DELIVERED: "Delivered",
    OrderStatus.EXPIRED: "Not paid in time",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.REFUND_PENDING: "Refund on its way",
    OrderStatus.REFUNDED: "Refunded",
    OrderStatus.REVIEW: "Being checked by us",
}
"""Where an order stands, as shoppers read it."""
_MEANING = {
    OrderStatus.PENDING: "We keep its items for you. Pay in time and we send them; nothing has been charged so far.",
    OrderStatus.PROCESSING: "We are packing it. You get a mail when it leaves us.",
    OrderStatus.SHIPPED: "It is on its way to you.",
    OrderStatus.DELIVERED: "It has arrived.",
    OrderStatus.EXPIRED: "Nothing was charged, and the items went back on the shelf.",
    OrderStatus.REFUND_PENDING: "Your money is on its way back. Banks take up to ten days to show it.",
    OrderStatus.REFUNDED: "All that you paid has gone back. Banks take up to ten days to show it.",
    OrderStatus.REVIEW: "Something about the payment did not add up, so a person looks at it. Please do not pay again.",
}
_STEPS_AHEAD = {
    OrderStatus.PENDING: ("Paid", "Shipped", "Delivered"),
    OrderStatus.PROCESSING: ("Shipped", "Delivered"),
    OrderStatus.SHIPPED: ("Delivered",),
}


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line as the order's page has it: where its product is, and what became of its pieces."""

    line: OrderLine
    url: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownParcel:
    parcel: Parcel
    url: str
    pieces: tuple[tuple[str, int], ...]


def meaning_of(order: Order) -> str:
    """A sentence for what the status means to the shopper."""
    if order.status is OrderStatus.CANCELLED:
        was_paid = order.refund_count > 0
        return "What you paid goes back the way it came." if was_paid else "Nothing was charged, and nothing will be sent."
    if order.status is OrderStatus.PROCESSING and order.parcels:
        return "A part of it is on its way. You get a mail when the rest leaves us."
    return _MEANING[order.status]


def timeline_of(order: Order, refunds: Iterable[Refund]) -> tuple[tuple[str, datetime], ...]:
    """What happened, oldest first: the history in plain words, parcels that left before the last, and money that went back."""
    words = STATUS_WORDS | {OrderStatus.PENDING: "Placed"}
    happened = [(words[entry.status], entry.at) for entry in order.history]
    ends = {entry.at for entry in order.history if entry.status is OrderStatus.SHIPPED}
    happened += [("A part of it shipped", parcel.shipped_at) for parcel in order.parcels if parcel.shipped_at not in ends]
    whole = any(entry.status is OrderStatus.REFUNDED for entry in order.history)
    happened += [
        (f"{refund.amount} refunded", refund.settled_at or refund.asked_at)
        for refund in refunds
        if refund.state is RefundState.SUCCEEDED and not (whole and refund.amount == order.payment.amount)
    ]
    return tuple(sorted(happened, key=lambda step: step[1]))


def steps_ahead(order: Order) -> tuple[str, ...]:
    """What is still to come, if all goes as it should."""
    return _STEPS_AHEAD.get(order.status, ())


def shown_lines(order: Order) -> tuple[ShownLine, ...]:
    """The order's lines with what became of their pieces."""
    return tuple(ShownLine(line, _product_url(line), tuple(_notes(order, line))) for line in order.lines)


def shown_parcels(order: Order) -> tuple[ShownParcel, ...]:
    """The order's parcels with the pages on which to follow them; of an order written elsewhere the one it names."""
    names = {line.product_id: line.name for line in order.lines}
    return tuple(
        ShownParcel(
            parcel,
            tracking_url(parcel.carrier, parcel.tracking_number),
            tuple((names.get(product_id, product_id), quantity) for product_id, quantity in parcel.pieces),
        )
        for parcel in order.parcels
    )


def query_of(request: HttpRequest) -> str:
    """The key that opened this page, for the addresses of the pages it leads to; empty for an owner's own visit."""
    key = request.GET.get("key", "")
    return f"?{urlencode({'key': key})}" if key else ""


def help_url(order: Order) -> str:
    """A mail to the shop that names the order."""
    return f"mailto:{settings.SUPPORT_EMAIL}?{urlencode({'subject': f'Order {order.order_id}'}).replace('+', '%20')}"


def _notes(order: Order, line: OrderLine) -> Iterable[str]:
    if order.status is OrderStatus.PROCESSING and line.shipped:
        yield f"{line.shipped} of {line.quantity} shipped" if line.to_ship else "Shipped"
    if line.refunded:
        yield f"{line.refunded} of {line.quantity} refunded" if line.refundable else "Refunded"


def _product_url(line: OrderLine) -> str:
    # Its page corrects a slug that is no longer the product's, and is kind about a product that is gone: no read is needed here.
    return reverse("catalog:product", args=[line.product_id, slugify(line.name) or "product"])


def order_or_404(request: HttpRequest, order_id: str) -> Order:
    """The order, for its owner or by the key in the address. Who does something to it is confirmed by the tables."""
    viewer = owner_of(request) if request.method in ("GET", "HEAD") else confirmed_owner_of(request)
    try:
        return queries.order_for(viewer=viewer, order_id=order_id, key=request.GET.get("key", ""), now=utc_now())
    except queries.OrderNotFound:
        raise Http404("no such order for this viewer") from None


def made_theirs(request: HttpRequest, order: Order) -> Order:
    """A guest's order, opened by its key by who is signed in with the address it was placed with, is theirs from now on.

    Never without the key: an address alone opens nothing.
    """
    if not (order.owner.is_guest and order.is_paid and request.GET.get("key") and viewer_of(request).is_signed_in):
        return order
    try:
        with trouble_as_busy():
            order = services.claim_order(order=order, viewer=confirmed_viewer_of(request), now=utc_now())
    except (services.NotClaimable, Busy):  # shown all the same: the key opens it
        return order
    messages.success(request, "This order is in your account now.")
    return order


def address_of(name: str, order: Order) -> str:
    """The address of an order's page with the key that opens it, so that it survives a lost cookie."""
    return f"{reverse(name, args=[order.order_id])}?{urlencode({'key': queries.key_of(order.order_id)})}"
