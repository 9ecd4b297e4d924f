from __future__ import annotations

import http.client
import re
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import (
    AMEX,
    ASKS_THE_BANK,
    GENERIC_DECLINE,
    MASTERCARD,
    VISA,
    Clock,
    Endpoint,
    card,
    line,
    open_session,
    shipping,
    visit,
)


def test_it_shows_the_order_and_needs_no_script(client: stripe.StripeClient) -> None:
    session = open_session(client, line_items=[line("Mug <script>alert(1)</script>", 2499, 2), line("Socks", 2531)])
    connection = http.client.HTTPConnection(urlsplit(str(session.url)).netloc)
    connection.request("GET", urlsplit(str(session.url)).path)
    raw = connection.getresponse().read().decode()
    connection.close()
    page = visit(str(session.url))

    assert page.status == 200
    assert "<script" not in raw
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    for words in ("Qty 2", "Socks", "$49.98", "Pay $75.29", "Test mode", 'href="http://shop.test/cart/"'):
        assert words in page.text
    for name, filled in (
        ("email", "email"),
        ("card_number", "cc-number"),
        ("card_expiry", "cc-exp"),
        ("card_cvc", "cc-csc"),
        ("card_name", "cc-name"),
    ):
        assert f'<label for="{name}">' in page.text
        assert re.search(rf'<input id="{name}"[^>]* autocomplete="{filled}"', page.text)


@pytest.mark.parametrize("number", [VISA, MASTERCARD, AMEX, "4242 4242 4242 4242"])
def test_a_good_card_pays_and_sends_the_shopper_back(client: stripe.StripeClient, number: str) -> None:
    session = open_session(client)

    page = visit(str(session.url), card(number))

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert (page.status, page.location) == (303, f"http://shop.test/orders/1/?session={session.id}")
    assert (after.status, after.payment_status, after.url) == ("complete", "paid", None)
    assert after.customer_details is not None
    assert after.customer_details.email == "ada@example.com"
    intent = after.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount, intent.amount_received) == ("succeeded", 7529, 7529)
    assert intent.metadata.to_dict() == {"order": "order-1"}
    assert (intent.receipt_email, intent.description) == ("ada@example.com", "Order order-1")
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.status, charge.paid, charge.captured, charge.amount_refunded) == ("succeeded", True, True, 0)
    assert charge.payment_method_details is not None
    assert charge.payment_method_details.card is not None
    assert charge.payment_method_details.card.last4 == number[-4:]


