"""`POST /api/v1/token`: the same tokens the pages keep in cookies, for programs that send them as `Authorization: Bearer`."""

from datetime import timedelta
from http import HTTPStatus
from math import ceil
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from accounts import second_factor, sessions
from accounts.domain import PASSWORD_MOST
from accounts.limits import TooManyTries
from accounts.queries import SessionEnded
from accounts.second_factor import WrongCode
from accounts.sessions import Device, SignedIn, WrongCredentials
from accounts.tokens import ACCESS_LIFETIME
from shop.lib.api import JSON, PROBLEM, Problem, not_allowed, problem, read_object
from shop.lib.clock import utc_now
from shop.lib.source import coarse_source_of, source_of

_LONGEST_TOKEN = 4096


@csrf_exempt  # cookies count for nothing here
def token(request: HttpRequest) -> HttpResponse:
    """Tokens for `{"email", "password"}` (with `"code"` where a second proof is on) or for `{"refresh_token"}`."""
    return _answer(request) if request.method == "POST" else not_allowed(["POST"])


def _answer(request: HttpRequest) -> HttpResponse:
    try:
        return _tokens(_sign_in(request, _body(request)))
    except Problem as refusal:
        return problem(refusal.status, refusal.title, refusal.detail)
    except WrongCredentials:
        return _unauthorized("Wrong credentials", "This address and this password do not belong together.")
    except WrongCode:
        return _unauthorized("A code is needed", "Send the code of the authenticator, or a recovery code, as `code`.")
    except SessionEnded:
        return _unauthorized("The session is over", "Ask for tokens with address and password again.")
    except TooManyTries as refusal:
        return _too_many(refusal.wait)


def _sign_in(request: HttpRequest, body: dict[str, Any]) -> SignedIn:
    """Sign a program in, or renew. Raises Problem, WrongCredentials, WrongCode, SessionEnded, TooManyTries."""
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
    return sessions.start_session(user=user, is_long=True, factor=user.factor, device=device, now=now)


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
    if request.content_type != JSON:
        raise _not_understood("Send JSON, with Content-Type: application/json.")
    return read_object(request)


def _text(body: dict[str, Any], name: str, longest: int) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise _not_understood(f"`{name}` must be a text of 1 to {longest} characters.")
    return value


def _not_understood(detail: str) -> Problem:
    return Problem(HTTPStatus.BAD_REQUEST, "The request cannot be understood", detail)


def _unauthorized(title: str, detail: str) -> HttpResponse:
    response = problem(HTTPStatus.UNAUTHORIZED, title, detail)
    response["WWW-Authenticate"] = "Bearer"
    return response


def _too_many(wait: timedelta) -> HttpResponse:
    seconds = ceil(wait.total_seconds())
    response = problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many tries", f"Please try again in {seconds} seconds.")
    response["Retry-After"] = str(seconds)
    return response


def _described(status: int, words: str) -> dict[str, Any]:
    return {str(status): {"description": words, "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}}}


_CREDENTIALS = {
    "type": "object",
    "properties": {
        "email": {"type": "string", "minLength": 1, "maxLength": 254},
        "password": {"type": "string", "minLength": 1, "maxLength": PASSWORD_MOST},
        "code": {"type": "string", "description": "Of the authenticator, where one is on"},
    },
    "required": ["email", "password"],
}
_RENEWAL = {
    "type": "object",
    "properties": {"refresh_token": {"type": "string", "minLength": 1, "maxLength": _LONGEST_TOKEN}},
    "required": ["refresh_token"],
}
TOKEN_SCHEMAS = {
    "Tokens": {
        "type": "object",
        "properties": {
            **{name: {"type": "string"} for name in ("access_token", "token_type", "refresh_token")},
            "expires_in": {"type": "integer", "description": "Seconds"},
        },
        "required": ["access_token", "token_type", "expires_in", "refresh_token"],
    }
}
TOKEN_PATH = {
    "post": {
        "operationId": "getTokens",
        "summary": "Tokens for a person's address and password, or newer ones for a refresh token",
        "description": "Not at the gateways of AWS, which take tokens of the user pool or signatures.",
        "security": [],
        "requestBody": {"required": True, "content": {JSON: {"schema": {"anyOf": [_CREDENTIALS, _RENEWAL]}}}},
        "responses": {
            "200": {"description": "Tokens", "content": {JSON: {"schema": {"$ref": "#/components/schemas/Tokens"}}}},
            **_described(400, "The request cannot be understood"),
            **_described(401, "Wrong credentials, a code is needed, or the session is over"),
            **_described(413, "The request is too large"),
            **_described(429, "Too many tries"),
        },
    }
}
"""How `/api/v1/token` is described."""
