"""Name and address book: what is kept, whose it is, and that two tabs lose nothing of each other's."""

import json
import re
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from django.test import Client

from accounts import address_book, closing, queries
from accounts.book_domain import MOST_ADDRESSES, BookFull, with_address, with_default, without_address
from accounts.domain import SavedAddress, User
from shop.lib.tables import table_name
from tests.accounts.people import ADDRESS, log_in, make_user, raw_user
from tests.conftest import items_of, words_of
from tests.rivals import run_before, run_before_each
from tests.spec_items import USER

pytestmark = pytest.mark.usefixtures("tables")

FIELDS = {**ADDRESS, "kind": "shipping"}
ENTRY = SavedAddress("", "shipping", "123 Main St", "New York", "NY", "10001", "US", is_default=False, name="Ada Lovelace")
EXTRAS = {
    "role": "admin",
    "status": "disabled",
    "userId": "user-1",
    "user_id": "user-1",
    "permissions": "staff.manage",
    "email": "eve@example.com",
    "passwordHash": "x",
    "password_hash": "x",
    "credentials": "9",
    "address_id": "addr-mine",
    "stripeCustomerId": "cus_1",
}


@pytest.fixture
def ada(client: Client, now: datetime) -> User:
    user = make_user(now)
    log_in(client)
    return user


def book_of(user: User) -> list[tuple[str, str, bool]]:
    return [(entry.street, entry.kind, entry.is_default) for entry in queries.user(user_id=user.user_id).addresses]


def put(user: User, street: str, now: datetime, **fields: Any) -> str:
    return address_book.add_address(user_id=user.user_id, entry=replace(ENTRY, street=street, **fields), now=now).address_id


