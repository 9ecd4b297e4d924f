"""Tokens of the Cognito user pool, where no gateway verifies them for us: on a laptop, or behind another server."""

from functools import lru_cache
from typing import TYPE_CHECKING

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
    import jwt  # it loads a whole cryptography library

    if not settings.COGNITO_ISSUER:
        raise BadToken
    try:
        claims = jwt.decode(
            token,
            _keys(settings.COGNITO_JWKS_URL).get_signing_key_from_jwt(token).key,
            algorithms=["RS256"],
            issuer=settings.COGNITO_ISSUER,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "iss", "token_use", "client_id"]},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise Busy from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken from error
    viewer = system_of_claims(claims)
    if not viewer.is_signed_in or claims["client_id"] not in settings.COGNITO_CLIENT_ID:
        raise BadToken
    return viewer


@lru_cache(1)
def _keys(url: str) -> "PyJWKClient":
    """The pool's public keys, fetched when they are first needed and looked at anew some minutes later."""
    from jwt import PyJWKClient

    return PyJWKClient(url, lifespan=_KEYS_LAST_SECONDS, timeout=_TIMEOUT_SECONDS)
