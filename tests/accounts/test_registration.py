"""Opening an account: one for all spellings of an address, whoever else registers at the same moment."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from accounts import closing, queries, services
from accounts.cookies import ACCESS_COOKIE
from accounts.domain import BadEmail, normalised_email
from accounts.limits import TooManyTries
from accounts.reactions import account_changed
from tests.accounts.people import PASSWORD, at_once, deliver, link_in, log_in, make_user, secret_in
from tests.conftest import items_of, words_of
from tests.rivals import run_before

SPELLINGS = (
    "ada@example.com",
    "Ada@Example.COM",
    "ADA@EXAMPLE.COM",
    " ada@example.com ",
    "ａｄａ@example.com",
    "ada@example.com.",
    "ada@ｅｘａｍｐｌｅ.com",
    "\u1d2cda@example.com",
)


@pytest.mark.parametrize("email", SPELLINGS)
def test_all_spellings_of_an_address_are_one(email: str) -> None:
    assert normalised_email(email) == "ada@example.com"


@pytest.mark.parametrize(
    "email", ["", "ada", "@example.com", "ada@", "ada@exa mple.com", "ad a@example.com", "a@" + "b" * 64 + ".com"]
)
def test_what_is_nobodys_address_is_refused(email: str) -> None:
    with pytest.raises(BadEmail):
        normalised_email(email)


def test_an_address_is_one_in_capitals_that_have_no_letter_of_their_own() -> None:
    assert normalised_email("\u03aa\u0301@example.com") == normalised_email("\u0390@example.com") == "\u0390@example.com"


@pytest.mark.parametrize("email", ["ada", "ada@", "ada@" + "b" * 64 + ".com"])
def test_what_is_wrong_with_an_address_is_told_once(client: Client, email: str) -> None:
    answer = client.post("/accounts/register/", {"first_name": "Ada", "last_name": "L", "email": email, "password": PASSWORD})

    assert answer.status_code == 422
    assert len(answer.context["form"].errors["email"]) == 1


def _profiles() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"]


def test_fifty_registrations_of_one_address_at_once_make_one_account(tables: Any, unlimited: None, now: datetime) -> None:
    def ask(number: int) -> None:
        services.register(
            email=SPELLINGS[number % len(SPELLINGS)], first_name="Ada", last_name="L", password=PASSWORD, source="", now=now
        )

    assert at_once(50, ask) == {"done": 50}
    assert _profiles() == []
    secrets = [secret_in(message) for message in deliver(now)]
    assert len(set(secrets)) == 50

    def follow(number: int) -> None:
        services.open_account(secret=secrets[number], password=PASSWORD, source="", now=now)

    assert at_once(50, follow) == {"done": 1, "EmailTaken": 49}
    assert len(_profiles()) == 1
    assert queries.registered(first=now.date() - timedelta(days=40), last=now.date()) == {now.date(): 1}


def test_one_link_followed_twice_at_the_same_moment_opens_one_account(tables: Any, client: Client, now: datetime) -> None:
    services.register(email="ada@example.com", first_name="Ada", last_name="L", password=PASSWORD, source="", now=now)
    link = link_in(deliver(now)[-1])

    with run_before("TransactWriteItems", lambda: Client().post(link, {"password": PASSWORD})):
        answer = client.post(link, {"password": PASSWORD})

    assert (answer.status_code, ACCESS_COOKIE in client.cookies) == (410, False)
    assert len(_profiles()) == 1
    assert queries.registered(first=now.date(), last=now.date()) == {now.date(): 1}


def test_the_second_of_two_links_to_one_address_leads_to_the_login(tables: Any, client: Client, now: datetime) -> None:
    for _ in range(2):
        services.register(email="ada@example.com", first_name="Ada", last_name="L", password=PASSWORD, source="", now=now)
    first, second = (link_in(message) for message in deliver(now))
    assert Client().post(first, {"password": PASSWORD}).status_code == 303
    before = _profiles()

    answer = client.post(second, {"password": PASSWORD}, follow=True)

    assert answer.redirect_chain == [("/accounts/login/", 303)]
    assert "You have an account already. Please sign in." in words_of(answer.text)
    assert ACCESS_COOKIE not in client.cookies
    assert _profiles() == before


def test_who_merely_owns_the_mailbox_does_not_guess_the_password(tables: Any, now: datetime) -> None:
    services.register(email="ada@example.com", first_name="Ada", last_name="L", password=PASSWORD, source="", now=now)
    secret = secret_in(deliver(now)[-1])

    for number in range(5):
        with pytest.raises(services.WrongPassword):
            services.open_account(secret=secret, password=f"guess {number}", source="", now=now)
    with pytest.raises(TooManyTries):
        services.open_account(secret=secret, password=PASSWORD, source="", now=now)

    assert _profiles() == []


def test_a_mail_is_sent_once_though_its_record_comes_twice(tables: Any, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)

    assert [len(deliver(now)), len(deliver(now))] == [1, 0]


def test_a_sign_in_of_an_account_that_is_gone_by_now_keeps_no_record_back(tables: Any, now: datetime) -> None:
    user = make_user(now)
    for _ in range(2):
        assert log_in(Client()).status_code == 303
    [news] = [item for item in items_of("Users") if item.get("isNewDevice", {}).get("BOOL")]
    closing.close_account(user=user, session_id=news["SK"]["S"].removeprefix("SESSION#"))

    account_changed(None, news, now=now)

    assert mail.outbox == []


def test_mails_to_an_address_nobody_has_confirmed_carry_no_words_of_who_asked(tables: Any, client: Client, now: datetime) -> None:
    spam = "Win at https://spam.example/win"
    details = {"first_name": spam, "last_name": spam, "email": "stranger@example.com", "password": PASSWORD}
    assert client.post("/accounts/register/", details).status_code == 303
    make_user(now, first_name=spam)
    assert log_in(client).status_code == 303
    assert client.post("/accounts/email/", {"email": "other@example.com", "password": PASSWORD}).status_code == 303

    sent = {message.to[0]: message for message in deliver(now)}

    assert {"stranger@example.com", "other@example.com"} <= set(sent)
    for address in ("stranger@example.com", "other@example.com"):
        assert "spam.example" not in sent[address].body + str(sent[address].alternatives)


def test_an_old_request_is_not_answered(tables: Any, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)

    assert deliver(now + timedelta(days=3)) == []
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []
