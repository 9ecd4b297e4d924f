"""Catalogue pages: the same bytes for every visitor, so that a CDN may keep them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from catalog import queries
from catalog.domain import Card, Category
from catalog.forms import CHEAPEST, DEAREST, CategoryForm
from shop.lib.cursors import Page
from shop.lib.http import is_htmx

NEWEST_ON_HOME = 8
# A page is at most a minute old in a browser and a CDN, and may be served stale for an hour while the shop cannot answer.
_PUBLIC = {"public": True, "max_age": 60, "s_maxage": 60, "stale_while_revalidate": 60, "stale_if_error": 3600}


@dataclass(frozen=True, slots=True)
class Links:
    """Where a list's next and previous pages are; empty where there are none."""

    next_url: str
    previous_url: str


@dataclass(frozen=True, slots=True)
class Sort:
    label: str
    url: str
    is_current: bool


def same_for_everybody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Mark a page's answer as public for a minute. The view may use nothing personal and set no cookie."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.OK:
            patch_cache_control(response, **_PUBLIC)
        return response

    return answer


@require_safe
@same_for_everybody
def home(request: HttpRequest) -> HttpResponse:
    newest = queries.newest(size=NEWEST_ON_HOME).items
    context = {"newest": newest, "hero": newest[0] if newest else None, "categories": queries.categories()}
    return render(request, "catalog/home.html", context)


@require_safe
@same_for_everybody
def product_list(request: HttpRequest) -> HttpResponse:
    form = CategoryForm(request.GET)
    page = queries.newest(cursor=form.value("cursor"))
    return _list_answer(request, page, title="All products", intro="Newest first.", base=reverse("catalog:list"))


@require_safe
@same_for_everybody
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = next((category for category in queries.categories() if category.slug == slug), None)
    if found is None:
        raise Http404("no such category")
    form = CategoryForm(request.GET)
    dearest_first = form.value("sort") == DEAREST
    page = queries.in_category(category=found.name, cursor=form.value("cursor"), dearest_first=dearest_first)
    return _list_answer(
        request,
        page,
        title=found.name,
        intro=found.intro,
        base=found.path,
        category=found,
        sort=DEAREST if dearest_first else CHEAPEST,
    )


@require_safe
@same_for_everybody
def product(request: HttpRequest, product_id: str, slug: str) -> HttpResponse:
    try:
        found = queries.shown_product(product_id=product_id)
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    related = queries.related_to(found)
    breadcrumb = _breadcrumb(found.category)
    if not found.is_active:
        return render(request, "catalog/unavailable.html", {"related": related, "breadcrumb": breadcrumb}, status=404)
    if slug != found.slug:
        return HttpResponsePermanentRedirect(found.path)
    context = {"product": found, "related": related, "breadcrumb": [*breadcrumb, (found.name, "")]}
    return render(request, "catalog/product_detail.html", context)


def _list_answer(
    request: HttpRequest,
    page: Page[Card],
    *,
    title: str,
    intro: str,
    base: str,
    category: Category | None = None,
    sort: str = "",
) -> HttpResponse:
    def url(**query: str) -> str:
        kept = {name: value for name, value in query.items() if value}
        return f"{base}?{urlencode(kept)}" if kept else base

    kept_sort = "" if sort == CHEAPEST else sort
    context = {
        "title": title,
        "intro": intro,
        "category": category,
        "cards": page.items,
        "page": Links(
            next_url=url(sort=kept_sort, cursor=page.next_cursor) if page.next_cursor else "",
            previous_url=url(sort=kept_sort, cursor=page.previous_cursor) if page.previous_cursor else "",
        ),
        "sorts": [
            Sort("Price, low to high", url(), sort == CHEAPEST),
            Sort("Price, high to low", url(sort=DEAREST), sort == DEAREST),
        ]
        if category
        else [],
        "breadcrumb": [("Home", reverse("catalog:home")), (title, "")],
    }
    return render(request, f"catalog/product_list.html{'#results' if is_htmx(request) else ''}", context)


def _breadcrumb(category: str) -> list[tuple[str, str]]:
    found = next((known for known in queries.categories() if known.name == category), None)
    trail = [("Home", reverse("catalog:home"))]
    return [*trail, (found.name, found.path)] if found else trail
