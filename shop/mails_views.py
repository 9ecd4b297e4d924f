"""The log of mails: what the shop sent or could not send, by month, and what waits for somebody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts import mails as account_mails
from accounts import queries as accounts
from catalog import staff_queries
from orders import desk_queries
from orders.wording import MAILS
from shop.lib.access import Permission, Viewer, confirmed_viewer_of, require_staff
from shop.lib.addresses import with_query
from shop.lib.cursors import Page, page_urls
from shop.lib.mail_log import LoggedMail, MailState
from shop.months import month_asked, months_beside
from shop.subjects import page_of

_Read = Callable[..., Page[LoggedMail]]


@dataclass(frozen=True, slots=True)
class _Log:
    """The mails of one table."""

    label: str
    of_month: _Read
    failed: _Read
    kinds: dict[str, str]


_LOGS = {
    "orders": _Log("Orders", desk_queries.mails_of_month, desk_queries.failed_mails, MAILS),
    "accounts": _Log(
        "Accounts",
        accounts.mails_of_month,
        accounts.failed_mails,
        account_mails.KIND_WORDS,
    ),
    "products": _Log(
        "Products",
        staff_queries.mails_of_month,
        staff_queries.failed_mails,
        {"back_in_stock": "Back in stock", "low_stock": "Running low (to staff)"},
    ),
}


@require_safe
@require_staff(Permission.MAILS_VIEW)
def mails(request: HttpRequest) -> HttpResponse:
    """Mails of a month, or those that could not be sent. A kind is picked out of what a page looks through."""
    asked = {name: request.GET.get(name, "") for name in ("of", "kind", "state")}
    log = _LOGS.get(asked["of"], _LOGS["orders"])
    of = next(name for name, one in _LOGS.items() if one is log)
    kind = asked["kind"] if asked["kind"] in log.kinds else ""
    is_failed = asked["state"] == MailState.FAILED
    month, cursor = month_asked(request.GET.get("month", "")), request.GET.get("cursor", "")
    page = log.failed(cursor=cursor) if is_failed else log.of_month(month=month, cursor=cursor)
    viewer = confirmed_viewer_of(request)
    base = {
        "of": of,
        "kind": kind,
        "state": MailState.FAILED if is_failed else "",
        "month": "" if is_failed else f"{month:%Y-%m}",
    }
    earlier, later = months_beside(month)
    context = {
        "rows": [_row(mail, log, viewer) for mail in page.items if kind in ("", mail.kind)],
        "looked_through": len(page.items),
        "tabs": [
            (one.label, _address({"of": name, "state": base["state"], "month": base["month"]}), name == of)
            for name, one in _LOGS.items()
        ],
        "kinds": log.kinds,
        "asked": base,
        "month": month,
        "is_failed": is_failed,
        "earlier_url": _address(base | {"month": f"{earlier:%Y-%m}"}),
        "later_url": _address(base | {"month": f"{later:%Y-%m}"}) if later else "",
        **page_urls(page, reverse("staff:mails"), base),
    }
    return render(request, "staff/mails.html", context)


def _row(mail: LoggedMail, log: _Log, viewer: Viewer) -> dict[str, Any]:
    kind, _, number = mail.subject.partition("#")
    return {
        "mail": mail,
        "label": log.kinds.get(mail.kind, mail.kind),
        "is_failed": mail.state is MailState.FAILED,
        "about": "a new account" if kind == "REQUEST" else number,
        "url": page_of(mail.subject, viewer),
    }


def _address(asked: dict[str, str]) -> str:
    return with_query(reverse("staff:mails"), asked)
