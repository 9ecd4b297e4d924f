"""`POST /api/v1/token`: the same tokens the pages keep in cookies, for programs that send them as `Authorization: Bearer`."""

import json
from datetime import timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import second_factor, sessions
from accounts.domain import PASSWORD_MOST
from accounts.limits import TooManyTries
from accounts.queries import SessionEnded
from accounts.second_factor import WrongCode
from accounts.sessions import Device, SignedIn, WrongCredentials
from accounts.tokens import ACCESS_LIFETIME
from shop.lib.clock import utc_now
from shop.lib.source import coarse_source_of, source_of

_LONGEST_TOKEN = 4096


class BadBody(Exception):
    """What was sent is not what is asked for; the message says what is."""


@csrf_exempt  # cookies count for nothing here
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """Tokens for `{"email", "password"}` (with `"code"` where a second proof is on) or for `{"refresh_token"}`."""
    try:
        return _tokens(_sign_in(request, _body(request)))
    except BadBody as refusal:
        return problem(HTTPStatus.BAD_REQUEST, "The request cannot be understood", str(refusal))
    except WrongCredentials:
        return _unauthorized("Wrong credentials", "This address and this password do not belong together.")
    except WrongCode:
        return _unauthorized("A code is needed", "Send the code of the authenticator, or a recovery code, as `code`.")
    except SessionEnded:
        return _unauthorized("The session is over", "Ask for tokens with address and password again.")
    except TooManyTries as refusal:
        return _too_many(refusal.wait)


def problem(status: HTTPStatus, title: str, detail: str) -> JsonResponse:
    """An error as RFC 9457 has it."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _sign_in(request: HttpRequest, body: dict[str, Any]) -> SignedIn:
    """Sign a program in, or renew. Raises BadBody, WrongCredentials, WrongCode, SessionEnded, TooManyTries."""
    now = utc_now()
    if "refresh_token" in body:
        return sessions.refresh(token=_text(body, "refresh_token", _LONGEST_TOKEN), now=now)
    device = Device(
        known_as="",
        user_agent=request.headers.get("User-Agent", ""),
        source=source_of(request),
        coarse_source=coarse_source_of(request),
    )
    email, password = _text(body, "email", 254), _text(body, "password", PASSWORD_MOST)
    user = sessions.authenticate(email=email, password=password, device=device, now=now)
    if user.has_second_factor:
        code = body.get("code")
        if not isinstance(code, str):
            raise WrongCode
        user = second_factor.use_code(user_id=user.user_id, code=code, now=now)
    return sessions.start_session(user=user, is_long=True, has_second_factor=user.has_second_factor, device=device, now=now)


def _tokens(signed_in: SignedIn) -> JsonResponse:
    return JsonResponse(
        {
            "access_token": signed_in.access,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "refresh_token": signed_in.refresh,
        }
    )


def _body(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise BadBody("Send JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise BadBody("This is not JSON.") from None
    if not isinstance(body, dict):
        raise BadBody("Send a JSON object.")
    return body


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise BadBody(f"`{name}` must be a text of 1 to {longest} characters.")
    return value


def _unauthorized(title: str, detail: str) -> HttpResponse:
    response = problem(HTTPStatus.UNAUTHORIZED, title, detail)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _too_many(wait: timedelta) -> HttpResponse:
    seconds = ceil(wait.total_seconds())
    response = problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many tries", f"Please try again in {seconds} seconds.")
    response["Retry-After"] = str(seconds)
    return response
