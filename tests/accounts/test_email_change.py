"""Another e-mail address: confirmed at both ends, and at no one else's cost."""

from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import closing, email_change, queries
from accounts.models import UserRow, user_key
from accounts.reactions import account_changed
from accounts.services import Link
from tests.accounts.people import PASSWORD, at_once, deliver, link_in, log_in, make_user, raw_user, secret_in
from tests.conftest import items_of, words_of
from tests.rivals import run_before


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


@pytest.mark.parametrize("is_last", [False, True], ids=["the first of the two", "the one that changes it"])
def test_one_link_followed_twice_at_the_same_moment_counts_once(
    tables: Any, client: Client, now: datetime, is_last: bool
) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    links = [link_in(message) for message in deliver(now)]
    if is_last:
        client.post(links[0])

    with run_before("TransactWriteItems", lambda: client.post(links[is_last])):
        answer = Client().post(links[is_last])

    assert answer.status_code == 410
    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == (("countess@example.com", 2) if is_last else ("ada@example.com", 1))
    assert len([item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"]) == (not is_last)


def test_another_spelling_of_the_own_address_is_another_address_too(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "Ada@Example.com", "password": PASSWORD})

    assert [client.post(link_in(message)).status_code for message in deliver(now)] == [200, 303]

    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == ("Ada@Example.com", 2)
    assert [item["PK"]["S"] for item in items_of("Users") if item["SK"]["S"] == "EMAIL"] == ["EMAIL#ada@example.com"]
    assert log_in(Client()).status_code == 303


def test_the_address_one_has_is_refused_and_no_mail_asks_to_confirm_it(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    log_in(client)
    before = items_of("Users")

    answer = client.post("/accounts/email/", {"email": " ada@example.com ", "password": PASSWORD})

    assert answer.status_code == 422
    assert "This is the address of your account already." in words_of(answer.text)
    assert [item for item in items_of("Users") if item not in before] == []
    assert deliver(now) == []


def test_an_address_that_has_an_account_is_asked_for_in_vain_and_its_owner_is_told(
    tables: Any, client: Client, now: datetime
) -> None:
    user, grace = make_user(now), make_user(now, email="grace@example.com")
    log_in(client)

    assert client.post("/accounts/email/", {"email": "Grace@example.com", "password": PASSWORD}).status_code == 303

    assert [(message.to, message.subject) for message in deliver(now)] == [
        (["grace@example.com"], "You have a Fernhollow account already")
    ]
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []
    assert (queries.user(user_id=user.user_id).email, queries.user_by_email(email="grace@example.com")) == (user.email, grace)


def test_links_of_an_account_that_is_gone_or_shut_change_nothing(tables: Any, client: Client, now: datetime) -> None:
    gone, shut = make_user(now), make_user(now, email="grace@example.com")
    links = []
    for user in (gone, shut):
        log_in(client, user.email)
        client.post("/accounts/email/", {"email": f"new.{user.email}", "password": PASSWORD})
        links.append([link_in(message) for message in deliver(now)])
    closing.close_account(user=gone)
    user_key(shut.user_id).update(actions=[UserRow.status.set("disabled")])

    assert [Client().post(link).status_code for link in links[0]] == [410, 410]
    assert Client().post(links[1][0]).status_code == 200  # which changes nothing by itself
    before = _without_limits()
    assert Client().post(links[1][1]).status_code == 410
    assert _without_limits() == before
    assert queries.user(user_id=shut.user_id).email == "grace@example.com"
    assert [item for item in items_of("Users") if "new." in item["PK"]["S"]] == []


def test_a_wish_of_an_account_that_is_gone_by_now_is_not_answered(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    closing.close_account(user=user)

    assert deliver(now) == []
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []


def test_both_addresses_are_told_of_the_change_once(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    before = raw_user(tables, user)
    for message in deliver(now):
        client.post(link_in(message))
    mail.outbox.clear()

    for _ in range(2):
        account_changed(before, raw_user(tables, user), now=now)

    told = "Your Fernhollow account has a new address"
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ada@example.com"], told),
        (["countess@example.com"], told),
    ]


def test_guesses_at_its_links_are_slowed_down(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    link = link_in(deliver(now)[0])
    guesser = Client()

    answers = [guesser.post(f"/accounts/email/new/{number:043}/") for number in range(31)]

    assert [answer.status_code for answer in answers] == [410] * 30 + [429]
    assert "That was tried too often. Please wait a minute and try again." in words_of(answers[-1].text)
    assert guesser.post(link).status_code == 429
    assert queries.user(user_id=user.user_id).email == "ada@example.com"


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
