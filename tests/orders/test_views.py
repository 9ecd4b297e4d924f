"""Checkout and order pages, walked by plain forms as a browser without script walks them."""

import re
import time
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from catalog import queries as catalog
from catalog.services import set_stock
from orders import payments, queries
from orders.domain import HOLD, OrderStatus
from orders.jobs import release_unpaid_orders
from shop.lib.guests import GUEST_COOKIE
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.accounts.people import ADDRESS
from tests.conftest import counted_calls, words_of
from tests.orders.walk import fields_of, orders, place, walk_to_review

pytestmark = pytest.mark.usefixtures("tables")


def test_a_guest_buys_from_cart_to_confirmation_with_plain_forms(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=5, price=Money(2400, "USD"))

    placed = place(client, mug.product_id, 3)

    (order,) = orders()
    order_id = order["orderId"]["S"]
    assert placed.status_code == 303
    assert placed["Location"].startswith(f"{stripe.base_url}/c/pay/cs_test_")
    assert catalog.product(product_id=mug.product_id).inventory == 2
    session_id = order["payment"]["M"]["sessionId"]["S"]
    session = stripe.state.tables["sessions"][session_id]
    assert (session["amount_total"], session["currency"], session["client_reference_id"]) == (8775, "usd", order_id)

    assert stripe.pay(session_id) == "paid"
    back = client.get(session["success_url"].removeprefix("http://testserver"), follow=True)

    assert back.status_code == 200
    assert re.search(rf"/checkout/{order_id}/confirmation/\?key=", back.redirect_chain[-1][0])
    for words in (order_id, "ada@example.com", "Tide Mug", "$72.00", "$5.76", "$9.99", "$87.75", "123 Main St"):
        assert words in back.text
    assert client.get(back.redirect_chain[-1][0]).content == back.content
    assert queries.order_by_id(order_id=order_id).status is OrderStatus.PROCESSING


def test_the_review_says_what_is_agreed_to_just_above_its_button(client: Client) -> None:
    review = walk_to_review(client, factories.make_product().product_id)

    form = review[review.index('action="/checkout/place/"') :].partition("</form>")[0]
    line = re.search(
        r'<p class="hint" id="agreed">(.*?)</p>\s*<button class="button button-wide" type="submit" aria-describedby="agreed">',
        form,
    )
    assert line
    assert re.findall(r'<a href="([^"]+)" target="_blank">', line[1]) == ["/terms/", "/delivery-and-returns/", "/privacy/"]
    assert words_of(line[1]).startswith(
        "With this button you order, and agree to our terms of sale (new tab) and rules of delivery and returns"
    )
    assert "checkbox" not in form


@pytest.mark.parametrize("step", ["contact", "address", "delivery"])
def test_the_summary_comes_after_the_step_and_a_line_before_it_tells_the_total(client: Client, step: str) -> None:
    walk_to_review(client, factories.make_product(price=Money(2400, "USD")).product_id, 3)

    page = client.get(f"/checkout/{step}/").text

    main = page[page.index("<main") :]
    assert main.index(
        '<p class="total-line"><a href="#order-summary">Order summary</a> <span class="price">$87.75</span></p>'
    ) < main.index("<h1")
    assert main.index("<h1") < main.index('type="submit"') < main.index('<h2 id="order-summary">Order summary</h2>')
    assert [one for one in ("/terms/", "/privacy/", "/delivery-and-returns/", "/contact/") if f'href="{one}"' not in page] == []


def test_each_step_keeps_what_it_was_told_over_back_and_refresh(client: Client) -> None:
    mug = factories.make_product()
    walk_to_review(client, mug.product_id)

    assert 'value="ada@example.com"' in client.get("/checkout/contact/").text
    assert 'value="123 Main St"' in client.get("/checkout/address/").text
    assert "checked" in client.get("/checkout/delivery/").text
    client.post("/checkout/contact/", {"email": "grace@example.com", "phone": "+1 555 123 4567"})
    review = client.get("/checkout/review/").text
    assert "grace@example.com" in review
    assert "123 Main St" in review


