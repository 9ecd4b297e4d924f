"""What every operation of the interface for other systems goes through: who may, what was sent, once, the answer, refusals.

An operation is a row: method, address, permission, shapes of query and body, and a function. The checks here and the published
description (shop.lib.openapi) are made from that row, so the one cannot say what the other does not do. Errors are problems as
RFC 9457 has them.
"""

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any, NoReturn, cast

from django.conf import settings
from django.core import signing
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pynamodb.exceptions import PynamoDBException

from shop.lib.access import confirmed_viewer_of
from shop.lib.answers import AnswerRow, Claim, KeyReused, Repeated, claim_of
from shop.lib.clock import utc_now
from shop.lib.cursors import Page
from shop.lib.deadline import OutOfTime
from shop.lib.shapes import BadFields, Shape, Text, Whole, read_fields, read_query
from shop.lib.tables import Busy, is_passing
from shop.lib.viewer import GUEST, Permission, Viewer

logger = logging.getLogger(__name__)

JSON = "application/json"
PROBLEM = "application/problem+json"
PAGE_SIZE, MOST_ITEMS = 50, 100
_LONGEST_CURSOR = 2048
PAGING: Mapping[str, Shape] = {
    "cursor": Text(about="Where the page begins: `next_cursor` of the page before, with the same filters", most=_LONGEST_CURSOR),
    "limit": Whole(about=f"Items of a page, {PAGE_SIZE} unless told", least=1, most=MOST_ITEMS),
}
_CURSOR_SALT = "shop.api.cursor"
_KEY = re.compile(r"[!-~]{1,200}")
RETRY_AFTER_SECONDS = 5


class Problem(Exception):
    """A refusal as the caller reads it."""

    def __init__(self, status: HTTPStatus, title: str, detail: str, **more: Any) -> None:
        super().__init__(title)
        self.status, self.title, self.detail, self.more = status, title, detail, more


def not_found(detail: str) -> NoReturn:
    """Say that there is no such thing. Raises Problem."""
    raise Problem(HTTPStatus.NOT_FOUND, "Not found", detail)


def conflict(title: str, detail: str, **more: Any) -> NoReturn:
    """Say that it cannot be done as things stand. Raises Problem."""
    raise Problem(HTTPStatus.CONFLICT, title, detail, **more)


def problem(status: HTTPStatus, title: str, detail: str, **more: Any) -> JsonResponse:
    """An error as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type=PROBLEM)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, checked: by whom, with what, now. `claim` is to join the transaction of a write."""

    viewer: Viewer
    now: datetime
    operation: str
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    if_match: str = ""
    claim: Claim | None = None

    @property
    def actor(self) -> str:
        """Who is written into records."""
        return self.viewer.email or self.viewer.user_id

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether the caller bound the write to this content by `If-Match`. Raises Problem when it is bound to another."""
        if not self.if_match:
            return False
        if not _is_among(etag_of(content), self.if_match):
            raise Problem(
                HTTPStatus.PRECONDITION_FAILED,
                "It has changed",
                "It is not what `If-Match` says any more, so nothing was done. Read it again and decide anew.",
            )
        return self.if_match.strip() != "*"

    @property
    def page(self) -> tuple[str, int]:
        """Where the page begins in the query underneath, and its size. Raises Problem for a cursor of another list."""
        cursor = self.query.get("cursor", "")
        return _opened(cursor, self._question) if cursor else "", self.query.get("limit", PAGE_SIZE)

    def listed(self, page: Page[Any], convert: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """A page as it is answered."""
        follows = _sealed(page.next_cursor, self._question) if page.next_cursor else None
        return {"items": [convert(item) for item in page.items], "next_cursor": follows}

    @property
    def _question(self) -> str:
        filters = {name: str(value) for name, value in self.query.items() if name not in PAGING}
        return json.dumps([self.operation, filters], sort_keys=True)


Read = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing other systems may do. A write does it and answers with what `then` reads."""

    name: str
    method: str
    path: str
    summary: str
    permission: Permission
    answer: str
    """The answer's schema, by its name in the description."""
    run: Callable[..., Any]
    query: Mapping[str, Shape] = field(default_factory=dict)
    body: Mapping[str, Shape] | None = None
    rows: type[AnswerRow] | None = None
    then: Read | None = None

    @property
    def writes(self) -> bool:
        return self.rows is not None


def view_of(operations: Sequence[Operation]) -> Callable[..., HttpResponse]:
    """The view of one address: whichever of these operations the method means."""
    by_method = {operation.method: operation for operation in operations}
    allowed = [*by_method, *(["HEAD"] if "GET" in by_method else [])]

    @csrf_exempt  # cookies count for nothing here
    def view(request: HttpRequest, **ids: str) -> HttpResponse:
        operation = by_method.get("GET" if request.method == "HEAD" else request.method or "")
        if operation is None:
            return not_allowed(allowed)
        try:
            return _answered(operation, request, ids)
        except Problem as refusal:
            return _refused(refusal)
        except Exception as error:
            return _failed(error)

    return view


def _answered(operation: Operation, request: HttpRequest, ids: Mapping[str, str]) -> HttpResponse:
    """Raises Problem."""
    viewer = _require(operation.permission, confirmed_viewer_of(request))
    query = _checked(lambda: read_query(operation.query, dict(request.GET.lists())))
    call = Call(viewer, utc_now(), operation.name, query)
    if not operation.writes:
        return _response(request, operation.run(call, **ids))
    return _once(
        operation, request, ids, replace(call, body=_body(request, operation.body), if_match=request.headers.get("If-Match", ""))
    )


