"""Registering, signing in and out, as a browser sees it."""

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest
from boto3.dynamodb.types import TypeSerializer
from django.test import Client

from accounts import passwords
from accounts.domain import Role, UserStatus
from accounts.models import UserRow
from shop.lib.http import local_path
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user
from tests.conftest import counted_calls, items_of, words_of
from tests.spec_items import USER

NEW = {"first_name": "Ada", "last_name": "Lovelace", "email": "Ada@Example.com", "password": PASSWORD}


def _users() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"]


def test_registering_opens_an_account_by_the_mailed_link_and_the_password(tables: Any, client: Client, now: datetime) -> None:
    answer = client.post("/accounts/register/", NEW)
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/register/sent/")
    assert _users() == []

    (message,) = deliver(now)
    assert message.to == ["Ada@Example.com"]
    link = link_in(message)
    assert client.get(link).status_code == 200
    assert _users() == []

    assert client.post(link, {"password": "not the password"}).status_code == 422
    assert _users() == []

    answer = client.post(link, {"password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/")
    (user,) = _users()
    assert (user["email"], user["role"], user["status"]) == ({"S": "Ada@Example.com"}, {"S": "customer"}, {"S": "active"})
    assert user["passwordHash"]["S"].startswith("$2b$")
    page = words_of(client.get("/accounts/").content.decode())
    assert "Welcome, Ada. Your account is open and you are signed in." in page
    assert "Hello, Ada Lovelace" in page
    assert client.post(link, {"password": PASSWORD}).status_code == 410


def test_signing_in_and_out(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)

    answer = log_in(client, "ADA@example.com", next="/cart/")
    assert (answer.status_code, answer["Location"]) == (303, "/cart/")
    assert client.get("/accounts/").status_code == 200

    assert client.post("/accounts/logout/").status_code == 303
    answer = client.get("/accounts/")
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Faccounts%2F")
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


def test_a_forgotten_password_is_set_anew(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    other = Client()
    log_in(other)

    assert client.post("/accounts/password-reset/", {"email": "ada@example.com"}).status_code == 303
    (message,) = deliver(now)
    answer = client.post(link_in(message), {"password": "another lamp entirely"})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert log_in(client).status_code == 422
    assert log_in(client, password="another lamp entirely").status_code == 303
    assert other.get("/accounts/sessions/").status_code == 303


# --- What strangers may not learn or do --------------------------------------------------------------------------------

_VARYING = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')


def _same(answer: Any, email: str) -> tuple[int, str, dict[str, str]]:
    """An answer without what differs at every look: the form's token."""
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    return answer.status_code, _VARYING.sub("", answer.content.decode()).replace(email, "ada@example.com"), headers


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/accounts/login/", {"password": "a wrong guess"}),
        ("/accounts/register/", {"first_name": "Ada", "last_name": "Lovelace", "password": PASSWORD}),
        ("/accounts/password-reset/", {}),
    ],
)
def test_known_and_unknown_addresses_get_the_same_answer_by_the_same_hashes_and_table_calls(
    tables: Any, hashes: list[bytes], now: datetime, path: str, fields: dict[str, str]
) -> None:
    make_user(now)
    make_user(now, email="edith@example.com", status=UserStatus.DISABLED)
    _import("ivan@example.com")
    Client().get("/cart/")  # the menu is kept from now on
    outcomes = []
    for email in ("ada@example.com", "edith@example.com", "ivan@example.com", "grace@example.com"):
        hashes.clear()
        with counted_calls() as calls:
            answer = Client().post(path, {"email": email, **fields})
        outcomes.append((_same(answer, email), list(hashes), list(calls)))

    assert outcomes[0][2]
    assert outcomes == [outcomes[0]] * 4


def _import(email: str) -> None:
    """An account as another system writes it: it claims no address, the index alone knows it."""
    item = {**json.loads(USER), "email": email, "GSI1PK": f"EMAIL#{email}", "passwordHash": passwords.hashed(PASSWORD)}
    UserRow.from_raw_data(TypeSerializer().serialize(item)["M"]).save()