def test_a_step_that_comes_too_early_leads_to_the_first_open_one(client: Client) -> None:
    mug = factories.make_product()
    assert client.get("/checkout/")["Location"] == "/cart/"
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})

    def leads_to() -> str:
        return str(client.get("/checkout/review/")["Location"])

    assert leads_to() == client.get("/checkout/")["Location"] == "/checkout/contact/"
    client.post("/checkout/contact/", {"email": "ada@example.com"})
    assert leads_to() == "/checkout/address/"
    client.post("/checkout/address/", ADDRESS)
    assert leads_to() == "/checkout/delivery/"


def test_names_and_addresses_of_the_whole_world_are_shown_and_never_run(client: Client) -> None:
    mug = factories.make_product()
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})
    client.post("/checkout/contact/", {"email": "zoe@example.com", "phone": ""})
    client.post(
        "/checkout/address/",
        ADDRESS | {"country": "JP", "name": "<script>alert(1)</script> 山田", "state": "", "zip_code": "100-0001"},
    )
    client.post("/checkout/delivery/", {"delivery": "express"})

    page = client.get("/checkout/review/").text

    assert "山田" in page
    assert "<script>alert" not in page
    assert "$24.99" in page


def test_a_forged_or_incomplete_order_form_orders_nothing(client: Client) -> None:
    mug = factories.make_product(inventory=5)
    good = fields_of(walk_to_review(client, mug.product_id))

    for fields in (
        {},
        {"cart_id": good["cart_id"]},
        good | {"total_seen": "1"},
        good | {"total_seen": "-1"},
        good | {"total_seen": "1.5"},
        good | {"cart_id": "cart-00000000000000000"},
        good | {"cart_id": "../../x"},
    ):
        answer = client.post("/checkout/place/", fields, follow=True)
        assert answer.status_code == 200, fields
        assert re.search("nothing was (ordered|charged)", answer.text, re.IGNORECASE), fields
    assert orders() == []
    assert catalog.product(product_id=mug.product_id).inventory == 5


def test_what_sold_out_during_checkout_is_named_and_nothing_is_charged(client: Client, now: datetime) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=5)
    fields = fields_of(walk_to_review(client, mug.product_id, 3))
    set_stock(product_id=mug.product_id, inventory=2, now=now)

    answer = client.post("/checkout/place/", fields, follow=True)

    assert answer.redirect_chain == [("/cart/", 302)]
    assert "Sold out or too few left: Tide Mug. Nothing was charged." in answer.text
    assert orders() == []


