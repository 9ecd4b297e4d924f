"""Small questions to a request, and answers many views give."""

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

CRAWLED = "public, max-age=300, s-maxage=3600, stale-if-error=86400"
"""The Cache-Control of what crawlers ask for again and again: the same for everybody, and no worse for being an hour old."""


def is_htmx(request: HttpRequest) -> bool:
    """Whether htmx asked and wants a fragment. Restoring history asks for the whole page again."""
    htmx = cast("HtmxDetails", request.htmx)  # type: ignore[attr-defined]  # set by django_htmx's middleware
    return bool(htmx) and not htmx.history_restore_request


class HttpResponseSeeOther(HttpResponseRedirect):
    """303: the post is done, get the next page. A 302 leaves a client free to post again."""

    status_code = 303


def see_other(url: str) -> HttpResponse:
    """Send the browser on with a GET."""
    return HttpResponseSeeOther(url)


def local_path(url: str, *, default: str) -> str:
    """The address if it is a path of this site, else the default: where `next=` may lead."""
    is_plain = url.startswith("/") and url.isprintable() and "\\" not in url
    return url if is_plain and url_has_allowed_host_and_scheme(url, allowed_hosts=None) else default
