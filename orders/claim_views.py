"""From a guest's order to an account that owns it."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import services as account_services
from accounts.domain import BadEmail
from accounts.form_page import BAD_PASSWORD, Refusal, form_page, posted
from accounts.forms import NewPasswordForm
from orders import queries
from orders.domain import Order
from shop.lib.access import viewer_of
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.lib.source import source_of


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
def open_account(request: HttpRequest, order_id: str) -> HttpResponse:
    """Ask for an account with the order's address and just a password.

    Only who holds the order's key may; nothing exists until the link in the mail is followed, so a mistyped address, or
    another person's, gives nobody anything. The link leads on to the order, which is theirs from then on.
    """
    order = _order_or_404(request, order_id)
    onward = f"{reverse('orders:order', args=[order_id])}?{urlencode({'key': request.GET.get('key', '')})}"
    if viewer_of(request).is_signed_in or not order.owner.is_guest:
        return see_other(onward)
    form = NewPasswordForm(posted(request))

    def act() -> HttpResponse:
        _register(request, order, form.cleaned_data["password"], onward)
        return see_other(reverse("accounts:registered"))

    refusals = BAD_PASSWORD | {BadEmail: Refusal(None, "We cannot open an account with the address of this order.")}
    return form_page(request, form, act, template="orders/open_account.html", refusals=refusals, order=order, onward=onward)


def _register(request: HttpRequest, order: Order, password: str, onward: str) -> None:
    first, _, last = order.address.name.rpartition(" ")
    account_services.register(
        email=order.email,
        first_name=(first or last)[:60],
        last_name=(last if first else "")[:60],
        password=password,
        source=source_of(request),
        now=utc_now(),
        onward=onward,
    )


def _order_or_404(request: HttpRequest, order_id: str) -> Order:
    try:
        return queries.order_for(viewer=None, order_id=order_id, key=request.GET.get("key", ""), now=utc_now())
    except queries.OrderNotFound:
        raise Http404("no such order, or not its key") from None
