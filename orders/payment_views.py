"""Placing an order, paying for it, and its pages. No page is the answer to a post: Back and refresh never send a form again."""

import logging
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cart.delivery_domain import days_of
from orders import queries, services
from orders.domain import Order
from orders.forms import PlaceForm
from orders.payments import PaymentRefused, PaymentsUnavailable
from orders.showing import address_of, made_theirs, order_or_404
from shop.lib.access import confirmed_owner_of, owner_of, owner_or_new_guest
from shop.lib.clock import utc_now
from shop.lib.guests import remember_guest
from shop.lib.http import see_other
from shop.lib.tables import Busy, trouble_as_busy

logger = logging.getLogger(__name__)

_NO_PAYMENT_PAGE = (
    "We cannot reach our payment service just now. Nothing was charged and your items are kept: please try again in a moment."
)
_NOBODY = "You are not signed in any more, or this browser lost your cart, so nothing was ordered."
_NOT_COMPLETE = "That order form was not complete, so nothing was ordered. Please check your cart and try again."
_CANNOT_CANCEL = "We cannot reach our payment service just now, so nothing was changed. Please try again in a moment."
_NOT_ACCEPTED = (
    "Our payment service did not accept this order, so nothing was charged. Please check your e-mail address and try once more."
)


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    owner = confirmed_owner_of(request)
    form = PlaceForm(request.POST)
    if owner is None or not form.is_valid():
        messages.error(request, _NOBODY if owner is None else _NOT_COMPLETE)
        return redirect("cart:cart")
    try:
        order = services.place_order(owner=owner, now=utc_now(), **form.cleaned_data)
    except services.TotalChanged as change:
        why = f"{change.why} " if change.why else ""
        messages.warning(request, f"{why}The total has changed to {change.total}. Nothing was charged: please look once more.")
        return redirect("orders:review")
    except services.DetailsMissing:
        return redirect("orders:checkout")
    except services.OutOfStock as refusal:
        messages.warning(request, f"Sold out or too few left: {', '.join(refusal.names)}. Nothing was charged.")
        return redirect("cart:cart")
    except services.CartChanged:
        messages.warning(
            request, "Your cart or your details changed in the meantime. Nothing was charged: please look once more."
        )
        return redirect("cart:cart")
    return _to_payment(request, order)


@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, order_id: str) -> HttpResponse:
    order, is_sure = _as_stripe_knows(order_or_404(request, order_id))
    if order.is_paid:
        return redirect(address_of("orders:order" if order.goes_back else "orders:confirmation", order))
    if request.method != "POST":
        return _pay_page(request, order, is_sure=is_sure)
    if not order.owner.is_guest and confirmed_owner_of(request) != order.owner:
        # The payment page offers the owner's saved cards: a link that was passed on must not open it.
        messages.info(request, "This order belongs to an account. Please sign in to pay it.")
        return see_other(f"{settings.LOGIN_URL}?{urlencode({'next': address_of('orders:pay', order)})}")
    return _to_payment(request, order)


@require_POST
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    """Give an unpaid order up, or an ended one's lines another chance."""
    order = order_or_404(request, order_id)
    now = utc_now()
    if order.is_awaiting_payment:
        try:
            order = services.cancel_unpaid(order=order, now=now)
        except services.OrderMoved:
            return redirect(address_of("orders:pay", order))
        except (PaymentsUnavailable, PaymentRefused):
            return _pay_later(request, order, _CANNOT_CANCEL)
    if not order.was_never_paid:
        return redirect(address_of("orders:pay", order))
    return _back_to_cart(request, order)


@require_POST
def keep(request: HttpRequest, order_id: str) -> HttpResponse:
    """Keep an unpaid order's items a quarter of an hour longer, once."""
    order = order_or_404(request, order_id)
    if not order.hold_extended or not order.is_awaiting_payment:
        try:
            services.extend_hold(order=order, visitor=owner_of(request), now=utc_now())
        except services.HoldOver:
            messages.warning(request, "The time was over already, so the items are not kept any longer.")
        else:
            messages.success(request, "We keep your items a quarter of an hour longer.")
    return see_other(address_of("orders:pay", order))


@require_safe
def returned(request: HttpRequest, order_id: str) -> HttpResponse:
    """Where Stripe sends the shopper after paying."""
    order = order_or_404(request, order_id)
    order, is_sure = _as_stripe_knows(order)
    if not is_sure:
        return _pay_page(request, order, is_sure=False)
    if order.goes_back:  # paid when its pieces were gone: the order's page tells what becomes of the money
        return redirect(address_of("orders:order", order))
    return redirect(address_of("orders:confirmation" if order.is_paid else "orders:pay", order))


