"""The end of an account that changes at the same moment."""

from datetime import datetime
from typing import Any

from django.test import Client

from accounts import queries
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user
from tests.conftest import items_of
from tests.rivals import run_before


def test_an_account_whose_password_changes_at_this_moment_stays(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/password-reset/", {"email": "ada@example.com"})
    link = link_in(deliver(now)[-1])

    with run_before("TransactWriteItems", lambda: Client().post(link, {"password": "another lamp entirely"})):
        answer = client.post("/accounts/delete/", {"password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert queries.user(user_id=user.user_id).credentials == 2
    assert [item["userId"]["S"] for item in items_of("Users") if item["SK"]["S"] == "EMAIL"] == [user.user_id]
    assert log_in(Client(), password="another lamp entirely").status_code == 303
