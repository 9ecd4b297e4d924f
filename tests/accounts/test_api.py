"""Tokens for programs."""

from datetime import datetime
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts.cookies import ACCESS_COOKIE
from accounts.middleware import access_of
from tests.accounts.people import PASSWORD, make_user
from tests.conftest import items_of

TOKEN = "/api/v1/token"
ADA = {"email": "ada@example.com", "password": PASSWORD}


def _post(client: Client, body: Any) -> Any:
    return client.post(TOKEN, body, content_type="application/json")


def _asked(headers: dict[str, str] | None = None, cookie: str = "") -> HttpRequest:
    request = RequestFactory().get("/api/v1/stock", headers=headers or {})
    request.COOKIES[ACCESS_COOKIE] = cookie
    return request


def test_a_program_gets_tokens_and_renews_them(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)

    first = _post(client, ADA).json()
    second = _post(client, {"refresh_token": first["refresh_token"]}).json()

    assert {name: second[name] for name in ("token_type", "expires_in")} == {"token_type": "Bearer", "expires_in": 900}
    assert dict(client.cookies) == {}
    for tokens in (first, second):
        assert access_of(_asked({"Authorization": f"Bearer {tokens['access_token']}"})).viewer.user_id == user.user_id


def test_under_the_api_a_cookie_signs_nobody_in_and_a_refresh_token_is_no_access_token(
    tables: Any, client: Client, now: datetime
) -> None:
    make_user(now)
    tokens = _post(client, ADA).json()

    assert not access_of(_asked(cookie=tokens["access_token"])).viewer.is_signed_in
    assert not access_of(_asked({"Authorization": f"Bearer {tokens['refresh_token']}"})).viewer.is_signed_in
    assert not access_of(_asked({"Authorization": "Basic YWRhOng="})).viewer.is_signed_in


def test_on_pages_a_header_signs_nobody_in(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    access = _post(client, ADA).json()["access_token"]

    assert client.get("/accounts/", headers={"Authorization": f"Bearer {access}"}).status_code == 303


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({**ADA, "password": "a guess"}, 401),
        ({**ADA, "email": "grace@example.com"}, 401),
        ({**ADA, "email": "no address"}, 401),
        ({"refresh_token": "no token"}, 401),
        ({"refresh_token": 7}, 400),
        ({"email": "ada@example.com"}, 400),
        ({**ADA, "password": ["x"]}, 400),
        ({**ADA, "password": "x" * 1025}, 400),
        ([ADA], 400),
        ("[" * 100_000, 400),
    ],
)
def test_what_is_refused_is_a_problem_in_json(tables: Any, client: Client, now: datetime, body: Any, status: int) -> None:
    make_user(now)

    answer = _post(client, body)

    assert (answer.status_code, answer["Content-Type"], answer.json()["status"]) == (status, "application/problem+json", status)
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


def test_a_form_is_no_json(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)

    assert client.post(TOKEN, ADA).status_code == 400


def test_guesses_are_counted_with_those_at_the_login_page(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)

    answers = [_post(client, {**ADA, "password": f"guess {number}"}) for number in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1]["Retry-After"]) in (29, 30)
    assert client.post("/accounts/login/", ADA).status_code == 429
