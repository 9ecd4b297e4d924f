"""Which passwords are taken, and how they are kept."""

from datetime import datetime
from typing import Any

import bcrypt
import pytest
from django.test import Client

from accounts import passwords, queries, services
from accounts.domain import BadPassword
from accounts.models import UserRow
from tests.accounts.people import PASSWORD, log_in
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


def test_none_of_the_commonest_is_taken() -> None:
    commonest = sorted(passwords._common_passwords().passwords)
    assert len(commonest) > 3000
    for password in commonest[:: len(commonest) // 3000]:
        with pytest.raises(BadPassword):
            services.require_password(password, about=())


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


def test_the_specifications_hash_signs_in_and_is_made_anew(tables: Any, client: Client, now: datetime) -> None:
    import json

    item = {**json.loads(USER), "passwordHash": bcrypt.hashpw(b"paper lantern", bcrypt.gensalt(10)).decode()}
    UserRow.from_raw_data(_raw(item)).save()
    assert item["passwordHash"].startswith("$2b$10$")

    assert log_in(client, "customer@example.com", "paper lantern").status_code == 303

    after = queries.user_by_email(email="customer@example.com")
    assert after.user_id == "user-456"
    assert after.password_hash.startswith("$2b$04$")
    assert log_in(Client(), "customer@example.com", "paper lantern").status_code == 303
    assert [item["userId"]["S"] for item in items_of("Users") if item["PK"]["S"] == "EMAIL#customer@example.com"] == ["user-456"]


def _raw(item: dict[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeSerializer

    keys = {"GSI1PK": f"EMAIL#{item['email']}", "GSI1SK": f"USER#{item['userId']}"}
    return dict(TypeSerializer().serialize({**item, **keys})["M"])
