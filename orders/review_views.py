"""The page where a buyer reviews what they bought."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from catalog import review_queries
from catalog.queries import ProductNotFound
from catalog.services import AlreadyReviewed
from orders import services
from orders.domain import Order, OrderLine
from orders.forms import ReviewForm
from orders.showing import order_or_404
from shop.lib.clock import utc_now
from shop.lib.http import see_other

_NOT_PAID = "You can review it as soon as the order is paid."
_GIVEN_BACK = "This order was cancelled or refunded, so there is nothing to review."
_GONE = "This product is no longer part of our shop, so it cannot be reviewed any more."


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, order_id: str, product_id: str) -> HttpResponse:
    order, line = _bought_or_404(request, order_id, product_id)
    written = review_queries.review_by(product_id=product_id, owner=order.owner, order_id=order.order_id)
    context: dict[str, object] = {"order": order, "line": line, "review": written, "key": request.GET.get("key", "")}
    if written:
        return render(request, "orders/review_written.html", context)
    if not order.can_be_reviewed:
        return _refusal(request, context, _NOT_PAID if order.is_awaiting_payment else _GIVEN_BACK)
    posted = request.POST if request.method == "POST" else None
    form = ReviewForm(posted, initial={"author": order.address.name.split(" ")[0]})
    if not form.is_valid():
        status = HTTPStatus.OK if posted is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return render(request, "orders/review_form.html", context | {"form": form}, status=status)
    try:
        services.submit_review(order=order, product_id=product_id, words=form.words(), now=utc_now())
    except AlreadyReviewed:
        pass  # a second click, or another tab: the page shows what was written first
    except services.NotReviewable:
        return _refusal(request, context, _GIVEN_BACK)
    except ProductNotFound:
        return _refusal(request, context, _GONE)
    return see_other(request.get_full_path())


def _refusal(request: HttpRequest, context: dict[str, object], words: str) -> HttpResponse:
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    return render(request, "orders/review_refused.html", context | {"words": words}, status=status)


def _bought_or_404(request: HttpRequest, order_id: str, product_id: str) -> tuple[Order, OrderLine]:
    """The viewer's order and the product's line in it."""
    order = order_or_404(request, order_id)
    line = order.line_of(product_id)
    if line is None:
        raise Http404("the product is not in the order")
    return order, line
