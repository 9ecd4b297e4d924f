"""Staff pages of the mails of an order: what went out, each one to look at, and once more."""

import logging
import re
import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from orders import desk_queries, ledger_queries
from orders.domain import Order
from orders.mail_copies import Copy, copies_of, send_again
from orders.queries import OrderNotFound, order_by_id
from orders.wording import MAILS
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.csp import mail_policy
from shop.lib.http import see_other
from shop.lib.mail_log import LoggedMail, MailState
from shop.lib.once import InProgress

logger = logging.getLogger(__name__)

_TOKEN = re.compile(r"[0-9a-f]{16}")


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def preview(request: HttpRequest, order_id: str, origin: str) -> HttpResponse:
    """A mail as it would be written now, in both of its parts."""
    order, copy = _copy_or_404(order_id, origin)
    context = {
        "order": order,
        "copy": copy,
        "label": copy.label,
        "mail": copy.write(),
        "token": secrets.token_hex(8),
        "may_send": confirmed_viewer_of(request).may(Permission.ORDERS_SHIP),
    }
    return render(request, "staff/orders/mail.html", context)


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def content(request: HttpRequest, order_id: str, origin: str) -> HttpResponse:
    """The HTML part alone, for the frame of the preview: nothing in it may run, load from elsewhere or lead anywhere."""
    _, copy = _copy_or_404(order_id, origin)
    headers = {"Content-Security-Policy": mail_policy(), "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(copy.write().html, headers=headers)


@require_POST
@require_staff(Permission.ORDERS_SHIP)
def send(request: HttpRequest, order_id: str, origin: str) -> HttpResponse:
    order, copy = _copy_or_404(order_id, origin)
    here = see_other(reverse("orders_staff:order", args=[order_id]))
    token = request.POST.get("token", "")
    if not _TOKEN.fullmatch(token):
        messages.warning(request, "Nothing was sent: please press the button on the page of the mail.")
        return here
    try:
        is_done = send_again(order=order, copy=copy, token=token, actor=confirmed_viewer_of(request), now=utc_now())
    except InProgress:
        messages.warning(request, "This mail is being sent at this moment.")
    except Exception as trouble:
        logger.warning("a mail was not sent again", exc_info=trouble)
        messages.error(request, "The mail was not taken; the list of mails says why. Please try again in a while.")
    else:
        words = f"The mail is on its way to {order.email} once more." if is_done else "This mail was sent already, once."
        messages.success(request, words)
    return here


def mail_rows(file: desk_queries.OrderFile) -> list[dict[str, Any]]:
    """What an order's page lists: each mail that can be written, with what the log knows of it, and what else the log has."""
    logged = list(file.mails)
    rows = []
    for copy in copies_of(file.order, file.refunds):
        tried = [mail for mail in logged if mail.kind == copy.kind and _origin(mail) == copy.origin]
        logged = [mail for mail in logged if mail not in tried]
        url = reverse("orders_staff:mail", args=[file.order.order_id, copy.origin])
        rows += [_row(mail, copy.label, url) for mail in tried] or [{"label": copy.label, "url": url}]
    rows += [_row(mail, MAILS.get(mail.kind, mail.kind), "") for mail in logged]
    return rows


def _row(mail: LoggedMail, label: str, url: str) -> dict[str, Any]:
    return {"label": label, "url": url, "mail": mail, "is_failed": mail.state is MailState.FAILED}


def _origin(mail: LoggedMail) -> str:
    """What was sent again is about what was sent first; and whoever asked for the link, it is one mail."""
    return "link" if mail.kind == "link" else mail.origin.partition("-again-")[0]


def _copy_or_404(order_id: str, origin: str) -> tuple[Order, Copy]:
    try:
        order = order_by_id(order_id=order_id)
    except OrderNotFound:
        raise Http404("no such order") from None
    copies = copies_of(order, ledger_queries.refunds_of(order_id=order_id))
    copy = next((copy for copy in copies if copy.origin == origin), None)
    if copy is None:
        raise Http404("no such mail")
    return order, copy