def test_who_registers_again_is_written_to_and_nothing_changes(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    before = _users()

    client.post("/accounts/register/", {**NEW, "password": "some other clay lamp"})

    assert [message.subject for message in deliver(now)] == ["You have a Fernhollow account already"]
    assert _users() == before


EXTRAS = {
    "role": "admin",
    "status": "active",
    "user_id": "user-1",
    "userId": "user-1",
    "permissions": "staff.manage",
    "granted": "staff.manage",
    "is_staff": "true",
    "credentials": "99",
    "password_hash": "$2b$04$" + "a" * 53,
    "email_verified": "true",
    "created_at": "2020-01-01T00:00:00Z",
    "stripe_customer_id": "cus_1",
}


def test_what_no_form_asks_for_changes_nothing(tables: Any, client: Client, now: datetime) -> None:
    client.post("/accounts/register/", {**NEW, **EXTRAS})
    client.post(link_in(deliver(now)[-1]), {"password": PASSWORD, **EXTRAS})
    (made,) = _users()
    assert {name: made.get(name) for name in ("role", "permissions", "credentials", "stripeCustomerId", "secondFactor")} == {
        "role": {"S": "customer"},
        "permissions": None,
        "credentials": {"N": "1"},
        "stripeCustomerId": None,
        "secondFactor": None,
    }
    assert made["userId"]["S"].startswith("user-1")
    assert made["userId"]["S"] != "user-1"

    log_in(client, **EXTRAS)
    client.post("/accounts/email/", {"email": "grace@example.com", "password": PASSWORD, **EXTRAS})
    client.post("/accounts/password-reset/", {"email": "ada@example.com", **EXTRAS})
    client.post("/accounts/password/", {"password": "wrong", "new_password": "another clay lamp", **EXTRAS})

    (after,) = _users()
    changed = {name for name in {**made, **after} if made.get(name) != after.get(name)}
    assert changed <= {"lastLogin"}


HOSTILE = [
    *("https://evil.example/", "http://evil.example", "//evil.example", "///evil.example", "////evil.example/x"),
    *("/\\evil.example", "\\\\evil.example", "\\/evil.example", "/\\/evil.example", "/\\\\evil.example", "\\evil.example"),
    *("http:evil.example", "http:/evil.example", "https:///evil.example", "https:/\\evil.example", "HTTPS://EVIL.EXAMPLE"),
    *("javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript://%0aalert(1)", "java\nscript:alert(1)", "data:text/html,x"),
    *(
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://evil.example",
        "mailto:a@evil.example",
        "blob:x",
        "about:blank",
        "view-source:x",
    ),
    *(" //evil.example", "\t//evil.example", "\n//evil.example", "\r\n//evil.example", "/\t/evil.example", "/\n/evil.example"),
    *("/\r/evil.example", "\x00//evil.example", "/\x00/evil.example", "\x01https://evil.example", "\u00a0//evil.example"),
    *("//evil.example%2f@testserver/", "//testserver@evil.example", "https://testserver@evil.example", "//evil.example:80"),
    *("https://testserver.evil.example", "https://eviltestserver", "//evil%E3%80%82example", "//evil。example", "//[::1]/"),
    *("//0x7f000001/", "//127.1/", "//[evil", "http://[evil", "@evil.example", "evil.example", "..//evil.example", "?//evil"),
    *("/x\r\nSet-Cookie: a=b", "/x\nLocation: //evil.example", "/\u2028/evil.example", "/\u200b/evil.example", "", "#"),
    *("http://testserver/", "//testserver/", "/cart/\\@evil.example"),
]


@pytest.mark.parametrize("url", HOSTILE)
def test_next_never_leaves_the_site(url: str) -> None:
    assert local_path(url, default="/accounts/") == "/accounts/"


def test_sixty_hostile_values_of_next_and_more_end_at_the_account(tables: Any, client: Client, now: datetime) -> None:
    assert len(set(HOSTILE)) >= 60
    make_user(now)
    for url in HOSTILE[::12]:
        assert 'name="next" value="/accounts/"' in client.get("/accounts/login/", {"next": url}).text
        assert log_in(Client(), next=url)["Location"] == "/accounts/"
    log_in(client)

    led_to = {url: client.get("/accounts/login/", {"next": url})["Location"] for url in HOSTILE}

    assert {url: place for url, place in led_to.items() if place != "/accounts/"} == {}


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_a_hostile_next_in_the_mailed_link_ends_at_the_account(tables: Any, client: Client, now: datetime, url: str) -> None:
    client.post("/accounts/register/", {**NEW, "next": url})
    (message,) = deliver(now)
    assert "evil.example" not in str(message.body) + str(message.alternatives)

    assert client.post(f"{link_in(message)}?next={quote(url)}", {"password": PASSWORD})["Location"] == "/accounts/"


def test_who_registers_on_the_way_to_the_checkout_ends_there(tables: Any, client: Client, now: datetime) -> None:
    login = client.get("/accounts/login/?next=/checkout/").text
    assert 'href="/accounts/register/?next=%2Fcheckout%2F"' in login
    form = client.get("/accounts/register/?next=/checkout/").text
    assert 'name="next" value="/checkout/"' in form
    assert 'href="/accounts/login/?next=%2Fcheckout%2F"' in form

    sent = client.post("/accounts/register/", {**NEW, "next": "/checkout/"})
    assert sent["Location"] == "/accounts/register/sent/?next=%2Fcheckout%2F"
    assert 'href="/accounts/register/?next=%2Fcheckout%2F"' in client.get(sent["Location"]).text
    (message,) = deliver(now)
    link = link_in(message)
    assert link.endswith("/?next=%2Fcheckout%2F")

    assert client.post(link, {"password": PASSWORD})["Location"] == "/checkout/"
    # The link is used up, and the way on is not lost with it.
    assert 'href="/accounts/register/?next=%2Fcheckout%2F"' in client.post(link, {"password": PASSWORD}).text


def test_who_has_an_account_already_signs_in_and_goes_on(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    client.post("/accounts/register/", {**NEW, "next": "/checkout/"})

    (message,) = deliver(now)

    assert link_in(message) == "/accounts/login/?next=%2Fcheckout%2F"
    assert "Sign in and go on" in words_of(str(message.alternatives[0][0]))


@pytest.mark.parametrize(
    "url",
    [
        "/products/?q=you+have+won+call+me",
        "/products/prod-1/call-me-now/",
        "/accounts/verify/call-me-now/",
        "/nothing/",
        "/accounts/",
    ],
)
def test_no_word_that_somebody_typed_gets_into_the_mail_by_next(tables: Any, client: Client, now: datetime, url: str) -> None:
    client.post("/accounts/register/", {**NEW, "next": url})

    (message,) = deliver(now)

    assert "next=" not in str(message.body) + str(message.alternatives)
    assert "call" not in str(message.body) + str(message.alternatives)


@pytest.mark.parametrize("url", ["/", "/cart/", "/products/?q=lamp&page=2", "/products/prod-1/%E8%8C%B6/", "/a//b"])
def test_next_leads_to_pages_of_the_site(url: str) -> None:
    assert local_path(url, default="/accounts/") == url


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/accounts/register/", NEW),
        ("/accounts/password-reset/", {"email": "grace@example.com"}),
        ("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD}),
    ],
)
@pytest.mark.parametrize(
    ("headers", "mails"),
    [
        ({"Host": "evil.example"}, False),
        ({"Host": "testserver.evil.example"}, False),
        ({"Host": "testserver@evil.example"}, False),
        ({"Host": "evil.example:80"}, False),
        ({"Host": "127.0.0.1"}, True),  # one of the names the shop answers to; mails carry its origin all the same
        ({"X-Forwarded-Host": "evil.example"}, True),
        ({"Forwarded": "host=evil.example;proto=http"}, True),
        ({"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "X-Original-Host": "evil.example"}, True),
        ({"X-Forwarded-Server": "evil.example", "X-Host": "evil.example", "X-Rewrite-Url": "//evil.example/"}, True),
    ],
    ids=str,
)
def test_no_header_gets_into_a_mail(
    tables: Any, client: Client, now: datetime, path: str, fields: dict[str, str], headers: dict[str, str], mails: bool
) -> None:
    make_user(now, email="grace@example.com")
    log_in(client, "grace@example.com")

    answer = client.post(path, fields, headers=headers)

    sent = deliver(now)
    assert (answer.status_code, bool(sent)) == ((303, True) if mails else (400, False))
    for message in sent:
        text = str(message.subject) + str(message.body) + str(message.alternatives)
        assert set(re.findall(r"https?://([^/\s\"'<]+)", text)) == {"testserver"}
        assert "evil.example" not in text


@pytest.mark.parametrize("field", ["first_name", "last_name", "email"])
def test_line_breaks_get_into_no_mail(tables: Any, client: Client, now: datetime, field: str) -> None:
    answer = client.post("/accounts/register/", {**NEW, field: "ada@example.com\r\nBcc: all@example.com"})

    assert (answer.status_code, items_of("Users")) == (422, [])


@pytest.mark.parametrize("path", ["/accounts/", "/accounts/sessions/", "/accounts/password/", "/accounts/email/", "/staff/"])
def test_pages_about_somebody_ask_a_guest_to_sign_in(client: Client, path: str) -> None:
    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (303, f"/accounts/login/?next={quote(path, safe='')}")


def test_a_post_from_another_site_signs_nobody_in(tables: Any, now: datetime) -> None:
    make_user(now)
    client = Client(enforce_csrf_checks=True)

    answer = client.post(
        "/accounts/login/", {"email": "ada@example.com", "password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize(
    ("role", "asked", "leads_to"),
    [
        (Role.CUSTOMER, "", "/accounts/"),
        (Role.STAFF, "", "/staff/"),
        (Role.ADMIN, "", "/staff/"),
        (Role.STAFF, "/cart/", "/cart/"),
    ],
)
def test_staff_begin_their_day_at_the_staff_pages_unless_they_asked_for_another(
    client: Client, now: datetime, role: Role, asked: str, leads_to: str
) -> None:
    make_user(now, role=role)
    assert log_in(client, next=asked)["Location"] == leads_to