def seen_in(page: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', page.text)
    assert found
    return found[1]


def test_an_address_is_added_in_the_specifications_form(tables: Any, client: Client, ada: User) -> None:
    answer = client.post("/accounts/addresses/add/", FIELDS | EXTRAS)

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/addresses/")
    item = raw_user(tables, ada)
    (entry,) = item["addresses"]["L"]
    assert re.fullmatch(r"addr-[0-9a-z]{17}", entry["M"].pop("id")["S"])
    assert entry["M"] == {
        "type": {"S": "shipping"},
        "street": {"S": "123 Main St"},
        "city": {"S": "New York"},
        "state": {"S": "NY"},
        "zipCode": {"S": "10001"},
        "country": {"S": "US"},
        "isDefault": {"BOOL": True},
        "name": {"S": "Ada Lovelace"},
    }
    assert (item["role"], item["status"], item["email"], item["credentials"]) == (
        {"S": "customer"},
        {"S": "active"},
        {"S": "ada@example.com"},
        {"N": "1"},
    )
    assert "permissions" not in item
    assert "123 Main St" in client.get("/accounts/addresses/").text


def test_names_and_phone_change_and_nothing_else_does(tables: Any, client: Client, ada: User) -> None:
    before = raw_user(tables, ada)

    answer = client.post("/accounts/profile/", {"first_name": "Augusta", "last_name": "King", "phone": "+44 20 1"} | EXTRAS)

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/profile/")
    after = raw_user(tables, ada)
    changed = {"firstName": {"S": "Augusta"}, "lastName": {"S": "King"}, "phone": {"S": "+44 20 1"}}
    assert after == before | changed
    assert "Hello, Augusta King" in words_of(client.get("/accounts/").text)
    assert client.post("/accounts/profile/", {"first_name": "A\x00", "last_name": "", "phone": "?"}).status_code == 422
    assert raw_user(tables, ada) == after


def test_each_countrys_rules_hold_and_what_was_typed_stays(client: Client, ada: User) -> None:
    answer = client.post("/accounts/addresses/add/", FIELDS | {"country": "CA", "state": "", "zip_code": "nope"})

    assert answer.status_code == 422
    assert "A postal code in Canada looks like K1A 0B1." in answer.text
    assert "Please fill in the province or territory: the post in Canada needs it." in answer.text
    assert 'value="nope"' in answer.text
    assert book_of(ada) == []


def test_the_first_of_a_kind_is_the_default_and_there_is_always_one(ada: User, now: datetime) -> None:
    first, second = put(ada, "1", now), put(ada, "2", now)
    put(ada, "3", now, kind="billing")
    assert book_of(ada) == [("1", "shipping", True), ("2", "shipping", False), ("3", "billing", True)]

    address_book.make_default(user_id=ada.user_id, address_id=second)
    assert book_of(ada) == [("1", "shipping", False), ("2", "shipping", True), ("3", "billing", True)]

    address_book.remove_address(user_id=ada.user_id, address_id=second)
    assert book_of(ada) == [("1", "shipping", True), ("3", "billing", True)]
    address_book.remove_address(user_id=ada.user_id, address_id=second)
    assert queries.user(user_id=ada.user_id).addresses[0].address_id == first


def test_rules_of_the_book_are_those_of_a_set_with_one_default_a_kind() -> None:
    entries = [replace(ENTRY, address_id=f"addr-{number}", street=str(number)) for number in range(MOST_ADDRESSES)]
    book: tuple[SavedAddress, ...] = ()
    for entry in entries:
        book = with_address(book, entry)

    with pytest.raises(BookFull):
        with_address(book, replace(ENTRY, address_id="addr-new"))
    assert with_address(book, entries[3]) == book
    for changed in (
        with_default(book, "addr-7"),
        without_address(book, "addr-0"),
        with_address(book, replace(book[2], is_default=True)),
    ):
        assert [entry.is_default for entry in changed].count(True) == 1


def test_a_full_book_takes_no_more_and_says_so(client: Client, ada: User, now: datetime) -> None:
    for number in range(MOST_ADDRESSES):
        put(ada, f"{number}", now)

    answer = client.post("/accounts/addresses/add/", FIELDS)

    assert answer.status_code == 422
    assert "Your address book is full: it holds 20." in answer.text
    assert len(book_of(ada)) == MOST_ADDRESSES


def test_two_tabs_that_change_different_addresses_both_win(ada: User, now: datetime) -> None:
    first, second = put(ada, "1", now), put(ada, "2", now)

    with run_before("UpdateItem", lambda: address_book.make_default(user_id=ada.user_id, address_id=second)):
        put(ada, "3", now)
    with run_before("UpdateItem", lambda: address_book.remove_address(user_id=ada.user_id, address_id=first)):
        address_book.remove_address(user_id=ada.user_id, address_id=second)

    assert book_of(ada) == [("3", "shipping", True)]


def test_who_is_never_the_quickest_is_told_and_adds_nothing(client: Client, ada: User, now: datetime) -> None:
    others = count(1)

    with run_before_each("UpdateItem", lambda: put(ada, f"Other {next(others)}", now)) as calls:
        answer = client.post("/accounts/addresses/add/", FIELDS | {"street": "Mine"})

    assert (answer.status_code, calls.count("UpdateItem")) == (503, 8)
    assert [street for street, *_ in book_of(ada)] == [f"Other {number}" for number in range(1, 9)]


def test_a_name_is_not_given_to_an_account_that_ends_at_this_moment(client: Client, ada: User) -> None:
    with run_before("UpdateItem", lambda: closing.close_account(user=ada)):
        answer = client.post("/accounts/profile/", {"first_name": "Augusta", "last_name": "King", "phone": ""})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert [item for item in items_of("Users") if item["PK"]["S"] == f"USER#{ada.user_id}"] == []


def test_the_later_of_two_tabs_with_one_address_is_told_and_writes_nothing(client: Client, ada: User, now: datetime) -> None:
    address_id = put(ada, "1", now)
    url = f"/accounts/addresses/{address_id}/"
    seen = seen_in(client.get(url))

    assert client.post(url, FIELDS | {"street": "Mine", "seen": seen}).status_code == 303
    late = client.post(url, FIELDS | {"street": "Too late", "seen": seen})

    assert late.status_code == 409
    assert "This address was changed meanwhile" in words_of(late.text)
    assert 'value="Mine"' in late.text
    assert [street for street, *_ in book_of(ada)] == ["Mine"]
    assert client.post(url, FIELDS | {"street": "Once more", "seen": seen_in(late)}).status_code == 303
    assert [street for street, *_ in book_of(ada)] == ["Once more"]


def test_a_change_whose_reply_was_lost_is_done_once(ada: User, now: datetime, lost_reply: Any) -> None:
    calls = lost_reply("UpdateItem")

    put(ada, "1", now)

    assert calls.count("UpdateItem") == 2
    assert book_of(ada) == [("1", "shipping", True)]


@pytest.mark.parametrize("way", ["", "default/"])
def test_the_address_of_another_person_is_not_found(client: Client, ada: User, now: datetime, way: str) -> None:
    grace = make_user(now, email="grace@example.com")
    hers = put(grace, "Hers", now)

    assert client.get(f"/accounts/addresses/{hers}/").status_code == 404
    assert client.post(f"/accounts/addresses/{hers}/{way}", FIELDS).status_code == 404
    client.post(f"/accounts/addresses/{hers}/remove/")

    assert book_of(grace) == [("Hers", "shipping", True)]
    assert book_of(ada) == []


@pytest.mark.parametrize("path", ["profile/", "addresses/", "addresses/add/", "addresses/addr-1/"])
def test_guests_are_asked_to_sign_in(client: Client, path: str) -> None:
    answer = client.get(f"/accounts/{path}")

    assert answer.status_code == 303
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert items_of("Users") == []


def test_hostile_text_is_shown_as_it_was_typed(client: Client, ada: User) -> None:
    hostile = "<script>alert(1)</script>\"'{{7*7}}"
    client.post("/accounts/addresses/add/", FIELDS | {"name": hostile, "city": "São Paulo 東京 \u202egnihton"})

    page = client.get("/accounts/addresses/").text

    assert "<script>alert" not in page
    assert hostile in words_of(page)


def test_an_address_another_system_wrote_is_offered_and_changed(tables: Any, client: Client, ada: User, now: datetime) -> None:
    entry = {
        name: {"BOOL": value} if isinstance(value, bool) else {"S": value}
        for name, value in json.loads(USER)["addresses"][0].items()
    }
    tables.update_item(
        TableName=table_name("Users"),
        Key={"PK": {"S": f"USER#{ada.user_id}"}, "SK": {"S": "PROFILE"}},
        UpdateExpression="SET addresses = :book",
        ExpressionAttributeValues={":book": {"L": [{"M": entry}]}},
    )

    page = client.get("/accounts/addresses/addr-1/")

    assert '<option value="US" selected>' in page.text
    assert "United States" in client.get("/accounts/addresses/").text
    assert client.post("/accounts/addresses/addr-1/", FIELDS | {"seen": seen_in(page), "city": "Albany"}).status_code == 303
    (kept,) = queries.user(user_id=ada.user_id).addresses
    assert (kept.address_id, kept.city, kept.country, kept.is_default) == ("addr-1", "Albany", "US", True)
