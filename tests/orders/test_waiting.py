"""An order that waits to be paid: what its page and the cart say of it, and that Stripe's word comes first."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client

from orders import queries
from orders.domain import HOLD
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.conftest import counted_calls, words_of
from tests.orders.walk import fields_of, orders, place, walk_to_review

pytestmark = pytest.mark.usefixtures("tables")


def test_the_pay_page_asks_stripe_before_it_says_unpaid(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    place(client, mug.product_id)
    order = orders()[0]
    path = f"/checkout/{order['orderId']['S']}/pay/"
    assert "Your order is not paid yet" in client.get(path).text

    stripe.pay(order["payment"]["M"]["sessionId"]["S"])  # the tab was closed, and no webhook came

    for answer in (client.get(path), client.post(path)):
        assert answer.status_code in (302, 303)
        assert answer["Location"].startswith(path.replace("/pay/", "/confirmation/"))
    assert orders()[0]["status"] == {"S": "processing"}


def test_the_pay_page_does_not_say_unpaid_while_stripe_is_silent(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    session_url = place(client, mug.product_id)["Location"]
    path = f"/checkout/{orders()[0]['orderId']['S']}"

    def trouble(method: str = "GET") -> None:
        stripe.faults.api.append(ApiFault("error_before", method=method, path="/v1/checkout/sessions*"))

    trouble()
    page = client.get(f"{path}/pay/")
    trouble()
    pressed = client.post(f"{path}/pay/")
    trouble("POST")
    trouble("GET")
    given_up = client.post(f"{path}/cancel/")

    assert page.status_code == 503
    assert "We cannot tell yet whether your order is paid" in page.text
    assert "not paid yet" not in page.text
    assert (pressed.status_code, pressed["Location"]) == (303, session_url)  # Stripe's own page knows, and takes no money twice
    assert given_up.status_code == 303
    assert "so nothing was changed" in client.get(given_up["Location"]).text
    assert orders()[0]["status"] == {"S": "pending"}


@pytest.mark.parametrize("delivery", ["standard", "express"])
def test_until_when_pieces_are_kept_and_how_they_are_sent_is_told(client: Client, stripe: FakeStripe, delivery: str) -> None:
    mug = factories.make_product(inventory=5)
    walk_to_review(client, mug.product_id)
    client.post("/checkout/delivery/", {"delivery": delivery})
    review = client.get("/checkout/review/").text
    client.post("/checkout/place/", fields_of(review))
    order = queries.order_by_id(order_id=orders()[0]["orderId"]["S"])
    clock = f"{order.created_at + timedelta(minutes=30):%H:%M} UTC"

    pay, cart = client.get(f"/checkout/{order.order_id}/pay/").text, client.get("/cart/").text

    assert "We then keep the items for you for half an hour." in review
    assert re.search(rf"for half an hour, until\s+<time [^>]*>{clock}</time>", pay)
    assert re.search(rf"for you until\s+<time [^>]*>{clock}</time>", cart)
    for page in (pay, client.get(f"/orders/{order.order_id}/").text):
        assert f"<dt>{delivery.capitalize()} delivery</dt>" in page


def test_the_cart_tells_of_the_order_that_waits_and_offers_both_ways(client: Client, stripe: FakeStripe, now: datetime) -> None:
    mug, lamp = factories.make_product(inventory=5), factories.make_product(inventory=5)
    session_url = place(client, mug.product_id, 2)["Location"]
    path = f"/checkout/{orders()[0]['orderId']['S']}"
    empty = client.get("/cart/").text
    client.post("/cart/add/", {"product_id": lamp.product_id, "quantity": "1"})
    filled = client.get("/cart/").text

    for page in (empty, filled):
        assert "Your order is waiting to be paid" in page
        assert "We keep its 2 items for you until" in page
        assert f'action="{path}/pay/"' in page
        assert f'action="{path}/cancel/"' in page
    assert client.post(f"{path}/pay/")["Location"] == session_url

    back = client.post(f"{path}/cancel/", follow=True)
    again = client.post(f"{path}/cancel/", follow=True)

    assert "Everything is back in your cart, together with what was in it already." in back.text
    assert "was put back in your cart before." in again.text
    for page in (back.text, again.text):
        assert "waiting to be paid" not in page
    assert words_of(client.get("/cart/badge/").text) == "Cart, 3 items"


def test_the_cart_asks_for_its_last_order_only_while_that_may_wait(guest_client: Client, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now - HOLD)
    factories.make_category()
    guest_client.get("/")

    with counted_calls() as calls:
        page = guest_client.get("/cart/")

    assert calls == ["GetItem"]
    assert f'href="/checkout/{order.order_id}/pay/"' in page.text
    assert "waiting to be paid" not in page.text


def test_a_paid_order_is_said_to_be_paid_by_the_empty_cart(client: Client, stripe: FakeStripe) -> None:
    place(client, factories.make_product().product_id)
    order = orders()[0]
    stripe.pay(order["payment"]["M"]["sessionId"]["S"])
    client.get(f"/checkout/{order['orderId']['S']}/return/")

    page = client.get("/cart/").text

    assert "Your last order is paid." in page
    assert "waiting to be paid" not in page
