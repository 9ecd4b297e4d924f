"""Signing in at the user pool: OpenID Connect's authorization-code flow with PKCE, a state and a nonce.

https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from django.conf import settings

from accounts.cognito import claims_of
from accounts.domain import Proven
from accounts.tokens import BadToken
from shop.lib.tables import Busy
from shop.lib.watching import call_to

RETURN_PATH = "/accounts/cognito/return/"
"""Where the pool's pages send people back to; infra/template.yaml tells it to the app client."""
_TIMEOUT_SECONDS = 4
_LONGEST_ANSWER = 100_000
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Attempt:
    """One way to the sign-in pages and back, remembered by the browser that went: three secrets, and where to go on to."""

    state: str
    """Comes back in the address: whoever brings it went there from this browser."""
    nonce: str
    """Comes back in the token: it was made for this attempt."""
    verifier: str
    """Shown with the code: whoever stole the code alone has nothing."""
    leads_to: str


def new_attempt(*, leads_to: str) -> Attempt:
    return Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), leads_to)


def sign_in_url(attempt: Attempt) -> str:
    """The pool's page that asks for name, password and second factor."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    asked = {
        "response_type": "code",
        "client_id": settings.COGNITO_STAFF_CLIENT_ID,
        "redirect_uri": settings.SITE_ORIGIN + RETURN_PATH,
        "scope": "openid email profile",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.COGNITO_SIGN_IN_URL}/oauth2/authorize?{urlencode(asked)}"


def sign_out_url() -> str:
    """Where the session at the pool's pages ends, so that the next one at this computer is asked again."""
    leaving = {"client_id": settings.COGNITO_STAFF_CLIENT_ID, "logout_uri": f"{settings.SITE_ORIGIN}/"}
    return f"{settings.COGNITO_SIGN_IN_URL}/logout?{urlencode(leaving)}"


def is_same(attempt: Attempt, *, state: str) -> bool:
    """Whether the state that came back is the one this browser went with."""
    return hmac.compare_digest(attempt.state.encode(), state.encode("utf-8", "replace"))


def proven(attempt: Attempt, *, code: str) -> Proven:
    """Who signed in there. Raises BadToken when nobody did who went with this attempt; Busy when the pool does not answer."""
    claims = claims_of(
        _id_token(code, attempt.verifier), require=["sub", "aud", "nonce"], audience=settings.COGNITO_STAFF_CLIENT_ID
    )
    groups = claims.get("cognito:groups")
    use, nonce = claims["token_use"], str(claims["nonce"])
    if use != "id" or not hmac.compare_digest(nonce.encode(), attempt.nonce.encode()):
        raise BadToken
    return Proven(
        subject=str(claims["sub"]),
        email=_text(claims, "email"),
        is_email_verified=claims.get("email_verified") is True,
        first_name=_text(claims, "given_name"),
        last_name=_text(claims, "family_name"),
        groups=frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
    )


def _text(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def _id_token(code: str, verifier: str) -> str:
    """The token the pool gives for a code, once. Raises BadToken, Busy."""
    from urllib.request import Request, urlopen  # no page but this needs it

    told = {
        "grant_type": "authorization_code",
        "client_id": settings.COGNITO_STAFF_CLIENT_ID,
        "redirect_uri": settings.SITE_ORIGIN + RETURN_PATH,
        "code": code,
        "code_verifier": verifier,
    }
    request = Request(  # noqa: S310 - the address is a setting, and https
        f"{settings.COGNITO_SIGN_IN_URL}/oauth2/token",
        data=urlencode(told).encode(),
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
    )
    try:
        with call_to("Cognito", "token"), urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            token = json.loads(answer.read(_LONGEST_ANSWER))["id_token"]
    except HTTPError as error:
        raise (Busy if error.code >= _SERVER_ERROR else BadToken) from error
    except OSError as error:
        raise Busy from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadToken from error
    return str(token)
