"""Puts on every request who sent it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from shop.lib.access import Access, viewer_of
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

    def confirm(self, *, with_filters: bool = False) -> Viewer:
        return self._sender().confirm(with_filters=with_filters)

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

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Whose account or session ended while its page was made is signed out; their cookie would live for minutes yet."""
        from accounts.queries import SessionEnded, UserNotFound

        if request.path.startswith("/api/") or not isinstance(exception, SessionEnded | UserNotFound):
            return None
        viewer = viewer_of(request)
        if not viewer.is_signed_in or exception.args not in ((viewer.user_id,), (viewer.session_id,)):
            return None  # about somebody else: whoever asked for them should have known what to say
        from accounts.cookies import signed_out

        messages.info(request, "You were signed out meanwhile. Please sign in again.")
        return signed_out(reverse("accounts:login"))
