"""Invoices and credit notes to download: for whom the order is, and for staff who may see orders."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from orders import ledger_queries as books
from orders import queries
from orders.documents import credit_note_pdf, invoice_pdf
from orders.domain import Order
from orders.showing import address_of, order_or_404
from shop.lib.access import Permission, confirmed_viewer_of, viewer_of


@require_safe
def invoice(request: HttpRequest, order_id: str) -> HttpResponse:
    order = _order_or_404(request, order_id)
    try:
        found = books.invoice_of(order)
    except books.InvoiceNotFound:
        context = {"order": order, "order_url": address_of("orders:order", order)}
        return render(request, "orders/invoice_waits.html", context, status=404)
    return _download(invoice_pdf(found), found.number)


@require_safe
def credit_note(request: HttpRequest, order_id: str, number: str) -> HttpResponse:
    order = _order_or_404(request, order_id)
    note = next((note for note in books.credit_notes_of(order) if note.number == number), None)
    if note is None:
        raise Http404("the order has no such credit note")
    return _download(credit_note_pdf(note, books.invoice_of(order)), note.number)


def _order_or_404(request: HttpRequest, order_id: str) -> Order:
    """The order for its owner, by its key, or for staff who may see all orders."""
    if _may_see_all(request):
        try:
            return queries.order_by_id(order_id=order_id)
        except queries.OrderNotFound:
            raise Http404("no such order") from None
    return order_or_404(request, order_id)


def _may_see_all(request: HttpRequest) -> bool:
    """As `require_staff` has it: by the tables, and with the second proof where the shop asks for one."""
    if not viewer_of(request).may(Permission.ORDERS_VIEW):
        return False
    viewer = confirmed_viewer_of(request)
    return viewer.may(Permission.ORDERS_VIEW) and (viewer.has_second_factor or not settings.STAFF_SECOND_FACTOR)


def _download(pdf: bytes, number: str) -> HttpResponse:
    return HttpResponse(
        pdf,
        content_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="{number}.pdf"',
            "Cache-Control": "private, no-store",
            "X-Robots-Tag": "noindex",
        },
    )
