"""People with accounts, and what the stream does when their rows change."""

import re
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from typing import Any

from django.core import mail
from django.test import Client

from accounts import passwords, queries, services
from accounts.domain import Role, Session, User, UserStatus
from accounts.limits import TooManyTries
from accounts.queries import LinkDead
from accounts.reactions import account_changed
from accounts.services import EmailTaken
from shop.lib.ids import new_id
from shop.lib.tables import table_name
from shop.lib.transactions import Refused
from tests.conftest import items_of

PASSWORD = "quiet lamp, warm clay"
ADDRESS = {
    "country": "US",
    "name": "Ada Lovelace",
    "street": "123 Main St",
    "street2": "",
    "city": "New York",
    "state": "NY",
    "zip_code": "10001",
}
"""As it is typed into a form."""


def make_user(now: datetime, *, email: str = "ada@example.com", password: str = PASSWORD, **fields: Any) -> User:
    """An account, open and confirmed."""
    user = User(
        **{
            "user_id": new_id("user", now),
            "email": email,
            "first_name": "Ada",
            "last_name": "Lovelace",
            "role": Role.CUSTOMER,
            "status": UserStatus.ACTIVE,
            "created_at": now,
            "password_hash": passwords.hashed(password),
            "credentials": 1,
            **fields,
        }
    )
    services.add_user(user=user, now=now)
    return user


def session_of(user: User, now: datetime, **fields: Any) -> Session:
    """A session somebody began this moment, kept nowhere."""
    return Session(
        **{
            "session_id": "ses-1",
            "user_id": user.user_id,
            "current": "token-1",
            "previous": "",
            "rotated_at": now,
            "credentials": user.credentials,
            "is_long": True,
            "factor": "",
            "user_agent": "",
            "source": "",
            "created_at": now,
            "seen_at": now,
            "expires_at": now + timedelta(days=1),
            **fields,
        }
    )


def log_in(client: Client, email: str = "ada@example.com", password: str = PASSWORD, **more: Any) -> Any:
    """The answer to the login form."""
    return client.post("/accounts/login/", {"email": email, "password": password, **more})


def deliver(now: datetime) -> list[mail.EmailMultiAlternatives]:
    """Let the stream see every row that is new; the mails it sends."""
    before = len(mail.outbox)
    for item in items_of("Users"):
        account_changed(None, item, now=now)
    return mail.outbox[before:]  # type: ignore[return-value]  # every mail here has both forms


def link_in(message: Any) -> str:
    """The path of the link in a mail."""
    found = re.search(r"^http://testserver(/accounts/\S+)$", str(message.body), re.MULTILINE)
    assert found, message.body
    return found[1]


def raw_user(tables: Any, user: User) -> dict[str, Any]:
    """The item of somebody, as it lies in the table."""
    key = {"PK": {"S": f"USER#{user.user_id}"}, "SK": {"S": "PROFILE"}}
    return dict(tables.get_item(TableName=table_name("Users"), Key=key, ConsistentRead=True)["Item"])


def trail_of(user: User) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """What the audit trail says was done to somebody, and what each of it changed."""
    entries = queries.entries_about(user_id=user.user_id).items
    return [(entry.action, [(one.field, one.before, one.after) for one in entry.changes]) for entry in entries]


def secret_in(message: Any) -> str:
    """The secret in the link of a mail."""
    return link_in(message).rstrip("/").rpartition("/")[2]


def at_once(times: int, act: Callable[[int], object]) -> Counter[str]:
    """What came of doing something so many times, all beginning at one moment."""
    start = Barrier(times)

    def outcome(number: int) -> str:
        start.wait()
        try:
            act(number)
        except (EmailTaken, LinkDead, TooManyTries, Refused) as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(times) as pool:
        return Counter(pool.map(outcome, range(times)))
