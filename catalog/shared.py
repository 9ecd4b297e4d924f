"""Pages that are the same bytes for everybody: compressed, tagged, and kept while what they were drawn from stays the same."""

import gzip
import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers

from catalog.menu import categories

# A page is at most a minute old in a browser and a CDN, and may be served stale for an hour while the shop cannot answer.
_PUBLIC = {"public": True, "max_age": 60, "s_maxage": 60, "stale_while_revalidate": 60, "stale_if_error": 3600}
_TAKES_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_GZIP_LEVEL = 6
_LONGEST_ADDRESS = 2000
"""Longer addresses are drawn and not kept: nobody asks for them twice."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page as it was drawn, and all that it was drawn from."""

    drawn_from: object
    body: bytes
    etag: str


_kept: OrderedDict[tuple[str, str], _Page] = OrderedDict()
"""By template and address, the longest unused first."""
_lock = Lock()


def shared_page(
    request: HttpRequest, template: str, *, drawn_from: object, context: Callable[[], dict[str, Any]]
) -> HttpResponse:
    """The template drawn with the context, or as it was drawn before from equal things.

    `drawn_from` is everything the context is made of, besides the address, the menu and the settings; the menu is added here.
    Whoever calls this has just read it, so a page is never older than what was read; only drawing is saved. The page may use
    nothing personal and set no cookie: everybody gets the same bytes, and because there is no secret in them they may be
    compressed (docs/decisions.md).
    """
    page = _page(request, template, (drawn_from, categories()), context)
    is_packed = bool(_TAKES_GZIP.search(request.headers.get("Accept-Encoding", "")))
    response = HttpResponse(page.body if is_packed else gzip.decompress(page.body))
    if is_packed:
        response["Content-Encoding"] = "gzip"
    response["ETag"] = page.etag
    patch_cache_control(response, **_PUBLIC)
    patch_vary_headers(response, ["Accept-Encoding"])
    return cast("HttpResponse", get_conditional_response(request, etag=page.etag, response=response))


def forget_pages() -> None:
    """Drop what is kept, for tests."""
    _kept.clear()


def _page(request: HttpRequest, template: str, drawn_from: object, context: Callable[[], dict[str, Any]]) -> _Page:
    key = (template, request.get_full_path())
    page = _kept.get(key)
    if page is None or page.drawn_from != drawn_from:
        page = _drawn(request, template, drawn_from, context())
    if len(key[1]) <= _LONGEST_ADDRESS:
        with _lock:
            _kept[key] = page
            _kept.move_to_end(key)
            while len(_kept) > settings.KEPT_PAGES:
                _kept.popitem(last=False)
    return page


def _drawn(request: HttpRequest, template: str, drawn_from: object, context: dict[str, Any]) -> _Page:
    content = loader.render_to_string(template, context, request).encode()
    # Weak, for the page is the same page whether it comes compressed or not. Of the content, so that all processes agree.
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    return _Page(drawn_from, gzip.compress(content, _GZIP_LEVEL, mtime=0), etag)
