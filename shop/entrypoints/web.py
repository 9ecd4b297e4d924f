"""The web function: API Gateway (payload v2, v1 understood) to Django by apig-wsgi. `application` serves any WSGI server."""

import gc

# Modules are no garbage: while they load, the collector would look through all of them again and again (a tenth of a cold start).
gc.disable()

import hmac
import ipaddress
import logging
import os
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from apig_wsgi import make_lambda_handler
from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

application = get_wsgi_application()

from shop.entrypoints import observing

observing.start()
# What is loaded by now stays until the process ends; the collector need not look at it again at every request.
gc.freeze()
gc.enable()

logger = logging.getLogger(__name__)

# Everything a path may hold as it is, and the percent sign of what is quoted already. RFC 3986, section 3.3.
_PATH_CHARACTERS = "/%:@!$&'()*+,;=~"
LONGEST_REQUEST = 10 * 1024 * 1024
"""What API Gateway takes. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html"""
LONGEST_ANSWER = 6 * 1024 * 1024 - 4096
"""What Lambda takes back, with room for headers. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_API = "/api/v1/"


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one request. API Gateway hands the path over decoded, which WSGI cannot carry beyond Latin-1: quote it again."""
    for name in ("rawPath", "path"):
        if isinstance(event.get(name), str):
            event = {**event, name: quote(event[name], safe=_PATH_CHARACTERS)}
    event = _vouched(event)
    with observing.run_of("web", context) as run:
        answer = _answer(event, context)
        status = int(answer["statusCode"])
        run.note(route=_route(event), method=_method(event), status=status)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            run.count("ServerErrors")
    return answer


def _answer(event: dict[str, Any], context: object) -> dict[str, Any]:
    if len(event.get("body") or "") > LONGEST_REQUEST:
        return _page("errors/request_too_large.html", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    if settings.ORIGIN_SECRET and not (_came_through_cdn(event) or _path(event).startswith(_API)):
        return _page("errors/403.html", HTTPStatus.FORBIDDEN)
    answer = _handle(event, context)
    if len(answer["body"]) > LONGEST_ANSWER:
        logger.error("an answer of %d bytes is more than Lambda takes back", len(answer["body"]))
        return _page("errors/answer_too_large.html", HTTPStatus.INTERNAL_SERVER_ERROR)
    if "cookies" in answer:  # Django writes a space before each
        answer["cookies"] = [cookie.strip() for cookie in answer["cookies"]]
    return answer


def _page(template: str, status: HTTPStatus) -> dict[str, Any]:
    from django.template.loader import render_to_string

    headers = {"content-type": "text/html; charset=utf-8", "cache-control": "private, no-store"}
    return {"statusCode": int(status), "headers": headers, "body": render_to_string(template), "isBase64Encoded": False}


def _from_gateway(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Give Django the address that the gateway vouches for, whatever the headers say, and keep our own secret to ourselves."""
    environ["REMOTE_ADDR"] = _source_ip(environ["apig_wsgi.full_event"])
    environ.pop("HTTP_X_ORIGIN_SECRET", None)
    return application(environ, start_response)


_handle = make_lambda_handler(_from_gateway, binary_support=True)


def _vouched(event: dict[str, Any]) -> dict[str, Any]:
    """The event with the visitor's address where the gateway saw CloudFront's, which alone knows the secret it sends."""
    told = _header(event, "x-viewer-address")
    if not (told and _is_address(told) and _came_through_cdn(event)):
        return event
    context = event["requestContext"]
    part = "http" if "http" in context else "identity"
    return {**event, "requestContext": {**context, part: {**context.get(part, {}), "sourceIp": told}}}


def _source_ip(event: dict[str, Any]) -> str:
    context = event.get("requestContext") or {}
    return str((context.get("http") or context.get("identity") or {}).get("sourceIp") or "")


def _came_through_cdn(event: dict[str, Any]) -> bool:
    sent = _header(event, "x-origin-secret")
    return bool(settings.ORIGIN_SECRET) and hmac.compare_digest(sent.encode(), settings.ORIGIN_SECRET.encode())


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _header(event: dict[str, Any], name: str) -> str:
    return next((str(value) for key, value in (event.get("headers") or {}).items() if key.lower() == name), "")


def _path(event: dict[str, Any]) -> str:
    return str(event.get("rawPath") or event.get("path") or "/")


def _method(event: dict[str, Any]) -> str:
    return str((event.get("requestContext") or {}).get("http", {}).get("method") or event.get("httpMethod") or "")


def _route(event: dict[str, Any]) -> str:
    """The pattern of the address, for the line that tells of the request: never the address, which may open something."""
    if not settings.ON_LAMBDA:
        return ""
    from urllib.parse import unquote

    from django.urls import Resolver404, resolve

    try:
        return "/" + resolve(unquote(_path(event))).route
    except Resolver404:
        return "unknown"
