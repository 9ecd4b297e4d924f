"""Pages that belong to no app: health, robots and what is shown when something went wrong."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from shop.lib.http import CRAWLED

RETRY_AFTER_SECONDS = 5


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers. Touches no table: a health check must not fail, or cost, because of a neighbour."""
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where the shop's sign is, for those who ask without having read a page: feed readers, mail programs, old browsers."""
    response = HttpResponseRedirect(static("favicon.svg"))
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers may fetch: the catalogue."""
    private = ("accounts", "checkout", "orders")
    lines = ["User-agent: *", *(f"Disallow: /{name}/" for name in private), f"Sitemap: {settings.SITE_ORIGIN}/sitemap.xml", ""]
    response = HttpResponse("\n".join(lines), content_type="text/plain")
    response.headers["Cache-Control"] = CRAWLED
    return response


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: the request cannot be understood."""
    return render(request, "errors/400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: understood, and not allowed."""
    return render(request, "errors/403.html", status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page, or not yours to see."""
    return render(request, "errors/404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: our mistake. The page asks nothing of tables or context, which may be what failed."""
    return render(request, "errors/500.html", status=500)


def cross_site_refused(request: HttpRequest, reason: str = "") -> HttpResponseForbidden:
    """403 for a form that did not come from our own pages."""
    return HttpResponseForbidden(render_to_string("errors/cross_site.html", request=request))


def busy(request: HttpRequest) -> HttpResponse:
    """503: conflicts or throttling outlasted our patience; a little later it works."""
    context = {"cloud": settings.AWS_ENDPOINT_URL, "prefix": settings.TABLE_PREFIX} if settings.LOCAL else {}
    response = render(request, "errors/busy.html", context, status=503)
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
