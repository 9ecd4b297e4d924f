"""Another e-mail address: confirmed at both ends, and at no one else's cost."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import email_change, queries
from accounts.services import Link
from tests.accounts.people import PASSWORD, at_once, deliver, link_in, log_in, make_user, secret_in
from tests.conftest import items_of


def test_another_address_is_confirmed_at_both_ends_and_ends_every_session(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)

    client.post("/accounts/email/", {"email": "Countess@example.com", "password": PASSWORD})
    links = {message.to[0]: link_in(message) for message in deliver(now)}
    assert links.keys() == {"ada@example.com", "Countess@example.com"}

    assert client.post(links["ada@example.com"]).status_code == 200
    assert queries.user(user_id=user.user_id).email == "ada@example.com"
    assert client.post(links["ada@example.com"]).status_code == 410
    assert client.post(links["Countess@example.com"]).status_code == 303

    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == ("Countess@example.com", 2)
    assert log_in(Client()).status_code == 422
    assert log_in(Client(), "countess@example.com").status_code == 303
    make_user(now, email="ada@example.com")  # the old address is free again


def test_an_address_taken_meanwhile_is_not_taken_over(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "grace@example.com", "password": PASSWORD})
    links = [link_in(message) for message in deliver(now)]
    grace = make_user(now, email="grace@example.com")

    for link in links:
        client.post(link)

    assert queries.user(user_id=user.user_id).email == "ada@example.com"
    assert queries.user_by_email(email="grace@example.com") == grace


def test_both_ends_confirmed_at_the_same_moment_change_the_address_once(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    old, new = (secret_in(message) for message in deliver(now))
    ends = ((old, Link.OLD_EMAIL), (new, Link.NEW_EMAIL))

    def confirm(number: int) -> None:
        secret, link = ends[number]
        email_change.confirm_email_change(secret=secret, link=link, source="", now=now)

    assert at_once(2, confirm) == {"done": 2}
    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == ("countess@example.com", 2)


@pytest.mark.parametrize("followed", [0, 1], ids=["before either link", "between the two links"])
@pytest.mark.parametrize("by_mail", [True, False], ids=["by a mailed link", "by the old password"])
def test_a_new_password_ends_the_wish_for_another_address(
    tables: Any, client: Client, now: datetime, followed: int, by_mail: bool
) -> None:
    make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "thief@example.com", "password": PASSWORD})
    links = [link_in(message) for message in deliver(now)]
    for link in links[:followed]:
        assert client.post(link).status_code == 200

    if by_mail:
        client.post("/accounts/password-reset/", {"email": "ada@example.com"})
        client.post(link_in(deliver(now)[-1]), {"password": "another lamp entirely"})
    else:
        client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})

    before = _without_limits()
    assert [Client().post(link).status_code for link in links[followed:]] == [410] * (2 - followed)
    assert _without_limits() == before
    assert log_in(Client(), password="another lamp entirely").status_code == 303


def _without_limits() -> list[str]:
    return sorted(str(item) for item in items_of("Users") if item["SK"]["S"] != "LIMIT")
