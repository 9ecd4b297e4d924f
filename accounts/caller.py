"""Who sent a request."""

from django.http import HttpRequest, HttpResponse

from accounts import cognito, sessions, tokens
from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE, clear_tokens, set_tokens
from accounts.queries import SessionEnded
from accounts.sessions import SignedIn
from shop.lib.clock import utc_now
from shop.lib.gateway import came_by_gateway, system_of
from shop.lib.viewer import GUEST, Viewer

_API = "/api/"
_BEARER = "Bearer "


class Caller:
    """The sender of a request, found out when somebody wants to know.

    Pages come with cookies: when the access token is past its time, the refresh token gets a new one, and the answer carries it.
    Under `/api/` cookies count for nothing, so no other site's page can call it in somebody's name. Behind a gateway its
    authorizers say who calls, and nothing else does; without one the token in the header is read here.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._viewer: Viewer | None = None
        self._is_confirmed = False
        self._renewed: SignedIn | None = None
        self._is_over = False

    @property
    def viewer(self) -> Viewer:
        """By the token alone."""
        if self._viewer is None:
            self._viewer = self._by_api() if self._request.path.startswith(_API) else self._by_cookies()
        return self._viewer

    def confirm(self, *, with_filters: bool = False) -> Viewer:
        """By the tables."""
        viewer = self.viewer
        if viewer.is_signed_in and not self._is_confirmed:
            try:
                self._viewer = sessions.confirm(viewer=viewer, now=utc_now(), with_filters=with_filters)
            except SessionEnded:
                self._viewer, self._is_over = GUEST, True
        self._is_confirmed = True
        return self.viewer

    def leave_cookies(self, response: HttpResponse) -> None:
        """Hand out what was renewed, or take back what is over, unless the view itself signed somebody in or out."""
        if REFRESH_COOKIE in response.cookies or not (self._renewed or self._is_over):
            return
        if self._is_over:
            clear_tokens(response)
        elif self._renewed:
            set_tokens(response, self._renewed)
        # Whoever was asked for makes the answer theirs: no cache may keep it, whatever the view said.
        response["Cache-Control"] = "private, no-store"

    def _by_cookies(self) -> Viewer:
        access, refresh = (self._request.COOKIES.get(name, "") for name in (ACCESS_COOKIE, REFRESH_COOKIE))
        if access:
            try:
                return tokens.read_access(access)
            except tokens.BadToken:
                pass  # past its time, most likely
        if not refresh:
            return GUEST
        try:
            self._renewed = sessions.refresh(token=refresh, now=utc_now())
        except SessionEnded:
            self._is_over = True
            return GUEST
        return self._renewed.viewer

    def _by_api(self) -> Viewer:
        if came_by_gateway(self._request):
            self._is_confirmed = True  # by the gateway, at this very moment
            return system_of(self._request)
        return self._by_header()

    def _by_header(self) -> Viewer:
        header = self._request.headers.get("Authorization", "")
        if not header.startswith(_BEARER):
            return GUEST
        token = header.removeprefix(_BEARER)
        try:
            return tokens.read_access(token)
        except tokens.BadToken:
            pass  # it may be the user pool's
        try:
            viewer = cognito.read(token)
        except tokens.BadToken:
            return GUEST
        self._is_confirmed = True  # such a system has no session of ours
        return viewer
