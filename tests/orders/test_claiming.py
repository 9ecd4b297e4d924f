"""A guest's order becomes the account's that is opened with its address: whole, once, and for nobody else."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain import User
from orders import claiming, queries, services
from orders.domain import Order
from orders.issuing import issue_invoice
from orders.models import OrderRow, RefRow, order_key, ref_pk
from orders.reactions import order_changed
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.lib.viewer import GUEST, Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import PASSWORD, deliver, link_in, log_in, make_user
from tests.conftest import items_of, words_of
from tests.orders.walk import orders, place
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def order(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """A guest's paid order, placed with ada@example.com."""
    placed = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 2}, now))
    stripe.pay(placed.payment.session_id)
    return services.settle(session_id=placed.payment.session_id, now=now)


def viewer_of(user: User) -> Viewer:
    return Viewer(user.user_id, user.name, user.email, "customer", frozenset(), "ses-1")


def link_of(order: Order, page: str = "orders/{}/") -> str:
    return f"/{page.format(order.order_id)}?key={queries.key_of(order.order_id)}"


def kept_under(order: Order) -> tuple[list[str], str]:
    """Where the order's rows lie, and whom its reference names."""
    rows = [item["PK"]["S"] for item in orders() if item["orderId"]["S"] == order.order_id]
    (ref,) = [item for item in items_of("Orders") if item["PK"]["S"] == f"ORDER#{order.order_id}" and item["SK"]["S"] == "REF"]
    return rows, ref["owner"]["S"]


def test_a_guest_opens_an_account_with_just_a_password_and_owns_the_order(
    stripe: FakeStripe, client: Client, now: datetime
) -> None:
    place(client, factories.make_product().product_id)
    (session,) = stripe.state.tables["sessions"].values()
    stripe.pay(session["id"])
    thanks = client.get(session["success_url"].removeprefix("http://testserver"), follow=True)
    offer = re.search(r'href="(/orders/[^"]+/account/\?key=[^"]+)"', thanks.text)
    assert offer

    answer = client.post(offer[1], {"password": PASSWORD, "email": "eve@example.com", "role": "admin", "user_id": "user-1"})
    assert (answer.status_code, answer["Location"]) == (303, "/accounts/register/sent/")
    assert [item["SK"]["S"] for item in items_of("Users") if item["SK"]["S"] == "PROFILE"] == []
    (message,) = deliver(now)
    assert message.to == ["ada@example.com"]
    phone = Client()  # the mail is read elsewhere
    opened = phone.post(link_in(message), {"password": PASSWORD})
    shown = phone.get(opened["Location"])

    (user,) = [item for item in items_of("Users") if item["SK"]["S"] == "PROFILE"]
    (row,) = orders()
    assert (row["PK"], row["userId"]) == ({"S": f"USER#{user['userId']['S']}"}, user["userId"])
    assert (user["firstName"], user["lastName"], user["role"]) == ({"S": "Ada"}, {"S": "Lovelace"}, {"S": "customer"})
    assert "This order is in your account now." in words_of(shown.text)
    assert row["orderId"]["S"] in phone.get("/orders/").text
    assert Client().get(opened["Location"]).status_code == 200


def test_an_order_moves_whole_and_once(order: Order, now: datetime) -> None:
    ada = make_user(now)
    (before,) = orders()

    claimed = services.claim_order(order=order, viewer=viewer_of(ada), now=now)
    again = services.claim_order(order=order, viewer=viewer_of(ada), now=now)

    assert claimed == again == queries.order_by_id(order_id=order.order_id)
    (after,) = orders()
    at_home = {"PK": {"S": f"USER#{ada.user_id}"}, "userId": {"S": ada.user_id}}
    assert after == before | at_home | {"claimedAt": after["claimedAt"]}
    assert kept_under(order) == ([f"USER#{ada.user_id}"], f"USER#{ada.user_id}")


@pytest.mark.parametrize("who", ["another address", "guest", "an order of an account", "not paid"])
def test_nobody_else_gets_it(order: Order, stripe: FakeStripe, guest: Owner, now: datetime, who: str) -> None:
    ada = viewer_of(make_user(now))
    wanted = order
    if who == "another address":
        ada = viewer_of(make_user(now, email="eve@example.com"))
    elif who == "guest":
        ada = GUEST
    elif who == "an order of an account":
        grace = Owner("user-grace", is_guest=False)
        placed = factories.open_payment(factories.make_order(grace, {factories.make_product().product_id: 1}, now))
        stripe.pay(placed.payment.session_id)
        wanted = services.settle(session_id=placed.payment.session_id, now=now)
    else:
        wanted = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    before = orders()

    with pytest.raises(services.NotClaimable):
        services.claim_order(order=wanted, viewer=ada, now=now)

    assert orders() == before


