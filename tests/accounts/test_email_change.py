"""Another e-mail address: confirmed at both ends, and at no one else's cost."""

from datetime import datetime
from typing import Any

from django.test import Client

from accounts import email_change, queries
from accounts.services import Link
from tests.accounts.people import PASSWORD, at_once, deliver, link_in, log_in, make_user, secret_in


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
