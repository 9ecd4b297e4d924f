"""The first admin comes from the command line."""

import io
import sys
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts import queries
from accounts.domain import Role
from shop.lib.viewer import Permission
from tests.accounts.people import PASSWORD, make_user
from tests.conftest import items_of

NAMES = {"first_name": "Ada", "last_name": "Lovelace"}


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str, password: str = PASSWORD, **options: Any) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    said = StringIO()
    call_command("createstaff", *arguments, stdout=said, **options)
    return said.getvalue()


def test_the_first_admin_is_made(tables: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, "boss@example.com", role="admin", **NAMES)

    user = queries.user_by_email(email="boss@example.com")
    assert (user.role, user.permissions) == (Role.ADMIN, frozenset(Permission))


def test_an_account_is_given_rights_and_keeps_its_password(tables: Any, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    user = make_user(now)

    _run(monkeypatch, "ADA@example.com", permissions=["orders.view"])

    after = queries.user(user_id=user.user_id)
    assert (after.role, after.permissions, after.password_hash) == (
        Role.STAFF,
        frozenset({Permission.ORDERS_VIEW}),
        user.password_hash,
    )


@pytest.mark.parametrize(
    ("options", "password", "words"),
    [
        ({**NAMES, "permissions": ["staff.manage"]}, PASSWORD, "The role staff cannot have: staff.manage."),
        ({}, PASSWORD, "There is no such account. To make one, give --first-name and --last-name."),
        (NAMES, "short", "Please use 8 characters or more. A few words in a row are easy to remember."),
    ],
)
def test_what_makes_no_sense_is_refused(
    tables: Any, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], password: str, words: str
) -> None:
    with pytest.raises(CommandError) as refusal:
        _run(monkeypatch, "boss@example.com", password=password, **options)

    assert str(refusal.value) == words
    assert items_of("Users") == []
