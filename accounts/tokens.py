"""Signed tokens: what a browser or program shows to say who it is. JWT, HS256 alone, keys by `kid`.

An access token carries all a page needs and is never looked up; it lasts 15 minutes. A refresh token names a session and one
moment of it, and is good for one renewal. The first of the settings' keys signs; all of them verify.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.domain import Session, User
from shop.lib.viewer import Permission, Viewer

ACCESS_LIFETIME = timedelta(minutes=15)
LEEWAY = timedelta(seconds=10)
"""How far the clocks of two machines may be apart."""
_ALGORITHM = "HS256"
_AUDIENCE = "shop"
_ACCESS, _REFRESH = "access", "refresh"
_REQUIRED = ["exp", "iat", "iss", "aud", "typ", "sub", "sid"]


class BadToken(Exception):
    """Not a token of ours, not of this kind, or past its time."""


@dataclass(frozen=True, slots=True)
class RefreshClaim:
    """What a refresh token says."""

    user_id: str
    session_id: str
    token_id: str


def access_token(viewer: Viewer, now: datetime) -> str:
    """A token that says who somebody is and what they may do, for 15 minutes."""
    return _sign(
        {
            "typ": _ACCESS,
            "sub": viewer.user_id,
            "sid": viewer.session_id,
            "exp": now + ACCESS_LIFETIME,
            "name": viewer.name,
            "email": viewer.email,
            "role": viewer.role,
            "may": sorted(viewer.permissions),
            "mfa": viewer.has_second_factor,
        },
        now,
    )


def refresh_token(session: Session, now: datetime) -> str:
    """The one token that renews this session now."""
    claims = {
        "typ": _REFRESH,
        "sub": session.user_id,
        "sid": session.session_id,
        "jti": session.current,
        "exp": session.expires_at,
    }
    return _sign(claims, now)


def read_access(token: str) -> Viewer:
    """Who shows this token. Raises BadToken."""
    claims = _verify(token, _ACCESS)
    known = {permission.value for permission in Permission}
    try:
        return Viewer(
            user_id=claims["sub"],
            name=claims["name"],
            email=claims["email"],
            role=claims["role"],
            permissions=frozenset(Permission(word) for word in claims["may"] if word in known),
            session_id=claims["sid"],
            has_second_factor=claims["mfa"],
        )
    except (KeyError, TypeError) as error:  # of another release
        raise BadToken from error


def read_refresh(token: str) -> RefreshClaim:
    """Which moment of which session this token is. Raises BadToken."""
    claims = _verify(token, _REFRESH)
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not token_id:
        raise BadToken
    return RefreshClaim(user_id=claims["sub"], session_id=claims["sid"], token_id=token_id)


def viewer_of(user: User, session: Session) -> Viewer:
    """Somebody as pages see them."""
    return Viewer(
        user_id=user.user_id,
        name=user.name,
        email=user.email,
        role=user.role,
        permissions=user.permissions,
        session_id=session.session_id,
        has_second_factor=session.has_second_factor(user),
    )


def _sign(claims: Mapping[str, Any], now: datetime) -> str:
    import jwt  # it loads a whole cryptography library, which visitors without an account need not wait for

    kid, key = next(iter(settings.JWT_KEYS.items()))
    body = {**claims, "iss": settings.SITE_ORIGIN, "aud": _AUDIENCE, "iat": now}
    return jwt.encode(body, key, algorithm=_ALGORITHM, headers={"kid": kid})


def _verify(token: str, typ: str) -> dict[str, Any]:
    """The claims of a token of this kind. The key is one of ours by name; nothing else the token's header says is followed."""
    import jwt  # as above

    try:
        kid = jwt.get_unverified_header(token).get("kid")
        key = settings.JWT_KEYS.get(kid) if isinstance(kid, str) else None
        if key is None:
            raise BadToken
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=_AUDIENCE,
            issuer=settings.SITE_ORIGIN,
            leeway=LEEWAY,
            options={"require": _REQUIRED},
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise BadToken from error
    if claims["typ"] != typ or not (isinstance(claims["sub"], str) and isinstance(claims["sid"], str)):
        raise BadToken
    return claims
