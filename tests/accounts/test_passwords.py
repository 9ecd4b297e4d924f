"""Which passwords are taken, and how they are kept."""

import gzip
import json
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any

import bcrypt
import pytest
from django.contrib.auth import password_validation
from django.test import Client
from pytest_django import Settings

from accounts import passwords, queries, services
from accounts.domain import BadPassword
from accounts.models import UserRow, user_key
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user
from tests.conftest import items_of
from tests.spec_items import USER

LONG = "lamp " * 20


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("x7!kQ2z", False),  # 7
        ("x7!kQ2zp", True),  # 8
        ("é" * 7, False),  # 14 bytes, but 7 characters
        ("kiln mug lamp vase " * 3 + "cup bowl", True),  # 64
        ("a" + "lamp clay " * 7 + "xy", True),  # 73
        ("lamp clay " * 102 + "wxyz", True),  # 1024
        ("lamp clay " * 102 + "wxyz!", False),
        ("lamp clay " * 410, False),  # 4 KB
        ("lamp\0clay\0warm", True),
        ("🪔🏺🍵🧺🪑🛋️🖼️🕯️", True),
        ("password", False),
        ("12345678", False),
        ("ada@example.com", False),
        ("Lovelace1815", False),
        ("\ud800lamp clay warm", True),  # half a character, as a script may send
    ],
)
def test_which_passwords_are_taken(password: str, is_taken: bool) -> None:
    def require() -> None:
        services.require_password(password, about=("ada@example.com", "Ada", "Lovelace"))

    if is_taken:
        require()
        assert passwords.is_right(password, passwords.hashed(password))
    else:
        with pytest.raises(BadPassword):
            require()


def test_none_of_the_three_thousand_commonest_is_taken() -> None:
    with gzip.open(
        str(password_validation.CommonPasswordValidator().DEFAULT_PASSWORD_LIST_PATH), "rt", encoding="utf-8"
    ) as listed:
        commonest = [line.strip() for line in islice(listed, 3000)]
    assert commonest[:3] == ["123456", "123456789", "qwerty"]  # the commonest first

    taken = []
    for password in commonest:
        for typed in (password, password.upper()):
            with suppress(BadPassword):
                services.require_password(typed, about=())
                taken.append(typed)

    assert taken == []


@pytest.mark.parametrize(
    ("password", "is_taken"),
    [
        ("x7!kQ2z", False),  # 7 bytes
        ("x7!kQ2zp", True),  # 8
        ("kiln mug lamp vase " * 3 + "cup bow", True),  # 64
        ("a" + "lamp clay " * 7 + "xy", True),  # 73
        ("lamp clay " * 409 + "lamp c", False),  # 4 KB
        ("lamp\0clay\0warm", False),  # a form field takes no NUL; a program's may
        ("🪔🏺🍵🧺🪑🛋️🖼️🕯️", True),
        ("password", False),
    ],
    ids=["7", "8", "64", "73", "4 KB", "NUL", "emoji", "common"],
)
def test_the_register_page_answers_every_password_and_one_that_is_taken_signs_in_whole(
    tables: Any, client: Client, now: datetime, password: str, is_taken: bool
) -> None:
    details = {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "password": password}

    answer = client.post("/accounts/register/", details)

    assert answer.status_code == (303 if is_taken else 422)
    sent = deliver(now)
    assert len(sent) == int(is_taken)
    for message in sent:
        assert client.post(link_in(message), {"password": password[:-1]}).status_code == 422
        assert client.post(link_in(message), {"password": password}).status_code == 303
        assert log_in(Client(), password=password).status_code == 303
        for other in (password[:-1], password + "x", password[:72] + "y" * (len(password) > 72)):
            if other != password:
                assert log_in(Client(), password=other).status_code == 422
    # At the login page whatever is typed is a wrong password and no more.
    assert log_in(Client(), "grace@example.com", password).status_code == 422


@pytest.mark.parametrize("tail", ["", "x", "\0"])
def test_no_part_of_a_long_password_is_left_out(tail: str) -> None:
    kept = passwords.hashed(LONG + "1" + tail)

    assert kept.startswith("$2b$")
    assert passwords.is_right(LONG + "1" + tail, kept)
    assert not passwords.is_right(LONG + "2" + tail, kept)
    assert not passwords.is_right(LONG[:72], kept)


def test_one_password_typed_in_two_ways_of_unicode_is_one() -> None:
    assert passwords.is_right("Caf\u00e9 lamps", passwords.hashed("Cafe\u0301 lamps"))


@pytest.mark.parametrize("kept", [None, "", "plain", "$2b$10$short", "$1$abc$def", "$2b$99$" + "a" * 53])
def test_what_is_no_hash_lets_nobody_in(kept: str | None) -> None:
    assert not passwords.is_right(PASSWORD, kept)


def test_the_specifications_hash_signs_in_and_is_upgraded(tables: Any, client: Client, now: datetime, settings: Settings) -> None:
    settings.PASSWORD_COST = 12
    item = {**json.loads(USER), "passwordHash": bcrypt.hashpw(b"paper lantern", bcrypt.gensalt(10)).decode()}
    UserRow.from_raw_data(_raw(item)).save()
    assert item["passwordHash"].startswith("$2b$10$")

    assert log_in(client, "customer@example.com", "paper lanterns").status_code == 422
    assert queries.user_by_email(email="customer@example.com").password_hash == item["passwordHash"]
    assert log_in(client, "customer@example.com", "paper lantern").status_code == 303

    after = queries.user_by_email(email="customer@example.com")
    assert after.user_id == "user-456"
    assert after.password_hash.startswith("$2b$12$")
    assert log_in(Client(), "customer@example.com", "paper lantern").status_code == 303
    assert [item["userId"]["S"] for item in items_of("Users") if item["PK"]["S"] == "EMAIL#customer@example.com"] == ["user-456"]


def test_a_password_changed_during_the_upgrade_is_not_undone(tables: Any, now: datetime) -> None:
    user = make_user(now)
    changed = passwords.hashed("another lamp entirely")
    user_key(user.user_id).update(actions=[UserRow.password_hash.set(changed)])

    services.keep_newer_hash(user=user, password=PASSWORD)

    assert queries.user(user_id=user.user_id).password_hash == changed


def _raw(item: dict[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer

    keys = {"GSI1PK": f"EMAIL#{item['email']}", "GSI1SK": f"USER#{item['userId']}"}
    return dict(TypeSerializer().serialize({**item, **keys})["M"])
