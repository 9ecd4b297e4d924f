"""A product's pages: the same bytes for every visitor, as all of the catalogue's."""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import index_queries, menu, product_queries, queries, review_queries
from catalog.domain import Product, option_controls
from catalog.forms import FilterForm
from catalog.review_domain import ShownProduct
from catalog.seo import absolute, breadcrumb_data, product_data
from catalog.shared import shared_page
from shop.lib.cursors import page_urls
from shop.lib.http import is_htmx


def of_product(
    path_of: Callable[[Product], str],
) -> Callable[[Callable[[HttpRequest, ShownProduct], HttpResponse]], Callable[[HttpRequest, str, str], HttpResponse]]:
    """A page of a product that can be bought, whose present address is `path_of` it; its old addresses lead there."""

    def decorator(view: Callable[[HttpRequest, ShownProduct], HttpResponse]) -> Callable[[HttpRequest, str, str], HttpResponse]:
        @wraps(view)
        def page(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
            try:
                shown = product_queries.shown_product(product_id=product_id)
            except queries.ProductNotFound:
                return _gone_answer(request, product_id)
            if not shown.product.is_active:
                return _not_for_sale_answer(request, shown.product)
            if slug != shown.product.slug:
                return HttpResponsePermanentRedirect(path_of(shown.product))
            return view(request, shown)

        return page

    return decorator


@require_safe
@of_product(lambda product: product.path)
def product(request: HttpRequest, shown: ShownProduct) -> HttpResponse:
    found = shown.product
    related, siblings = index_queries.related_to(found), queries.siblings_of(found)

    def context() -> dict[str, object]:
        trail = [*_breadcrumb(found.category), (found.name, "")]
        return {
            "product": found,
            "reviews": shown.reviews,
            "options": option_controls(found, siblings),
            "related": related,
            "breadcrumb": trail,
            "product_data": product_data(shown),
            "breadcrumb_data": breadcrumb_data(trail, found.path),
            "photo_address": absolute(found.photo.src) if found.photo else "",
        }

    template = f"catalog/product_detail.html{'#product' if is_htmx(request) else ''}"
    return shared_page(request, template, drawn_from=(shown, siblings, related), context=context)


@require_safe
@of_product(lambda product: product.reviews_path)
def reviews(request: HttpRequest, shown: ShownProduct) -> HttpResponse:
    """All that buyers say of a product."""
    found = shown.product
    page = review_queries.approved_reviews(product_id=found.product_id, cursor=FilterForm(request.GET).chosen_cursor)
    context = {
        "product": found,
        "tally": shown.reviews.tally,
        "found": page.items,
        "page": page_urls(page, found.reviews_path),
        "breadcrumb": [*_breadcrumb(found.category), (found.name, found.path), ("Reviews", "")],
    }
    template = f"catalog/reviews.html{'#results' if is_htmx(request) else ''}"
    return shared_page(request, template, drawn_from=(shown, page), context=lambda: context)


def _not_for_sale_answer(request: HttpRequest, product: Product) -> HttpResponse:
    context = {"related": index_queries.related_to(product), "breadcrumb": _breadcrumb(product.category)}
    return render(request, "catalog/unavailable.html", context, status=HTTPStatus.NOT_FOUND)


def _gone_answer(request: HttpRequest, product_id: str) -> HttpResponse:
    """410 with the shelf of a product that was deleted; 404 for what never was."""
    category = queries.deleted_product(product_id=product_id)
    if category is None:
        raise Http404("no such product")
    related = queries.in_category(category=category, size=4).items
    context = {"related": related, "breadcrumb": _breadcrumb(category)}
    return render(request, "catalog/unavailable.html", context, status=HTTPStatus.GONE)


def _breadcrumb(category: str) -> list[tuple[str, str]]:
    found = next((known for known in menu.categories() if known.name == category), None)
    trail = [("Home", reverse("catalog:home"))]
    return [*trail, (found.name, found.path)] if found else trail
