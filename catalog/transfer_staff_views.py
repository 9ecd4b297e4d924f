"""Staff pages that bring products in from a spreadsheet and take them out to one."""

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import importing, product_export
from catalog.photos import upload_origin
from catalog.transfer_domain import COLUMNS, NotACsv
from catalog.transfer_models import TransferRow
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.csp import content_security_policy
from shop.lib.http import see_other

_AT_ONCE = 500
_WORDS = {
    importing.MAPPING: "Choose columns",
    importing.CHECKING: "Being checked",
    importing.CHECKED: "Checked",
    importing.APPLYING: "Being written",
    importing.DONE: "Done",
    importing.FAILED: "Cannot be read",
    product_export.EXPORTING: "Being put together",
    product_export.EXPORTED: "Ready",
    product_export.LOST: "Could not be put together",
}


@require_safe
@require_staff(Permission.PRODUCTS_EDIT)
def transfers(request: HttpRequest) -> HttpResponse:
    """A form that sends a file, the way out, and what was brought in last. The bucket leads back here with the key."""
    here = f"{settings.SITE_ORIGIN}{reverse('catalog_staff:transfers')}"
    context = {
        "upload": importing.start_csv_upload(now=utc_now(), then=here),
        "key": request.GET.get("key", ""),
        "latest": [(row, _WORDS[row.state]) for row in importing.latest_transfers()],
    }
    response = render(request, "staff/catalog/transfers.html", context)
    response.headers["Content-Security-Policy"] = content_security_policy(upload_origin=upload_origin())
    return response


@require_safe
@require_staff(Permission.PRODUCTS_EDIT)
def template(request: HttpRequest) -> HttpResponse:
    """A file with the titles alone."""
    body = "\ufeff" + ",".join(COLUMNS) + "\r\n"
    headers = {"Content-Disposition": 'attachment; filename="products-template.csv"'}
    return HttpResponse(body, content_type="text/csv; charset=utf-8", headers=headers)


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def begin(request: HttpRequest) -> HttpResponse:
    try:
        transfer_id = importing.begin_import(key=request.POST.get("key", ""), actor=confirmed_viewer_of(request), now=utc_now())
    except importing.UnknownFile:
        messages.error(request, "The file did not arrive. Please send it again.")
    except NotACsv as error:
        messages.error(request, f"This file cannot be read: {error}.")
    else:
        return see_other(_address(transfer_id))
    return see_other(reverse("catalog_staff:transfers"))


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def export(request: HttpRequest) -> HttpResponse:
    transfer_id = product_export.begin_export(actor=confirmed_viewer_of(request), now=utc_now())
    importing.go_on(transfer_id=transfer_id, now=utc_now())  # a small shop's is there at once
    return see_other(_address(transfer_id))


@require_safe
@require_staff(Permission.PRODUCTS_EDIT)
def transfer(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """How an import or export stands, and what can be done next."""
    found = _found_or_404(transfer_id)
    latest = importing.pass_of(found)
    context = {
        "found": found,
        "words": _WORDS[found.state],
        "percent": 100 * found.offset // max(found.size, 1),
        "is_working": found.state in (*importing.WORKING, product_export.EXPORTING),
        "is_export": found.state in (product_export.EXPORTING, product_export.EXPORTED, product_export.LOST),
        "titles": [(place, title, found.columns.get(str(place), "")) for place, title in enumerate(found.titles)],
        "columns": COLUMNS,
        "errors": importing.errors_of(transfer_id=transfer_id, state=latest) if found.failed else (),
        "repeats": importing.repeats_of(transfer_id=transfer_id, state=latest) if found.repeated else (),
    }
    return render(request, "staff/catalog/transfer.html", context)


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def check(request: HttpRequest, transfer_id: str) -> HttpResponse:
    found = _found_or_404(transfer_id)
    columns: dict[str, str] = {}
    for place in range(len(found.titles)):
        column = request.POST.get(f"column-{place}", "")
        if column in COLUMNS and column not in columns.values():
            columns[str(place)] = column
    if "sku" not in columns.values():
        messages.error(request, "Say which column has the SKU: products are told apart by it.")
        return see_other(_address(transfer_id))
    try:
        importing.check_import(transfer_id=transfer_id, columns=columns, actor=confirmed_viewer_of(request))
    except importing.MayNotStock as refused:
        return _stock_refused(request, transfer_id, refused)
    importing.go_on(transfer_id=transfer_id, now=utc_now(), at_most=_AT_ONCE)
    return see_other(_address(transfer_id))


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def apply(request: HttpRequest, transfer_id: str) -> HttpResponse:
    _found_or_404(transfer_id)
    try:
        importing.apply_import(transfer_id=transfer_id, actor=confirmed_viewer_of(request))
    except importing.MayNotStock as refused:
        return _stock_refused(request, transfer_id, refused)
    importing.go_on(transfer_id=transfer_id, now=utc_now(), at_most=_AT_ONCE)
    return see_other(_address(transfer_id))


@require_safe
@require_staff(Permission.PRODUCTS_EDIT)
def fetch(request: HttpRequest, transfer_id: str) -> HttpResponse:
    """Lead to the file of an export."""
    found = _found_or_404(transfer_id)
    if found.state != product_export.EXPORTED:
        raise Http404("not ready")
    try:
        return see_other(product_export.link_to(found))
    except product_export.FileGone:
        messages.error(request, "The file was kept for a day and is not there any more. Begin the export again.")
        return see_other(reverse("catalog_staff:transfers"))


def _stock_refused(request: HttpRequest, transfer_id: str, refused: importing.MayNotStock) -> HttpResponse:
    messages.error(
        request,
        f"Nothing was done: the column “{refused}” says how many pieces are in stock, and you may not change the stock. "
        "Leave it out, or ask somebody with the right “stock.edit”.",
    )
    return see_other(_address(transfer_id))


def _address(transfer_id: str) -> str:
    return reverse("catalog_staff:transfer", args=[transfer_id])


def _found_or_404(transfer_id: str) -> TransferRow:
    try:
        return importing.transfer(transfer_id=transfer_id)
    except importing.NoSuchTransfer:
        raise Http404("no such import") from None
