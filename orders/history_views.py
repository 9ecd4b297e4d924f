"""Somebody's orders, for who is signed in."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from orders import queries
from orders.showing import STATUS_WORDS
from shop.lib.access import require_login, viewer_of
from shop.lib.owner import Owner


@require_safe
@require_login
def orders(request: HttpRequest) -> HttpResponse:
    owner = Owner(id=viewer_of(request).user_id, is_guest=False)
    page = queries.orders_of(owner=owner, cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "orders/order_list.html",
        {
            "entries": [(order, STATUS_WORDS[order.status]) for order in page.items],
            "page": {"next_url": _url(page.next_cursor), "previous_url": _url(page.previous_cursor)},
        },
    )


def _url(cursor: str) -> str:
    return f"{reverse('orders:orders')}?{urlencode({'cursor': cursor})}" if cursor else ""
