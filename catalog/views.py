"""Catalogue pages: the same bytes for every visitor, so that a CDN may keep them."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import queries, review_queries
from catalog.domain import Category, Product, looked_at, option_controls
from catalog.forms import DEAREST, SORTS, FilterForm, SeenForm
from catalog.recent import drop_recent, recent_ids, remember_recent
from catalog.search.engine import IndexMissing
from catalog.seo import absolute, breadcrumb_data, product_data
from catalog.shared import shared_page
from catalog.shelf import Shelf, shelf_of
from shop.lib.cursors import Page
from shop.lib.http import is_htmx, see_other

NEWEST_ON_HOME = 8
_RECENT_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Links:
    """Where a list's next and previous pages are; empty where there are none."""

    next_url: str
    previous_url: str


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    newest = queries.latest(size=NEWEST_ON_HOME)
    context = {"newest": newest, "hero": newest[0] if newest else None, "categories": queries.categories()}
    return shared_page(request, "catalog/home.html", drawn_from=newest, context=lambda: context)


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    words = form.text
    title = f"Results for “{words}”" if words else "All products"
    return _list_answer(request, form, title=title, intro="", base=reverse("catalog:list"))


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = next((category for category in queries.categories() if category.slug == slug), None)
    if found is None:
        moved = queries.moved_category(slug=slug)
        if not moved:
            raise Http404("no such category")
        return HttpResponsePermanentRedirect(reverse("catalog:category", args=[moved]))
    form = FilterForm(request.GET, category=found.name)
    return _list_answer(request, form, title=found.name, intro=found.intro, base=found.path, category=found)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    words = FilterForm(request.GET).text
    found = queries.suggest(prefix=words) if words else None

    def context() -> dict[str, object]:
        return {
            "words": words,
            "suggestions": found,
            "categories": {category.name: category for category in queries.categories()},
            "search_url": f"{reverse('catalog:list')}?{urlencode({'q': words})}",
        }

    return shared_page(request, "catalog/suggestions.html", drawn_from=found, context=context)


@require_safe
def product(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
    try:
        shown = queries.shown_product(product_id=product_id)
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
def recent(request: HttpRequest) -> HttpResponse:
    """What the visitor looked at before; what they look at now is noted in their cookie. Private: product pages set none."""
    form, before = SeenForm(request.GET), recent_ids(request)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    cards = queries.cards_of(product_ids=looked_at(seen, before) if seen else before)
    others = [card for card in cards if card.product_id != seen]
    response = render(request, "catalog/recent.html", {"cards": others[:_RECENT_SHOWN]})
    if len(others) < len(cards):
        remember_recent(response, [card.product_id for card in cards])
    return response


@require_POST
def forget_recent(request: HttpRequest) -> HttpResponse:
    response = HttpResponse() if is_htmx(request) else see_other(reverse("catalog:home"))
    drop_recent(response)
    return response


@require_safe
def reviews(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
    """All that buyers say of a product."""
    try:
        shown = queries.shown_product(product_id=product_id)
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


def _list_answer(
    request: HttpRequest, form: FilterForm, *, title: str, intro: str, base: str, category: Category | None = None
) -> HttpResponse:
    head: dict[str, object] = {
        "title": title,
        "intro": intro,
        "category": category,
        "problems": form.problems,
        "breadcrumb": [("Home", reverse("catalog:home")), (category.name if category else "All products", "")],
    }
    filters = form.filters()
    try:
        results = queries.search(filters=filters, sort=SORTS[form.chosen_sort][1], page=form.chosen_page)
    except IndexMissing:
        head["title"] = category.name if category else "All products"  # nothing is searched without an index
        return _plain_list_answer(request, form, head, base=base, category=category)

    def shelf() -> Shelf:
        return shelf_of(
            results,
            filters,
            base=base,
            sort=form.chosen_sort,
            page=form.chosen_page,
            currency=settings.CURRENCY,
            categories=() if category else queries.categories(),
        )

    if results.total and not results.cards:  # a page that was there when the link was made
        here = shelf()
        return redirect(here.pages[-1].url if here.pages else here.base)
    alone = queries.words_that_find(text=filters.text) if not results.total else ()
    context = {**head, "cards": results.cards, "words_alone": alone}
    template = _results_template(request)
    return shared_page(request, template, drawn_from=(results, alone), context=lambda: context | {"shelf": shelf()})


def _plain_list_answer(
    request: HttpRequest, form: FilterForm, head: dict[str, object], *, base: str, category: Category | None
) -> HttpResponse:
    """The list from the tables, while there is no search index: in their order, without counts and filters."""
    dearest_first = form.chosen_sort == DEAREST
    page = (
        queries.in_category(category=category.name, cursor=form.chosen_cursor, dearest_first=dearest_first)
        if category
        else queries.newest(cursor=form.chosen_cursor)
    )

    def url(cursor: str) -> str:
        query = {"sort": DEAREST if category and dearest_first else "", "cursor": cursor}
        return f"{base}?{urlencode({name: value for name, value in query.items() if value})}" if cursor else ""

    links = Links(next_url=url(page.next_cursor), previous_url=url(page.previous_cursor))
    context = {**head, "cards": page.items, "page": links, "is_plain": True}
    return shared_page(request, _results_template(request), drawn_from=page, context=lambda: context)


def _results_template(request: HttpRequest) -> str:
    return f"catalog/product_list.html{'#results' if is_htmx(request) else ''}"


def _links_of(page: Page[Any], base: str) -> Links:
    def url(cursor: str) -> str:
        return f"{base}?{urlencode({'cursor': cursor})}" if cursor else ""

    return Links(next_url=url(page.next_cursor), previous_url=url(page.previous_cursor))


def _breadcrumb(category: str) -> list[tuple[str, str]]:
    found = next((known for known in queries.categories() if known.name == category), None)
    trail = [("Home", reverse("catalog:home"))]
    return [*trail, (found.name, found.path)] if found else trail