def test_the_second_click_leads_to_the_same_payment(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    fields = fields_of(walk_to_review(client, mug.product_id, 2))

    first, second = client.post("/checkout/place/", fields), client.post("/checkout/place/", fields)

    assert first["Location"] == second["Location"]
    assert len(orders()) == len(stripe.state.tables["sessions"]) == 1


def test_when_stripe_cannot_be_reached_the_order_is_kept_and_can_be_paid_a_moment_later(
    client: Client, stripe: FakeStripe
) -> None:
    mug = factories.make_product(inventory=5)
    stripe.faults.api.append(ApiFault("error_before", method="POST", path="/v1/checkout/sessions"))

    answer = place(client, mug.product_id)

    assert answer.status_code == 303
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "Nothing was charged and your items are kept" in page.text
    (order,) = orders()
    assert "sessionId" not in order["payment"]["M"]
    again = client.post(f"/checkout/{order['orderId']['S']}/pay/")
    assert again.status_code == 303
    assert again["Location"].startswith(stripe.base_url)


def test_a_shopper_who_comes_back_unpaid_finds_pay_now_and_the_way_back_to_the_cart(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    to_stripe = place(client, mug.product_id, 2)["Location"]
    (order,) = orders()
    path = f"/checkout/{order['orderId']['S']}"

    page = client.get(f"{path}/pay/")
    assert page.status_code == 200
    assert client.get("/checkout/review/")["Location"] == f"{path}/pay/"
    assert f'href="{path}/pay/"' in client.get("/cart/").text
    assert client.post(f"{path}/pay/")["Location"] == to_stripe
    assert client.get(f"{path}/confirmation/")["Location"].startswith(f"{path}/pay/")
    assert client.get(f"{path}/return/")["Location"].startswith(f"{path}/pay/")

    back = client.post(f"{path}/cancel/", follow=True)
    assert "Everything is back in your cart." in back.text
    assert catalog.product(product_id=mug.product_id).inventory == 5
    assert client.get(f"{path}/pay/").status_code == 200
    assert client.post(f"{path}/pay/", follow=True).redirect_chain[0][1] == 303


def test_an_expired_order_offers_its_lines_once_more(client: Client, stripe: FakeStripe, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    place(client, mug.product_id, 2)
    (order,) = orders()
    release_unpaid_orders(now=now + HOLD + timedelta(minutes=1))
    path = f"/checkout/{order['orderId']['S']}"

    page = client.get(f"{path}/pay/")
    assert page.status_code == 200
    assert "Nothing was charged" in page.text
    for _ in range(2):
        client.post(f"{path}/cancel/")
    assert words_of(client.get("/cart/badge/").text) == "Cart, 2 items"


def test_an_order_opens_for_its_guest_and_for_the_key_of_its_link_and_nobody_else(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product()
    place(client, mug.product_id)
    (order,) = orders()
    order_id = order["orderId"]["S"]
    key = queries.key_of(order_id)
    stranger = Client()
    other_guest = Client()
    other_guest.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})
    assert GUEST_COOKIE in other_guest.cookies

    for path in (f"/orders/{order_id}/", f"/checkout/{order_id}/pay/"):
        assert client.get(path).status_code == 200
        assert stranger.get(path, {"key": key}).status_code == 200
        for visitor in (stranger, other_guest):
            for bad in ("", "x", key[:-1], key.upper(), f"{order_id}:{key}", queries.key_of("ord-other"), "ü"):
                assert visitor.get(path, {"key": bad}).status_code == 404, bad
    for method in ("pay", "cancel"):
        assert stranger.post(f"/checkout/{order_id}/{method}/").status_code == 404
    assert stranger.get("/orders/ord-unknown/", {"key": queries.key_of("ord-unknown")}).status_code == 404
    assert queries.order_by_id(order_id=order_id).status is OrderStatus.PENDING


def test_the_key_of_a_link_ends_after_half_a_year(client: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    key = queries.key_of(order.order_id)

    def opens(moment: datetime) -> bool:
        try:
            return queries.order_for(viewer=None, order_id=order.order_id, key=key, now=moment) == order
        except queries.OrderNotFound:
            return False

    assert opens(now + timedelta(days=180, seconds=-1)) is True
    assert opens(now + timedelta(days=180)) is False


def test_asking_stripe_again_after_a_lost_reply_meets_the_same_session(
    client: Client, stripe: FakeStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = factories.make_product(inventory=5)
    stripe.faults.api.append(ApiFault("error_after", method="POST", path="/v1/checkout/sessions"))
    assert place(client, mug.product_id)["Location"].startswith("/checkout/ord-")
    (order,) = orders()
    real = time.time
    with monkeypatch.context() as later:
        later.setattr(time, "time", lambda: real() + 20)
        again = client.post(f"/checkout/{order['orderId']['S']}/pay/")

    assert again.status_code == 303
    (session,) = stripe.state.tables["sessions"].values()
    assert again["Location"] == session["url"]


def test_an_order_stripe_will_never_take_gives_the_cart_back(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    fields = fields_of(walk_to_review(client, mug.product_id, 2))
    stripe.state.clock = lambda: time.time() + 3600 * 2  # too late for a payment page of at least 30 minutes

    answer = client.post("/checkout/place/", fields, follow=True)

    assert "did not accept this order, so nothing was charged." in answer.text
    assert "Everything is back in your cart." in answer.text
    assert catalog.product(product_id=mug.product_id).inventory == 5
    assert words_of(client.get("/cart/badge/").text) == "Cart, 2 items"
    assert [order["status"]["S"] for order in orders()] == ["cancelled"]


def test_a_key_that_stripe_does_not_accept_keeps_the_order_and_cries_out(
    client: Client, stripe: FakeStripe, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    mug = factories.make_product(inventory=5)
    fields = fields_of(walk_to_review(client, mug.product_id, 2))
    settings.STRIPE_SECRET_KEY = "sk_test_revoked"
    payments.gateway.cache_clear()

    answer = client.post("/checkout/place/", fields, follow=True)

    assert answer.status_code == 200
    assert "Nothing was charged and your items are kept" in answer.text
    assert [order["status"]["S"] for order in orders()] == ["pending"]
    assert [record.levelname for record in caplog.records if "nobody can pay" in record.message] == ["CRITICAL"]


def test_what_changed_in_another_tab_after_the_review_is_not_ordered(client: Client) -> None:
    red, blue = factories.make_product(name="Red Mug"), factories.make_product(name="Blue Mug")
    fields = fields_of(walk_to_review(client, red.product_id))

    client.post("/cart/remove/", {"product_id": red.product_id})
    client.post("/cart/add/", {"product_id": blue.product_id, "quantity": "1"})
    swapped = client.post("/checkout/place/", fields, follow=True)
    fields = fields_of(client.get("/checkout/review/").text)
    client.post("/checkout/address/", ADDRESS | {"street": "Elsewhere 9"})
    moved = client.post("/checkout/place/", fields, follow=True)

    for answer in (swapped, moved):
        assert "Your cart or your details changed in the meantime. Nothing was charged" in answer.text
    assert orders() == []


def test_a_link_opened_elsewhere_puts_the_lines_into_that_visitors_cart(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    place(client, mug.product_id, 2)
    order_id = orders()[0]["orderId"]["S"]
    phone = Client()

    answer = phone.post(f"/checkout/{order_id}/cancel/?key={queries.key_of(order_id)}", follow=True)

    assert "Everything is back in your cart." in answer.text
    assert words_of(phone.get("/cart/badge/").text) == "Cart, 2 items"


def test_an_order_under_review_is_not_said_to_be_back_in_the_cart(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product(inventory=5)
    place(client, mug.product_id, 2)
    order = orders()[0]
    session_id = order["payment"]["M"]["sessionId"]["S"]
    stripe.pay(session_id)
    stripe.state.tables["sessions"][session_id]["amount_total"] = 1

    answer = client.post(f"/checkout/{order['orderId']['S']}/cancel/", follow=True)

    assert "We are looking into your payment" in answer.text
    assert words_of(client.get("/cart/badge/").text) == "Cart"


def test_checkout_pages_cost_a_fixed_number_of_calls(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product()
    factories.make_category()
    fields = fields_of(walk_to_review(client, mug.product_id))

    for step in ("contact", "address", "delivery", "review"):
        with counted_calls() as calls:
            client.get(f"/checkout/{step}/")
        assert calls == ["GetItem", "GetItem", "BatchGetItem"], step

    with counted_calls() as calls:
        client.post("/checkout/place/", fields)
    assert calls == ["GetItem", "GetItem", "BatchGetItem", "TransactWriteItems", "UpdateItem"]


def test_every_page_of_checkout_and_orders_is_private(client: Client, stripe: FakeStripe) -> None:
    mug = factories.make_product()
    place(client, mug.product_id)
    order_id = orders()[0]["orderId"]["S"]
    client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})

    for path in ("/checkout/contact/", "/checkout/review/", f"/checkout/{order_id}/pay/", f"/orders/{order_id}/"):
        assert client.get(path)["Cache-Control"] == "private, no-store", path


def test_links_go_to_the_fixed_origin_whatever_host_is_asked_for(client: Client, stripe: FakeStripe, guest: Owner) -> None:
    mug = factories.make_product()
    fields = fields_of(walk_to_review(client, mug.product_id))

    answer = client.post("/checkout/place/", fields, headers={"Host": "127.0.0.1", "X-Forwarded-Host": "evil.example"})

    assert answer.status_code == 303
    (session,) = stripe.state.tables["sessions"].values()
    assert urlsplit(session["success_url"]).netloc == "testserver"
    assert parse_qs(urlsplit(session["cancel_url"]).query)["key"]
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