def test_an_address_alone_opens_nothing(order: Order, client: Client, now: datetime) -> None:
    make_user(now)
    log_in(client)

    assert client.get(f"/orders/{order.order_id}/").status_code == 404
    assert client.get(f"/orders/{order.order_id}/?key=forged").status_code == 404
    assert client.get(f"/orders/{order.order_id}/account/").status_code == 404
    assert client.post(f"/orders/{order.order_id}/account/?key=forged", {"password": PASSWORD}).status_code == 404
    assert kept_under(order) == ([order.owner.key], order.owner.key)
    assert client.get(link_of(order)).status_code == 200
    assert kept_under(order)[0] != [order.owner.key]


def test_whoever_holds_the_link_but_has_another_address_sees_it_and_gets_nothing(
    order: Order, client: Client, now: datetime
) -> None:
    make_user(now, email="eve@example.com")
    log_in(client, "eve@example.com")

    assert client.get(link_of(order)).status_code == 200
    assert kept_under(order) == ([order.owner.key], order.owner.key)
    assert order.order_id not in client.get("/orders/").text


def test_what_changes_the_order_while_it_moves_is_not_lost(order: Order, now: datetime) -> None:
    ada = make_user(now)

    with run_before("TransactWriteItems", lambda: issue_invoice(order=order, now=now)):
        claimed = services.claim_order(order=order, viewer=viewer_of(ada), now=now)

    assert claimed.invoice_number == "INV-000001"
    assert kept_under(order) == ([f"USER#{ada.user_id}"], f"USER#{ada.user_id}")


def test_an_invoice_asked_for_by_the_old_owners_record_finds_the_order(order: Order, now: datetime) -> None:
    services.claim_order(order=order, viewer=viewer_of(make_user(now)), now=now)

    assert issue_invoice(order=order, now=now).number == "INV-000001"
    assert queries.order_by_id(order_id=order.order_id).invoice_number == "INV-000001"
    assert len(orders()) == 1


def test_two_tabs_that_claim_at_once_have_one_order(order: Order, now: datetime) -> None:
    viewer = viewer_of(make_user(now))

    with run_before("TransactWriteItems", lambda: services.claim_order(order=order, viewer=viewer, now=now)):
        claimed = services.claim_order(order=order, viewer=viewer, now=now)

    assert kept_under(order) == ([claimed.owner.key], claimed.owner.key)


def test_moving_sends_no_mail_and_counts_nothing(order: Order, now: datetime, mailoutbox: list[Any]) -> None:
    services.claim_order(order=order, viewer=viewer_of(make_user(now)), now=now)
    (after,) = orders()
    others = [item for item in items_of("Orders") if not item["SK"]["S"].startswith("ORDER#")]

    order_changed(None, after, now=now + timedelta(days=60))

    assert mailoutbox == []
    assert [item for item in items_of("Orders") if not item["SK"]["S"].startswith("ORDER#")] == others
    assert OrderRow.from_raw_data(after).order_id == order.order_id


def test_the_address_of_an_account_that_exists_is_told_by_mail_alone(order: Order, client: Client, now: datetime) -> None:
    make_user(now)
    deliver(now)

    answer = client.post(link_of(order, "orders/{}/account/"), {"password": "another lamp entirely"})

    assert answer["Location"] == "/accounts/register/sent/"
    (message,) = deliver(now)
    assert "You have an account already" in str(message.body)
    assert f"/accounts/login/?next=%2Forders%2F{order.order_id}%2F%3Fkey%3D" in str(message.body)


def test_a_weak_password_is_refused_with_a_word_of_why(order: Order, client: Client) -> None:
    answer = client.post(link_of(order, "orders/{}/account/"), {"password": "password"})

    assert answer.status_code == 422
    assert items_of("Users") == []


def test_an_order_that_keeps_changing_is_not_claimed_now(order: Order, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = viewer_of(make_user(now))
    monkeypatch.setattr(claiming, "_TRIES", 1)

    with run_before("TransactWriteItems", lambda: issue_invoice(order=order, now=now)), pytest.raises(Busy):
        services.claim_order(order=order, viewer=ada, now=now)

    assert kept_under(order) == ([order.owner.key], order.owner.key)


def test_an_order_that_went_while_it_was_claimed_is_not_claimable(order: Order, now: datetime) -> None:
    ada = viewer_of(make_user(now))

    def gone() -> None:
        order_key(order.owner, order.order_id).delete()
        RefRow(ref_pk(order.order_id), "REF").delete()

    with run_before("GetItem", gone), pytest.raises(services.NotClaimable):
        services.claim_order(order=order, viewer=ada, now=now)

    assert orders() == []


def test_an_address_that_is_none_is_nobodys(order: Order, now: datetime) -> None:
    broken = replace(order, email="ada at example")

    with pytest.raises(services.NotClaimable):
        services.claim_order(order=broken, viewer=viewer_of(make_user(now)), now=now)

    assert kept_under(order) == ([order.owner.key], order.owner.key)
