"""Puts on every request who sent it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from shop.lib.access import Access
from shop.lib.viewer import Viewer


def access_of(request: HttpRequest) -> Access:
    """Who sent the request."""
    from accounts.caller import Caller  # sessions, tokens and their tables, which a catalogue page does without

    return Caller(request)


class _Asked:
    """The sender of a request, looked for when somebody asks."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._found: Access | None = None

    @property
    def viewer(self) -> Viewer:
        return self._sender().viewer

    def confirm(self) -> Viewer:
        return self._sender().confirm()

    def leave_cookies(self, response: HttpResponse) -> None:
        """What was learned of the sender, for their next request; nothing where nobody asked."""
        if self._found is not None:
            from accounts.caller import Caller

            if isinstance(self._found, Caller):
                self._found.leave_cookies(response)

    def _sender(self) -> Access:
        if self._found is None:
            self._found = access_of(self._request)
        return self._found


class Identity:
    """Knows who sent a request, once a view asks: pages that are the same for everybody do not, so they cost and set nothing."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = _Asked(request)
        request.access = asked  # type: ignore[attr-defined]  # HttpRequest takes what middleware puts on it
        response = self.get_response(request)
        asked.leave_cookies(response)
        return response