@pytest.mark.parametrize(
    ("number", "code", "decline_code", "words"),
    [
        (GENERIC_DECLINE, "card_declined", "generic_decline", "Your card was declined."),
        ("4000000000009995", "card_declined", "insufficient_funds", "does not have enough money"),
        ("4000000000009987", "card_declined", "lost_card", "Your card was declined."),
        ("4000000000000069", "expired_card", "expired_card", "Your card has expired."),
        ("4000000000000127", "incorrect_cvc", "incorrect_cvc", "The security code is not right."),
        ("4000000000000119", "processing_error", "processing_error", "Wait a moment and try again."),
        ("4111111111111111", "card_declined", "test_mode_live_card", "Only test cards work here"),
    ],
)
def test_a_declined_card_leaves_the_session_open_and_says_why(
    client: stripe.StripeClient, endpoint: Endpoint, number: str, code: str, decline_code: str, words: str
) -> None:
    session = open_session(client)

    page = visit(str(session.url), card(number))

    after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert page.status == 402
    assert words in page.text
    assert 'role="alert"' in page.text
    assert (after.status, after.payment_status) == ("open", "unpaid")
    assert isinstance(after.payment_intent, stripe.PaymentIntent)
    assert after.payment_intent.status == "requires_payment_method"
    assert after.payment_intent.amount_received == 0
    error = after.payment_intent.last_payment_error
    assert error is not None
    assert (error.code, error.decline_code) == (code, decline_code)
    assert endpoint.next_types(1) == ["payment_intent.payment_failed"]

    assert visit(str(session.url), card()).status == 303
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent == after.payment_intent.id


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"card_number": "4242424242424241"}, "This card number is not right. Check each digit."),
        ({"card_number": "4242"}, "Enter the whole card number."),
        ({"card_expiry": "01/20"}, "This card has expired. Use another card."),
        ({"card_expiry": "13/34"}, "Enter the expiry date as MM/YY."),
        ({"card_cvc": "12"}, "Enter the 3-digit security code."),
        ({"card_name": " "}, "Enter the name on the card."),
        ({"email": "ada"}, "Enter an e-mail address, like name@example.com."),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_is_kept(client: stripe.StripeClient, changes: dict[str, str], words: str) -> None:
    session = open_session(client)

    page = visit(str(session.url), card() | changes)

    assert page.status == 422
    assert page.text.count(words) == 2
    assert f'href="#{next(iter(changes))}"' in page.text
    assert "4242424242424242" not in page.text
    kept = {"email": "ada@example.com", "card_name": "Ada Lovelace", "card_expiry": "12/34"} | changes
    for name in ("email", "card_name", "card_expiry"):
        assert re.search(rf'name="{name}" type="\w+" value="{re.escape(kept[name])}"', page.text)
    assert client.v1.charges.list().data == []
    assert client.v1.checkout.sessions.retrieve(session.id).payment_intent is None


def test_a_card_is_good_through_its_last_month(client: stripe.StripeClient, clock: Clock) -> None:
    now = time.gmtime(clock())
    session = open_session(client)

    page = visit(str(session.url), card(card_expiry=f"{now.tm_mon:02d}/{now.tm_year % 100:02d}"))

    assert page.status == 303


@pytest.mark.parametrize("number", [ASKS_THE_BANK, "4000002760003184", "4000000000003220"])
def test_a_card_that_asks_the_bank_is_paid_when_the_shopper_confirms(
    fake: FakeStripe, client: stripe.StripeClient, number: str
) -> None:
    session = open_session(client)

    asked = visit(str(session.url), card(number))
    bank = fake.base_url + str(asked.location)
    question = visit(bank)
    waiting = client.v1.payment_intents.list().data[0]
    answered = visit(bank, {"result": "complete"})

    assert (asked.status, question.status) == (303, 200)
    assert "Complete authentication" in question.text
    assert "Fail authentication" in question.text
    assert (waiting.status, waiting.amount_received) == ("requires_action", 0)
    assert (answered.status, answered.location) == (303, f"http://shop.test/orders/1/?session={session.id}")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert visit(bank, {"result": "fail"}).location == answered.location
    assert len(client.v1.charges.list().data) == 1


def test_failing_at_the_bank_brings_the_shopper_back_to_try_again(
    fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
) -> None:
    session = open_session(client)
    bank = fake.base_url + str(visit(str(session.url), card(ASKS_THE_BANK)).location)

    answered = visit(bank, {"result": "fail"})

    assert (answered.status, answered.location) == (303, f"/c/pay/{session.id}")
    assert "Your bank could not confirm it was you." in visit(str(session.url)).text
    assert endpoint.next_types(1) == ["payment_intent.payment_failed"]
    assert client.v1.charges.list().data == []
    assert visit(str(session.url), card()).status == 303


