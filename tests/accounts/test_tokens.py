"""Signed tokens: only ours, only of their kind, only in their time."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts import tokens
from accounts.cookies import ACCESS_COOKIE
from accounts.domain import Session
from accounts.links import new_secret
from shop.lib.viewer import Viewer

ADA = Viewer(user_id="user-1", name="Ada Lovelace", email="ada@example.com", role="customer", session_id="ses-1")
KID, KEY = next(iter(settings.JWT_KEYS.items()))
NOW = datetime.now(UTC).replace(microsecond=0)


def _claims(**changes: Any) -> dict[str, Any]:
    claims = jwt.decode(tokens.access_token(ADA, NOW), options={"verify_signature": False})
    return {name: value for name, value in {**claims, **changes}.items() if value is not None}


def _signed(claims: dict[str, Any] | None = None, *, key: Any = KEY, algorithm: str = "HS256", **header: Any) -> str:
    return jwt.encode(claims or _claims(), key, algorithm=algorithm, headers={"kid": KID, **header})


def _raw(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _by_hand(key: bytes, **header: Any) -> str:
    """Rightly signed with a key that PyJWT itself would not sign with."""
    unsigned = _raw({"alg": "HS256", "typ": "JWT", **header}, _claims()).rpartition(".")[0]
    signature = base64.urlsafe_b64encode(hmac.digest(key, unsigned.encode(), "sha256")).decode().rstrip("=")
    return f"{unsigned}.{signature}"


def _seconds(delta: timedelta) -> int:
    return int((NOW + delta).timestamp())


def _refresh() -> str:
    session = Session(
        session_id="ses-1",
        user_id="user-1",
        current="token-1",
        previous="",
        rotated_at=NOW,
        credentials=1,
        is_long=True,
        factor="",
        user_agent="",
        source="",
        created_at=NOW,
        seen_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    return tokens.refresh_token(session, NOW)


def _tampered(part: int) -> str:
    pieces = tokens.access_token(ADA, NOW).split(".")
    middle = len(pieces[part]) // 2
    pieces[part] = pieces[part][:middle] + ("A" if pieces[part][middle] != "A" else "B") + pieces[part][middle + 1 :]
    return ".".join(pieces)


RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = b"another key of thirty-two bytes!"

FORGERIES: dict[str, Callable[[], str]] = {
    "nothing": lambda: "",
    "no token at all": lambda: "user-1",
    "two parts": lambda: ".".join(tokens.access_token(ADA, NOW).split(".")[:2]),
    "five parts": lambda: f"{tokens.access_token(ADA, NOW)}.a.b",
    "algorithm none": lambda: _raw({"alg": "none", "kid": KID}, _claims()),
    "algorithm None in capitals": lambda: _raw({"alg": "NONE", "kid": KID}, _claims()),
    "no algorithm": lambda: _raw({"kid": KID}, _claims()),
    "signature cut off": lambda: tokens.access_token(ADA, NOW).rpartition(".")[0] + ".",
    "a longer hash with our key": lambda: _signed(algorithm="HS512"),
    "HS384 with our key": lambda: _signed(algorithm="HS384"),
    "an RSA signature": lambda: _signed(key=RSA, algorithm="RS256"),
    "another key": lambda: _signed(key=OTHER),
    "an empty key": lambda: _by_hand(b"", kid=KID),
    "unknown kid": lambda: _signed(kid="unknown"),
    "kid as a path": lambda: _by_hand(b"", kid="../../../../dev/null"),
    "kid as a query": lambda: _signed(key=OTHER, kid="' UNION SELECT 'key"),
    "kid a list": lambda: _raw({"alg": "HS256", "kid": [KID]}, _claims(), b"x" * 32),
    "kid a number": lambda: _raw({"alg": "HS256", "kid": 1}, _claims(), b"x" * 32),
    "kid missing": lambda: jwt.encode(_claims(), KEY, algorithm="HS256"),
    "key by jku": lambda: _signed(key=OTHER, jku="https://evil.example/keys.json"),
    "key by x5u": lambda: _signed(key=OTHER, x5u="https://evil.example/key.pem"),
    "key by x5c": lambda: _signed(key=RSA, algorithm="RS256", x5c=["MIIB"]),
    "key in the token": lambda: _signed(key=OTHER, jwk={"kty": "oct", "k": "YW5vdGhlcg"}),
    "no exp": lambda: _signed(_claims(exp=None)),
    "no iat": lambda: _signed(_claims(iat=None)),
    "no audience": lambda: _signed(_claims(aud=None)),
    "another audience": lambda: _signed(_claims(aud="admin")),
    "no issuer": lambda: _signed(_claims(iss=None)),
    "another issuer": lambda: _signed(_claims(iss="https://evil.example")),
    "no typ": lambda: _signed(_claims(typ=None)),
    "no subject": lambda: _signed(_claims(sub=None)),
    "no session": lambda: _signed(_claims(sid=None)),
    "a subject that is no text": lambda: _signed(_claims(sid=7)),
    "a refresh token": _refresh,
    "the secret of a reset link": new_secret,
    "a reset token by typ": lambda: _signed(_claims(typ="reset")),
    "expired": lambda: tokens.access_token(ADA, NOW - timedelta(hours=1)),
    "expired a moment ago": lambda: _signed(_claims(exp=_seconds(timedelta(seconds=-30)))),
    "issued in the future": lambda: _signed(_claims(iat=_seconds(timedelta(hours=1)))),
    "valid later": lambda: _signed(_claims(nbf=_seconds(timedelta(hours=1)))),
    "exp as words": lambda: _raw({"alg": "HS256", "kid": KID}, _claims(exp="never"), b"x" * 32),
    "another name, old signature": lambda: _tampered(1),
    "another header, old signature": lambda: _tampered(0),
    "another signature": lambda: _tampered(2),
    "an encrypted token": lambda: "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..aaaa.bbbb.cccc",
    "not base64": lambda: "§§§.§§§.§§§",
    "no JSON": lambda: "YQ.YQ.YQ",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
def test_a_forged_token_is_nobodys(client: Client, forgery: Callable[[], str]) -> None:
    token = forgery()
    client.cookies[ACCESS_COOKIE] = token

    with pytest.raises(tokens.BadToken):
        tokens.read_access(token)
    assert client.get("/accounts/").status_code == 303
    header = f"Bearer {token}".encode("utf-8", "replace").decode("latin-1")
    assert Client().get("/api/v1/products", headers={"Authorization": header}).status_code == 401


def test_there_are_thirty_forgeries_and_more() -> None:
    assert len(FORGERIES) >= 30


@pytest.mark.parametrize("claim", ["name", "email", "role", "may", "mfa"])
def test_a_token_of_another_release_that_says_less_is_nobodys(client: Client, claim: str) -> None:
    client.cookies[ACCESS_COOKIE] = _signed(_claims(**{claim: None}))

    answer = client.get("/accounts/")

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Faccounts%2F")


@pytest.mark.parametrize("token_id", [None, "", 7])
def test_a_refresh_token_that_names_no_moment_renews_nothing(client: Client, token_id: object) -> None:
    claims = jwt.decode(_refresh(), options={"verify_signature": False})
    changed = {name: value for name, value in {**claims, "jti": token_id}.items() if value is not None}

    answer = client.post("/api/v1/token", {"refresh_token": _signed(changed)}, content_type="application/json")

    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")


def test_our_own_token_says_who_it_is(client: Client) -> None:
    token = tokens.access_token(ADA, NOW)
    client.cookies[ACCESS_COOKIE] = token

    assert tokens.read_access(token) == ADA
    assert client.get("/accounts/").status_code == 200


def test_tokens_of_the_last_key_live_on_when_a_new_one_signs(settings: Settings) -> None:
    before = tokens.access_token(ADA, NOW)

    settings.JWT_KEYS = {"new": OTHER, **settings.JWT_KEYS}

    assert jwt.get_unverified_header(tokens.access_token(ADA, NOW))["kid"] == "new"
    assert tokens.read_access(before) == ADA


def test_without_its_key_a_token_is_nobodys(settings: Settings) -> None:
    before = tokens.access_token(ADA, NOW)

    settings.JWT_KEYS = {"new": OTHER}

    with pytest.raises(tokens.BadToken):
        tokens.read_access(before)
