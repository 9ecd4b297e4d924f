"""Tokens of the Cognito user pool: of other systems, where no gateway verifies them for us, and of people who sign in there."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from django.conf import settings

from accounts.tokens import LEEWAY, BadToken
from shop.lib.gateway import system_of_claims
from shop.lib.tables import Busy
from shop.lib.viewer import Viewer

if TYPE_CHECKING:
    from jwt import PyJWKClient

_KEYS_LAST_SECONDS = 300
_TIMEOUT_SECONDS = 2


def read(token: str) -> Viewer:
    """The system that holds this access token. Raises BadToken; Busy when the pool's keys cannot be had just now."""
    claims = claims_of(token, require=["client_id"])
    viewer = system_of_claims(claims)
    if not viewer.is_signed_in or claims["client_id"] not in settings.COGNITO_CLIENT_ID:
        raise BadToken
    return viewer


def claims_of(token: str, *, require: Sequence[str], audience: str | None = None) -> dict[str, Any]:
    """What a token of the pool says, verified by the pool's public keys. Raises BadToken, Busy."""
    import jwt  # it loads a whole cryptography library

    if not settings.COGNITO_ISSUER:
        raise BadToken
    try:
        return jwt.decode(
            token,
            _keys(settings.COGNITO_JWKS_URL).get_signing_key_from_jwt(token).key,
            algorithms=["RS256"],
            issuer=settings.COGNITO_ISSUER,
            audience=audience,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "token_use", *require]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise Busy from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken from error


@lru_cache(1)
def _keys(url: str) -> "PyJWKClient":
    """The pool's public keys, fetched when they are first needed and looked at anew some minutes later."""
    from jwt import PyJWKClient

    return PyJWKClient(url, lifespan=_KEYS_LAST_SECONDS, timeout=_TIMEOUT_SECONDS)
