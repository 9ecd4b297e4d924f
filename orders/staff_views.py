"""Staff pages that show orders: the list, one order, its papers."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import queries as catalog
from orders import desk_queries, ledger_queries, queries
from orders.documents import credit_note_pdf, invoice_pdf, packing_slip_pdf
from orders.domain import Order, OrderStatus
from orders.mail_views import mail_rows
from orders.staff_forms import ListForm, ReasonForm
from orders.wording import REFUND_REASONS, REFUND_STATES, STATUS_LABELS, payment_words
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.addresses import address_of, with_query
from shop.lib.cursors import page_urls
from shop.lib.http import see_other
from shop.lib.words import findable_number, findable_words

BADGES = {
    OrderStatus.PROCESSING: "is-warn",
    OrderStatus.REVIEW: "is-bad",
    OrderStatus.REFUND_PENDING: "is-warn",
    OrderStatus.SHIPPED: "is-good",
    OrderStatus.DELIVERED: "is-good",
}
_HAPPENED = STATUS_LABELS | {
    OrderStatus.PENDING: "Placed",
    OrderStatus.PROCESSING: "Paid",
    OrderStatus.REVIEW: "Put aside to be checked",
}
"""What happened when an order came to stand there."""
_STEPS = {"newer": "newest", "older": "oldest"}
"""Ways on from an order, and what the order is called where there is none."""
_FIRST_IN_FIRST_OUT = frozenset({OrderStatus.PROCESSING, OrderStatus.REVIEW})
"""What waits for somebody is shown with the longest wait first."""


@require_safe
@require_staff(Permission.ORDERS_VIEW, with_filters=True)
def orders(request: HttpRequest) -> HttpResponse:
    form = ListForm(request.GET)
    words = form.value("q")
    if words:
        return _search(request, form, words)
    status = form.status_chosen
    page = desk_queries.listed_orders(
        status=status,
        since=form.begins,
        until=form.ends,
        cursor=request.GET.get("cursor", ""),
        oldest_first=status in _FIRST_IN_FIRST_OUT,
    )
    context = {
        "form": form,
        "rows": [order_row(listed) for listed in page.items],
        "tabs": _tabs(request, status),
        "status": status,
        **page_urls(page, reverse("orders_staff:orders"), _asked(request)),
        "export_url": with_query(reverse("orders_staff:export"), _asked(request)),
    }
    return render(request, "staff/orders/orders.html", context)


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def order(request: HttpRequest, order_id: str) -> HttpResponse:
    if request.GET.get("to") in _STEPS:
        return _beside(request, order_id, _STEPS[request.GET["to"]])
    try:
        file = desk_queries.order_file(order_id=order_id)
    except queries.OrderNotFound:
        raise Http404("no such order") from None
    found = file.order
    skus = _skus(found)
    viewer = confirmed_viewer_of(request)
    may_see_customer = viewer.may(Permission.CUSTOMERS_VIEW) and not found.owner.is_guest
    context = {
        **order_context(found),
        "lines": [(line, skus.get(line.product_id, "")) for line in found.lines],
        "stripe_url": stripe_url(found.payment.payment_intent_id),
        "customer_url": reverse("orders_staff:customer", args=[found.owner.id]) if may_see_customer else "",
        "payment_state": payment_words(found.payment.status),
        "refunds": [(refund, REFUND_STATES[refund.state], REFUND_REASONS[refund.reason]) for refund in file.refunds],
        "mails": mail_rows(file),
        "entries": file.entries if viewer.may(Permission.AUDIT_VIEW) else None,
        "notes": file.notes,
        "reason_form": ReasonForm(),
        "shopper_url": f"{reverse('orders:order', args=[order_id])}?{urlencode({'key': queries.key_of(order_id)})}",
    }
    return render(request, "staff/orders/order.html", context)


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def invoice(request: HttpRequest, order_id: str) -> HttpResponse:
    try:
        found = ledger_queries.invoice_of(order_or_404(order_id))
    except ledger_queries.InvoiceNotFound:
        raise Http404("no invoice yet") from None
    return _pdf(invoice_pdf(found), f"invoice-{found.number}")


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def credit_note(request: HttpRequest, order_id: str, number: str) -> HttpResponse:
    found = order_or_404(order_id)
    note = next((note for note in ledger_queries.credit_notes_of(found) if note.number == number), None)
    if note is None:
        raise Http404("no such credit note")
    return _pdf(credit_note_pdf(note, ledger_queries.invoice_of(found)), f"credit-note-{number}")


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def packing_slip(request: HttpRequest, order_id: str) -> HttpResponse:
    found = order_or_404(order_id)
    delivery = queries.delivery_name(found.delivery_method)
    slip = packing_slip_pdf(found, seller=settings.INVOICE_SELLER, delivery=delivery, skus=_skus(found))
    return _pdf(slip, f"packing-slip-{order_id}")


def _skus(found: Order) -> dict[str, str]:
    """The SKUs of an order's products as they are now, by product id: a line is frozen without one."""
    return catalog.skus(product_ids=[line.product_id for line in found.lines])


