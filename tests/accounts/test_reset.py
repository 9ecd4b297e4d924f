"""A forgotten password: its link works once, for a while, and for nothing else."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import closing, passwords, queries, services
from accounts.models import UserRow, user_key
from accounts.queries import LinkDead
from accounts.reactions import account_changed
from tests.accounts.people import PASSWORD, at_once, deliver, link_in, log_in, make_user, raw_user, secret_in
from tests.conftest import items_of

NAMES = {"first_name": "Grace", "last_name": "Hopper"}


def test_twenty_uses_of_one_reset_link_at_once_set_one_password(
    tables: Any, unlimited: None, client: Client, now: datetime
) -> None:
    user = make_user(now)
    log_in(client)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = secret_in(deliver(now)[-1])

    def use(number: int) -> None:
        services.reset_password(secret=secret, password=f"the lamp number {number}", source="", now=now)

    assert at_once(20, use) == {"done": 1, "LinkDead": 19}
    after = queries.user(user_id=user.user_id)
    assert after.credentials == 2
    assert sum(passwords.is_right(f"the lamp number {number}", after.password_hash) for number in range(20)) == 1
    assert queries.sessions_of(user_id=user.user_id, now=now) == ()
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []
    assert client.get("/accounts/sessions/")["Location"] == "/accounts/login/"


@pytest.mark.parametrize("minutes", [10, 11, 1440])
def test_a_reset_link_is_dead_after_ten_minutes(tables: Any, now: datetime, minutes: int) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = secret_in(deliver(now)[-1])

    with pytest.raises(LinkDead):
        services.reset_password(secret=secret, password=PASSWORD + "!", source="", now=now + timedelta(minutes=minutes))

    assert queries.user(user_id=user.user_id) == user


def test_a_reset_link_is_dead_when_the_password_has_changed(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = secret_in(deliver(now)[-1])
    log_in(client)
    client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})
    changed = queries.user(user_id=user.user_id)

    with pytest.raises(LinkDead):
        services.reset_password(secret=secret, password="a third lamp", source="", now=now)

    assert queries.user(user_id=user.user_id) == changed


def test_a_reset_link_is_dead_when_its_owner_is_shut_out(tables: Any, now: datetime) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = secret_in(deliver(now)[-1])
    user_key(user.user_id).update(actions=[UserRow.status.set("disabled")])

    with pytest.raises(LinkDead):
        services.reset_password(secret=secret, password="another lamp entirely", source="", now=now)

    assert queries.user(user_id=user.user_id).password_hash == user.password_hash


def test_a_reset_link_is_dead_when_its_account_is_gone(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    client.post("/accounts/password-reset/", {"email": "ada@example.com"})
    link = link_in(deliver(now)[-1])
    closing.close_account(user=user)
    before = _without_limits()

    assert client.post(link, {"password": "another lamp entirely"}).status_code == 410

    assert _without_limits() == before


def test_nobody_is_written_to_at_an_address_without_an_account(tables: Any, client: Client, now: datetime) -> None:
    assert client.post("/accounts/password-reset/", {"email": "nobody@example.com"}).status_code == 303

    assert deliver(now) == []
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []


PAGES = {
    "verify": {"password": PASSWORD},
    "password-reset": {"password": "another lamp entirely"},
    "email/old": {},
    "email/new": {},
}


def test_the_link_of_a_mail_opens_its_own_page_and_no_other(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    log_in(client)
    client.post("/accounts/register/", {**NAMES, "email": "grace@example.com", "password": PASSWORD})
    client.post("/accounts/password-reset/", {"email": "ada@example.com"})
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    links = [link_in(message) for message in deliver(now)]
    pages = [link.removeprefix("/accounts/").rstrip("/").rpartition("/") for link in links]
    assert {page for page, _, _ in pages} == PAGES.keys()
    before = _without_limits()

    for own, _, secret in pages:
        for page, fields in PAGES.items():
            if page != own:
                assert (own, page, client.post(f"/accounts/{page}/{secret}/", fields).status_code) == (own, page, 410)

    assert _without_limits() == before


def _without_limits() -> list[str]:
    return sorted(str(item) for item in items_of("Users") if item["SK"]["S"] != "LIMIT")


def test_the_table_holds_no_secret_of_a_link(tables: Any, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = secret_in(deliver(now)[-1])

    assert secret not in str(items_of("Users"))


def test_owners_are_told_of_a_changed_password(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    before = raw_user(tables, user)
    log_in(client)
    client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})

    for _ in range(2):
        account_changed(before, raw_user(tables, user), now=now)

    assert [message.subject for message in mail.outbox] == ["Your password at Fernhollow was changed"]


@pytest.mark.parametrize("path", ["password-reset", "verify", "email/old", "email/new"])
def test_a_dead_link_says_so_before_a_form_is_filled_in(tables: Any, client: Client, path: str) -> None:
    answer = client.get(f"/accounts/{path}/{'a' * 43}/")

    assert answer.status_code == 410
    assert "This link does not work any more" in answer.text
    assert "<form" not in answer.text.partition("<main")[2].partition("</main>")[0]


def test_looking_at_a_reset_link_leaves_it_good_until_it_is_used(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    link = link_in(deliver(now)[-1])

    assert [client.get(link).status_code for _ in range(3)] == [200, 200, 200]
    assert client.post(link, {"password": "the lamp on the shelf"}).status_code == 303
    assert client.get(link).status_code == 410


def test_a_request_of_a_kind_that_nobody_knows_fails_and_is_answered_when_it_is_known(tables: Any, now: datetime) -> None:
    user = make_user(now)
    services.request_password_reset(email=user.email, source="", now=now)
    [item] = [item for item in items_of("Users") if item["SK"]["S"] == "REQUEST"]
    before = items_of("Users")

    with pytest.raises(ValueError, match="from-tomorrow"):
        account_changed(None, {**item, "kind": {"S": "from-tomorrow"}}, now=now)

    assert mail.outbox == []
    assert items_of("Users") == before
    account_changed(None, item, now=now)
    assert [message.to for message in mail.outbox] == [[user.email]]