def _require(permission: Permission, viewer: Viewer) -> Viewer:
    if viewer is GUEST or not viewer.is_signed_in:
        raise Problem(
            HTTPStatus.UNAUTHORIZED, "Who are you?", "Send an access token, or sign the request; see /api/v1/openapi.json."
        )
    if not viewer.may(permission):
        raise Problem(HTTPStatus.FORBIDDEN, "Not allowed", f"This needs the permission {permission}.")
    if settings.STAFF_SECOND_FACTOR and not viewer.has_second_factor:
        raise Problem(HTTPStatus.FORBIDDEN, "A second proof is needed", "Ask for tokens with the code of your authenticator.")
    return viewer


def _once(operation: Operation, request: HttpRequest, ids: Mapping[str, str], call: Call) -> HttpResponse:
    """Do a write, unless its key says that it was done. Raises Problem."""
    rows, then = cast(type[AnswerRow], operation.rows), cast(Read, operation.then)
    asked = json.dumps([operation.name, sorted(ids.items()), call.body, call.if_match], sort_keys=True, default=str)
    claim = claim_of(rows, who=call.viewer.user_id, key=_key(request), request=asked.encode(), now=call.now)
    try:
        kept = claim.kept()
        try:
            if kept is None:
                operation.run(replace(call, claim=claim), **ids)
        except (Repeated, Problem):
            # The same request may have done it at this very moment, which is what stands in our way then.
            kept = claim.kept()
            if kept is None:
                raise
    except KeyReused:
        raise _key_reused() from None
    if kept:
        return _response(request, json.loads(kept), is_repeated=True)
    content = then(call, **ids)
    if kept is None:
        claim.keep(json.dumps(content))
    return _response(request, content, is_repeated=kept is not None)


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "")
    if not _KEY.fullmatch(key):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "A key is needed",
            "Send `Idempotency-Key`: 1 to 200 visible ASCII characters, new for each thing to do, the same when sent again.",
        )
    return key


def _key_reused() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "The key was used for something else",
        "This `Idempotency-Key` came with another request within a day, so nothing was done. A new request needs a new key.",
    )


def _checked(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return read()
    except BadFields as bad:
        errors = [{"field": name, "detail": detail} for name, detail in bad.errors.items()]
        words = "; ".join(f"`{one['field'][:80]}` {one['detail']}" for one in errors[:5])
        raise Problem(HTTPStatus.BAD_REQUEST, "Something in it is not right", f"{words}.", errors=errors[:50]) from None


def _body(request: HttpRequest, shapes: Mapping[str, Shape] | None) -> dict[str, Any]:
    if shapes is None:
        return {}
    if request.content_type != JSON:
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Not JSON", "Send JSON, with Content-Type: application/json.")
    told = read_object(request)
    return _checked(lambda: read_fields(shapes, told))


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The JSON object that was sent. Raises Problem."""
    from decimal import Decimal

    try:
        # Decimals, for a float is not what was sent; NaN and the like are no JSON, whatever Python says.
        body = json.loads(request.body, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_doubles)
    except RequestDataTooBig:
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"A request may have {most} KB.") from None
    except (ValueError, ArithmeticError, RecursionError):
        raise Problem(HTTPStatus.BAD_REQUEST, "The request cannot be understood", "This is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem(HTTPStatus.BAD_REQUEST, "The request cannot be understood", "Send a JSON object.")
    return body


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def etag_of(content: Mapping[str, Any]) -> str:
    """The version of a content: the same as long as nothing of it changes."""
    return f'"{hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]}"'


def _is_among(etag: str, header: str) -> bool:
    told = [one.strip() for one in header.split(",")]
    return "*" in told or etag in told


def _response(request: HttpRequest, content: dict[str, Any], *, is_repeated: bool = False) -> HttpResponse:
    etag = etag_of(content)
    is_known = request.method in ("GET", "HEAD") and _is_among(etag, request.headers.get("If-None-Match", "").replace("W/", ""))
    response = HttpResponse(status=HTTPStatus.NOT_MODIFIED) if is_known else JsonResponse(content)
    response["ETag"] = etag
    if is_repeated:
        response["Idempotency-Replayed"] = "true"
    return response


def _refused(refusal: Problem) -> HttpResponse:
    response = problem(refusal.status, refusal.title, refusal.detail, **refusal.more)
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        response["WWW-Authenticate"] = "Bearer"
    return response


def not_allowed(allowed: Sequence[str]) -> HttpResponse:
    """405: this address knows other methods."""
    response = problem(HTTPStatus.METHOD_NOT_ALLOWED, "Not done here", f"This address knows {', '.join(allowed)}.")
    response["Allow"] = ", ".join(allowed)
    return response


def _failed(error: Exception) -> HttpResponse:
    """Trouble that passes is told as such; what should not have happened as that, in JSON too."""
    if isinstance(error, Busy | OutOfTime) or (isinstance(error, PynamoDBException) and is_passing(error)):
        logger.error("busy: %s", error, exc_info=error)
        response = problem(
            HTTPStatus.SERVICE_UNAVAILABLE, "Busy", "Too much is going on at this moment. Send it again with the same key."
        )
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return response
    logger.error("an operation failed", exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "Our mistake", "Something did not work here. We have noted it.")


def _sealed(cursor: str, question: str) -> str:
    return signing.dumps([cursor, question], salt=_CURSOR_SALT, compress=True)


def _opened(cursor: str, question: str) -> str:
    """The cursor of the query underneath. Pages show page one for a bad one; a program that pages on must be told."""
    try:
        inner, asked = signing.loads(cursor, salt=_CURSOR_SALT)
    except signing.BadSignature:
        inner, asked = "", None
    if asked != question:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "Not a cursor of this list",
            "Send `next_cursor` as it was given, with the same filters as before.",
        )
    return str(inner)
