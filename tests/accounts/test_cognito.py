"""Tokens of the user pool, verified by its public keys where no gateway does it."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client
from jwt.algorithms import RSAAlgorithm
from pytest_django import Settings

from accounts import cognito, cognito_sign_in
from accounts.tokens import BadToken
from shop.lib.tables import Busy
from shop.lib.viewer import Permission
from shop.local.ministack import Ministack
from tests.environment import CLOUD_PORT

ISSUER = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_pool"
KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


@pytest.fixture
def token(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Makes tokens of a pool whose public key the shop reads; without changes a good one that may read products."""
    public = json.loads(RSAAlgorithm.to_jwk(KEY.public_key())) | {"kid": "k1", "alg": "RS256", "use": "sig"}
    settings.COGNITO_ISSUER = ISSUER
    settings.COGNITO_JWKS_URL = f"{ISSUER}/.well-known/jwks.json"
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", lambda _: {"keys": [public]})
    settings.COGNITO_CLIENT_ID = ["erp"]
    cognito._keys.cache_clear()

    def make(*, key: Any = KEY, algorithm: str = "RS256", kid: str = "k1", **changes: Any) -> str:
        now = datetime.now(UTC)
        claims = {
            "iss": ISSUER,
            "sub": "erp",
            "client_id": "erp",
            "token_use": "access",
            "scope": "shop/products.view other/orders.view shop/nonsense",
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        told = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode(told, key, algorithm=algorithm, headers={"kid": kid})

    return make


def test_an_access_tokens_scopes_are_its_holders_permissions(token: Callable[..., str]) -> None:
    viewer = cognito.read(token())

    assert (viewer.user_id, viewer.role, [*viewer.permissions]) == ("system:erp", "system", [Permission.PRODUCTS_VIEW])


def _unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"k1"}').decode().rstrip("=")
    return f"{head}.{token.split('.')[1]}."


def _signed_with_the_public_key(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').decode().rstrip("=")
    public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{head}.{token.split('.')[1]}"
    signature = hmac.digest(public, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def _bad_tokens(make: Callable[..., str]) -> dict[str, str]:
    return {
        "another key": make(key=OTHER_KEY),
        "an unknown key": make(kid="k2"),
        "the public key as a secret": _signed_with_the_public_key(make()),
        "no signature": _unsigned(make()),
        "past its time": make(exp=datetime.now(UTC) - timedelta(minutes=1)),
        "another pool": make(iss=f"{ISSUER}2"),
        "another client": make(client_id="stranger"),
        "an id token": make(token_use="id"),
        "no time": make(exp=None),
        "no client": make(client_id=None),
        "nonsense": "x.y.z",
        "nothing": "",
    }


def test_no_other_token_is_taken(token: Callable[..., str]) -> None:
    for name, bad in _bad_tokens(token).items():
        with pytest.raises(BadToken):
            pytest.fail(f"{name}: {cognito.read(bad)}")


def test_without_a_pool_in_the_settings_none_is_asked(token: Callable[..., str], settings: Settings) -> None:
    settings.COGNITO_ISSUER = ""

    with pytest.raises(BadToken):
        cognito.read(token())


def test_a_pool_that_does_not_answer_is_trouble_that_passes(
    token: Callable[..., str], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    settings.COGNITO_JWKS_URL = "http://127.0.0.1:9/jwks.json"
    cognito._keys.cache_clear()

    with pytest.raises(Busy):
        cognito.read(token())


@pytest.mark.parametrize("answer", [b"<html>", b"[]", b"{}", b'{"id_token": "no token"}'])
def test_an_answer_to_a_code_that_is_no_token_vouches_for_nobody(
    token: Callable[..., str], settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    settings.COGNITO_SIGN_IN_URL = "https://pool.example"
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: BytesIO(answer))

    with pytest.raises(BadToken):
        cognito_sign_in.proven(cognito_sign_in.new_attempt(leads_to="/"), code="c")


@pytest.mark.usefixtures("tables")
def test_it_opens_the_interface_where_no_gateway_stands(token: Callable[..., str], client: Client) -> None:
    headers = {"Authorization": f"Bearer {token()}"}

    assert client.get("/api/v1/products", headers=headers).status_code == 200
    assert client.get("/api/v1/orders", headers=headers).status_code == 403
    assert client.get("/accounts/", headers=headers).status_code == 303


@pytest.mark.usefixtures("tables")
def test_tokens_of_a_user_pool_of_the_local_cloud_verify(cloud: Ministack, settings: Settings, client: Client) -> None:
    pools = boto3.client("cognito-idp")
    pool = pools.create_user_pool(PoolName="shop")["UserPool"]["Id"]
    app = pools.create_user_pool_client(UserPoolId=pool, ClientName="erp", ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    app_id = app["UserPoolClient"]["ClientId"]
    pools.admin_create_user(UserPoolId=pool, Username="ada@example.com", MessageAction="SUPPRESS")
    pools.admin_set_user_password(UserPoolId=pool, Username="ada@example.com", Password="Correct-horse-7", Permanent=True)
    answer = pools.initiate_auth(
        ClientId=app_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "ada@example.com", "PASSWORD": "Correct-horse-7"},
    )["AuthenticationResult"]
    settings.COGNITO_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{pool}"
    settings.COGNITO_JWKS_URL = f"http://127.0.0.1:{CLOUD_PORT}/{pool}/.well-known/jwks.json"
    settings.COGNITO_CLIENT_ID = [app_id]
    cognito._keys.cache_clear()

    assert cognito.read(answer["AccessToken"]).user_id == f"system:{app_id}"
    with pytest.raises(BadToken):
        cognito.read(answer["IdToken"])
    # A person's own token has no scope of ours: known, and may do nothing.
    headers = {"Authorization": f"Bearer {answer['AccessToken']}"}
    assert client.get("/api/v1/products", headers=headers).status_code == 403
