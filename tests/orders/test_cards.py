"""Saved cards: kept by Stripe, copied to the account, theirs alone."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts.domain import User
from accounts.queries import user as read_user
from orders import customers, queries
from orders.domain import Order
from orders.payments import PaymentRefused
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests.accounts.people import log_in, make_user, raw_user
from tests.conftest import words_of
from tests.factories import make_product
from tests.orders.walk import orders, place
from tests.rivals import fails, run_around
from tests.shop.local.fake_stripe.scene import card, visit

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def ada(stripe: FakeStripe, client: Client, now: datetime) -> User:
    user = make_user(now)
    log_in(client)
    return user


def order_of(user: User) -> Order:
    found = [item["orderId"]["S"] for item in orders() if item["PK"]["S"] == f"USER#{user.user_id}"]
    return queries.order_of(owner=Owner(user.user_id, is_guest=False), order_id=found[0])


def buy(client: Client, **choice: str) -> str:
    """Order something and pay it on the hosted page; the page's text."""
    page = place(client, make_product().product_id)["Location"]
    shown = visit(page)
    paid = visit(page, choice or card(save_card="yes"))
    assert paid.status == 303, paid.text
    return shown.text


def saved_ids(stripe: FakeStripe, user: User) -> list[str]:
    customer = read_user(user_id=user.user_id).stripe_customer_id
    methods = stripe.state.tables["payment_methods"].values()
    return [method["id"] for method in methods if method["customer"] == customer]


def test_a_card_saved_while_paying_is_offered_the_next_time_and_shown_in_the_specifications_form(
    tables: Any, stripe: FakeStripe, client: Client, ada: User
) -> None:
    buy(client)
    customer = read_user(user_id=ada.user_id).stripe_customer_id
    assert stripe.state.tables["customers"][customer]["email"] == "ada@example.com"
    (saved,) = saved_ids(stripe, ada)

    page = client.get("/accounts/cards/")

    assert "Visa ending in 4242 default Good until 12/2034" in words_of(page.text)
    assert raw_user(tables, ada)["paymentMethods"]["L"] == [
        {
            "M": {
                "id": {"S": saved},
                "type": {"S": "card"},
                "last4": {"S": "4242"},
                "brand": {"S": "visa"},
                "expiryMonth": {"N": "12"},
                "expiryYear": {"N": "2034"},
                "isDefault": {"BOOL": True},
            }
        }
    ]
    assert "with Visa ending in 4242" in buy(client, saved_card=saved)
    assert list(stripe.state.tables["customers"]) == [customer]


def test_default_and_removing_go_to_stripe_first(stripe: FakeStripe, client: Client, ada: User) -> None:
    buy(client)
    buy(client, **card("5555555555554444", save_card="yes"))
    first, second = saved_ids(stripe, ada)
    customer = read_user(user_id=ada.user_id).stripe_customer_id
    assert [(one.last4, one.is_default) for one in customers.cards_of(customer)] == [("4444", True), ("4242", False)]

    assert client.post(f"/accounts/cards/{first}/default/").status_code == 303
    settings = stripe.state.tables["customers"][customer]["invoice_settings"]
    assert settings["default_payment_method"] == first
    assert [(one.last4, one.is_default) for one in read_user(user_id=ada.user_id).cards] == [("4444", False), ("4242", True)]

    stripe.faults.api.append(ApiFault("error_before", method="POST", path="/v1/payment_methods/*", times=9))
    answer = client.post(f"/accounts/cards/{first}/remove/", follow=True)
    assert "nothing was changed" in answer.text
    stripe.faults.api.clear()
    assert saved_ids(stripe, ada) == [first, second]

    for _ in range(2):  # a double click
        assert client.post(f"/accounts/cards/{first}/remove/").status_code == 303
    assert saved_ids(stripe, ada) == [second]
    assert [(one.last4, one.is_default) for one in read_user(user_id=ada.user_id).cards] == [("4444", True)]


