"""The audit trail: who of the staff changed what, by month."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import queries as accounts
from cart import discount_queries
from catalog import queries as catalog
from catalog import staff_queries
from orders import ledger_queries
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.addresses import with_query
from shop.lib.audit import Entry
from shop.lib.cursors import page_urls
from shop.months import month_asked, months_beside
from shop.subjects import page_of

_BOOKS: dict[str, tuple[str, Any]] = {
    "products": ("Products and reviews", staff_queries.entries_of_month),
    "codes": ("Discount codes", discount_queries.entries_of_month),
    "people": ("People", accounts.entries_of_month),
    "orders": ("Orders and payments", ledger_queries.entries_of_month),
}
_WITHOUT_NUMBER = {"BOOKS": "Reconciliation", "CATEGORIES": "Categories"}


@require_safe
@require_staff(Permission.AUDIT_VIEW)
def trail(request: HttpRequest) -> HttpResponse:
    of = request.GET.get("of", "")
    of = of if of in _BOOKS else "products"
    month = month_asked(request.GET.get("month", ""))
    page = _BOOKS[of][1](month=month, cursor=request.GET.get("cursor", ""))
    earlier, later = months_beside(month)
    names, viewer = _names(page.items), confirmed_viewer_of(request)
    context = {
        "entries": [
            {"entry": entry, "subject": _subject(entry, names), "url": page_of(entry.subject, viewer)} for entry in page.items
        ],
        "tabs": [(label, _list_url(name, month), name == of) for name, (label, _) in _BOOKS.items()],
        "month": month,
        "of": of,
        "earlier_url": _list_url(of, earlier),
        "later_url": _list_url(of, later) if later else "",
        **page_urls(page, reverse("staff:audit"), _asked(of, month)),
    }
    return render(request, "staff/audit.html", context)


def _names(entries: Iterable[Entry]) -> dict[str, str]:
    """What the products or people that entries are about are called, by number: one more BatchGet."""
    about = [entry.subject.partition("#") for entry in entries]
    product_ids = [number for kind, _, number in about if kind == "PRODUCT"]
    user_ids = [number for kind, _, number in about if kind == "USER"]
    return (catalog.titles(product_ids=product_ids) if product_ids else {}) | accounts.names_of(user_ids=user_ids)


def _subject(entry: Entry, names: Mapping[str, str]) -> str:
    """What the entry is about: by its name, or its number where it is gone or has no name."""
    number = entry.subject.partition("#")[2]
    return names.get(number, number) or _WITHOUT_NUMBER.get(entry.subject, entry.subject.lower())


def _list_url(of: str, month: datetime) -> str:
    return with_query(reverse("staff:audit"), _asked(of, month))


def _asked(of: str, month: datetime) -> dict[str, str]:
    return {"of": of, "month": f"{month:%Y-%m}"}
