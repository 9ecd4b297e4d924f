"""Registering, signing in and out, as a browser sees it."""

from datetime import datetime
from typing import Any

from django.test import Client

from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user
from tests.conftest import items_of, words_of

NEW = {"first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Example.com", "password": PASSWORD}


def _users() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"]


def test_registering_opens_an_account_by_the_mailed_link_and_the_password(tables: Any, client: Client, now: datetime) -> None:
    answer = client.post("/accounts/register/", NEW)
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/register/sent/")
    assert _users() == []

    (message,) = deliver(now)
    assert message.to == ["Ada@Example.com"]
    link = link_in(message)
    assert client.get(link).status_code == 200
    assert _users() == []

    assert client.post(link, {"password": "not the password"}).status_code == 422
    assert _users() == []

    answer = client.post(link, {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (303, "/")
    (user,) = _users()
    assert (user["email"], user["role"], user["status"]) == ({"S": "Ada@Example.com"}, {"S": "customer"}, {"S": "active"})
    assert user["passwordHash"]["S"].startswith("$2b$")
    assert "Hello, Ada Lovelace" in words_of(client.get("/accounts/").content.decode())
    assert client.post(link, {"password": PASSWORD}).status_code == 410


def test_signing_in_and_out(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)

    answer = log_in(client, "ADA@example.com", next="/cart/")
    assert (answer.status_code, answer["Location"]) == (303, "/cart/")
    assert client.get("/accounts/").status_code == 200

    assert client.post("/accounts/logout/").status_code == 303
    answer = client.get("/accounts/")
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Faccounts%2F")
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


def test_a_forgotten_password_is_set_anew(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    other = Client()
    log_in(other)

    assert client.post("/accounts/password-reset/", {"email": "ada@example.com"}).status_code == 303
    (message,) = deliver(now)
    answer = client.post(link_in(message), {"password": "another lamp entirely"})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert log_in(client).status_code == 422
    assert log_in(client, password="another lamp entirely").status_code == 303
    assert other.get("/accounts/sessions/").status_code == 303
