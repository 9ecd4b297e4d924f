"""Staff pages about people: who is listed, what may be done to whom, and what the audit trail says of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client

from accounts import queries, second_factor, sessions
from accounts.domain import Role, User, UserStatus
from accounts.reactions import account_changed
from accounts.sessions import Device
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user, raw_user, session_of
from tests.conftest import counted_calls, items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
DEVICE = Device(known_as="", user_agent="", source="", coarse_source="")


def _trail(user: User) -> list[tuple[str, list[tuple[str, str, str]]]]:
    entries = queries.entries_about(user_id=user.user_id).items
    return [(entry.action, [(one.field, one.before, one.after) for one in entry.changes]) for entry in entries]


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

    assert costs == [["Query", "BatchGetItem"]] * 2
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
    assert _trail(user) == [("shut out", [("status", "May sign in", "Shut out")])]
    assert log_in(Client()).status_code == 422
    assert "Ada Lovelace shut out" in words_of(client.get(address).content.decode())

    client.post(f"{address}status/", {"status": "active"})
    assert queries.user(user_id=user.user_id).status is UserStatus.ACTIVE
    assert sorted(action for action, _ in _trail(user)) == ["let in again", "shut out"]


def test_an_answer_to_an_older_question_changes_nothing(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")

    client.post(f"/staff/customers/{user.user_id}/status/", {"status": "active"})

    assert queries.user(user_id=user.user_id).status is UserStatus.ACTIVE
    assert _trail(user) == []


def test_signing_out_everywhere(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    for _ in range(3):
        _session(user, now)
    sign_in(client, "customers.view", "customers.edit")

    page = client.post(f"/staff/customers/{user.user_id}/sign-out/", follow=True).content.decode()

    assert "signed out of 3 browsers" in page
    assert queries.sessions_of(user_id=user.user_id, now=now) == ()
    assert _trail(user) == [("signed out everywhere", [("sessions", "3", "0")])]


def test_a_reset_link_is_mailed_and_works(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, "customers.view", "customers.edit")

    client.post(f"/staff/customers/{user.user_id}/reset/")

    (mail,) = deliver(now)
    assert mail.to == ["ada@example.com"]
    assert _trail(user) == [("sent a link for a new password", [])]
    assert Client().post(link_in(mail), {"password": "another lamp, colder clay"}, follow=True).status_code == 200
    assert log_in(Client(), password="another lamp, colder clay").status_code == 303


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
    assert _trail(user) == [("took the authenticator away", [("second factor", "on", "off")])]
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
    assert _trail(user) == []


# --- The team ---------------------------------------------------------------------------------------------------------

INVITATION = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "role": "staff"}


def test_an_invitation_from_mail_to_first_page(client: Client, sign_in: SignIn, now: datetime) -> None:
    editor = sign_in(client, role="admin")

    answer = client.post("/staff/team/invite/", INVITATION | {"permissions": ["orders.view", "orders.ship"]})

    user = queries.user_by_email(email="grace@example.com")
    assert (answer.status_code, answer["Location"]) == (303, f"/staff/team/{user.user_id}/")
    assert (user.role, user.granted) == (Role.STAFF, frozenset({"orders.view", "orders.ship"}))
    assert _trail(user) == [("invited", [("role", "", "Staff"), ("may now", "", "See orders"), ("may now", "", "Ship orders")])]
    assert queries.entries_about(user_id=user.user_id).items[0].actor_id == editor.user_id
    assert "Invited" in client.get("/staff/team/").content.decode()
    (mail,) = deliver(now)
    browser = Client()
    page = words_of(browser.get(link_in(mail)).text)
    assert "Welcome to the team Choose a password." in page
    assert "signed out" not in page
    browser.post(link_in(mail), {"password": PASSWORD})
    assert log_in(browser, email="grace@example.com").status_code == 303
    assert browser.get("/staff/").status_code == 200
    assert client.post(f"/staff/team/{user.user_id}/invitation/", follow=True).content.decode().count("signed in already") == 1


def test_an_invitation_is_sent_again(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, role="admin")
    client.post("/staff/team/invite/", INVITATION | {"permissions": ["orders.view"]})
    user = queries.user_by_email(email="grace@example.com")
    deliver(now)

    client.post(f"/staff/team/{user.user_id}/invitation/")

    assert [mail.to for mail in deliver(now)] == [["grace@example.com"]]
    assert sorted(action for action, _ in _trail(user)) == ["invited", "invited again"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"permissions": ["products.edit"]}, "You cannot give what you do not have yourself."),
        ({"role": "admin"}, "Select a valid choice"),
        ({}, "Please tick what they may do"),
        ({"permissions": ["orders.ship"]}, "“Ship orders” is done on pages that they would not see: tick “See orders” too."),
        ({"email": "", "permissions": ["orders.view"]}, "Please give their e-mail address."),
        ({"email": "ada@example.com", "permissions": ["orders.view"]}, "There is an account with this address"),
        ({"email": "nonsense", "permissions": ["orders.view"]}, "does not look like an e-mail address"),
        ({"first_name": "", "permissions": ["orders.view"]}, "Please fill in: first name"),
    ],
)
def test_an_invitation_that_cannot_be(client: Client, sign_in: SignIn, now: datetime, more: dict[str, Any], said: str) -> None:
    make_user(now)
    before = items_of("Users")
    sign_in(client, "staff.manage", "orders.view", "orders.ship")

    answer = client.post("/staff/team/invite/", INVITATION | more)

    assert answer.status_code == 422
    assert said in words_of(answer.content.decode())
    assert items_of("Users") == before


def test_rights_change_with_an_entry_and_move_the_person_between_the_lists(
    client: Client, sign_in: SignIn, now: datetime
) -> None:
    user = make_user(now)
    sign_in(client, role="admin")

    client.post(f"/staff/team/{user.user_id}/", {"role": "staff", "permissions": ["stock.edit", "products.view"]})

    after = queries.user(user_id=user.user_id)
    assert (after.role, after.granted) == (Role.STAFF, frozenset({"stock.edit", "products.view"}))
    assert _trail(user) == [
        (
            "changed the rights",
            [("role", "Customer", "Staff"), ("may now", "", "See products and stock"), ("may now", "", "Change the stock")],
        )
    ]
    assert user.email in client.get("/staff/team/").content.decode()
    assert user.email not in client.get("/staff/customers/").content.decode()

    client.post(f"/staff/team/{user.user_id}/", {"role": "staff", "permissions": ["products.view"]})
    client.post(f"/staff/team/{user.user_id}/", {"role": "customer"})
    assert queries.user(user_id=user.user_id).role is Role.CUSTOMER
    assert sorted(changes for _, changes in _trail(user)[:2]) == [
        [("may no more", "", "Change the stock")],
        [("role", "Staff", "Customer"), ("may no more", "", "See products and stock")],
    ]
    assert user.email in client.get("/staff/customers/").content.decode()


def test_an_account_another_system_wrote_is_listed_once_it_has_rights(
    client: Client, sign_in: SignIn, tables: Any, now: datetime
) -> None:
    user = make_user(now)
    tables.delete_item(TableName="test-Users", Key={"PK": {"S": "EMAIL#ada@example.com"}, "SK": {"S": "EMAIL"}})
    sign_in(client, role="admin")

    client.post(f"/staff/team/{user.user_id}/", {"role": "admin"})

    assert [one.user_id for one in queries.people(role=Role.STAFF).items] == [user.user_id]
    assert queries.user_by_email(email="ada@example.com").role is Role.ADMIN


@pytest.mark.parametrize(
    "was",
    [{"role": Role.ADMIN}, {"role": Role.STAFF, "granted": frozenset({"products.edit"})}],
)
def test_nobody_edits_somebody_above_them(client: Client, sign_in: SignIn, now: datetime, was: dict[str, Any]) -> None:
    user = make_user(now, **was)
    before = items_of("Users")
    sign_in(client, "staff.manage", "orders.view")
    address = f"/staff/team/{user.user_id}/"

    assert "They may do more than you" in client.get(address).content.decode()
    assert client.post(address, {"role": "customer"}).status_code == 422
    assert "Nothing was changed" in client.post(f"{address}status/", {"status": "disabled"}, follow=True).content.decode()
    assert items_of("Users") == before


def test_lost_rights_are_lost_at_the_next_page(client: Client, sign_in: SignIn, now: datetime) -> None:
    packer = make_user(now, role=Role.STAFF, granted=frozenset({Permission.CUSTOMERS_VIEW}))
    theirs = Client()
    log_in(theirs)
    assert theirs.get("/staff/customers/").status_code == 200
    sign_in(client, role="admin")

    client.post(f"/staff/team/{packer.user_id}/", {"role": "staff", "permissions": ["orders.view"]})
    assert theirs.get("/staff/customers/").status_code == 403

    client.post(f"/staff/team/{packer.user_id}/status/", {"status": "disabled"})
    assert theirs.get("/staff/").status_code == 303


def test_the_form_offers_only_what_the_editor_has(client: Client, sign_in: SignIn) -> None:
    sign_in(client, "staff.manage", "orders.view")
    page = client.get("/staff/team/invite/").content.decode()
    assert 'value="orders.view"' in page
    assert 'value="products.edit"' not in page
    assert 'value="admin"' not in page
