"""Checkout, payment and order pages. Every checkout step is an address of its own; what a step was told is kept on the server."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import wraps
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cart import queries as carts
from cart import services as cart_services
from cart.domain import Cart
from orders import queries, services
from orders.domain import HOLD, CheckoutDetails, Order, OrderStatus
from orders.forms import AddressForm, ContactForm, DeliveryForm, PlaceForm
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.clock import utc_now
from shop.lib.guests import guest_of, new_guest, remember_guest
from shop.lib.http import see_other
from shop.lib.owner import Owner
from shop.lib.tables import Busy, trouble_as_busy

logger = logging.getLogger(__name__)

_STEPS = (
    ("contact", "Contact"),
    ("address", "Address"),
    ("delivery", "Delivery"),
    ("review", "Review and pay"),
)
_STATUS_WORDS = {
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
_NO_PAYMENT_PAGE = (
    "We cannot reach our payment service just now. Nothing was charged and your items are kept: please try again in a moment."
)
_WAITING_FOR_WORD = "We are still waiting for word from our payment service. This page will know in a moment: reload it."
_NOT_ACCEPTED = (
    "Our payment service did not accept this order, so nothing was charged and everything is back in your cart. "
    "Please check your e-mail address and try once more."
)


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    url: str
    state: str


def with_cart(view: Callable[[HttpRequest, Owner, Cart], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """A checkout step: give the view the shopper's cart, or send the shopper to where the cart page or the order stands.

    Who comes back from the payment page by the browser's own button finds the order the cart has become.
    """

    @wraps(view)
    def step(request: HttpRequest) -> HttpResponse:
        owner = guest_of(request)
        cart = carts.open_cart(owner=owner, now=utc_now())
        if owner is not None and cart.lines and not cart.cart_id:
            cart = carts.price_cart(cart_services.make_ready(owner=owner, now=utc_now()))
        if owner is None or not cart.can_check_out:
            return redirect("orders:pay", cart.order_id) if cart.order_id else redirect("cart:cart")
        return view(request, owner, cart)

    return step


@require_safe
@with_cart
def checkout(request: HttpRequest, owner: Owner, cart: Cart) -> HttpResponse:
    return redirect(f"orders:{_first_open_step(queries.checkout_details(owner=owner, now=utc_now()))}")


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def contact(request: HttpRequest, owner: Owner, cart: Cart) -> HttpResponse:
    details = queries.checkout_details(owner=owner, now=utc_now())
    form = ContactForm(_posted(request), initial={"email": details.email, "phone": details.phone})
    if request.method == "POST" and form.is_valid():
        return _remember(owner, replace(details, **form.cleaned_data), then="address")
    return _step_answer(request, "contact", details, cart, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def address(request: HttpRequest, owner: Owner, cart: Cart) -> HttpResponse:
    details = queries.checkout_details(owner=owner, now=utc_now())
    form = AddressForm(_posted(request), initial=asdict(details.address) if details.address else None)
    if request.method == "POST" and form.is_valid():
        return _remember(owner, replace(details, address=form.address()), then="delivery")
    return _step_answer(request, "address", details, cart, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@with_cart
def delivery(request: HttpRequest, owner: Owner, cart: Cart) -> HttpResponse:
    details = queries.checkout_details(owner=owner, now=utc_now())
    methods = queries.delivery_methods()
    form = DeliveryForm(_posted(request), methods=methods, initial={"delivery": details.delivery or methods[0].code})
    if request.method == "POST" and form.is_valid():
        return _remember(owner, replace(details, **form.cleaned_data), then="review")
    return _step_answer(request, "delivery", details, cart, form=form)


@require_safe
@with_cart
def review(request: HttpRequest, owner: Owner, cart: Cart) -> HttpResponse:
    details = queries.checkout_details(owner=owner, now=utc_now())
    method = queries.delivery_method(details.delivery)
    if _first_open_step(details) != "review" or method is None:
        return redirect(f"orders:{_first_open_step(details)}")
    priced = cart.with_shipping(method.price, tax_rate=settings.TAX_RATE)
    return _step_answer(
        request,
        "review",
        details,
        priced,
        delivery=method,
        totals=priced.totals,
        cart_id=priced.cart_id,
        total_minor=priced.totals.total.minor,
        seen=services.review_mark(priced, details),
    )


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    owner = guest_of(request)
    form = PlaceForm(request.POST)
    if owner is None or not form.is_valid():
        messages.error(request, "That order form was not complete, so nothing was ordered. Please check your cart and try again.")
        return redirect("cart:cart")
    posted = form.cleaned_data
    try:
        order = services.place_order(
            owner=owner,
            cart_id=posted["cart_id"],
            total_seen=int(posted["total_minor"]),
            seen=posted["seen"],
            now=utc_now(),
        )
    except services.TotalChanged as change:
        messages.warning(request, f"The total has changed to {change.total}. Nothing was charged: please look once more.")
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
    order = _order_or_404(request, order_id)
    if order.is_paid:
        return redirect(_address("orders:confirmation", order))
    if request.method == "POST" and order.is_awaiting_payment:
        return _to_payment(request, order)
    return _pay_page(request, order)


@require_POST
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    """Give an unpaid order up, or an ended one's lines another chance."""
    order = _order_or_404(request, order_id)
    now = utc_now()
    if order.is_awaiting_payment:
        try:
            order = services.cancel_unpaid(order=order, now=now)
        except services.OrderMoved:
            return redirect(_address("orders:pay", order))
        except (PaymentsUnavailable, PaymentRefused):
            return _pay_page(request, order, problem=_NO_PAYMENT_PAGE)
    if not order.was_never_paid:
        return redirect(_address("orders:pay", order))
    return _back_to_cart(request, order, words="Everything is back in your cart.")