@require_safe
def confirmation(request: HttpRequest, order_id: str) -> HttpResponse:
    order = made_theirs(request, order_or_404(request, order_id))
    if not order.is_paid or order.goes_back:
        return redirect(address_of("orders:pay", order))
    return render(
        request,
        "orders/confirmation.html",
        {
            "order": order,
            "order_url": address_of("orders:order", order),
            "days": days_of(settings.DELIVERY_METHODS, order.delivery_method, order.address.country),
            "account_url": address_of("orders:open_account", order) if order.owner.is_guest else "",
            "delivery_name": queries.delivery_name(order.delivery_method),
            "invoice_url": address_of("orders:invoice", order),
        },
    )


def _to_payment(request: HttpRequest, order: Order) -> HttpResponse:
    """Send the shopper to the order's payment page at Stripe, or to where the order stands."""
    if not order.is_awaiting_payment:
        return see_other(address_of("orders:pay", order))
    try:
        with trouble_as_busy():
            order = services.open_payment(
                order=order,
                success_url=f"{settings.SITE_ORIGIN}{address_of('orders:return', order)}",
                cancel_url=f"{settings.SITE_ORIGIN}{address_of('orders:pay', order)}",
            )
    except (PaymentsUnavailable, Busy):
        return _pay_later(request, order, _NO_PAYMENT_PAGE)
    except PaymentRefused:  # no later try of the same order can succeed
        logger.exception("Stripe refused to open a payment page for order %s", order.order_id)
        try:
            order = services.cancel_unpaid(order=order, now=utc_now())
        except services.OrderMoved:  # a second click was quicker
            return redirect(address_of("orders:pay", order))
        messages.error(request, _NOT_ACCEPTED)
        return _back_to_cart(request, order)
    except services.OrderMoved:
        return redirect(address_of("orders:pay", order))
    return see_other(order.payment.session_url)


def _back_to_cart(request: HttpRequest, order: Order) -> HttpResponse:
    """Put an ended order's lines into the visitor's cart, which is another one when a link's key opened the order."""
    now = utc_now()
    owner = owner_or_new_guest(request, now)
    restored = services.put_back_in_cart(order=order, owner=owner, now=now)
    if restored.is_repeated:
        messages.info(request, "What you ordered was put back in your cart before.")
    elif restored.left_out:
        messages.warning(request, f"Your cart is full, so these did not fit: {', '.join(restored.left_out)}.")
    elif restored.is_beside_others:
        messages.success(request, "Everything is back in your cart, together with what was in it already.")
    else:
        messages.success(request, "Everything is back in your cart.")
    if restored.lowered:
        now_there = ", ".join(f"{line.quantity} × {line.name}" for line in restored.lowered)
        messages.warning(request, f"There are no more of these, so your cart has {now_there}.")
    response = see_other(reverse("cart:cart"))
    remember_guest(response, owner)
    return response


def _as_stripe_knows(order: Order) -> tuple[Order, bool]:
    """The order after asking Stripe about its payment, and whether we know: its silence must not read as "not paid"."""
    # Who comes back from paying an order that was given up meanwhile has paid all the same.
    if not (order.is_awaiting_payment or order.was_never_paid) or not order.payment.session_id:
        return order, True
    try:
        with trouble_as_busy():
            return services.settle(session_id=order.payment.session_id, now=utc_now()), True
    except (PaymentsUnavailable, PaymentRefused, services.UnknownOrder, Busy):
        logger.warning("whether order %s is paid could not be asked", order.order_id, exc_info=True)
        return order, False


def _pay_later(request: HttpRequest, order: Order, problem: str) -> HttpResponse:
    messages.error(request, problem)
    return see_other(address_of("orders:pay", order))


def _pay_page(request: HttpRequest, order: Order, *, is_sure: bool) -> HttpResponse:
    context = {
        "order": order,
        "delivery_name": queries.delivery_name(order.delivery_method),
        "pay_url": address_of("orders:pay", order),
        "cancel_url": address_of("orders:cancel", order),
        "keep_url": "" if order.hold_extended else address_of("orders:keep", order),
        "is_sure": is_sure,
        "is_in_time": utc_now() < order.kept_until,
    }
    return render(request, "orders/pay.html", context, status=200 if is_sure else 503)
