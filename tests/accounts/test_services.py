"""Accounts under races, bad passwords and odd spellings."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import bcrypt
import pytest
from django.core import mail
from django.test import Client

from accounts import closing, email_change, passwords, queries, services, sessions, staffing
from accounts.domain import BadEmail, BadPassword, Role, Tries, UserStatus, normalised_email, tried_once_more
from accounts.limits import LIMITS, Kind, TooManyTries, count_try
from accounts.models import UserRow, user_key
from accounts.queries import LinkDead
from accounts.reactions import account_changed
from accounts.services import EmailTaken, Link
from accounts.staffing import NotAllowed
from shop.lib.transactions import Refused
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user, raw_user
from tests.conftest import items_of
from tests.spec_items import USER

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


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is held up."""
    monkeypatch.setattr(services, "count_try", lambda *_, **__: None)


def _many(times: int, act: Callable[[int], object]) -> Counter[str]:
    """What came of doing something so many times at once."""

    def outcome(number: int) -> str:
        try:
            act(number)
        except (EmailTaken, LinkDead, TooManyTries, Refused) as refusal:
            return type(refusal).__name__
        return "done"

    with ThreadPoolExecutor(10) as pool:
        return Counter(pool.map(outcome, range(times)))


def _profiles() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"]


@pytest.mark.parametrize("email", SPELLINGS)
def test_all_spellings_of_an_address_are_one(email: str) -> None:
    assert normalised_email(email) == "ada@example.com"


@pytest.mark.parametrize(
    "email", ["", "ada", "@example.com", "ada@", "ada@exa mple.com", "ad a@example.com", "a@" + "b" * 64 + ".com"]
)
def test_what_is_nobodys_address_is_refused(email: str) -> None:
    with pytest.raises(BadEmail):
        normalised_email(email)


def test_fifty_registrations_of_one_address_at_once_make_one_account(tables: Any, unlimited: None, now: datetime) -> None:
    def ask(number: int) -> None:
        services.register(
            email=SPELLINGS[number % len(SPELLINGS)], first_name="Ada", last_name="L", password=PASSWORD, source="", now=now
        )

    assert _many(50, ask) == {"done": 50}
    assert _profiles() == []
    links = [link_in(message) for message in deliver(now)]
    assert len(links) == 50

    def follow(number: int) -> None:
        secret = links[number].rstrip("/").rpartition("/")[2]
        services.open_account(secret=secret, password=PASSWORD, source="", now=now)

    assert _many(50, follow) == {"done": 1, "EmailTaken": 49}
    assert len(_profiles()) == 1


def test_twenty_uses_of_one_reset_link_at_once_set_one_password(
    tables: Any, unlimited: None, client: Client, now: datetime
) -> None:
    user = make_user(now)
    log_in(client)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = link_in(deliver(now)[-1]).rstrip("/").rpartition("/")[2]

    def use(number: int) -> None:
        services.reset_password(secret=secret, password=f"the lamp number {number}", source="", now=now)

    assert _many(20, use) == {"done": 1, "LinkDead": 19}
    after = queries.user(user_id=user.user_id)
    assert after.credentials == 2
    assert sum(passwords.is_right(f"the lamp number {number}", after.password_hash) for number in range(20)) == 1
    assert queries.sessions_of(user_id=user.user_id, now=now) == ()


@pytest.mark.parametrize("minutes", [10, 11, 1440])
def test_a_reset_link_is_dead_after_ten_minutes(tables: Any, now: datetime, minutes: int) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = link_in(deliver(now)[-1]).rstrip("/").rpartition("/")[2]

    with pytest.raises(LinkDead):
        services.reset_password(secret=secret, password=PASSWORD + "!", source="", now=now + timedelta(minutes=minutes))

    assert queries.user(user_id=user.user_id) == user


def test_a_reset_link_is_dead_when_the_password_has_changed(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = link_in(deliver(now)[-1]).rstrip("/").rpartition("/")[2]
    log_in(client)
    client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})
    changed = queries.user(user_id=user.user_id)

    with pytest.raises(LinkDead):
        services.reset_password(secret=secret, password="a third lamp", source="", now=now)

    assert queries.user(user_id=user.user_id) == changed


def test_the_table_holds_no_secret_of_a_link(tables: Any, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)
    secret = link_in(deliver(now)[-1]).rstrip("/").rpartition("/")[2]

    assert secret not in str(items_of("Users"))


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


# --- Passwords --------------------------------------------------------------------------------------------------------

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


# --- Limits -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every password that was put through bcrypt."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def checkpw(password: bytes, kept: bytes) -> bool:
        seen.append(password)
        return real(password, kept)

    monkeypatch.setattr("accounts.passwords.bcrypt.checkpw", checkpw)
    return seen