def test_another_persons_card_is_neither_shown_nor_changed(stripe: FakeStripe, client: Client, ada: User, now: datetime) -> None:
    buy(client)
    (hers,) = saved_ids(stripe, ada)
    eve, other = make_user(now, email="eve@example.com"), Client()
    log_in(other, "eve@example.com")
    buy(other)

    assert other.post(f"/accounts/cards/{hers}/default/").status_code == 404
    other.post(f"/accounts/cards/{hers}/remove/")

    assert saved_ids(stripe, ada) == [hers]
    assert hers not in other.get("/accounts/cards/").text
    assert read_user(user_id=eve.user_id).stripe_customer_id != read_user(user_id=ada.user_id).stripe_customer_id


def test_while_stripe_is_silent_the_copies_are_shown(stripe: FakeStripe, client: Client, ada: User) -> None:
    buy(client)
    client.get("/accounts/cards/")
    stripe.faults.api.append(ApiFault("error_before", path="/v1/customers/*", times=9))

    page = client.get("/accounts/cards/")

    assert page.status_code == 200
    assert "This is what we knew last. Visa ending in 4242" in words_of(page.text)


def test_a_customer_deleted_at_stripe_keeps_nobody_from_paying(stripe: FakeStripe, client: Client, ada: User) -> None:
    buy(client)
    client.get("/accounts/cards/")
    customer = read_user(user_id=ada.user_id).stripe_customer_id
    customers.delete_customer(customer)
    customers.delete_customer(customer)

    shown = buy(client, **card())

    assert "with Visa" not in shown
    user = read_user(user_id=ada.user_id)
    assert (user.stripe_customer_id, user.cards) == ("", ())
    assert "No card is saved." in words_of(client.get("/accounts/cards/").text)


def test_a_passed_on_link_does_not_open_the_owners_cards(stripe: FakeStripe, client: Client, ada: User) -> None:
    place(client, make_product().product_id)
    order = order_of(ada)
    pay_url = f"/checkout/{order.order_id}/pay/?key={queries.key_of(order.order_id)}"
    stranger = Client()

    answer = stranger.post(pay_url)

    assert (answer.status_code, answer["Location"].split("?")[0]) == (303, "/accounts/login/")
    assert client.post(pay_url)["Location"] == order.payment.session_url
    assert re.search(r"/c/pay/cs_", order.payment.session_url)


def test_guests_have_no_customer(stripe: FakeStripe, client: Client) -> None:
    place(client, make_product().product_id)

    (session,) = stripe.state.tables["sessions"].values()
    assert (session["customer"], session["customer_email"]) == (None, "ada@example.com")
    assert stripe.state.tables["customers"] == {}
    assert client.get("/accounts/cards/")["Location"].startswith("/accounts/login/")


def test_who_is_no_customer_by_stripes_will_pays_all_the_same(stripe: FakeStripe, client: Client, ada: User) -> None:
    with run_around(customers, "create_customer", fails(PaymentRefused("Invalid email address")), when="before"):
        place(client, make_product().product_id)

    order = order_of(ada)
    assert visit(order.payment.session_url, card()).status == 303
    assert read_user(user_id=ada.user_id).stripe_customer_id == ""
    assert stripe.state.tables["sessions"][order.payment.session_id]["customer"] is None


def test_a_card_stripe_will_not_forget_stays(stripe: FakeStripe, client: Client, ada: User) -> None:
    buy(client)
    (saved,) = saved_ids(stripe, ada)
    refused = PaymentRefused("It pays for something just now")

    with run_around(customers, "detach_card", fails(refused), when="before"):
        answer = client.post(f"/accounts/cards/{saved}/remove/", follow=True)

    assert "nothing was changed" in answer.text
    assert saved_ids(stripe, ada) == [saved]
    assert [one.method_id for one in read_user(user_id=ada.user_id).cards] == [saved]
