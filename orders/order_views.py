"""An order's own page and what its shopper can do there: follow it, cancel it before it leaves, buy the same again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orders import ledger_queries as books
from orders import queries, services
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Refund, RefundState
from orders.showing import (
    STATUS_WORDS,
    address_of,
    help_url,
    made_theirs,
    meaning_of,
    order_or_404,
    query_of,
    shown_lines,
    shown_parcels,
    steps_ahead,
    timeline_of,
)
from shop.lib.access import owner_or_new_guest
from shop.lib.clock import utc_now
from shop.lib.guests import remember_guest
from shop.lib.http import see_other

_LEFT = "This order has left us or ended in the meantime, so it cannot be cancelled here any more. Please write to us."
_MOVED = "Something about this order changed at this very moment, so nothing was done. Please look once more."
_REFUND_FAILED = "Your money could not be sent back the way it came. A person sees to your cancellation and writes to you."


@require_safe
def show(request: HttpRequest, order_id: str) -> HttpResponse:
    order = made_theirs(request, order_or_404(request, order_id))
    refunds = _refunds_of(order)
    return render(
        request,
        "orders/order_detail.html",
        {
            "order": order,
            "status": STATUS_WORDS[order.status],
            "meaning": meaning_of(order),
            "timeline": timeline_of(order, refunds),
            "ahead": steps_ahead(order),
            "lines": shown_lines(order),
            "parcels": shown_parcels(order),
            "refunds": [refund for refund in refunds if refund.state is not RefundState.FAILED],
            "delivery_name": queries.delivery_name(order.delivery_method),
            "help_url": help_url(order),
            "query": query_of(request),
            "pay_url": address_of("orders:pay", order) if order.is_awaiting_payment else "",
            "is_in_time": utc_now() < order.kept_until,
            "can_cancel": _can_cancel(order),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    """Say what a cancelled order gives back, and on the press of the button cancel it."""
    order = order_or_404(request, order_id)
    if order.is_awaiting_payment:
        return see_other(address_of("orders:pay", order))
    if not _can_cancel(order):
        if order.status is not OrderStatus.CANCELLED:
            messages.warning(request, _LEFT)
        return see_other(_own_page(request, order))
    if request.method != "POST":
        context = {"order": order, "query": query_of(request), "lines": [line for line in order.lines if line.refundable]}
        return render(request, "orders/cancel.html", context)
    level, words = _cancelled(order)
    messages.add_message(request, level, words)
    return see_other(_own_page(request, order))


@require_POST
def again(request: HttpRequest, order_id: str) -> HttpResponse:
    """Put what was ordered into the cart once more, and name what is missing."""
    order = order_or_404(request, order_id)
    now = utc_now()
    owner = owner_or_new_guest(request, now)
    bought = services.buy_again(order=order, owner=owner, now=now)
    if bought.is_nothing:
        messages.warning(request, "Nothing of this order can be bought just now, so your cart is as it was.")
    else:
        messages.success(request, "What you ordered is in your cart again, at the prices of today.")
    if bought.missing and not bought.is_nothing:
        messages.warning(request, f"Not to be had just now: {', '.join(bought.missing)}.")
    if bought.lowered:
        now_there = ", ".join(f"{item.quantity} × {item.name}" for item in bought.lowered)
        messages.warning(request, f"There are no more of these, so your cart has {now_there}.")
    if bought.left_out:
        messages.warning(request, f"Your cart is full, so these did not fit: {', '.join(bought.left_out)}.")
    response = see_other(reverse("cart:cart"))
    remember_guest(response, owner)
    return response


def _refunds_of(order: Order) -> tuple[Refund, ...]:
    """Asked for only where there are any: most orders' pages cost one call."""
    return books.refunds_of(order_id=order.order_id) if order.refund_count else ()


def _cancelled(order: Order) -> tuple[int, str]:
    """Cancel a paid order; what became of it, for the shopper."""
    try:
        cancelled = services.cancel_order(order=order, actor=services.SHOPPER, now=utc_now())
    except services.NotCancellable:
        return messages.WARNING, _LEFT
    except services.OrderMoved:
        return messages.WARNING, _MOVED
    if cancelled.status is OrderStatus.REVIEW:
        return messages.WARNING, _REFUND_FAILED
    return messages.SUCCESS, f"Your order is cancelled. {order.payment.left} goes back the way you paid."


def _can_cancel(order: Order) -> bool:
    return order.can_be_cancelled and bool(order.is_awaiting_payment or order.payment.payment_intent_id)


def _own_page(request: HttpRequest, order: Order) -> str:
    """The order's page, opened by what opened this one: who came by a link stays on it, an owner's address stays clean."""
    return f"{reverse('orders:order', args=[order.order_id])}{query_of(request)}"
