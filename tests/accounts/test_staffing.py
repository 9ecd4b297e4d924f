"""Staff pages about people: who is listed, what may be done to whom, and what the audit trail says of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client

from accounts import closing, queries, second_factor, sessions, staffing
from accounts.domain import Role, User, UserStatus
from accounts.reactions import account_changed
from accounts.sessions import Device
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import deliver, link_in, log_in, make_user, raw_user, session_of, trail_of
from tests.conftest import counted_calls, items_of, words_of
from tests.rivals import run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
DEVICE = Device(known_as="", user_agent="", source="", coarse_source="")


def _session(user: User, now: datetime) -> str:
    signed_in = sessions.start_session(user=user, is_long=True, device=DEVICE, now=now)
    return signed_in.session.session_id


# --- Customers --------------------------------------------------------------------------------------------------------


def test_customers_are_listed_newest_first_and_staff_are_not_among_them(client: Client, sign_in: SignIn, now: datetime) -> None:
    for number in range(3):
        make_user(now + timedelta(minutes=number), email=f"shopper{number}@example.com")
    make_user(now, email="packer@example.com", role=Role.STAFF, granted=frozenset({"orders.view"}))
    sign_in(client, "customers.view")

    page = words_of(client.get("/staff/customers/").content.decode())

    places = [page.index(f"shopper{number}@example.com") for number in (2, 1, 0)]
    assert places == sorted(places)
    assert "packer@example.com" not in page


def test_the_list_costs_the_same_however_many_there_are(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, "customers.view")
    costs = []
    for number in range(30):
        make_user(now + timedelta(minutes=number), email=f"shopper{number}@example.com")
        if number in (2, 29):
            with counted_calls() as calls:
                page = client.get("/staff/customers/").content.decode()
            costs.append(calls)

    assert costs == [["Query", "BatchGetItem", "GetItem"]] * 2  # the last for the filters that are kept
    assert page.count("/staff/customers/user-") == 25
    further = client.get(page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")).content.decode()
    assert further.count("/staff/customers/user-") == 5
    assert "shopper4@example.com" in further


@pytest.mark.parametrize("words", ["ADA@Example.com", "number"])
def test_a_customer_is_found_by_address_in_any_spelling_and_by_number(
    client: Client, sign_in: SignIn, now: datetime, words: str
) -> None:
    user = make_user(now)
    sign_in(client, "customers.view")

    page = client.get("/staff/customers/", {"q": user.user_id if words == "number" else words}).content.decode()

    assert f"/staff/customers/{user.user_id}/" in page


@pytest.mark.parametrize("words", ["nobody@example.com", "no address", "user-none", "\x00", "ü@@", "a" * 2000])
def test_who_is_not_found_is_said_so(client: Client, sign_in: SignIn, words: str) -> None:
    sign_in(client, "customers.view")
    answer = client.get("/staff/customers/", {"q": words})
    assert answer.status_code == 200
    assert "No account for" in answer.text


def test_who_only_looks_sees_no_buttons(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    _session(user, now)
    sign_in(client, "customers.view")

    page = client.get(f"/staff/customers/{user.user_id}/").content.decode()

    assert user.email in page
    assert "Shut out" not in page
    assert "Sign out everywhere" not in page
    assert "What staff did here" not in page


def test_shutting_out_ends_every_session_and_is_written_down(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    _session(user, now)
    sign_in(client, "customers.view", "customers.edit", "audit.view")
    address = f"/staff/customers/{user.user_id}/"
    assert "cannot sign in until" in client.get(f"{address}status/").content.decode()

    client.post(f"{address}status/", {"status": "disabled"})

    assert queries.user(user_id=user.user_id).status is UserStatus.DISABLED
    assert not [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")]
    assert trail_of(user) == [("shut out", [("status", "May sign in", "Shut out")])]
    assert log_in(Client()).status_code == 422
    assert "Ada Lovelace shut out" in words_of(client.get(address).content.decode())

    client.post(f"{address}status/", {"status": "active"})
    assert queries.user(user_id=user.user_id).status is UserStatus.ACTIVE
    assert sorted(action for action, _ in trail_of(user)) == ["let in again", "shut out"]


def test_an_answer_to_an_older_question_changes_nothing(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")

    client.post(f"/staff/customers/{user.user_id}/status/", {"status": "active"})

    assert queries.user(user_id=user.user_id).status is UserStatus.ACTIVE
    assert trail_of(user) == []


def test_signing_out_everywhere(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    for _ in range(3):
        _session(user, now)
    sign_in(client, "customers.view", "customers.edit")

    page = client.post(f"/staff/customers/{user.user_id}/sign-out/", follow=True).content.decode()

    assert "signed out of 3 browsers" in page
    assert queries.sessions_of(user_id=user.user_id, now=now) == ()
    assert trail_of(user) == [("signed out everywhere", [("sessions", "3", "0")])]


def test_a_reset_link_is_mailed_and_works(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")

    client.post(f"/staff/customers/{user.user_id}/reset/")

    (mail,) = deliver(now)
    assert mail.to == ["ada@example.com"]
    assert trail_of(user) == [("sent a link for a new password", [])]
    assert Client().post(link_in(mail), {"password": "another lamp, colder clay"}, follow=True).status_code == 200
    assert log_in(Client(), password="another lamp, colder clay").status_code == 303


def test_links_for_new_passwords_are_not_mailed_on_and_on(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")

    pages = [client.post(f"/staff/customers/{user.user_id}/reset/", follow=True).text for _ in range(4)]

    assert ["is on its way to ada@example.com" in page for page in pages] == [True] * 3 + [False]
    assert "That was tried too often. Please wait 10 minutes and try again." in words_of(pages[-1])
    assert len(deliver(now)) == 3
    assert trail_of(user) == [("sent a link for a new password", [])] * 3


def test_of_two_who_shut_somebody_out_at_once_one_is_written_down(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")
    other = Viewer(user_id="user-0", name="Eve", role="admin", permissions=frozenset(Permission))

    def quicker() -> None:
        staffing.change_status(editor=other, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    with run_around(staffing, "change_status", quicker, when="before"):
        answer = client.post(f"/staff/customers/{user.user_id}/status/", {"status": "disabled"}, follow=True)

    assert "Ada Lovelace is shut out everywhere." in answer.text
    [entry] = queries.entries_about(user_id=user.user_id).items
    assert (entry.action, entry.actor_name) == ("shut out", "Eve")


def test_nothing_is_noted_about_who_leaves_at_this_moment(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view")

    with run_before("TransactWriteItems", lambda: closing.close_account(user=user)):
        answer = client.post(f"/staff/customers/{user.user_id}/notes/", {"text": "Likes clay."})

    assert answer.status_code == 404
    assert [item for item in items_of("Users") if item["PK"]["S"] == f"USER#{user.user_id}"] == []


@pytest.mark.parametrize(
    ("was", "permissions"),
    [({}, set(Permission) - {Permission.CUSTOMERS_DATA}), ({"role": Role.STAFF}, set(Permission))],
    ids=["by who may not", "of staff"],
)
def test_what_is_kept_is_neither_handed_out_nor_erased(now: datetime, was: dict[str, Any], permissions: set[Permission]) -> None:
    user = make_user(now, **was)
    editor = Viewer(user_id="user-0", role="admin", permissions=frozenset(permissions))
    before = items_of("Users")

    with pytest.raises(staffing.NotAllowed):
        staffing.note_export(editor=editor, user_id=user.user_id, now=now)
    with pytest.raises(staffing.NotAllowed):
        staffing.erasure_of(editor=editor, user=user, now=now)

    assert items_of("Users") == before


@pytest.mark.parametrize("what", ["sign-out", "reset", "status"])
def test_customer_staff_cannot_touch_staff(client: Client, sign_in: SignIn, now: datetime, what: str) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))
    _session(user, now)
    before = items_of("Users")
    sign_in(client, "customers.view", "customers.edit", "orders.view")

    page = client.post(f"/staff/customers/{user.user_id}/{what}/", {"status": "disabled"}, follow=True).content.decode()

    assert "Nothing was changed" in page
    assert items_of("Users") == before


# --- Lost authenticators ----------------------------------------------------------------------------------------------


def _with_authenticator(now: datetime, **fields: Any) -> User:
    user = make_user(now, **fields)
    secret, setup = second_factor.new_setup(user=user)
    code = pyotp.TOTP(secret).at(now)
    return second_factor.turn_on(user=user, session=session_of(user, now), setup=setup, code=code, now=now)[0]


@pytest.mark.parametrize(
    ("page", "was", "editor"),
    [
        ("customers", {}, ["customers.view", "customers.edit"]),
        ("customers", {"role": Role.STAFF, "granted": frozenset({"orders.view"})}, ["admin"]),
        ("team", {"role": Role.STAFF, "granted": frozenset({"orders.view"})}, ["staff.manage", "orders.view"]),
        ("team", {"role": Role.ADMIN}, ["admin"]),
    ],
)
def test_who_lost_the_authenticator_is_let_in_by_who_may(
    client: Client, sign_in: SignIn, tables: Any, now: datetime, page: str, was: dict[str, Any], editor: list[str]
) -> None:
    user = _with_authenticator(now, **was)
    session = sessions.start_session(user=user, is_long=True, factor=user.factor, device=DEVICE, now=now)
    assert sessions.confirm(viewer=session.viewer, now=now).has_second_factor
    before = raw_user(tables, user)
    sign_in(client, *editor) if "admin" not in editor else sign_in(client, role="admin")
    address = f"/staff/{page}/{user.user_id}/"
    assert "Take the authenticator away" in client.get(address).text

    answer = client.post(f"{address}second-factor/", follow=True)

    assert "signs in with the password alone now" in answer.text
    assert "Take the authenticator away" not in answer.text
    after = raw_user(tables, user)
    assert {name for name in before if after.get(name) != before[name]} == {"secondFactor"}
    assert "secondFactor" not in after
    assert trail_of(user) == [("took the authenticator away", [("second factor", "on", "off")])]
    assert not sessions.confirm(viewer=session.viewer, now=now).has_second_factor
    account_changed(before, after, now=now)
    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([user.email], "Your Fernhollow account has no authenticator any more")
    ]
    assert log_in(Client())["Location"] == ("/staff/" if "role" in was else "/accounts/")


@pytest.mark.parametrize(
    ("page", "was", "editor"),
    [
        ("customers", {"role": Role.STAFF, "granted": frozenset({"orders.view"})}, ["customers.edit", "orders.view"]),
        ("team", {"role": Role.ADMIN}, ["staff.manage", "orders.view"]),
        ("team", {"role": Role.STAFF, "granted": frozenset({"products.edit"})}, ["staff.manage", "orders.view"]),
    ],
    ids=["staff by customer staff", "an admin by staff", "staff who may more"],
)
def test_nobody_takes_the_authenticator_of_somebody_above_them(
    client: Client, sign_in: SignIn, now: datetime, page: str, was: dict[str, Any], editor: list[str]
) -> None:
    user = _with_authenticator(now, **was)
    before = items_of("Users")
    sign_in(client, "customers.view", *editor)
    address = f"/staff/{page}/{user.user_id}/"

    answer = client.post(f"{address}second-factor/", follow=True)

    assert "Nothing was changed" in answer.text
    assert "Take the authenticator away" not in answer.text
    assert items_of("Users") == before


def test_an_authenticator_set_up_at_this_moment_is_not_taken_for_the_lost_one(
    client: Client, sign_in: SignIn, now: datetime
) -> None:
    user = _with_authenticator(now)
    sign_in(client, "customers.view", "customers.edit")

    def set_up_anew() -> None:
        second_factor.turn_off(user=user)
        secret, setup = second_factor.new_setup(user=user)
        code = pyotp.TOTP(secret).at(now)
        second_factor.turn_on(user=replace(user, factor=""), session=session_of(user, now), setup=setup, code=code, now=now)

    with run_before("TransactWriteItems", set_up_anew):
        answer = client.post(f"/staff/customers/{user.user_id}/second-factor/", follow=True)

    assert "Nothing was changed" in answer.text
    assert queries.user(user_id=user.user_id).has_second_factor
    assert trail_of(user) == []
