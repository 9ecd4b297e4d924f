"""Somebody's orders, for who is signed in: all of them, or those of some days, of a status, or with a number."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from orders.forms import HistoryForm
from orders.history_queries import history_of
from orders.showing import STATUS_WORDS
from shop.lib.access import require_login, viewer_of
from shop.lib.cursors import page_urls
from shop.lib.owner import Owner


@require_safe
@require_login
def orders(request: HttpRequest) -> HttpResponse:
    owner = Owner(id=viewer_of(request).user_id, is_guest=False)
    form = HistoryForm(request.GET)
    wanted = form.wanted()
    history = history_of(owner=owner, wanted=wanted, cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "orders/order_list.html",
        {
            "form": form,
            "is_all": wanted.is_all,
            "entries": [(order, STATUS_WORDS[order.status]) for order in history.page.items],
            **page_urls(history.page, reverse("orders:orders"), {name: form.data.get(name, "") for name in form.fields}),
            "looked_back_to": history.looked_back_to,
        },
    )
