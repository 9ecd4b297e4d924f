"""What every request and answer goes through."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.cache import patch_vary_headers
from pynamodb.exceptions import PynamoDBException

from shop.lib import s3
from shop.lib.csp import content_security_policy
from shop.lib.deadline import OutOfTime, request_time
from shop.lib.tables import Busy, is_passing
from shop.views import busy, cross_site_refused

logger = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]

# Django's own debug pages carry their styles and scripts inline. They are shown with SHOP_DEBUG, which is for laptops alone.
_DEBUG_PAGES = (400, 404, 500)
_DEBUG_POLICY = "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class ResponseHeaders:
    """The outermost: a request's time, and every answer's headers: what it may load, and that nobody keeps it unless told."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.policy = content_security_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with request_time():
            response = self.get_response(request)
        headers = response.headers
        is_debug_page = settings.DEBUG and response.status_code in _DEBUG_PAGES
        headers.setdefault("Content-Security-Policy", _DEBUG_POLICY if is_debug_page else self.policy)
        headers.setdefault("Cache-Control", "private, no-store")
        headers.setdefault("X-Frame-Options", "DENY")
        headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
        return response


class CrossSitePosts(CsrfViewMiddleware):
    """Refuses posts that come from another site, without a token in the page where the browser tells us where they come from.

    1. `Sec-Fetch-Site`, which no page's script can set: `same-origin` passes, and `none` (the person typed or reloaded it).
       Anything else is refused, `same-site` included: a forgotten subdomain is not us.
    2. Without it, `Origin`: the site's own origin or the one asked for passes; anything else, `null` included, is refused.
    3. Without both, no browser of the last years: Django's token decides.

    So pages that everybody shares carry forms without a token. docs/decisions.md says why this is safe.
    """

    def process_view(
        self, request: HttpRequest, callback: Callable[..., Any], callback_args: tuple[Any, ...], callback_kwargs: dict[str, Any]
    ) -> HttpResponseForbidden | None:
        if request.method in _SAFE_METHODS or getattr(callback, "csrf_exempt", False):
            return None
        if getattr(request, "_dont_enforce_csrf_checks", False):  # Django's test client, unless told to enforce
            return None
        site = request.headers.get("Sec-Fetch-Site")
        if site is not None:
            return None if site in ("same-origin", "none") else self._refuse(request, f"Sec-Fetch-Site: {site}")
        origin = request.headers.get("Origin")
        if origin is not None:
            own = (settings.SITE_ORIGIN, f"{request.scheme}://{request.get_host()}")
            return None if origin in own else self._refuse(request, f"Origin: {origin}")
        return super().process_view(request, callback, callback_args, callback_kwargs)

    def _refuse(self, request: HttpRequest, reason: str) -> HttpResponseForbidden:
        logger.warning("cross-site post to %s refused: %s", request.path, reason)
        return cross_site_refused(request, reason)


class HtmxAnswers:
    """What htmx needs of every answer: redirects it follows itself, and caches that keep pages and fragments apart."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # What shop.lib.http.is_htmx looks at.
        patch_vary_headers(response, ["HX-Request", "HX-History-Restore-Request"])
        if request.headers.get("HX-Request") == "true" and response.status_code in (301, 302, 303):
            # The browser would follow a redirect unseen and htmx would put the whole page into a fragment's place.
            response["HX-Redirect"] = response["Location"]
            del response["Location"]
            response.status_code = 200
        return response


class BusyAnswers:
    """Turns passing trouble with the tables or the bucket into a page that says so, with 503 and Retry-After."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        of_tables = isinstance(exception, PynamoDBException) and is_passing(exception)
        if isinstance(exception, Busy | OutOfTime) or of_tables or s3.is_passing(exception):
            logger.error("busy: %s", exception, exc_info=exception)
            return busy(request)
        return None
