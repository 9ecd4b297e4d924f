"""Staff find people by the words of their names."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import address_book
from accounts.reactions import account_changed
from shop.lib.viewer import Viewer
from tests.accounts.people import deliver, make_user, raw_user
from tests.conftest import counted_calls, items_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


def test_a_customer_is_found_by_whole_words_of_the_name_as_it_is_now(
    client: Client, sign_in: SignIn, tables: Any, now: datetime
) -> None:
    zoe = make_user(now, email="zoe@example.com", first_name="Zoë", last_name="Brontë-Okafor")
    make_user(now + timedelta(minutes=1), email="emily@example.com", first_name="Emily", last_name="Brontë")
    deliver(now)
    sign_in(client, "customers.view")

    def found(words: str) -> list[str]:
        page = client.get("/staff/customers/", {"q": words}).content.decode()
        return [name for name in ("zoe", "emily") if f"{name}@example.com" in page]

    assert found("zoe OKAFOR") == ["zoe"]
    assert found("bronte") == ["zoe", "emily"]
    assert [found(words) for words in ("Emily Okafor", "bront", "%")] == [[], [], []]
    before = raw_user(tables, zoe)
    address_book.change_name(user_id=zoe.user_id, first_name="Zoë", last_name="Marsh", phone="")
    account_changed(before, raw_user(tables, zoe), now=now)
    assert [found("okafor"), found("zoe marsh")] == [[], ["zoe"]]
    account_changed(raw_user(tables, zoe), None, now=now)
    assert [item for item in items_of("Users") if item["PK"]["S"].startswith("NAME#") and zoe.user_id in item["SK"]["S"]] == []


def test_a_search_by_name_costs_a_query_a_word_and_one_batch(client: Client, sign_in: SignIn, now: datetime) -> None:
    for number in range(60):
        make_user(now + timedelta(minutes=number), email=f"ada{number}@example.com", password_hash="-")
    deliver(now)
    sign_in(client, "customers.view")

    with counted_calls() as calls:
        page = client.get("/staff/customers/", {"q": "ada lovelace"}).content.decode()

    assert calls == ["Query", "Query", "BatchGetItem", "GetItem"]  # the last for the filters that are kept
    assert page.count("/staff/customers/user-") == 50
