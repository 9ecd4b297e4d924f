"""What somebody did before signing in becomes theirs."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from shop.lib.access import owner_of
from shop.lib.clock import utc_now
from shop.lib.guests import forget_guest, guest_of
from shop.lib.owner import Owner
from shop.lib.tables import Busy, trouble_as_busy

if TYPE_CHECKING:
    from cart.adopting import Adopted
    from cart.domain import Merged

logger = logging.getLogger(__name__)

_APPS = ("cart", "orders")


class GuestAdoption:
    """Somebody signs in whose browser still knows a guest: with the next cart or checkout page that guest's things are theirs.

    It happens here and not at signing in, because accounts know nothing of carts; and it is safe to repeat, as two fragments
    of one page may come at once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(request, "guest_was_adopted", False):
            forget_guest(response)
        return response

    def process_view(self, request: HttpRequest, callback: Callable[..., Any], *_: object) -> None:
        match = request.resolver_match
        guest = guest_of(request) if match and match.app_name in _APPS else None
        if guest is None:
            return
        try:
            with trouble_as_busy():
                _adopt(request, guest)
        except Busy:  # the page itself may well work, and the next one adopts
            logger.warning("a guest's things could not be adopted now", exc_info=True)


def _adopt(request: HttpRequest, guest: Owner) -> None:
    owner = owner_of(request)
    if owner is None or owner.is_guest:
        return
    # All that changes carts and orders, which a catalogue page does without.
    from cart import adopting
    from orders import services

    now = utc_now()
    adopted = adopting.adopt_guest_cart(guest=guest, owner=owner, now=now)
    services.adopt_details(guest=guest, owner=owner, now=now)
    request.guest_was_adopted = True  # type: ignore[attr-defined]  # HttpRequest takes what middleware puts on it
    if adopted and adopted.merged:
        _tell(request, adopted.merged)
    if adopted and adopted.order_id:
        _tell_of_order(request, guest, adopted)


def _tell(request: HttpRequest, merged: "Merged") -> None:
    messages.success(request, "What you chose before you signed in is in your cart.")
    if merged.lowered:
        lowered = ", ".join(f"{item.name}: {item.quantity}" for item in merged.lowered)
        messages.warning(
            request, f"There are not as many as the two carts had together, so now there are as many as we have: {lowered}."
        )
    if merged.left_out:
        messages.warning(request, f"A cart holds only so many different products. Left out: {', '.join(merged.left_out)}.")


def _tell_of_order(request: HttpRequest, guest: Owner, adopted: "Adopted") -> None:
    """Somebody placed an order and signed in before paying it: without a word they would find it by its link alone."""
    from orders import queries  # as above
    from orders.showing import address_of

    match = request.resolver_match
    if adopted.is_told_by_cart and match and match.view_name == "cart:cart":
        return
    try:
        order = queries.order_of(owner=guest, order_id=adopted.order_id)
    except queries.OrderNotFound:
        return
    if order.is_awaiting_payment:
        words = 'The order you placed before you signed in is not paid yet. <a href="{}">See it and pay</a>'
        messages.warning(request, format_html(words, address_of("orders:pay", order)))
