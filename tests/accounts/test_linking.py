"""Who comes in by the user pool and which account that opens, without the pool: what is lost to somebody quicker, and the end."""

from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts import closing, linking, queries
from accounts.domain import Proven, Role, User
from accounts.limits import LIMITS, Kind, count_try
from accounts.linking import NotLetIn
from accounts.models import UserRow, user_key
from accounts.queries import UserNotFound
from accounts.reactions import account_changed
from shop.lib.viewer import Permission
from tests.accounts.people import log_in, make_user, raw_user, trail_of
from tests.conftest import items_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

AT_THIS_MOMENT = "Your account changed at this very moment. Please try once more."
EDITS = frozenset({Permission.PRODUCTS_VIEW, Permission.STOCK_EDIT})


@pytest.fixture(autouse=True)
def groups(settings: Settings) -> None:
    settings.COGNITO_GROUPS = {"admin": frozenset(Permission), "warehouse": EDITS}


def person(*groups: str, **told: Any) -> Proven:
    """Ada, as the pool vouches for her."""
    return Proven(
        **{
            "subject": "subject-1",
            "email": "ada@example.com",
            "is_email_verified": True,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "groups": frozenset(groups or ("warehouse",)),
            **told,
        }
    )


def come_in(now: datetime, *groups: str, **told: Any) -> User:
    return linking.account_of(person=person(*groups, **told), now=now)


def make_admin(user: User) -> None:
    """What another admin does at this moment."""
    user_key(user.user_id).update(actions=[UserRow.role.set("admin")])


@pytest.mark.parametrize("email", ["", "nonsense"])
def test_who_has_no_address_there_gets_no_account(now: datetime, email: str) -> None:
    with pytest.raises(NotLetIn) as refused:
        come_in(now, email=email)

    assert str(refused.value) == "Your account there has no e-mail address. An admin can add one."
    assert items_of("Users") == []


def test_an_account_that_changes_at_this_moment_is_not_linked(now: datetime) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"stock.edit"}))

    with run_before("TransactWriteItems", lambda: make_admin(user)), pytest.raises(NotLetIn) as refused:
        come_in(now)

    assert str(refused.value) == AT_THIS_MOMENT
    assert (queries.user(user_id=user.user_id).subject, trail_of(user)) == ("", [])
    with pytest.raises(UserNotFound):
        queries.user_of_subject(subject="subject-1")
    assert log_in(Client()).status_code == 303


def test_an_address_taken_at_this_moment_is_not_taken_over(now: datetime) -> None:
    with run_before("TransactWriteItems", lambda: make_user(now)), pytest.raises(NotLetIn) as refused:
        come_in(now)

    assert str(refused.value) == AT_THIS_MOMENT
    assert queries.user_by_email(email="ada@example.com").role is Role.CUSTOMER
    assert [item["PK"]["S"] for item in items_of("Users") if item["PK"]["S"].startswith("SUBJECT#")] == []


def test_rights_that_change_at_this_moment_are_not_written_over(now: datetime) -> None:
    user = come_in(now)

    with run_before("TransactWriteItems", lambda: make_admin(user)), pytest.raises(NotLetIn) as refused:
        come_in(now, "choir")

    assert str(refused.value) == AT_THIS_MOMENT
    assert queries.user(user_id=user.user_id).role is Role.ADMIN
    assert [action for action, _ in trail_of(user)] == ["signed in for the first time"]


def test_the_owner_of_a_linked_account_is_told_by_mail_once(tables: Any, now: datetime) -> None:
    user = make_user(now)
    before = raw_user(tables, user)
    come_in(now)

    for _ in range(2):
        account_changed(before, raw_user(tables, user), now=now)

    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["ada@example.com"], "You sign in to Fernhollow another way now")
    ]


def test_an_account_that_ended_leaves_nothing_that_opens_the_next_one(now: datetime) -> None:
    gone = come_in(now)
    closing.close_account(user=gone)
    assert [item["PK"]["S"] for item in items_of("Users") if item["PK"]["S"].startswith("SUBJECT#")] == []

    again = come_in(now)

    assert again.user_id != gone.user_id
    assert queries.user_of_subject(subject="subject-1") == again


def test_who_comes_back_too_often_is_not_looked_at(client: Client, now: datetime, settings: Settings) -> None:
    settings.COGNITO_SIGNS_IN, settings.COGNITO_SIGN_IN_URL = True, "https://pool.example"
    for _ in range(LIMITS[Kind.LOGIN_SOURCE].free):
        count_try(Kind.LOGIN_SOURCE, "127.0.0.1", now=now)
    state = dict(parse_qsl(urlsplit(client.get("/accounts/cognito/")["Location"]).query))["state"]
    before = items_of("Users")

    answer = client.get("/accounts/cognito/return/", {"state": state, "code": "c"})

    assert (answer.status_code, "That was tried too often. Please wait a minute" in answer.text) == (429, True)
    assert items_of("Users") == before
