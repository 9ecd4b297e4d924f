"""Guests find an order by number and address: the link goes to that address, and the answer is the same for everybody."""

from datetime import timedelta
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.limits import TooManyTries
from orders import services
from orders.forms import FindForm
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.source import source_of

_MINUTE = timedelta(minutes=1)


@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST if request.method == "POST" else None)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        if form.is_valid():
            try:
                services.ask_for_link(
                    order_id=form.cleaned_data["number"],
                    email=form.cleaned_data["email"],
                    source=source_of(request),
                    now=utc_now(),
                )
            except TooManyTries as refusal:
                form.add_error(None, _too_often(refusal.wait))
                status = HTTPStatus.TOO_MANY_REQUESTS
            else:
                return see_other(reverse("orders:found"))
    return render(request, "orders/find.html", {"form": form}, status=status)


@require_safe
def found(request: HttpRequest) -> HttpResponse:
    return render(request, "orders/found.html")


def _too_often(wait: timedelta) -> str:
    minutes = max(1, -(-wait // _MINUTE))
    return f"That was asked too often. Please wait {minutes} minute{'s' if minutes > 1 else ''} and try again."
