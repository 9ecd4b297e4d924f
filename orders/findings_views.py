"""Staff's page of what does not add up between shop, Stripe and stock, with a way out of each."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from catalog.queries import ProductNotFound
from orders import ledger_queries, services
from orders.fulfilling import MoneyIsThere, NotCancellable
from orders.ledger_domain import Finding, FindingKind
from orders.ledger_queries import FindingNotFound
from orders.moving import OrderMoved
from orders.payments import PaymentRefused, PaymentsUnavailable
from orders.queries import OrderNotFound
from orders.refund_entries import NothingToRefund
from orders.refunding import NotRefundable, RefundTooLarge
from orders.staff_views import stripe_url
from orders.wording import FINDINGS
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.fields import no_control_characters
from shop.lib.http import see_other
from shop.lib.tables import Busy

_MOVED_ON = "The order has moved on meanwhile, so nothing was done. Please look at the order, then dismiss this."
_IN_THE_WAY: dict[type[Exception], str] = {
    services.StillWrong: "It was tried, and it does not add up yet. Please look at it in Stripe's own pages.",
    PaymentsUnavailable: "The payment service does not answer. Nothing is lost: please try again in a moment.",
    ProductNotFound: "The product is gone, and its stock with it: dismiss this.",
    Busy: "Many are at the same thing at this moment, so nothing was done. Please try again.",
    OrderNotFound: "Its order is not there. See to it in Stripe's own pages and dismiss it here.",
    OrderMoved: _MOVED_ON,
    MoneyIsThere: _MOVED_ON,
    NotCancellable: _MOVED_ON,
    NotRefundable: _MOVED_ON,
    NothingToRefund: _MOVED_ON,
    RefundTooLarge: _MOVED_ON,
}


class WayOutForm(forms.Form):
    """The one button, or a word on how it was seen to elsewhere."""

    way = forms.ChoiceField(choices=[("put_right", ""), ("dismiss", "")])
    note = forms.CharField(
        label="How was it seen to?",
        required=False,
        max_length=200,
        validators=[no_control_characters],
        help_text="Kept in the audit trail.",
        widget=forms.TextInput(attrs={"required": True}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("way") == "dismiss" and not cleaned.get("note") and "note" not in self.errors:
            self.add_error("note", "Please say in a few words how it was seen to.")
        return cleaned


@require_safe
@require_staff(Permission.ORDERS_VIEW)
def findings(request: HttpRequest) -> HttpResponse:
    found = [{"finding": one, "words": FINDINGS[one.kind], "url": _url(one)} for one in ledger_queries.findings()]
    context = {"found": found, "may_act": confirmed_viewer_of(request).may(Permission.ORDERS_REFUND)}
    return render(request, "staff/orders/findings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.ORDERS_REFUND)
def finding(request: HttpRequest, kind: str, subject: str) -> HttpResponse:
    """Show one thing that does not add up with what the button would do, and do it."""
    found = _finding_or_404(kind, subject)
    form = WayOutForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        problem = _act(request, found, form)
        if not problem:
            return see_other(reverse("orders_staff:findings"))
        form.add_error(None, problem)
    context = {"finding": found, "words": FINDINGS[found.kind], "form": form, "stripe_url": stripe_url(found.payment_intent_id)}
    context["is_stock"] = found.kind is FindingKind.STOCK
    context["may_see_products"] = confirmed_viewer_of(request).may(Permission.PRODUCTS_VIEW)
    return render(request, "staff/orders/finding.html", context, status=422 if form.errors else 200)


def _act(request: HttpRequest, found: Finding, form: WayOutForm) -> str:
    """Do what was chosen; what stands in its way, in words."""
    actor, now = confirmed_viewer_of(request), utc_now()
    try:
        if form.cleaned_data["way"] == "dismiss":
            services.dismiss_finding(kind=found.kind, subject=found.subject, actor=actor, note=form.cleaned_data["note"], now=now)
            messages.success(request, "Dismissed. It comes back if the next comparison finds it again.")
        else:
            services.put_right(kind=found.kind, subject=found.subject, actor=actor, now=now)
            messages.success(request, FINDINGS[found.kind].done)
    except FindingNotFound:
        messages.warning(request, "Somebody was quicker: it is put right already.")
    except PaymentRefused as refusal:
        why = str(refusal).rstrip(".")
        return f"Stripe refused, so nothing was done: {why}. See to it in Stripe's own pages, then dismiss this."
    except tuple(_IN_THE_WAY) as trouble:
        return next(words for kind, words in _IN_THE_WAY.items() if isinstance(trouble, kind))
    return ""


def _finding_or_404(kind: str, subject: str) -> Finding:
    if kind not in list(FindingKind):
        raise Http404("no such kind")
    try:
        return ledger_queries.finding(kind=FindingKind(kind), subject=subject)
    except FindingNotFound:
        raise Http404("no such finding") from None


def _url(found: Finding) -> str:
    return reverse("orders_staff:finding", args=[found.kind, found.subject])