def _beside(request: HttpRequest, order_id: str, step: str) -> HttpResponse:
    """On to the order placed just after, or before: looked for when somebody goes there, not whenever an order is shown."""
    found = desk_queries.neighbour(order_or_404(order_id), is_later=step == "newest")
    if not found:
        messages.info(request, f"This is the {step} order.")
    return see_other(address_of("orders_staff:order", found or order_id))


def stripe_url(payment_intent_id: str) -> str:
    """Where Stripe shows a payment: its dashboard, on a laptop the page of the stand-in."""
    if not payment_intent_id:
        return ""
    if settings.LOCAL:
        return f"{settings.STRIPE_CHECKOUT_ORIGIN}/"
    mode = "test/" if "_test_" in settings.STRIPE_SECRET_KEY else ""
    return f"https://dashboard.stripe.com/{mode}payments/{payment_intent_id}"


def order_or_404(order_id: str) -> Order:
    """Any order by its number."""
    try:
        return queries.order_by_id(order_id=order_id)
    except queries.OrderNotFound:
        raise Http404("no such order") from None


def order_context(found: Order) -> dict[str, Any]:
    """What every page about one order draws."""
    return {
        "order": found,
        "status": STATUS_LABELS[found.status],
        "badge": BADGES.get(found.status, ""),
        "timeline": [(_HAPPENED[entry.status], entry) for entry in reversed(found.history)],
        "delivery_name": queries.delivery_name(found.delivery_method),
        "parcels": _parcels(found),
        "to_ship": any(line.to_ship for line in found.lines),
        "can_refund": bool(found.payment.payment_intent_id) and found.payment.left.minor > 0 and found.can_be_refunded,
        "why": next((entry.note for entry in reversed(found.history) if entry.status is OrderStatus.REVIEW), "").rstrip("."),
    }


def _search(request: HttpRequest, form: ListForm, words: str) -> HttpResponse:
    """Straight to the order whose number it is, else the orders with all the words, or a paper or parcel of this number."""
    exact = desk_queries.order_with_number(words)
    if exact:
        return see_other(reverse("orders_staff:order", args=[exact.order_id]))
    found = desk_queries.orders_like(findable_words(words)) or desk_queries.orders_like((findable_number(words),))
    context = {"form": form, "rows": [order_row(one) for one in found], "words": words, "tabs": _tabs(request, None)}
    return render(request, "staff/orders/orders.html", context)


def order_row(found: desk_queries.ListedOrder | Order) -> dict[str, str]:
    """An order as lists draw it, in words: a template's filters and addresses, row by row, cost more than reading the rows."""
    at = found.created_at if isinstance(found, Order) else found.placed_at
    return {
        "order_id": found.order_id,
        "url": address_of("orders_staff:order", found.order_id),
        "stamp": at.isoformat(),
        "day": f"{at:%b} {at.day}, {at.year}",
        "time": f"{at:%H:%M}",
        "email": found.email,
        "total": str(found.total),
        "status": STATUS_LABELS[found.status],
        "badge": BADGES.get(found.status, ""),
    }


def _tabs(request: HttpRequest, current: OrderStatus | None) -> list[tuple[str, str, bool]]:
    chosen: list[tuple[str, OrderStatus | None]] = [("All", None), *((label, status) for status, label in STATUS_LABELS.items())]
    here, asked = reverse("orders_staff:orders"), _asked(request) | {"q": ""}
    return [(label, with_query(here, asked | {"status": status or ""}), status is current) for label, status in chosen]


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in ("q", "status", "since", "until")}


def _parcels(found: Order) -> list[dict[str, Any]]:
    names = {line.product_id: line.name for line in found.lines}
    return [
        {"parcel": parcel, "pieces": [(names.get(product_id, product_id), count) for product_id, count in parcel.pieces]}
        for parcel in found.parcels
    ]


def _pdf(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'}
    )
