"""What the shop keeps about somebody: to take along, or to have deleted."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.cookies import clear_tokens
from accounts.forms import PasswordForm, add_problem
from accounts.limits import TooManyTries
from accounts.queries import SessionEnded, UserNotFound
from accounts.services import WrongPassword
from accounts.views import posted, too_many
from orders import exporting, leaving
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.access import confirmed_viewer_of, require_login, viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other

_SILENT = (
    "We cannot reach our payment service just now, so your cards there could not be deleted and your account is still open. "
    "Please try again in a moment."
)
_STAFF = "This account is staff’s. Please let another admin take its permissions away first."


@require_safe
@require_login
def data(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/data.html")


@require_safe
@require_login
def download(request: HttpRequest) -> HttpResponse:
    now = utc_now()
    try:
        kept = exporting.export(user_id=confirmed_viewer_of(request).user_id, now=now)
    except UserNotFound:
        return _signed_out()
    response = JsonResponse(kept, json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'
    response["Cache-Control"] = "private, no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@require_login
def delete(request: HttpRequest) -> HttpResponse:
    form = PasswordForm(posted(request))
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                leaving.leave(viewer=viewer_of(request), password=form.cleaned_data["password"], now=utc_now())
            except WrongPassword:
                add_problem(form, "password", "This is not your password.")
            except TooManyTries as refusal:
                add_problem(form, None, too_many(refusal))
                status = 429
            except leaving.StaffAccount:
                add_problem(form, None, _STAFF)
            except (PaymentsUnavailable, PaymentRefused):
                add_problem(form, None, _SILENT)
                status = 503
            except SessionEnded:
                return _signed_out()
            else:
                messages.success(request, "Your account is deleted. Thank you for having been with us.")
                return _signed_out()
    return render(request, "orders/delete_account.html", {"form": form}, status=status)


def _signed_out() -> HttpResponse:
    response = see_other(reverse("accounts:login"))
    clear_tokens(response)
    return response
