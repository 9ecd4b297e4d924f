"""The sitemap: an index, a file of shelves and of the pages about the shop, and files of 50,000 products each, from the index."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from catalog import index_queries, menu
from catalog.seo import absolute
from shop.lib.http import CRAWLED

_PAGES = ("delivery_and_returns", "contact", "terms", "privacy")
"""Of the roof: what shoppers read before they buy."""
ADDRESSES = 50_000
"""Addresses of one file at the most. https://www.sitemaps.org/protocol.html"""


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    files = -(-index_queries.listed_count() // ADDRESSES)
    paths = [reverse("catalog:sitemap_shelves")]
    paths += [reverse("catalog:sitemap_products", args=[number]) for number in range(1, files + 1)]
    return _answer(request, "catalog/sitemap_index.xml", {"addresses": map(absolute, paths)})


@require_safe
def shelves(request: HttpRequest) -> HttpResponse:
    paths = [reverse("catalog:home"), reverse("catalog:list"), *(found.path for found in menu.categories())]
    paths += map(reverse, _PAGES)
    return _answer(request, "catalog/sitemap.xml", {"entries": [(absolute(path), None) for path in paths]})


@require_safe
def products(request: HttpRequest, number: int) -> HttpResponse:
    found = index_queries.listed(page=number, size=ADDRESSES)
    if not found:
        raise Http404("no such part of the sitemap")
    entries = [(absolute(listed.path), listed.updated_at) for listed in found]
    return _answer(request, "catalog/sitemap.xml", {"entries": entries})


def _answer(request: HttpRequest, template: str, context: dict[str, object]) -> HttpResponse:
    response = render(request, template, context, content_type="application/xml")
    response.headers["Cache-Control"] = CRAWLED
    return response
