"""Somebody's saved cards, for themselves."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import queries as accounts
from accounts.domain import User
from orders import wallet
from orders.payments import PaymentRefused, PaymentsUnavailable
from shop.lib.access import confirmed_viewer_of, require_login
from shop.lib.http import see_other

_SILENT = "We cannot reach our payment service just now, so nothing was changed. Please try again in a moment."


@require_safe
@require_login
def cards(request: HttpRequest) -> HttpResponse:
    user = _user(request)
    if user is None:
        return see_other(reverse("accounts:login"))
    found, is_fresh = wallet.cards_now(user)
    return render(request, "orders/cards.html", {"cards": found, "is_fresh": is_fresh})


@require_POST
@require_login
def make_default(request: HttpRequest, method_id: str) -> HttpResponse:
    return _change(request, wallet.make_default, method_id, "This card is your default now.")


@require_POST
@require_login
def remove(request: HttpRequest, method_id: str) -> HttpResponse:
    return _change(request, wallet.remove_card, method_id, "The card is removed, here and at our payment service.")


def _change(request: HttpRequest, change: Callable[..., None], method_id: str, words: str) -> HttpResponse:
    user = _user(request)
    if user is None:
        return see_other(reverse("accounts:login"))
    try:
        change(user=user, method_id=method_id)
    except wallet.CardNotFound:
        if change is wallet.make_default:
            raise Http404("no such card of this person") from None
        messages.info(request, "That card is not saved here.")  # after a double click it was, a moment ago
    except (PaymentsUnavailable, PaymentRefused):
        messages.error(request, _SILENT)
    else:
        messages.success(request, words)
    return see_other(reverse("orders:cards"))


def _user(request: HttpRequest) -> User | None:
    viewer = confirmed_viewer_of(request)
    return accounts.user(user_id=viewer.user_id) if viewer.is_signed_in else None
