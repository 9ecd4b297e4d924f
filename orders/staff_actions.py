"""What staff do to an order. Forms on pages of their own; every answer to a post is a redirect, so nothing is sent twice."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from orders import services
from orders.carriers import CARRIERS
from orders.desk_models import OrderAnswerRow
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Refund, RefundState
from orders.payments import PaymentRefused, PaymentsUnavailable
from orders.staff_forms import NoteForm, ReasonForm, RefundForm, ShipForm
from orders.staff_views import order_context, order_or_404
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.answers import Claim, Repeated
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.presses import LONGEST_PRESS, claim_of_press
from shop.lib.tables import Busy

_REFUSED = (
    "Stripe refused this, so nothing was done. Its page of the payment says why; reconciliation lists what does not add up."
)
_BUSY = "Many are at the same thing at this moment, so nothing was done. Please try again."
_MOVED = "Somebody else changed this order meanwhile, so nothing was done. Here is how it stands now."
_SILENT = "Stripe does not answer just now, so nothing was done. Please try again in a moment."
_EMPTY = "There was nothing in it: choose pieces, the delivery or an amount."
_PRESSED_TWICE = "The button was pressed twice; the parcel is noted once."
_ENDED = "The order does not stand where this can be done."
_REFUSALS: dict[type[Exception], str] = {
    Repeated: _PRESSED_TWICE,
    services.OrderMoved: _MOVED,
    services.NotInReview: _MOVED,
    services.NoPayment: _MOVED,
    services.NothingToRefund: _EMPTY,
    services.NothingToShip: _EMPTY,
    services.NotCancellable: _ENDED,
    services.NotRefundable: _ENDED,
    services.TooManyParcels: "This order has as many parcels as one may have: send the rest in one.",
    services.NotInStock: "Its pieces are not all there any more, so it cannot be accepted: refund it.",
    PaymentsUnavailable: _SILENT,
    PaymentRefused: _REFUSED,
    Busy: _BUSY,
}


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.ORDERS_SHIP)
def ship(request: HttpRequest, order_id: str) -> HttpResponse:
    found, now = order_or_404(order_id), utc_now()
    form = ShipForm(request.POST if request.method == "POST" else None, order=found)
    claim = _claim_of(request, found, now)
    if claim and claim.kept() is not None:
        return _back(request, found, _PRESSED_TWICE)
    if request.method != "POST" or not form.is_valid():
        if found.status is not OrderStatus.PROCESSING:
            return _back(request, found, _MOVED)
        return render(request, "staff/orders/ship.html", {**order_context(found), "form": form, "carriers": CARRIERS})
    told = form.cleaned_data

    def do() -> str:
        moved = services.ship(
            order=found,
            carrier=told["carrier"],
            tracking_number=told["tracking_number"],
            pieces=form.pieces,
            actor=_actor(request),
            now=now,
            claim=claim,
        )
        return (
            "The order is shipped." if moved.status is OrderStatus.SHIPPED else "The parcel is noted; the rest is still to leave."
        )

    return _done(request, found, do)


@require_POST
@require_staff(Permission.ORDERS_SHIP)
def deliver(request: HttpRequest, order_id: str) -> HttpResponse:
    found = order_or_404(order_id)

    def do() -> str:
        services.deliver(order=found, actor=_actor(request), now=utc_now())
        return "The order is delivered."

    return _done(request, found, do)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.ORDERS_REFUND)
def cancel(request: HttpRequest, order_id: str) -> HttpResponse:
    found = order_or_404(order_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/orders/cancel.html", {**order_context(found), "form": form})

    def do() -> str:
        ended = services.cancel_order(order=found, actor=_actor(request), now=utc_now(), note=form.cleaned_data["note"])
        if ended.status is not OrderStatus.CANCELLED:
            return "It was paid at this very moment, so it was not cancelled. Cancel it again if that is still the wish."
        return "The order is cancelled, and its pieces are back in stock."

    return _done(request, found, do)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.ORDERS_REFUND)
def refund(request: HttpRequest, order_id: str) -> HttpResponse:
    """First what goes back is chosen and shown in money (a GET, repeated at will), then it is done."""
    found = order_or_404(order_id)
    asked = request.POST if request.method == "POST" else (request.GET if "number" in request.GET else None)
    form = RefundForm(asked, order=found)
    is_clear = asked is not None and form.is_valid()
    if request.method == "POST" and is_clear:
        return _done(request, found, lambda: _refund(request, found, form))
    if not found.can_be_refunded:  # asked for from a page that stood open, or by hand: no sum is offered that cannot go
        return _back(request, found, _ENDED)
    context = {
        **order_context(found),
        "form": form,
        "amount": form.amount if is_clear else None,
        "has_pieces": is_clear and bool(form.pieces),
        "asked": [(name, value) for name, value in request.GET.items() if name != "preview"],
    }
    return render(request, "staff/orders/refund.html", context)


@require_POST
@require_staff(Permission.ORDERS_REFUND)
def end_review(request: HttpRequest, order_id: str) -> HttpResponse:
    """Take the payment of an order in review as it is, give it back, or end an order that nobody has paid for."""
    found = order_or_404(order_id)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _back(request, found, "That reason cannot be kept; please write it again.")
    judge = _JUDGEMENTS.get(request.POST.get("decision", ""))
    if judge is None:
        return _back(request, found, "Nothing was done: please choose one of the three ways out.")
    return _done(request, found, lambda: judge(found, form.cleaned_data["note"], _actor(request)))


@require_POST
@require_staff(Permission.ORDERS_VIEW)
def note(request: HttpRequest, order_id: str) -> HttpResponse:
    found = order_or_404(order_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        return _back(request, found, " ".join(map(str, form.errors["text"])))
    services.add_note(order=found, text=form.cleaned_data["text"], actor=_actor(request), now=utc_now())
    messages.success(request, "Noted, for staff alone.")
    return _to(found)


def _accept(found: Order, note: str, actor: str) -> str:
    services.accept_review(order=found, actor=actor, now=utc_now(), note=note)
    return "The payment is accepted: the order is to be shipped."


def _give_back(found: Order, note: str, actor: str) -> str:
    if found.status is not OrderStatus.REVIEW:
        raise services.NotInReview(found.order_id)
    restock = not found.has_left
    return _told_of(services.refund_rest(order=found, restock=restock, actor=actor, now=utc_now(), note=note))


def _end(found: Order, note: str, actor: str) -> str:
    services.drop_review(order=found, actor=actor, now=utc_now(), note=note)
    return "The order is ended; Stripe keeps no money of it."


_JUDGEMENTS: dict[str, Callable[[Order, str, str], str]] = {"accept": _accept, "refund": _give_back, "drop": _end}
"""What can become of an order that needs a person."""


def _refund(request: HttpRequest, found: Order, form: RefundForm) -> str:
    told = form.cleaned_data
    made = services.request_refund(
        order=found,
        number=told["number"],
        lines=form.pieces,
        sent=form.sent,
        delivery=told["delivery"],
        extra=told["extra"],
        restock=told["restock"],
        note=told["note"],
        actor=_actor(request),
        now=utc_now(),
    )
    return _told_of(made)


def _told_of(made: Refund) -> str:
    if made.state is RefundState.SUCCEEDED:
        return f"{made.amount} is refunded."
    if made.state is RefundState.FAILED:
        return f"Stripe refused to give {made.amount} back: {made.failure}"
    if made.state is RefundState.ASKED:
        return (
            f"Stripe does not answer just now. The refund of {made.amount} is written down, and Stripe is asked for it again"
            " until it answers: there is nothing more to do."
        )
    return f"The refund of {made.amount} is on its way: the bank is at it."


def _done(request: HttpRequest, found: Order, do: Callable[[], str]) -> HttpResponse:
    """Do it and say so, or say why not; then the order's page."""
    try:
        messages.success(request, do())
    except services.MoneyIsThere as refused:
        return _back(request, found, f"Stripe has {refused.amount} for it: accept the payment, or give it back.")
    except tuple(_REFUSALS) as refused:
        return _back(request, found, next(words for kind, words in _REFUSALS.items() if isinstance(refused, kind)))
    return _to(found)


def _back(request: HttpRequest, found: Order, words: str) -> HttpResponse:
    messages.warning(request, words)
    return _to(found)


def _to(found: Order) -> HttpResponse:
    return see_other(reverse("orders_staff:order", args=[found.order_id]))


def _claim_of(request: HttpRequest, found: Order, now: datetime) -> Claim | None:
    """The claim of what is posted with this press of the form's button; None without its key."""
    posted = sorted((name, value) for name, value in request.POST.items() if name not in ("csrfmiddlewaretoken", "press"))
    press = request.POST.get("press", "")[:LONGEST_PRESS]
    return claim_of_press(OrderAnswerRow, who=_actor(request), press=press, what=f"{found.order_id} {posted}", now=now)


def _actor(request: HttpRequest) -> str:
    """Who is written into the order's history."""
    return confirmed_viewer_of(request).email
