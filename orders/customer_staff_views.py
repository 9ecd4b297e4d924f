"""Staff's page of a customer, and what is done with all that is kept about one: handed out, or erased."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts import mails as account_mails
from accounts import queries as accounts
from accounts import staffing
from accounts.devices import device_name
from accounts.domain import User, may_edit, may_hand_out, may_look_after
from accounts.queries import SessionEnded
from accounts.staff_forms import ConfirmForm, PersonNoteForm
from accounts.staff_views import NOT_ALLOWED, person_or_404
from orders import exporting, history_queries, leaving
from orders.history_queries import Spending
from orders.payments import PaymentRefused, PaymentsUnavailable
from orders.staff_views import order_row
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.mail_log import LoggedMail
from shop.lib.owner import Owner

_SILENT = "Stripe does not answer just now, so the cards there could not be deleted and the account is still there. Try again."


@require_safe
@require_staff(Permission.CUSTOMERS_VIEW)
@person_or_404
def customer(request: HttpRequest, user_id: str) -> HttpResponse:
    user, viewer = accounts.user(user_id=user_id), confirmed_viewer_of(request)
    sessions = accounts.sessions_of(user_id=user_id, now=utc_now())
    may_see_orders = viewer.may(Permission.ORDERS_VIEW)
    spending = history_queries.spending_of(owner=Owner(user_id, is_guest=False)) if may_see_orders else None
    context = {
        "user": user,
        "sessions": [{"session": one, "device": device_name(one.user_agent)} for one in sessions],
        "orders_url": f"{reverse('orders_staff:orders')}?{urlencode({'q': user.email})}" if may_see_orders else "",
        "spending": spending,
        "stats": _stats(spending) if spending else (),
        "rows": [order_row(one) for one in spending.latest] if spending else (),
        "most_looked_at": history_queries.LOOK,
        "notes": accounts.notes_about(user_id=user_id),
        "note_form": PersonNoteForm(),
        "mails": _mails_to(user_id) if viewer.may(Permission.MAILS_VIEW) else None,
        "may_look_after": may_look_after(viewer, user),
        "may_change_rights": may_edit(viewer, user),
        "may_hand_out": may_hand_out(viewer, user),
        "entries": accounts.entries_about(user_id=user_id).items if viewer.may(Permission.AUDIT_VIEW) else None,
    }
    return render(request, "staff/accounts/customer.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.CUSTOMERS_DATA)
@person_or_404
def data(request: HttpRequest, user_id: str) -> HttpResponse:
    """Everything kept about a customer as a file, for them: asked for with their address, and noted."""
    user, viewer = accounts.user(user_id=user_id), confirmed_viewer_of(request)
    if not may_hand_out(viewer, user):
        return _back(request, user, NOT_ALLOWED)
    form = ConfirmForm(request.POST if request.method == "POST" else None, email=user.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/accounts/data.html", {"user": user, "form": form}, status=422 if form.errors else 200)
    now = utc_now()
    try:
        staffing.note_export(editor=viewer, user_id=user_id, now=now)
    except staffing.NotAllowed:  # joined the team a moment ago
        return _back(request, user, NOT_ALLOWED)
    response = JsonResponse(exporting.export(user_id=user_id, now=now), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="data-{user_id}-{now:%Y-%m-%d}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.CUSTOMERS_DATA)
@person_or_404
def erase(request: HttpRequest, user_id: str) -> HttpResponse:
    """Delete a customer's account at their wish: asked for with their address, and noted."""
    user, viewer = accounts.user(user_id=user_id), confirmed_viewer_of(request)
    if not may_hand_out(viewer, user):
        return _back(request, user, NOT_ALLOWED)
    form = ConfirmForm(request.POST if request.method == "POST" else None, email=user.email)
    if request.method != "POST" or not form.is_valid():
        return render(request, "staff/accounts/erase.html", {"user": user, "form": form}, status=422 if form.errors else 200)
    try:
        leaving.erase(editor=viewer, user_id=user_id, now=utc_now())
    except (PaymentsUnavailable, PaymentRefused):
        return _back(request, user, _SILENT)
    except (staffing.NotAllowed, SessionEnded):
        return _back(request, user, NOT_ALLOWED)
    messages.success(request, f"The account of {user.email} is erased. Its orders stay in the books.")
    return see_other(reverse("accounts_staff:customers"))


def _stats(spending: Spending) -> list[tuple[str, str]]:
    return [
        ("Spent", str(spending.spent)),
        ("Paid orders", str(spending.orders)),
        ("Average order", str(spending.average)),
        ("Refunded", str(spending.refunded)),
    ]


def _mails_to(user_id: str) -> list[tuple[str, LoggedMail]]:
    return [(account_mails.KIND_WORDS.get(one.kind, one.kind), one) for one in accounts.mails_to(user_id=user_id)]


def _back(request: HttpRequest, user: User, words: str) -> HttpResponse:
    messages.error(request, words)
    return see_other(reverse("orders_staff:customer", args=[user.user_id]))
