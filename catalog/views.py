"""Catalogue pages: the same bytes for every visitor, so that a CDN may keep them."""

from dataclasses import replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import index_queries, menu, queries
from catalog.domain import Category, looked_at
from catalog.forms import DEAREST, SORTS, FilterForm, SeenForm
from catalog.recent import drop_recent, recent_ids, remember_recent
from catalog.search.engine import IndexMissing
from catalog.shared import shared_page
from catalog.shelf import Shelf, shelf_of
from shop.lib.addresses import with_query
from shop.lib.cursors import page_urls
from shop.lib.http import is_htmx, see_other

NEWEST_ON_HOME = 8
_RECENT_SHOWN = 4


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    newest = index_queries.latest(size=NEWEST_ON_HOME)
    pictures = {card.category: card.photos[0] for card in reversed(newest) if card.photos}
    # Until staff choose a picture for a category, its newest product stands for it.
    categories = [replace(one, photo=one.photo or pictures.get(one.name)) for one in menu.categories()]
    context = {"newest": newest, "hero": newest[0] if newest else None, "categories": categories}
    return shared_page(request, "catalog/home.html", drawn_from=newest, context=lambda: context)


@require_safe
def product_list(request: HttpRequest) -> HttpResponse:
    form = FilterForm(request.GET)
    words = form.text
    title = f"Results for “{words}”" if words else "All products"
    return _list_answer(request, form, title=title, intro="", base=reverse("catalog:list"))


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = next((category for category in menu.categories() if category.slug == slug), None)
    if found is None:
        moved = menu.moved_category(slug=slug)
        if not moved:
            raise Http404("no such category")
        return HttpResponsePermanentRedirect(reverse("catalog:category", args=[moved]))
    form = FilterForm(request.GET, category=found.name)
    return _list_answer(request, form, title=found.name, intro=found.intro, base=found.path, category=found)


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    words = FilterForm(request.GET).text
    found = index_queries.suggest(prefix=words) if words else None

    def context() -> dict[str, object]:
        return {
            "words": words,
            "suggestions": found,
            "categories": {category.name: category for category in menu.categories()},
            "search_url": with_query(reverse("catalog:list"), {"q": words}),
        }

    return shared_page(request, "catalog/suggestions.html", drawn_from=found, context=context)


@require_safe
def recent(request: HttpRequest) -> HttpResponse:
    """What the visitor looked at before; what they look at now is noted in their cookie. Private: product pages set none."""
    form, before = SeenForm(request.GET), recent_ids(request)
    seen = form.cleaned_data["seen"] if form.is_valid() else ""
    cards = index_queries.cards_of(product_ids=looked_at(seen, before) if seen else before)
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
        results = index_queries.search(filters=filters, sort=SORTS[form.chosen_sort][1], page=form.chosen_page)
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
            categories=() if category else menu.categories(),
        )

    if results.total and not results.cards:  # a page that was there when the link was made
        here = shelf()
        return redirect(here.pages[-1].url if here.pages else here.base)
    alone = index_queries.words_that_find(text=filters.text) if not results.total else ()
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

    asked = {"sort": DEAREST if category and dearest_first else ""}
    context = {**head, "cards": page.items, "page": page_urls(page, base, asked), "is_plain": True}
    return shared_page(request, _results_template(request), drawn_from=page, context=lambda: context)


def _results_template(request: HttpRequest) -> str:
    return f"catalog/product_list.html{'#results' if is_htmx(request) else ''}"
