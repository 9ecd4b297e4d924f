"""An account that is gone while its cookie lives on: personal pages sign its browser out, and none breaks."""

from datetime import datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts import sessions
from accounts.cookies import ACCESS_COOKIE, PENDING_COOKIE, REFRESH_COOKIE, Pending, set_pending
from accounts.domain import User
from shop.lib.tables import table_name
from shop.lib.viewer import Viewer
from tests.accounts.people import ADDRESS, PASSWORD, log_in, make_user
from tests.conftest import items_of
from tests.shop.form_addresses import addresses

PERSONAL = addresses(lambda route: route.startswith(("accounts/", "orders/", "checkout/")))
FIELDS = {
    **ADDRESS,
    "kind": "shipping",
    "seen": "0",
    "first_name": "Ada",
    "last_name": "King",
    "email": "countess@example.com",
    "password": PASSWORD,
    "new_password": "another lamp entirely",
    "code": "123456",
    "session_id": "ses-12345",
    "number": "ord-1ng7ww2h673pp",
    "delivery": "standard",
}
SIGNED_OUT = {
    *(f"accounts:{name}" for name in ("profile", "addresses", "sessions", "second_factor")),
    *("orders:cards", "orders:download_data"),
}
"""What cannot be shown without the account; other pages need no more than the cookie, or show nothing of anybody."""
LEFT_ALONE = {
    *(f"accounts:{name}" for name in ("add_address", "change_password", "change_email", "profile")),
    *(f"accounts:{name}" for name in ("remove_address", "default_address", "change_address")),
    *("orders:delete_account", "orders:default_card", "orders:remove_card"),
}
"""Forms that change an account, and so end at the login."""


@pytest.fixture
def cookies(tables: Any, client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch, request: Any) -> dict[str, str]:
    """Cookies of somebody who is gone: for a while, or (`at this moment`) since they were last asked for."""
    user = make_user(now)
    log_in(client)
    if request.param == "at this moment":

        def confirm(*, viewer: Viewer, now: datetime, with_filters: bool = False) -> Viewer:
            return viewer

        monkeypatch.setattr(sessions, "confirm", confirm)
    _remove(tables, user)
    return {name: client.cookies[name].value for name in (ACCESS_COOKIE, REFRESH_COOKIE)}


def _remove(tables: Any, user: User) -> None:
    tables.delete_item(TableName=table_name("Users"), Key={"PK": {"S": f"USER#{user.user_id}"}, "SK": {"S": "PROFILE"}})


def _answers(method: str, cookies: dict[str, str]) -> dict[str, Any]:
    """What every personal address answers to these cookies."""
    found = {}
    for name, path in PERSONAL.items():
        client = Client(raise_request_exception=False)
        for cookie, value in cookies.items():
            client.cookies[cookie] = value
        answer = client.post(path, FIELDS) if method == "POST" else client.get(path)
        if answer.status_code != 405:
            found[name] = answer
    return found


def _signed_out(answers: dict[str, Any]) -> set[str]:
    return {
        name
        for name, answer in answers.items()
        if answer.get("Location", "").partition("?")[0] == "/accounts/login/" and answer.cookies[ACCESS_COOKIE].value == ""
    }


@pytest.mark.parametrize("cookies", ["for a while", "at this moment"], indirect=True)
@pytest.mark.parametrize(("method", "personal"), [("GET", SIGNED_OUT), ("POST", LEFT_ALONE)])
def test_every_personal_address_takes_it_for_somebody_signed_out(
    cookies: dict[str, str], method: str, personal: set[str]
) -> None:
    before = items_of("Users")

    answers = _answers(method, cookies)

    assert {name: answer.status_code for name, answer in answers.items() if answer.status_code >= 500} == {}
    assert personal - _signed_out(answers) == set()
    assert [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"] == []
    assert method == "POST" or items_of("Users") == before


def test_who_owes_the_second_proof_begins_anew(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    answer = HttpResponse()
    set_pending(answer, Pending(user.user_id, user.credentials, is_long=False))
    client.cookies[PENDING_COOKIE] = answer.cookies[PENDING_COOKIE].value
    _remove(tables, user)

    refused = client.post("/accounts/second-factor/", {"code": "123456"})

    assert (refused["Location"], refused.cookies[PENDING_COOKIE].value) == ("/accounts/login/", "")
