"""A product's pages: the same bytes for every visitor, as all of the catalogue's."""

from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import product_queries, queries, review_queries
from catalog.domain import Product, option_controls
from catalog.forms import FilterForm
from catalog.seo import absolute, breadcrumb_data, product_data
from catalog.shared import Links, shared_page
from shop.lib.cursors import Page
from shop.lib.http import is_htmx


@require_safe
def product(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
    try:
        shown = product_queries.shown_product(product_id=product_id)
    except queries.ProductNotFound:
        return _gone_answer(request, product_id)
    found = shown.product
    if not found.is_active:
        return _not_for_sale_answer(request, found)
    if slug != found.slug:
        return HttpResponsePermanentRedirect(found.path)
    related, siblings = queries.related_to(found), queries.siblings_of(found)

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
def reviews(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
    """All that buyers say of a product."""
    try:
        shown = product_queries.shown_product(product_id=product_id)
    except queries.ProductNotFound:
        return _gone_answer(request, product_id)
    found = shown.product
    if not found.is_active:
        return _not_for_sale_answer(request, found)
    if slug != found.slug:
        return HttpResponsePermanentRedirect(found.reviews_path)
    page = review_queries.approved_reviews(product_id=product_id, cursor=FilterForm(request.GET).chosen_cursor)
    context = {
        "product": found,
        "tally": shown.reviews.tally,
        "found": page.items,
        "page": _links_of(page, found.reviews_path),
        "breadcrumb": [*_breadcrumb(found.category), (found.name, found.path), ("Reviews", "")],
    }
    template = f"catalog/reviews.html{'#results' if is_htmx(request) else ''}"
    return shared_page(request, template, drawn_from=(shown, page), context=lambda: context)


def _not_for_sale_answer(request: HttpRequest, product: Product) -> HttpResponse:
    context = {"related": queries.related_to(product), "breadcrumb": _breadcrumb(product.category)}
    return render(request, "catalog/unavailable.html", context, status=HTTPStatus.NOT_FOUND)


def _gone_answer(request: HttpRequest, product_id: str) -> HttpResponse:
    """410 with the shelf of a product that was deleted; 404 for what never was."""
    category = queries.deleted_product(product_id=product_id)
    if category is None:
        raise Http404("no such product")
    related = queries.in_category(category=category, size=4).items
    context = {"related": related, "breadcrumb": _breadcrumb(category)}
    return render(request, "catalog/unavailable.html", context, status=HTTPStatus.GONE)


def _links_of(page: Page[Any], base: str) -> Links:
    def url(cursor: str) -> str:
        return f"{base}?{urlencode({'cursor': cursor})}" if cursor else ""

    return Links(next_url=url(page.next_cursor), previous_url=url(page.previous_cursor))


def _breadcrumb(category: str) -> list[tuple[str, str]]:
    found = next((known for known in queries.categories() if known.name == category), None)
    trail = [("Home", reverse("catalog:home"))]
    return [*trail, (found.name, found.path)] if found else trail
