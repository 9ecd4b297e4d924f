"""The list of orders as CSV, in as many files as it takes: an answer of a Lambda function has a size, and a request a time."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from orders import desk_queries
from orders.domain import Order
from orders.staff_forms import ListForm
from shop.lib.access import Permission, require_staff
from shop.lib.addresses import with_query
from shop.lib.clock import utc_now
from shop.lib.deadline import time_left
from shop.lib.http import see_other
from shop.lib.spreadsheets import text_cell

MOST_BYTES = 1_900_000
"""Of one file: in the JSON that Lambda answers in, a byte can become three, and 6 MB is the end."""
MOST_ORDERS = 5_000
_LEAST_SECONDS = 8.0
_TITLES = (
    "order",
    "placed",
    "status",
    "email",
    "name",
    "country",
    "product",
    "item",
    "quantity",
    "unit price",
    "order total",
    "currency",
)
_SECOND = timedelta(seconds=1)
_LIST = ("status", "since", "until")


@dataclass(frozen=True, slots=True)
class _File:
    """A file, how many orders are in it, when its last one was placed, and where the next file begins (empty: nowhere)."""

    text: str
    orders: int
    oldest: datetime | None
    next_cursor: str


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def export(request: HttpRequest) -> HttpResponse:
    """The list as a file, a line for each line of an order.

    What does not fit into one is offered in parts. They are bound to a moment (`before`), so that an order placed meanwhile
    shifts none of them, and each says how many orders it takes (`take`).
    """
    form = ListForm(request.GET)
    taken = request.GET.get("take", "")
    take = int(taken) if taken.isascii() and taken.isdecimal() and len(taken) < 5 else 0  # noqa: PLR2004 - 9,999 are too many
    before = _moment(request.GET.get("before", ""))
    made = _file(form, before, request.GET.get("cursor", ""), min(take or MOST_ORDERS, MOST_ORDERS))
    if made.next_cursor and made.orders != take:
        if before is None:  # the second before this one is complete, and its orders stay as many
            return see_other(_address({**_asked(request), "before": (utc_now() - _SECOND).replace(microsecond=0).isoformat()}))
        return _parts(request, made, before)
    response = HttpResponse(made.text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="orders.csv"'
    return response


def _file(form: ListForm, before: datetime | None, cursor: str, most: int) -> _File:
    """As many orders as fit into one file, by whole pages of a list."""
    text, orders, oldest = "\ufeff" + _line(_TITLES), 0, None  # without it spreadsheets take UTF-8 for something older
    ends = min(filter(None, (form.ends, before)), default=None)
    while orders < most:
        page = desk_queries.exported_page(
            status=form.status_chosen, since=form.begins, until=ends, cursor=cursor, most=most - orders
        )
        more = "".join(map(_lines, page.items))
        if orders and (len(text.encode()) + len(more.encode()) > MOST_BYTES or time_left() < _LEAST_SECONDS):
            break
        text, orders, cursor = text + more, orders + len(page.items), page.next_cursor
        oldest = page.items[-1].created_at if page.items else oldest
        if not cursor:
            break
    return _File(text, orders, oldest, cursor)


def _parts(request: HttpRequest, made: _File, before: datetime) -> HttpResponse:
    """A page that offers what fits into one file, and the way on to the rest."""
    asked = {**_asked(request), "before": before.isoformat()}
    here = {**asked, "cursor": request.GET.get("cursor", ""), "take": str(made.orders)}
    context = {
        "orders": made.orders,
        "oldest": made.oldest,
        "is_first": not request.GET.get("cursor"),
        "file_url": _address(here),
        "next_url": _address({**asked, "cursor": made.next_cursor}),
        "list_url": with_query(reverse("orders_staff:orders"), _asked(request)),
    }
    return render(request, "staff/orders/export.html", context)


def _asked(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in _LIST}


def _address(asked: dict[str, str]) -> str:
    return with_query(reverse("orders_staff:export"), asked)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _lines(order: Order) -> str:
    return "".join(
        _line(
            [
                order.order_id,
                order.created_at.isoformat(),
                order.status,
                text_cell(order.email),
                text_cell(order.address.name),
                order.address.country,
                line.product_id,
                text_cell(line.name),
                line.quantity,
                line.unit_price.amount,
                order.total.amount,
                order.total.currency,
            ]
        )
        for line in order.lines
    )


def _line(cells: Sequence[object]) -> str:
    target = StringIO()
    csv.writer(target).writerow(cells)
    return target.getvalue()
