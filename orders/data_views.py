"""What the shop keeps about somebody: to take along, or to have deleted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.cookies import signed_out
from accounts.form_page import NOT_YOUR_PASSWORD, Refusal, Refusals, form_page, posted
from accounts.forms import PasswordForm
from orders import exporting, leaving
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.access import confirmed_viewer_of, require_login, viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other

_SILENT = (
    "We cannot reach our payment service just now, so your cards there could not be deleted and your account is still open. "
    "Please try again in a moment."
)
_REFUSALS: Refusals = NOT_YOUR_PASSWORD | {
    leaving.StaffAccount: Refusal(None, "This account is staff’s. Please let another admin take its permissions away first."),
    PaymentsUnavailable: Refusal(None, _SILENT, 503),
    PaymentRefused: Refusal(None, _SILENT, 503),
}


@require_safe
@require_login
def data(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/data.html")


@require_safe
@require_login
def download(request: HttpRequest) -> HttpResponse:
    viewer, now = confirmed_viewer_of(request), utc_now()
    if not viewer.is_signed_in:
        return see_other(reverse("accounts:login"))
    kept = exporting.export(user_id=viewer.user_id, now=now)
    response = JsonResponse(kept, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@require_login
def delete(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(posted(request))

    def act() -> HttpResponse:
        leaving.leave(viewer=viewer_of(request), password=form.cleaned_data["password"], now=utc_now())
        messages.success(request, "Your account is deleted. Thank you for having been with us.")
        return signed_out(reverse("accounts:login"))

    return form_page(request, form, act, template="orders/delete_account.html", refusals=_REFUSALS)