def test_a_card_may_be_declined_after_the_bank_said_yes(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = open_session(client)
    bank = fake.base_url + str(visit(str(session.url), card("4000008400001629")).location)

    answered = visit(bank, {"result": "complete"})

    assert answered.location == f"/c/pay/{session.id}"
    assert "Your card was declined." in visit(str(session.url)).text
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
    assert [one.status for one in client.v1.charges.list().data] == ["failed"]


def test_paying_in_many_tabs_at_once_gives_one_charge(client: stripe.StripeClient) -> None:
    session = open_session(client)

    with ThreadPoolExecutor(8) as pool:
        pages = list(pool.map(lambda _: visit(str(session.url), card()), range(8)))

    assert {(page.status, page.location) for page in pages} == {(303, f"http://shop.test/orders/1/?session={session.id}")}
    assert [one.amount for one in client.v1.charges.list().data] == [7529]


def test_a_complete_sessions_page_leads_to_the_shop(fake: FakeStripe, client: stripe.StripeClient) -> None:
    session = open_session(client)
    fake.pay(session.id)

    page = visit(str(session.url))

    assert (page.status, page.location) == (303, f"http://shop.test/orders/1/?session={session.id}")


def test_an_expired_sessions_page_says_so_and_takes_no_money(client: stripe.StripeClient, clock: Clock) -> None:
    session = open_session(client, expires_at=int(clock()) + 1860)
    clock.offset = 1862

    page = visit(str(session.url), card())

    assert page.status == 410
    assert "This payment page has expired" in page.text
    assert 'href="http://shop.test/cart/"' in page.text
    assert client.v1.charges.list().data == []


def test_an_unknown_page_is_a_plain_404(fake: FakeStripe) -> None:
    assert visit(f"{fake.base_url}/c/pay/cs_test_none").status == 404
    assert visit(f"{fake.base_url}/elsewhere").status == 404


def test_choosing_other_shipping_changes_what_is_paid(client: stripe.StripeClient) -> None:
    session = open_session(client, shipping_options=[shipping("Standard", 0), shipping("Express", 1295)])
    express = session.shipping_options[1].shipping_rate

    page = visit(str(session.url), {"shipping_rate": str(express)})
    visit(str(session.url), card())

    assert "Pay $88.24" in page.text
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 8824
    assert client.v1.charges.list().data[0].amount == 8824


def test_a_known_shopper_sees_their_email_and_may_save_the_card(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    options = {"payment_method_save": "enabled"}
    session = open_session(client, customer=customer.id, saved_payment_method_options=options)

    page = visit(str(session.url))
    visit(str(session.url), card(save_card="yes"))

    assert "ada@example.com" in page.text
    assert 'name="email"' not in page.text
    saved = client.v1.customers.payment_methods.list(customer.id).data
    assert [one.card.last4 for one in saved if one.card] == ["4242"]
    after = client.v1.checkout.sessions.retrieve(session.id)
    assert after.customer == customer.id
    assert after.customer_details is not None
    assert after.customer_details.email == "ada@example.com"


def test_a_card_that_was_not_to_be_saved_is_not(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"email": "ada@example.com"})
    session = open_session(client, customer=customer.id)

    visit(str(session.url), card(save_card="yes"))

    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_a_known_shopper_pays_with_a_saved_card_and_with_no_other(client: stripe.StripeClient) -> None:
    customer, other = (client.v1.customers.create({"email": f"{name}@example.com"}) for name in ("ada", "eve"))
    options = {"payment_method_save": "enabled"}
    first, second, third = (
        open_session(client, customer=one.id, saved_payment_method_options=options) for one in (customer, customer, other)
    )
    visit(str(first.url), card(save_card="yes"))
    (saved,) = client.v1.customers.payment_methods.list(customer.id).data

    strangers = visit(str(third.url), {"saved_card": saved.id})
    own = visit(str(second.url))
    paid = visit(str(second.url), {"saved_card": saved.id})

    assert strangers.status == 422
    assert "Visa ending in 4242" not in strangers.text
    assert client.v1.checkout.sessions.retrieve(third.id).payment_status == "unpaid"
    assert "with Visa ending in 4242" in own.text
    assert paid.status == 303
    assert client.v1.checkout.sessions.retrieve(second.id).payment_status == "paid"
    assert len(client.v1.customers.payment_methods.list(customer.id).data) == 1
