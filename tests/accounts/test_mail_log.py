"""The log of mails about accounts: under whom they lie, what staff see of them, and that they go with the account."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from accounts import closing, queries, services
from shop.lib import mail_log
from shop.lib.viewer import Viewer
from tests.accounts.people import deliver, make_user, session_of
from tests.conftest import items_of, words_of
from tests.rivals import fails, run_around

SignIn = Callable[..., Viewer]


def logged() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"].startswith("MAIL#")]


def test_mails_lie_under_the_person_and_a_strangers_under_the_wish(
    tables: Any, unlimited: None, client: Client, sign_in: SignIn, now: datetime
) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    services.register(
        email="new.person@example.com", password="a lamp of clay", first_name="New", last_name="P", source="", now=now
    )
    deliver(now)

    assert [(mail.kind, mail.to, mail.tries) for mail in queries.mails_to(user_id=user.user_id)] == [
        ("reset", "ad…@example.com", 1)
    ]
    assert sorted((item["PK"]["S"].split("#")[0], item["kind"]["S"]) for item in logged()) == [
        ("REQUEST", "verify"),
        ("USER", "reset"),
    ]
    assert "new.person" not in str(logged())
    sign_in(client, "mails.view", "customers.view")
    page = words_of(client.get("/staff/mails/?of=accounts").text)
    assert f"New password ad…@example.com {user.user_id} Sent 1" in page
    assert "Confirm an address ne…@example.com a new account Sent 1" in page
    assert "New password Sent" in words_of(client.get(f"/staff/customers/{user.user_id}/").text)
    sign_in(client, "customers.view")
    assert "New password Sent" not in words_of(client.get(f"/staff/customers/{user.user_id}/").text)


def test_the_log_goes_with_the_account(tables: Any, unlimited: None, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise OSError("no mail today")

    user, other = make_user(now), make_user(now, email="eve@example.com")
    services.request_password_reset(email=user.email, source="", now=now)
    with monkeypatch.context() as patched:
        patched.setattr(EmailMultiAlternatives, "send", refuse)
        with pytest.raises(OSError, match="no mail today"):
            deliver(now)
    assert [one.subject for one in queries.failed_mails().items] == [f"USER#{user.user_id}"]
    services.request_password_reset(email=other.email, source="", now=now)
    deliver(now)

    closing.close_account(user=user, session_id=session_of(user, now).session_id)

    assert [item["PK"]["S"] for item in logged()] == [f"USER#{other.user_id}"]
    assert queries.failed_mails().items == ()


def test_a_mail_that_could_not_be_noted_is_out_and_does_not_go_again(tables: Any, unlimited: None, now: datetime) -> None:
    user = make_user(now)
    services.request_password_reset(email=user.email, source="", now=now)

    with run_around(mail_log, "_write", fails(OSError("no log today")), when="before"):
        assert [message.to for message in deliver(now)] == [["ada@example.com"]]

    assert (deliver(now), logged()) == ([], [])