@require_safe
def returned(request: HttpRequest, order_id: str) -> HttpResponse:
    """Where Stripe sends the shopper after paying."""
    order = _order_or_404(request, order_id)
    if not order.payment.session_id:
        return redirect(_address("orders:pay", order))
    try:
        with trouble_as_busy():
            order = services.settle(session_id=order.payment.session_id, now=utc_now())
    except (PaymentsUnavailable, PaymentRefused, services.UnknownOrder, Busy):  # who may have paid is told nothing else
        return _pay_page(request, order, problem=_WAITING_FOR_WORD)
    return redirect(_address("orders:confirmation" if order.is_paid else "orders:pay", order))


@require_safe
def confirmation(request: HttpRequest, order_id: str) -> HttpResponse:
    order = _order_or_404(request, order_id)
    if not order.is_paid:
        return redirect(_address("orders:pay", order))
    return render(
        request,
        "orders/confirmation.html",
        {"order": order, "order_url": _address("orders:order", order), "delivery": _method(order)},
    )


@require_safe
def show(request: HttpRequest, order_id: str) -> HttpResponse:
    order = _order_or_404(request, order_id)
    timeline = [(_STATUS_WORDS[entry.status], entry.at) for entry in order.history]
    return render(
        request,
        "orders/order_detail.html",
        {
            "order": order,
            "timeline": timeline,
            "status": _STATUS_WORDS[order.status],
            "delivery": _method(order),
            "pay_url": _address("orders:pay", order) if order.is_awaiting_payment else "",
        },
    )


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was posted, though it be nothing; None for a page that is merely looked at."""
    return request.POST if request.method == "POST" else None


def _method(order: Order) -> object:
    return queries.delivery_method(order.delivery_method)


def _order_or_404(request: HttpRequest, order_id: str) -> Order:
    """The order, for its owner or by the key in the address."""
    try:
        return queries.order_for(viewer=guest_of(request), order_id=order_id, key=request.GET.get("key", ""), now=utc_now())
    except queries.OrderNotFound:
        raise Http404("no such order for this viewer") from None


def _address(name: str, order: Order) -> str:
    """The address of an order's page with the key that opens it, so that it survives a lost cookie."""
    return f"{reverse(name, args=[order.order_id])}?{urlencode({'key': queries.key_of(order.order_id)})}"


def _to_payment(request: HttpRequest, order: Order) -> HttpResponse:
    """Send the shopper to the order's payment page at Stripe, or to where the order stands."""
    if not order.is_awaiting_payment:
        return redirect(_address("orders:pay", order))
    try:
        with trouble_as_busy():
            order = services.open_payment(
                order=order,
                success_url=f"{settings.SITE_ORIGIN}{_address('orders:return', order)}",
                cancel_url=f"{settings.SITE_ORIGIN}{_address('orders:pay', order)}",
            )
    except (PaymentsUnavailable, Busy):
        return _pay_page(request, order, problem=_NO_PAYMENT_PAGE)
    except PaymentRefused:  # no later try of the same order can succeed
        logger.exception("Stripe refused to open a payment page for order %s", order.order_id)
        try:
            order = services.cancel_unpaid(order=order, now=utc_now())
        except services.OrderMoved:  # a second click was quicker
            return redirect(_address("orders:pay", order))
        return _back_to_cart(request, order, words=_NOT_ACCEPTED)
    except services.OrderMoved:
        return redirect(_address("orders:pay", order))
    return see_other(order.payment.session_url)


def _back_to_cart(request: HttpRequest, order: Order, *, words: str) -> HttpResponse:
    """Put an ended order's lines into the visitor's cart, which is another one when a link's key opened the order."""
    now = utc_now()
    owner = guest_of(request) or new_guest(now)
    left_out = services.put_back_in_cart(order=order, owner=owner, now=now)
    if left_out:
        messages.warning(request, f"Your cart is full, so these did not fit: {', '.join(left_out)}.")
    else:
        messages.success(request, words)
    response = redirect("cart:cart")
    remember_guest(response, owner)
    return response


def _pay_page(request: HttpRequest, order: Order, *, problem: str = "") -> HttpResponse:
    context = {
        "order": order,
        "pay_url": _address("orders:pay", order),
        "cancel_url": _address("orders:cancel", order),
        "minutes_left": _minutes_left(order, utc_now()),
        "problem": problem,
    }
    return render(request, "orders/pay.html", context, status=503 if problem else 200)


def _minutes_left(order: Order, now: datetime) -> int:
    return max(0, int((order.created_at + HOLD - now).total_seconds() // 60))


def _remember(owner: Owner, details: CheckoutDetails, *, then: str) -> HttpResponse:
    services.remember_details(owner=owner, details=details, now=utc_now())
    return see_other(reverse(f"orders:{then}"))


def _first_open_step(details: CheckoutDetails) -> str:
    if not details.email:
        return "contact"
    if not details.address:
        return "address"
    return "review" if queries.delivery_method(details.delivery) else "delivery"


def _step_answer(request: HttpRequest, step: str, details: CheckoutDetails, cart: Cart, **more: object) -> HttpResponse:
    context = {"details": details, "cart": cart, "steps": _steps(step, details), **more}
    return render(request, f"orders/{step}.html", context)


def _steps(current: str, details: CheckoutDetails) -> list[Step]:
    names = [name for name, _ in _STEPS]
    reached = names.index(_first_open_step(details))
    return [
        Step(label, reverse(f"orders:{name}"), "current" if name == current else ("done" if at <= reached else "todo"))
        for at, (name, label) in enumerate(_STEPS)
    ]
