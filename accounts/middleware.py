"""Puts on every request who sent it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from shop.lib.access import Access
from shop.lib.viewer import GUEST, Viewer


class Nobody:
    """The access of a guest."""

    viewer: Viewer = GUEST

    def confirm(self) -> Viewer:
        return GUEST


def access_of(request: HttpRequest) -> Access:
    """Who sent the request. So far everybody is a guest."""
    return Nobody()


class Identity:
    """Knows who sent a request; asks nothing before somebody wants to know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.access = access_of(request)  # type: ignore[attr-defined]
        return self.get_response(request)
