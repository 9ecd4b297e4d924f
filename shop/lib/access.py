"""Who may: the viewer of a request, whose things it is about, and the decorators that guard views.

`accounts.middleware` puts an `Access` on every request. Asking for the viewer costs no table read, as the signed cookie
carries name, role and permissions; `confirmed_viewer_of` asks the tables, for staff pages and money. Pages that are the same for
everybody must not ask at all: an answer to whoever was asked for is private and may carry cookies.
"""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, cast
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from shop.lib.guests import guest_of, new_guest
from shop.lib.http import see_other
from shop.lib.owner import Owner
from shop.lib.viewer import GUEST, Permission, Viewer

__all__ = [
    "GUEST",
    "Access",
    "Owner",
    "Permission",
    "Viewer",
    "confirmed_owner_of",
    "confirmed_viewer_of",
    "owner_of",
    "owner_or_new_guest",
    "require_login",
    "require_staff",
    "viewer_of",
]

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_READING = ("GET", "HEAD")


class Access(Protocol):
    """What `accounts` knows of a request's sender."""

    @property
    def viewer(self) -> Viewer:
        """By the signed cookie alone; true as of some minutes ago."""

    def confirm(self, *, with_filters: bool = False) -> Viewer:
        """By the tables, as of now: a disabled account or an ended session is a guest, a lost permission is lost.

        With the filters they keep, where these are wanted: in the same call.
        """


def viewer_of(request: HttpRequest) -> Viewer:
    """Who asks. Costs no table read (but once in some minutes, when the short-lived cookie is renewed)."""
    return _access(request).viewer


def confirmed_viewer_of(request: HttpRequest) -> Viewer:
    """Who asks, confirmed by the tables: one call, once a request. For staff pages and where money moves."""
    return _access(request).confirm()


def owner_of(request: HttpRequest) -> Owner | None:
    """Whose cart and orders the request is about: the signed-in person's, or the guest's; None for somebody new."""
    return _owner(request, viewer_of(request))


def confirmed_owner_of(request: HttpRequest) -> Owner | None:
    """The same, confirmed by the tables: where an order is placed, paid or cancelled."""
    return _owner(request, confirmed_viewer_of(request))


def owner_or_new_guest(request: HttpRequest, now: datetime) -> Owner:
    """The owner, or for somebody new a guest nobody has been before (who needs `remember_guest` to be found again)."""
    return owner_of(request) or new_guest(now)


def require_login(view: View[P]) -> View[P]:
    """Only for people who are signed in; others are asked to, and come back to where they were going.

    A look costs no table read; a change asks the tables first: whoever was signed out a moment ago changes nothing.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        viewer = viewer_of(request) if request.method in _READING else confirmed_viewer_of(request)
        if not viewer.is_signed_in:
            return _to(settings.LOGIN_URL, request)
        return view(request, *args, **kwargs)

    return guarded


def require_staff(permission: Permission | None = None, *, with_filters: bool = False) -> Callable[[View[P]], View[P]]:
    """Only for people who hold this permission at this moment (the tables are asked); without one, any will do.

    Others get 403, guests the login page. A list whose filters can be kept asks for its viewer's with who they are.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            viewer = _access(request).confirm(with_filters=with_filters)
            if not viewer.is_signed_in:
                return _to(settings.LOGIN_URL, request)
            if not (viewer.may(permission) if permission else viewer.is_staff):
                raise PermissionDenied(f"{request.path} needs {permission or 'any permission'}")
            if settings.STAFF_SECOND_FACTOR and not viewer.has_second_factor:
                return _to(settings.SECOND_FACTOR_URL, request)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def _owner(request: HttpRequest, viewer: Viewer) -> Owner | None:
    return Owner(id=viewer.user_id, is_guest=False) if viewer.is_signed_in else guest_of(request)


def _access(request: HttpRequest) -> Access:
    return cast(Access, request.access)  # type: ignore[attr-defined]  # set by accounts.middleware.Identity


def _to(url: str, request: HttpRequest) -> HttpResponse:
    return see_other(f"{url}?{urlencode({'next': _came_from(request)})}")


def _came_from(request: HttpRequest) -> str:
    """The page to come back to: the one asked for, or the one a form or fragment was on (login checks it)."""
    if request.method in _READING and not request.headers.get("HX-Request"):
        return request.get_full_path()
    page = urlsplit(request.headers.get("Referer", ""))
    return f"{page.path}?{page.query}" if page.query else page.path or "/"
