"""Staff pages for moderating reviews."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import review_queries, services
from catalog.forms import DecisionForm
from catalog.queries import ProductNotFound
from catalog.review_domain import Review, ReviewStatus
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.addresses import with_query
from shop.lib.clock import utc_now
from shop.lib.cursors import page_urls
from shop.lib.http import see_other

_TABS = {ReviewStatus.PENDING: "Waiting", ReviewStatus.APPROVED: "Shown", ReviewStatus.REJECTED: "Not shown"}
_SAID = {
    ReviewStatus.APPROVED: "{author}’s review of {product} is in the shop now.",
    ReviewStatus.REJECTED: "{author}’s review of {product} is not shown.",
}


@require_safe
@require_staff(Permission.REVIEWS_MODERATE)
def reviews(request: HttpRequest) -> HttpResponse:
    chosen = request.GET.get("status", "")
    status = ReviewStatus(chosen) if chosen in list(ReviewStatus) else ReviewStatus.PENDING
    page = review_queries.reviews_to_moderate(status=status, cursor=request.GET.get("cursor", ""))
    context = {
        "found": page.items,
        "status": status,
        "tabs": [(label, _list_url(tab), tab is status) for tab, label in _TABS.items()],
        **page_urls(page, reverse("catalog_staff:reviews"), _asked(status)),
    }
    return render(request, "staff/catalog/reviews.html", context)


@require_POST
@require_staff(Permission.REVIEWS_MODERATE)
def decide(request: HttpRequest, product_id: str, review_id: str) -> HttpResponse:
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("a decision needs a status, and the status it was made on")
    seen: ReviewStatus = form.cleaned_data["seen"]
    service = services.approve_review if form.cleaned_data["status"] is ReviewStatus.APPROVED else services.reject_review
    try:
        review = service(product_id=product_id, review_id=review_id, seen=seen, actor=confirmed_viewer_of(request), now=utc_now())
    except review_queries.ReviewNotFound:
        raise Http404("no such review") from None
    except services.ReviewMoved as moved:
        messages.warning(request, f"Somebody else has decided meanwhile, so nothing was changed: {_said(moved.review)}")
    except ProductNotFound:
        messages.warning(request, "The product was deleted, so its review cannot be shown. You can still reject it.")
    else:
        messages.success(request, _said(review))
    return see_other(_list_url(seen))


def _said(review: Review) -> str:
    return _SAID[review.status].format(author=review.words.author, product=review.product_name)


def _list_url(status: ReviewStatus) -> str:
    return with_query(reverse("catalog_staff:reviews"), _asked(status))


def _asked(status: ReviewStatus) -> dict[str, str]:
    return {"status": "" if status is ReviewStatus.PENDING else status}
