"""Staff pages about the team: who is invited, and who may do what."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import closing, queries
from accounts.domain import Role
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user, trail_of
from tests.conftest import items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]

INVITATION = {"first_name": "Grace", "last_name": "Hopper", "email": "grace@example.com", "role": "staff"}


def test_an_invitation_from_mail_to_first_page(client: Client, sign_in: SignIn, now: datetime) -> None:
    editor = sign_in(client, role="admin")

    answer = client.post("/staff/team/invite/", INVITATION | {"permissions": ["orders.view", "orders.ship"]})

    user = queries.user_by_email(email="grace@example.com")
    assert (answer.status_code, answer["Location"]) == (303, f"/staff/team/{user.user_id}/")
    assert (user.role, user.granted) == (Role.STAFF, frozenset({"orders.view", "orders.ship"}))
    assert trail_of(user) == [("invited", [("role", "", "Staff"), ("may now", "", "See orders"), ("may now", "", "Ship orders")])]
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
    assert sorted(action for action, _ in trail_of(user)) == ["invited", "invited again"]


def test_invitations_are_not_mailed_on_and_on(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, role="admin")
    client.post("/staff/team/invite/", INVITATION | {"permissions": ["orders.view"]})
    user = queries.user_by_email(email="grace@example.com")

    pages = [client.post(f"/staff/team/{user.user_id}/invitation/", follow=True).text for _ in range(4)]

    assert ["is on its way to grace@example.com once more" in page for page in pages] == [True] * 3 + [False]
    assert "That was tried too often. Please wait 10 minutes and try again." in words_of(pages[-1])
    assert len(deliver(now)) == 4


def test_nobody_is_invited_to_an_account_that_is_shut_or_gone(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, role="admin")
    people = []
    for name in ("grace", "edith"):
        client.post("/staff/team/invite/", INVITATION | {"email": f"{name}@example.com", "permissions": ["orders.view"]})
        people.append(queries.user_by_email(email=f"{name}@example.com"))
    shut, gone = people
    client.post(f"/staff/team/{shut.user_id}/status/", {"status": "disabled"})
    closing.close_account(user=gone)

    assert deliver(now) == []
    before = items_of("Users")
    assert "Nothing was changed" in client.post(f"/staff/team/{shut.user_id}/invitation/", follow=True).text
    assert items_of("Users") == before


def test_who_registers_at_the_moment_of_the_invitation_keeps_the_address(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, role="admin")

    with run_before("TransactWriteItems", lambda: make_user(now, email="grace@example.com")):
        answer = client.post("/staff/team/invite/", INVITATION | {"permissions": ["orders.view"]})

    assert (answer.status_code, "There is an account with this address" in words_of(answer.text)) == (422, True)
    assert queries.user_by_email(email="grace@example.com").role is Role.CUSTOMER
    assert [item["SK"]["S"] for item in items_of("Users") if item["SK"]["S"] == "REQUEST"] == []


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
        ({"first_name": "", "permissions": ["orders.view"]}, "Please give their first name."),
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
    assert trail_of(user) == [
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
    assert sorted(changes for _, changes in trail_of(user)[:2]) == [
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