def _guess(number: int, at: datetime) -> None:
    device = sessions.Device(known_as="", user_agent="", source="", coarse_source="")
    try:
        sessions.authenticate(email="Ada@example.com", password=f"guess {number}", device=device, now=at)
    except (sessions.WrongCredentials, TooManyTries):
        return
    raise AssertionError("guessed")


def test_the_rule_lets_nine_of_a_thousand_passwords_through_in_a_quarter_of_an_hour(now: datetime) -> None:
    tries, passed = Tries(), 0
    for tenths in range(0, 9000, 9):
        after = tried_once_more(tries, LIMITS[Kind.LOGIN], now + timedelta(seconds=tenths / 10))
        if after:
            tries, passed = after, passed + 1

    assert passed == 9


def test_guessing_for_a_quarter_of_an_hour_costs_nine_hashes_and_the_owner_can_still_reset(
    tables: Any, hashes: list[bytes], client: Client, now: datetime
) -> None:
    make_user(now)

    for number in range(150):
        _guess(number, now + timedelta(seconds=number * 6))

    assert len(hashes) == 9
    assert client.post("/accounts/password-reset/", {"email": "ada@example.com"}).status_code == 303
    link = link_in(deliver(now)[-1])
    assert client.post(link, {"password": "another lamp entirely"}).status_code == 303
    assert log_in(client, password="another lamp entirely").status_code == 303


def test_guesses_from_one_source_at_many_accounts_are_slowed_down(tables: Any, hashes: list[bytes], now: datetime) -> None:
    device = sessions.Device(known_as="", user_agent="", source="203.0.113.9", coarse_source="")
    for number in range(150):
        with pytest.raises((sessions.WrongCredentials, TooManyTries)):
            sessions.authenticate(
                email=f"user{number}@example.com", password="guess", device=device, now=now + timedelta(seconds=number * 6)
            )

    assert len(hashes) == 36


def test_a_hundred_guesses_at_once_are_counted_one_by_one(tables: Any, hashes: list[bytes], now: datetime) -> None:
    make_user(now)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: _guess(number, now), range(100)))

    assert len(hashes) == 5


def test_who_knows_the_password_begins_anew_and_a_known_browser_has_a_count_of_its_own(
    tables: Any, client: Client, now: datetime
) -> None:
    make_user(now)
    assert log_in(client).status_code == 303
    stranger = Client()
    assert [log_in(stranger, password=f"guess {number}").status_code for number in range(6)] == [422] * 5 + [429]
    assert log_in(stranger).status_code == 429

    assert log_in(client, password="a slip").status_code == 422
    assert log_in(client).status_code == 303


def test_the_address_a_browser_claims_to_forward_counts_for_nothing(tables: Any, client: Client) -> None:
    for number in range(30):
        form = {"email": f"user{number}@example.com", "password": "guess"}
        client.post("/accounts/login/", form, headers={"X-Forwarded-For": f"198.51.100.{number}"})

    answer = client.post(
        "/accounts/login/", {"email": "other@example.com", "password": "guess"}, headers={"X-Forwarded-For": "192.0.2.1"}
    )

    assert answer.status_code == 429


@pytest.mark.parametrize("kind", Kind)
def test_pauses_grow_and_end(tables: Any, now: datetime, kind: Kind) -> None:
    limit = LIMITS[kind]
    for _ in range(limit.free):
        count_try(kind, "ada", now=now)

    waits = []
    for _ in range(3):
        with pytest.raises(TooManyTries) as refusal:
            count_try(kind, "ada", now=now)
        waits.append(refusal.value.wait)
        now += refusal.value.wait
        count_try(kind, "ada", now=now)

    assert waits == [limit.first_pause, limit.first_pause * 2, limit.first_pause * 4]
    count_try(kind, "somebody else", now=now)


# --- Addresses and rights ---------------------------------------------------------------------------------------------


def test_another_address_is_confirmed_at_both_ends_and_ends_every_session(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)

    client.post("/accounts/email/", {"email": "Countess@example.com", "password": PASSWORD})
    links = {message.to[0]: link_in(message) for message in deliver(now)}
    assert links.keys() == {"ada@example.com", "Countess@example.com"}

    assert client.post(links["ada@example.com"]).status_code == 200
    assert queries.user(user_id=user.user_id).email == "ada@example.com"
    assert client.post(links["ada@example.com"]).status_code == 410
    assert client.post(links["Countess@example.com"]).status_code == 303

    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == ("Countess@example.com", 2)
    assert log_in(Client()).status_code == 422
    assert log_in(Client(), "countess@example.com").status_code == 303
    make_user(now, email="ada@example.com")  # the old address is free again


