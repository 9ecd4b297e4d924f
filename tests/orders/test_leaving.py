"""Taking one's data along, and deleting an account."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import address_book
from accounts.domain import Role, SavedAddress, User
from accounts.queries import user as read_user
from accounts.reactions import account_changed
from catalog.review_domain import Words
from orders import queries, services
from orders.domain import Order, OrderStatus
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.accounts.people import PASSWORD, deliver, log_in, make_user, raw_user
from tests.conftest import items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

HOME = SavedAddress("", "shipping", "1 Hill Rd", "Boston", "MA", "02108", "US", is_default=True, name="Ada King")


@pytest.fixture
def ada(client: Client, now: datetime) -> User:
    user = make_user(now)
    log_in(client)
    return user


@pytest.fixture
def order(stripe: FakeStripe, ada: User, now: datetime) -> Order:
    """A paid order of hers, with a card and an address saved."""
    owner = Owner(ada.user_id, is_guest=False)
    placed = factories.open_payment(factories.make_order(owner, {factories.make_product().product_id: 1}, now))
    stripe.pay(placed.payment.session_id)
    address_book.add_address(user_id=ada.user_id, entry=HOME, now=now)
    return services.settle(session_id=placed.payment.session_id, now=now)


def accounts() -> list[str]:
    """What is kept of people, by the kinds of keys; the count of a day's customers is nobody's."""
    found = {(item["PK"]["S"].split("#")[0], item["SK"]["S"].split("#")[0]) for item in items_of("Users")}
    return sorted(f"{pk} {sk}" for pk, sk in found if pk not in ("LIMIT", "EFFECT", "STATS"))


def test_the_file_has_everything_and_no_secret(client: Client, order: Order, ada: User, now: datetime) -> None:
    words = Words(stars=5, title="Good", text="I like it.", author="Ada")
    services.submit_review(order=order, product_id=order.lines[0].product_id, words=words, now=now)
    client.post("/accounts/password-reset/", {"email": ada.email})
    deliver(now)
    client.post("/cart/add/", {"product_id": factories.make_product(name="Bowl").product_id, "quantity": "2"})

    answer = client.get("/accounts/data/download/")

    assert answer["Content-Disposition"] == f'attachment; filename="my-data-{now:%Y-%m-%d}.json"'
    assert "no-store" in answer["Cache-Control"]
    kept = json.loads(answer.content)
    assert kept["profile"]["email"] == "ada@example.com"
    assert [entry["street"] for entry in kept["addresses"]] == ["1 Hill Rd"]
    assert [(one["orderId"], one["total"]["amount"]) for one in kept["orders"]] == [(order.order_id, "35.91")]
    assert [(one["stars"], one["text"]) for one in kept["reviews"]] == [(5, "I like it.")]
    assert [(line["name"], line["quantity"]) for line in kept["cart"]] == [("Bowl", 2)]
    assert len(kept["sessions"]) == 1
    assert [(one["kind"], one["to"], one["state"]) for one in kept["mails"]] == [("reset", "ad…@example.com", "sent")]
    assert kept["paymentMethods"] == []
    assert "$2b$" not in answer.text


def test_nobody_takes_another_persons_data_along(client: Client, order: Order, now: datetime) -> None:
    eve = Client()
    make_user(now, email="eve@example.com")
    log_in(eve, "eve@example.com")

    assert order.order_id not in eve.get("/accounts/data/download/").text
    assert Client().get("/accounts/data/download/").status_code == 303


def test_an_account_goes_and_the_books_stay(client: Client, stripe: FakeStripe, order: Order, ada: User, now: datetime) -> None:
    elsewhere = Client()
    log_in(elsewhere)
    customer = read_user(user_id=ada.user_id).stripe_customer_id
    client.post("/cart/add/", {"product_id": factories.make_product().product_id, "quantity": "1"})
    client.post("/checkout/contact/", {"email": "ada@example.com", "phone": ""})
    before = queries.order_by_id(order_id=order.order_id)

    answer = client.post("/accounts/delete/", {"password": PASSWORD})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert accounts() == []
    assert items_of("Carts") == []
    assert [item["SK"]["S"] for item in items_of("Orders") if item["SK"]["S"] == "CHECKOUT"] == []
    assert stripe.state.tables["customers"][customer]["deleted"] is True
    assert queries.order_by_id(order_id=order.order_id) == before
    assert log_in(client).status_code == 422
    for browser in (client, elsewhere):
        assert browser.get("/accounts/sessions/").status_code == 303
    assert Client().get(f"/orders/{order.order_id}/?key={queries.key_of(order.order_id)}").status_code == 200
    make_user(now)  # the address is free again, and whoever has it now does not see what was
    log_in(client)
    assert order.order_id not in client.get("/orders/").text


def test_the_person_is_told_by_mail_once(ada: User, client: Client, tables: Any, now: datetime, mailoutbox: list[Any]) -> None:
    profile = raw_user(tables, ada)
    client.post("/accounts/delete/", {"password": PASSWORD})

    for _ in range(2):
        account_changed(profile, None, now=now)

    assert [(message.to, message.subject.endswith("account is deleted")) for message in mailoutbox] == [
        (["ada@example.com"], True)
    ]


def test_without_the_password_nothing_goes(client: Client, order: Order, ada: User, stripe: FakeStripe) -> None:
    before = sorted(map(str, items_of("Orders"))), accounts()

    answer = client.post("/accounts/delete/", {"password": "not it", "user_id": "user-1"})

    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert (sorted(map(str, items_of("Orders"))), accounts()) == before
    assert client.get("/accounts/delete/").status_code == 200
    assert Client().post("/accounts/delete/", {"password": PASSWORD})["Location"].startswith("/accounts/login/")


def test_while_stripe_is_silent_the_account_stays_and_may_be_deleted_later(
    client: Client, order: Order, ada: User, stripe: FakeStripe
) -> None:
    stripe.faults.api.append(ApiFault("error_before", method="DELETE", times=9))

    answer = client.post("/accounts/delete/", {"password": PASSWORD})

    assert answer.status_code == 503
    assert "your account is still open" in answer.text
    assert read_user(user_id=ada.user_id).addresses != ()
    stripe.faults.api.clear()
    assert client.post("/accounts/delete/", {"password": PASSWORD}).status_code == 303
    assert accounts() == []


class Died(BaseException):
    """The process ends here."""


@pytest.mark.parametrize(("operation", "nth"), [("DeleteItem", 2), ("DeleteItem", 3), ("TransactWriteItems", 1)])
def test_a_deletion_that_dies_on_the_way_is_asked_for_again(
    client: Client, order: Order, ada: User, operation: str, nth: int
) -> None:
    elsewhere = Client()
    log_in(elsewhere)

    def die() -> None:
        raise Died

    with pytest.raises(Died), run_before(operation, die, nth=nth):
        client.post("/accounts/delete/", {"password": PASSWORD})
    assert read_user(user_id=ada.user_id).email == "ada@example.com"

    assert client.post("/accounts/delete/", {"password": PASSWORD}).status_code == 303
    assert accounts() == []


def test_an_unpaid_order_is_given_up(client: Client, stripe: FakeStripe, ada: User, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    owner = Owner(ada.user_id, is_guest=False)
    waiting = factories.open_payment(factories.make_order(owner, {mug.product_id: 2}, now))

    client.post("/accounts/delete/", {"password": PASSWORD})

    assert queries.order_by_id(order_id=waiting.order_id).status is OrderStatus.CANCELLED
    assert stripe.pay(waiting.payment.session_id) == "expired"


def test_staff_are_not_deleted_by_themselves(client: Client, stripe: FakeStripe, now: datetime) -> None:
    make_user(now, role=Role.ADMIN)
    log_in(client)

    answer = client.post("/accounts/delete/", {"password": PASSWORD})

    assert answer.status_code == 422
    assert "another admin" in words_of(answer.text)
    assert accounts() == ["EMAIL EMAIL", "USER PROFILE", "USER SESSION"]