def test_an_address_taken_meanwhile_is_not_taken_over(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "grace@example.com", "password": PASSWORD})
    links = [link_in(message) for message in deliver(now)]
    grace = make_user(now, email="grace@example.com")

    for link in links:
        client.post(link)

    assert queries.user(user_id=user.user_id).email == "ada@example.com"
    assert queries.user_by_email(email="grace@example.com") == grace


def test_both_ends_confirmed_at_the_same_moment_change_the_address_once(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/email/", {"email": "countess@example.com", "password": PASSWORD})
    old, new = (link_in(message).rstrip("/").rpartition("/")[2] for message in deliver(now))
    ends = ((old, Link.OLD_EMAIL), (new, Link.NEW_EMAIL))

    def confirm(number: int) -> None:
        secret, link = ends[number]
        email_change.confirm_email_change(secret=secret, link=link, source="", now=now)

    assert _many(2, confirm) == {"done": 2}
    after = queries.user(user_id=user.user_id)
    assert (after.email, after.credentials) == ("countess@example.com", 2)


def test_owners_are_told_of_a_changed_password(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    before = raw_user(tables, user)
    log_in(client)
    client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})

    for _ in range(2):
        account_changed(before, raw_user(tables, user), now=now)

    assert [message.subject for message in mail.outbox] == ["Your password at Fernhollow was changed"]


ALL = frozenset(Permission)
BOSS = Viewer(user_id="user-0", role="admin", permissions=ALL)
LEAD = Viewer(
    user_id="user-1",
    role="staff",
    permissions=frozenset({Permission.STAFF_MANAGE, Permission.ORDERS_VIEW, Permission.ORDERS_SHIP}),
)
PACKER = Viewer(user_id="user-2", role="staff", permissions=frozenset({Permission.ORDERS_VIEW}))


@pytest.mark.parametrize(
    ("editor", "was", "role", "permissions", "is_allowed"),
    [
        (BOSS, {}, "admin", set(), True),
        (BOSS, {"role": Role.ADMIN}, "customer", set(), True),
        (BOSS, {}, "staff", {"orders.refund"}, True),
        (BOSS, {}, "staff", {"staff.manage"}, False),  # staff cannot be given that at all
        (BOSS, {}, "customer", {"orders.view"}, False),
        (LEAD, {}, "staff", {"orders.view"}, True),
        (LEAD, {}, "staff", {"orders.refund"}, False),  # they lack it
        (LEAD, {}, "admin", set(), False),
        (LEAD, {"role": Role.ADMIN}, "customer", set(), False),  # above them
        (LEAD, {"role": Role.STAFF, "granted": frozenset({"products.edit"})}, "customer", set(), False),
        (LEAD, {"role": Role.STAFF, "granted": frozenset({"orders.view"})}, "customer", set(), True),
        (PACKER, {}, "staff", {"orders.view"}, False),  # has it, but does not manage staff
    ],
)
def test_nobody_grants_what_they_lack_or_edits_somebody_above_them(
    tables: Any, now: datetime, editor: Viewer, was: dict[str, Any], role: str, permissions: set[str], is_allowed: bool
) -> None:
    user = make_user(now, **was)
    wanted = frozenset(Permission(name) for name in permissions)

    def change() -> None:
        staffing.change_rights(editor=editor, user_id=user.user_id, role=Role(role), permissions=wanted, now=now)

    if is_allowed:
        change()
        after = queries.user(user_id=user.user_id)
        assert (after.role, after.granted) == (Role(role), frozenset(permissions))
    else:
        with pytest.raises(NotAllowed):
            change()
        assert queries.user(user_id=user.user_id) == user


def test_nobody_changes_their_own_rights(tables: Any, now: datetime) -> None:
    user = make_user(now, role=Role.ADMIN)
    itself = Viewer(user_id=user.user_id, role="admin", permissions=ALL)

    with pytest.raises(NotAllowed):
        staffing.change_rights(editor=itself, user_id=user.user_id, role=Role.CUSTOMER, permissions=frozenset(), now=now)
    with pytest.raises(NotAllowed):
        staffing.change_status(editor=itself, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    assert queries.user(user_id=user.user_id) == user


def test_an_old_request_is_not_answered(tables: Any, now: datetime) -> None:
    make_user(now)
    services.request_password_reset(email="ada@example.com", source="", now=now)

    assert deliver(now + timedelta(days=3)) == []
    assert [item for item in items_of("Users") if item["SK"]["S"] == "TOKEN"] == []


@pytest.mark.parametrize("written", [[], ["orders.view", "customers.view"]])
def test_who_was_written_by_another_system_can_be_shut_out(tables: Any, now: datetime, written: list[str]) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset(written))
    user_key(user.user_id).update(actions=[UserRow.permissions.set(written)])
    admin = Viewer("user-boss", "Boss", "boss@example.com", Role.ADMIN, frozenset(Permission))

    staffing.change_status(editor=admin, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    assert not queries.user(user_id=user.user_id).is_active
