"""The fake Stripe, through the doors its users have: the `stripe` library, a browser's requests, webhooks."""

from __future__ import annotations

import http.client
import json
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from html import unescape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from shop.local.fake_stripe import ApiFault, FakeStripe, WebhookFault

SECRET = "whsec_test"
KEY = "sk_test_local"
VISA, MASTERCARD, AMEX = "4242424242424242", "5555555555554444", "378282246310005"
GENERIC_DECLINE, ASKS_THE_BANK = "4000000000000002", "4000002500003155"


class Clock:
    """The time, movable."""

    def __init__(self) -> None:
        self.offset = 0.0

    def __call__(self) -> float:
        return time.time() + self.offset


@dataclass
class Endpoint:
    """A shop's webhook endpoint that answers as told and keeps what it got."""

    url: str
    answers: list[int] = field(default_factory=list)
    got: queue.Queue[tuple[str, str]] = field(default_factory=queue.Queue)

    def next_event(self) -> stripe.Event:
        body, signature = self.got.get(timeout=10)
        event: stripe.Event = stripe.Webhook.construct_event(body, signature, SECRET)
        return event

    def next_types(self, count: int) -> list[str]:
        return [self.next_event().type for _ in range(count)]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            # Noted before it is answered: the next event may come as soon as this one was taken.
            made.got.put((body, self.headers["Stripe-Signature"]))
            status = made.answers.pop(0) if made.answers else 200
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Endpoint(f"http://127.0.0.1:{server.server_port}/webhooks/stripe/")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock, endpoint: Endpoint) -> Iterator[FakeStripe]:
    with FakeStripe(webhook_url=endpoint.url, webhook_secret=SECRET, clock=clock, first_retry=0.02) as started:
        yield started


@pytest.fixture
def client(fake: FakeStripe) -> stripe.StripeClient:
    return client_of(fake)


def client_of(fake: FakeStripe, *, key: str = KEY) -> stripe.StripeClient:
    return stripe.StripeClient(key, base_addresses={"api": fake.base_url}, max_network_retries=0)


def line(name: str = "Mug", unit: int = 2499, quantity: int = 1, currency: str = "usd") -> dict[str, Any]:
    price = {"currency": currency, "unit_amount": unit, "product_data": {"name": name}}
    return {"price_data": price, "quantity": quantity}


def shipping(name: str, amount: int) -> dict[str, Any]:
    rate = {"display_name": name, "type": "fixed_amount", "fixed_amount": {"amount": amount, "currency": "usd"}}
    return {"shipping_rate_data": rate}


def params(**changes: Any) -> Any:
    wanted = {
        "mode": "payment",
        "line_items": [line("Mug", 2499, 2), line("Socks", 2531)],
        "client_reference_id": "order-1",
        "metadata": {"order": "order-1"},
        "payment_intent_data": {
            "metadata": {"order": "order-1"},
            "receipt_email": "ada@example.com",
            "description": "Order order-1",
        },
        "success_url": "http://shop.test/orders/1/?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://shop.test/cart/",
    } | changes
    return {name: value for name, value in wanted.items() if value is not None}


def open_session(client: stripe.StripeClient, **changes: Any) -> stripe.checkout.Session:
    return client.v1.checkout.sessions.create(params(**changes))


def paid_intent(fake: FakeStripe, client: stripe.StripeClient, **changes: Any) -> str:
    session = open_session(client, **changes)
    assert fake.pay(session.id) == "paid"
    return str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)


@dataclass(frozen=True)
class Page:
    status: int
    text: str
    location: str | None
    headers: dict[str, str]


def visit(url: str, form: dict[str, str] | None = None) -> Page:
    """One request as a browser without scripts and cookies sends it; redirects are not followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = None if form is None else urlencode(form)
    connection.request("GET" if form is None else "POST", parts.path, body, headers)
    answer = connection.getresponse()
    page = Page(answer.status, unescape(answer.read().decode()), answer.getheader("Location"), dict(answer.getheaders()))
    connection.close()
    return page


def card(number: str = VISA, **changes: str) -> dict[str, str]:
    form = {
        "email": "ada@example.com",
        "card_number": number,
        "card_expiry": "12/34",
        "card_cvc": "1234" if number == AMEX else "123",
        "card_name": "Ada Lovelace",
    }
    return form | changes


def control(fake: FakeStripe, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=10)
    connection.request(method, path, None if body is None else json.dumps(body))
    answer = connection.getresponse()
    told = answer.status, json.loads(answer.read())
    connection.close()
    return told


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        threading.Event().wait(0.01)


class TestSessions:
    def test_a_new_session_is_open_unpaid_and_counts_its_lines(self, client: stripe.StripeClient) -> None:
        session = open_session(client)

        assert session.id.startswith("cs_test_")
        assert (session.status, session.payment_status, session.mode) == ("open", "unpaid", "payment")
        assert (session.amount_subtotal, session.amount_total, session.currency) == (7529, 7529, "usd")
        assert session.payment_intent is None
        assert session.livemode is False
        assert session.client_reference_id == "order-1"
        assert session.metadata is not None
        assert session.metadata.to_dict() == {"order": "order-1"}
        assert session.expires_at - session.created == 24 * 3600
        assert str(session.url).endswith(f"/c/pay/{session.id}")

    def test_shipping_is_added_to_the_total(self, client: stripe.StripeClient) -> None:
        session = open_session(client, shipping_options=[shipping("Standard", 595), shipping("Express", 1500)])

        assert (session.amount_subtotal, session.amount_total) == (7529, 8124)
        assert session.total_details is not None
        assert session.total_details.amount_shipping == 595
        assert session.shipping_cost is not None
        assert session.shipping_cost.amount_total == 595
        assert [option.shipping_amount for option in session.shipping_options] == [595, 1500]

    def test_line_items_are_listed_in_their_order(self, client: stripe.StripeClient) -> None:
        session = open_session(client)

        first = client.v1.checkout.sessions.line_items.list(session.id, {"limit": 1})
        rest = client.v1.checkout.sessions.line_items.list(session.id, {"starting_after": first.data[0].id})

        assert first.has_more is True
        assert [(one.description, one.quantity, one.amount_total) for one in first.data] == [("Mug", 2, 4998)]
        assert [(one.description, one.quantity, one.amount_total) for one in rest.data] == [("Socks", 1, 2531)]
        assert rest.has_more is False

    @pytest.mark.parametrize(
        ("life", "words"),
        [
            (30 * 60 - 5, "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."),
            (24 * 3600 + 60, "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation."),
        ],
    )
    def test_an_end_too_near_or_too_far_is_refused(
        self, client: stripe.StripeClient, clock: Clock, life: int, words: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            open_session(client, expires_at=int(clock()) + life)

        assert refused.value.user_message == words
        assert (refused.value.http_status, refused.value.param) == (400, "expires_at")
        assert client.v1.checkout.sessions.list().data == []

    @pytest.mark.parametrize(
        ("changes", "code", "param"),
        [
            ({"success_url": None}, "parameter_missing", "success_url"),
            ({"success_url": "not-an-address"}, "url_invalid", "success_url"),
            ({"line_items": None}, "parameter_missing", "line_items"),
            ({"line_items": [line(unit=49)]}, "amount_too_small", "line_items"),
            ({"line_items": [line() | {"quantity": 0}]}, "parameter_invalid_integer", "line_items[0][quantity]"),
            ({"line_items": [line(name="")]}, "parameter_missing", "line_items[0][price_data][product_data][name]"),
            (
                {"line_items": [{"price_data": line()["price_data"] | {"unit_amount": "9.5"}, "quantity": 1}]},
                "parameter_invalid_integer",
                "line_items[0][price_data][unit_amount]",
            ),
            ({"line_items": [line(), line(currency="eur")]}, None, "line_items"),
            ({"customer": "cus_unknown"}, "resource_missing", "customer"),
            ({"colour": "blue"}, "parameter_unknown", "colour"),
            ({"payment_intent_data": {"colour": "blue"}}, "parameter_unknown", "payment_intent_data[colour]"),
            ({"metadata": {"k" * 41: "v"}}, None, "metadata"),
            ({"mode": "subscription"}, None, "mode"),
        ],
    )
    def test_a_wrong_parameter_is_refused_by_name_and_nothing_is_created(
        self, client: stripe.StripeClient, changes: dict[str, Any], code: str | None, param: str
    ) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            open_session(client, **changes)

        assert (refused.value.code, refused.value.param) == (code, param)
        assert client.v1.checkout.sessions.list().data == []

    def test_an_open_session_is_expired_once(self, client: stripe.StripeClient, endpoint: Endpoint) -> None:
        session = open_session(client)

        expired = client.v1.checkout.sessions.expire(session.id)
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.checkout.sessions.expire(session.id)

        assert (expired.status, expired.payment_status, expired.url) == ("expired", "unpaid", None)
        assert refused.value.user_message == (
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of expired.'
        )
        assert endpoint.next_types(1) == ["checkout.session.expired"]

    def test_a_paid_session_cannot_be_expired(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id)

        with pytest.raises(stripe.InvalidRequestError, match="has a status of complete"):
            client.v1.checkout.sessions.expire(session.id)

        assert client.v1.checkout.sessions.retrieve(session.id).status == "complete"

    def test_a_session_expires_by_itself_when_its_time_is_over(
        self, client: stripe.StripeClient, clock: Clock, endpoint: Endpoint
    ) -> None:
        session = open_session(client, expires_at=int(clock()) + 1860)

        clock.offset = 1859 - 5
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        clock.offset = 1862
        event = endpoint.next_event()

        assert event.type == "checkout.session.expired"
        assert event.data.object["id"] == session.id
        assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"

    def test_a_session_that_expires_after_a_decline_cancels_its_intent(
        self, fake: FakeStripe, client: stripe.StripeClient
    ) -> None:
        session = open_session(client)
        fake.pay(session.id, number=GENERIC_DECLINE)

        client.v1.checkout.sessions.expire(session.id)

        after = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
        assert isinstance(after.payment_intent, stripe.PaymentIntent)
        assert (after.payment_intent.status, after.payment_intent.cancellation_reason) == ("canceled", "expired")

    def test_sessions_are_listed_newest_first_in_pages(self, client: stripe.StripeClient) -> None:
        ids = [open_session(client).id for _ in range(3)]

        first = client.v1.checkout.sessions.list({"limit": 2})
        second = client.v1.checkout.sessions.list({"limit": 2, "starting_after": ids[1]})

        assert ([one.id for one in first.data], first.has_more) == ([ids[2], ids[1]], True)
        assert ([one.id for one in second.data], second.has_more) == ([ids[0]], False)
        assert [one.id for one in first.auto_paging_iter()] == ids[::-1]

    def test_a_session_is_found_by_its_payment_intent(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        open_session(client)
        intent = paid_intent(fake, client)

        found = client.v1.checkout.sessions.list({"payment_intent": intent}).data

        assert [one.payment_intent for one in found] == [intent]

    def test_expand_gives_the_intent_its_charge_and_the_lines(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id)

        expand = ["payment_intent.latest_charge", "line_items"]
        full = client.v1.checkout.sessions.retrieve(session.id, {"expand": expand})
        listed = client.v1.checkout.sessions.list({"expand": ["data.payment_intent"]}).data[0]

        assert isinstance(full.payment_intent, stripe.PaymentIntent)
        assert isinstance(full.payment_intent.latest_charge, stripe.Charge)
        assert full.payment_intent.latest_charge.amount == 7529
        assert full.line_items is not None
        assert len(full.line_items.data) == 2
        assert isinstance(listed.payment_intent, stripe.PaymentIntent)

    def test_what_cannot_be_expanded_is_refused(self, client: stripe.StripeClient) -> None:
        session = open_session(client)

        with pytest.raises(stripe.InvalidRequestError, match=r"This property cannot be expanded \(status\)."):
            client.v1.checkout.sessions.retrieve(session.id, {"expand": ["status"]})


class TestErrors:
    @pytest.mark.parametrize("key", ["sk_test_wrong", "sk_live_12345678901234567890"])
    def test_a_wrong_key_is_refused_without_being_repeated(self, fake: FakeStripe, key: str) -> None:
        with pytest.raises(stripe.AuthenticationError) as refused:
            open_session(client_of(fake, key=key))

        assert refused.value.http_status == 401
        assert key not in str(refused.value)
        assert control(fake, "GET", "/_control/state")[1]["sessions"] == []

    def test_a_missing_key_is_refused(self, fake: FakeStripe) -> None:
        page = visit(f"{fake.base_url}/v1/customers")

        assert page.status == 401
        assert json.loads(page.text)["error"]["type"] == "invalid_request_error"
        assert page.headers["Request-Id"].startswith("req_")

    def test_an_unknown_address_is_a_stripe_shaped_404(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.raw_request("get", "/v1/unicorns")

        assert refused.value.http_status == 404
        assert str(refused.value.user_message).startswith("Unrecognized request URL (GET: /v1/unicorns).")

    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("/v1/checkout/sessions/cs_x", "No such checkout.session: 'cs_x'"),
            ("/v1/payment_intents/pi_x", "No such payment_intent: 'pi_x'"),
            ("/v1/charges/ch_x", "No such charge: 'ch_x'"),
            ("/v1/refunds/re_x", "No such refund: 're_x'"),
            ("/v1/customers/cus_x", "No such customer: 'cus_x'"),
            ("/v1/events/evt_x", "No such event: 'evt_x'"),
        ],
    )
    def test_an_unknown_id_is_a_404(self, client: stripe.StripeClient, path: str, message: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.raw_request("get", path)

        assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
        assert refused.value.user_message == message

    def test_every_answer_has_a_request_id_of_its_own(self, client: stripe.StripeClient) -> None:
        first, second = client.v1.customers.list(), client.v1.customers.list()

        assert first.last_response is not None
        assert second.last_response is not None
        assert first.last_response.request_id != second.last_response.request_id

    def test_a_connection_serves_many_requests_quickly(self, fake: FakeStripe) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=10)
        started = time.monotonic()
        for _ in range(50):
            connection.request("GET", "/v1/customers", headers={"Authorization": f"Bearer {KEY}"})
            assert connection.getresponse().read()
        connection.close()

        # One delayed acknowledgement alone costs 40 ms.
        assert time.monotonic() - started < 1.5


class TestIdempotency:
    def test_the_same_call_twice_gives_the_stored_answer(self, client: stripe.StripeClient) -> None:
        first = client.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})
        again = client.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})

        assert again.id == first.id
        assert first.last_response is not None
        assert again.last_response is not None
        assert "Idempotent-Replayed" not in first.last_response.headers
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert len(client.v1.checkout.sessions.list().data) == 1

    def test_the_same_key_with_other_parameters_is_an_idempotency_error(self, client: stripe.StripeClient) -> None:
        client.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})

        with pytest.raises(stripe.IdempotencyError) as refused:
            client.v1.checkout.sessions.create(params(client_reference_id="order-2"), {"idempotency_key": "order:1"})

        assert refused.value.http_status == 400
        assert len(client.v1.checkout.sessions.list().data) == 1

    def test_a_key_in_use_is_a_conflict(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        fake.faults.api.append(ApiFault("delay", method="POST", seconds=30))
        with ThreadPoolExecutor() as pool:
            pool.submit(client.v1.customers.create, {"name": "Ada"}, {"idempotency_key": "one"})
            eventually(lambda: fake.faults.api == [] and "one" in fake.state.idempotency)

            with pytest.raises(stripe.APIError) as refused:
                client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
            fake.stop()

        assert refused.value.http_status == 409
        assert refused.value.error is not None
        assert refused.value.error.code == "idempotency_key_in_use"

    def test_many_calls_at_once_with_one_key_make_one_object(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        def create(_: int) -> str:
            retrying = stripe.StripeClient(KEY, base_addresses={"api": fake.base_url}, max_network_retries=5)
            return retrying.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"}).id

        with ThreadPoolExecutor(8) as pool:
            ids = set(pool.map(create, range(16)))

        assert len(ids) == 1
        assert len(client.v1.checkout.sessions.list().data) == 1

    def test_a_key_is_forgotten_after_a_day(self, client: stripe.StripeClient, clock: Clock) -> None:
        first = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
        clock.offset = 24 * 3600 + 1

        second = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

        assert second.id != first.id

    def test_a_refused_parameter_frees_the_key(self, client: stripe.StripeClient) -> None:
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.checkout.sessions.create(params(success_url=None), {"idempotency_key": "order:1"})

        assert client.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"}).status == "open"

    def test_a_refund_asked_twice_with_one_key_is_made_once(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        wanted: Any = {"payment_intent": paid_intent(fake, client), "amount": 1000}

        ids = {client.v1.refunds.create(wanted, {"idempotency_key": "refund:1"}).id for _ in range(2)}

        assert len(ids) == 1
        assert client.v1.charges.list().data[0].amount_refunded == 1000


class TestHostedPage:
    def test_it_shows_the_order_and_needs_no_script(self, client: stripe.StripeClient) -> None:
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
    def test_a_good_card_pays_and_sends_the_shopper_back(self, client: stripe.StripeClient, number: str) -> None:
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
        self, client: stripe.StripeClient, endpoint: Endpoint, number: str, code: str, decline_code: str, words: str
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
    def test_a_wrong_field_is_named_and_the_rest_is_kept(
        self, client: stripe.StripeClient, changes: dict[str, str], words: str
    ) -> None:
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

    def test_a_card_is_good_through_its_last_month(self, client: stripe.StripeClient, clock: Clock) -> None:
        now = time.gmtime(clock())
        session = open_session(client)

        page = visit(str(session.url), card(card_expiry=f"{now.tm_mon:02d}/{now.tm_year % 100:02d}"))

        assert page.status == 303

    @pytest.mark.parametrize("number", [ASKS_THE_BANK, "4000002760003184", "4000000000003220"])
    def test_a_card_that_asks_the_bank_is_paid_when_the_shopper_confirms(
        self, fake: FakeStripe, client: stripe.StripeClient, number: str
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
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        session = open_session(client)
        bank = fake.base_url + str(visit(str(session.url), card(ASKS_THE_BANK)).location)

        answered = visit(bank, {"result": "fail"})

        assert (answered.status, answered.location) == (303, f"/c/pay/{session.id}")
        assert "Your bank could not confirm it was you." in visit(str(session.url)).text
        assert endpoint.next_types(1) == ["payment_intent.payment_failed"]
        assert client.v1.charges.list().data == []
        assert visit(str(session.url), card()).status == 303

    def test_a_card_may_be_declined_after_the_bank_said_yes(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        bank = fake.base_url + str(visit(str(session.url), card("4000008400001629")).location)

        answered = visit(bank, {"result": "complete"})

        assert answered.location == f"/c/pay/{session.id}"
        assert "Your card was declined." in visit(str(session.url)).text
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"
        assert [one.status for one in client.v1.charges.list().data] == ["failed"]

    def test_paying_in_many_tabs_at_once_gives_one_charge(self, client: stripe.StripeClient) -> None:
        session = open_session(client)

        with ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(lambda _: visit(str(session.url), card()), range(8)))

        assert {(page.status, page.location) for page in pages} == {(303, f"http://shop.test/orders/1/?session={session.id}")}
        assert [one.amount for one in client.v1.charges.list().data] == [7529]

    def test_a_complete_sessions_page_leads_to_the_shop(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id)

        page = visit(str(session.url))

        assert (page.status, page.location) == (303, f"http://shop.test/orders/1/?session={session.id}")

    def test_an_expired_sessions_page_says_so_and_takes_no_money(self, client: stripe.StripeClient, clock: Clock) -> None:
        session = open_session(client, expires_at=int(clock()) + 1860)
        clock.offset = 1862

        page = visit(str(session.url), card())

        assert page.status == 410
        assert "This payment page has expired" in page.text
        assert 'href="http://shop.test/cart/"' in page.text
        assert client.v1.charges.list().data == []

    def test_an_unknown_page_is_a_plain_404(self, fake: FakeStripe) -> None:
        assert visit(f"{fake.base_url}/c/pay/cs_test_none").status == 404
        assert visit(f"{fake.base_url}/elsewhere").status == 404

    def test_choosing_other_shipping_changes_what_is_paid(self, client: stripe.StripeClient) -> None:
        session = open_session(client, shipping_options=[shipping("Standard", 0), shipping("Express", 1295)])
        express = session.shipping_options[1].shipping_rate

        page = visit(str(session.url), {"shipping_rate": str(express)})
        visit(str(session.url), card())

        assert "Pay $88.24" in page.text
        assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 8824
        assert client.v1.charges.list().data[0].amount == 8824

    def test_a_known_shopper_sees_their_email_and_may_save_the_card(self, client: stripe.StripeClient) -> None:
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

    def test_a_card_that_was_not_to_be_saved_is_not(self, client: stripe.StripeClient) -> None:
        customer = client.v1.customers.create({"email": "ada@example.com"})
        session = open_session(client, customer=customer.id)

        visit(str(session.url), card(save_card="yes"))

        assert client.v1.customers.payment_methods.list(customer.id).data == []


class TestIntents:
    def test_an_intent_is_created_confirmed_and_listed(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd", "metadata": {"order": "1"}})
        confirmed = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

        assert (intent.status, confirmed.status) == ("requires_payment_method", "succeeded")
        assert confirmed.amount_received == 1999
        assert client.v1.charges.retrieve(str(confirmed.latest_charge)).amount == 1999
        assert [one.id for one in client.v1.payment_intents.list().data] == [intent.id]

    def test_a_declined_confirmation_is_a_card_error(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})

        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds"})

        assert (refused.value.http_status, refused.value.code) == (402, "card_declined")
        assert refused.value.error is not None
        assert refused.value.error.decline_code == "insufficient_funds"
        assert client.v1.payment_intents.retrieve(intent.id).status == "requires_payment_method"

    def test_an_intent_that_asks_the_bank_names_the_page(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create(
            {
                "amount": 1999,
                "currency": "usd",
                "confirm": True,
                "payment_method": "pm_card_authenticationRequired",
                "return_url": "http://shop.test/back/?a=1",
            }
        )
        assert intent.next_action is not None
        assert intent.next_action.redirect_to_url is not None
        bank = str(intent.next_action.redirect_to_url.url)

        answered = visit(bank, {"result": "complete"})

        assert intent.status == "requires_action"
        assert answered.location == f"http://shop.test/back/?a=1&payment_intent={intent.id}&redirect_status=succeeded"
        assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"

    def test_nobody_to_ask_means_authentication_required(self, client: stripe.StripeClient) -> None:
        intent = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})

        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.confirm(
                intent.id, {"payment_method": "pm_card_authenticationRequired", "off_session": True}
            )

        assert refused.value.code == "authentication_required"

    def test_an_unpaid_intent_can_be_cancelled_and_a_paid_one_cannot(self, client: stripe.StripeClient) -> None:
        unpaid = client.v1.payment_intents.create({"amount": 1999, "currency": "usd"})
        paid = client.v1.payment_intents.create(
            {"amount": 1999, "currency": "usd", "confirm": True, "payment_method": "pm_card_visa"}
        )

        cancelled = client.v1.payment_intents.cancel(unpaid.id, {"cancellation_reason": "abandoned"})
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.cancel(paid.id)

        assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
        assert refused.value.code == "payment_intent_unexpected_state"
        assert client.v1.payment_intents.retrieve(paid.id).status == "succeeded"

    def test_a_sessions_intent_is_left_to_the_session(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id, number=GENERIC_DECLINE)
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            client.v1.payment_intents.cancel(intent)
        with pytest.raises(stripe.InvalidRequestError, match="created by Checkout"):
            client.v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})

        assert client.v1.payment_intents.retrieve(intent).status == "requires_payment_method"

    @pytest.mark.parametrize(("amount", "code"), [(49, "amount_too_small"), (100_000_000, "amount_too_large")])
    def test_an_amount_out_of_bounds_is_refused(self, client: stripe.StripeClient, amount: int, code: str) -> None:
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_intents.create({"amount": amount, "currency": "usd"})

        assert (refused.value.code, refused.value.param) == (code, "amount")
        assert client.v1.payment_intents.list().data == []


class TestRefunds:
    def test_a_refund_of_part_then_the_rest(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)

        part = client.v1.refunds.create(
            {"payment_intent": intent, "amount": 2500, "reason": "requested_by_customer", "metadata": {"line": "1"}}
        )
        charge = client.v1.charges.retrieve(str(part.charge))
        rest = client.v1.refunds.create({"charge": str(part.charge)})

        assert (part.amount, part.status, part.reason, part.currency) == (2500, "succeeded", "requested_by_customer", "usd")
        assert part.metadata is not None
        assert part.metadata.to_dict() == {"line": "1"}
        assert (charge.amount_refunded, charge.refunded) == (2500, False)
        assert rest.amount == 5029
        after = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
        assert (after.amount_refunded, after.refunded) == (7529, True)
        assert after.refunds is not None
        assert [one.id for one in after.refunds.data] == [rest.id, part.id]
        assert [one.id for one in client.v1.refunds.list({"payment_intent": intent}).data] == [rest.id, part.id]
        assert client.v1.refunds.retrieve(part.id).amount == 2500

    def test_more_than_remains_is_refused(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)
        client.v1.refunds.create({"payment_intent": intent, "amount": 7000})

        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": intent, "amount": 530})

        assert refused.value.user_message == ("Refund amount ($5.30) is greater than unrefunded amount on charge ($5.29)")
        assert refused.value.param == "amount"
        assert len(client.v1.refunds.list().data) == 1

    def test_a_charge_wholly_refunded_cannot_be_refunded_again(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)
        client.v1.refunds.create({"payment_intent": intent})

        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.refunds.create({"payment_intent": intent})

        assert refused.value.code == "charge_already_refunded"
        assert len(client.v1.refunds.list().data) == 1

    def test_refunds_racing_for_the_same_money_never_exceed_it(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client)

        def refund(_: int) -> bool:
            try:
                client_of(fake).v1.refunds.create({"payment_intent": intent, "amount": 2500})
            except stripe.InvalidRequestError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(refund, range(8)))

        assert made.count(True) == 3
        assert client.v1.charges.list().data[0].amount_refunded == 7500

    def test_what_was_not_paid_cannot_be_refunded(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = open_session(client)
        fake.pay(session.id, number=GENERIC_DECLINE)
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)

        with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
            client.v1.refunds.create({"payment_intent": intent})
        with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
            client.v1.refunds.create({"amount": 100})

        assert client.v1.refunds.list().data == []


class TestCustomers:
    def test_a_customer_is_created_changed_listed_and_deleted(self, client: stripe.StripeClient) -> None:
        made = client.v1.customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"user": "7", "plan": "gold"}})
        changed = client.v1.customers.update(made.id, {"name": "Ada L", "metadata": {"plan": ""}})
        found = client.v1.customers.list({"email": "ada@example.com"}).data
        gone = client.v1.customers.delete(made.id)

        assert (changed.name, changed.email) == ("Ada L", "ada@example.com")
        assert changed.metadata is not None
        assert changed.metadata.to_dict() == {"user": "7"}
        assert [one.id for one in found] == [made.id]
        assert gone.deleted is True
        assert client.v1.customers.retrieve(made.id).deleted is True
        assert client.v1.customers.list().data == []

    def test_a_refused_change_changes_nothing(self, client: stripe.StripeClient) -> None:
        made = client.v1.customers.create({"name": "Ada"})

        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.update(made.id, {"name": "Eve", "metadata": {"k" * 41: "v"}})

        assert client.v1.customers.retrieve(made.id).name == "Ada"

    def test_a_card_is_attached_listed_and_detached(self, client: stripe.StripeClient) -> None:
        customer = client.v1.customers.create({"name": "Ada"})

        method = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
        listed = client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
        client.v1.payment_methods.detach(method.id)

        assert method.card is not None
        assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
        assert [one.id for one in listed] == [method.id]
        assert client.v1.customers.payment_methods.list(customer.id).data == []

    def test_a_deleted_customer_cannot_pay(self, client: stripe.StripeClient) -> None:
        customer = client.v1.customers.create({"name": "Ada"})
        client.v1.customers.delete(customer.id)

        with pytest.raises(stripe.InvalidRequestError) as refused:
            open_session(client, customer=customer.id)

        assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")


class TestWebhooks:
    def test_a_payment_is_told_in_signed_events_in_order(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        session = open_session(client)
        fake.pay(session.id)

        body, signature = endpoint.got.get(timeout=10)
        first = stripe.Webhook.construct_event(body, signature, SECRET)
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body, signature, "whsec_other")
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(body.replace("succeeded", "failed"), signature, SECRET)
        second, third = endpoint.next_event(), endpoint.next_event()

        assert [one.type for one in (first, second, third)] == [
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
        ]
        assert third.data.object["id"] == session.id
        assert third.data.object["payment_status"] == "paid"
        assert fake.webhooks.wait_until_idle()
        assert endpoint.got.empty()

    def test_a_refund_is_told_with_what_it_was_before(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        intent = paid_intent(fake, client)
        endpoint.next_types(3)

        client.v1.refunds.create({"payment_intent": intent, "amount": 100}, {"idempotency_key": "refund:1"})

        created, refunded, updated = (endpoint.next_event() for _ in range(3))
        assert [one.type for one in (created, refunded, updated)] == ["refund.created", "charge.refunded", "refund.updated"]
        assert refunded.data.object["amount_refunded"] == 100
        assert refunded.data["previous_attributes"]["amount_refunded"] == 0
        assert created.request is not None
        assert created.request.idempotency_key == "refund:1"

    def test_an_event_is_tried_again_until_it_is_taken(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        endpoint.answers = [503, 302, 500, 200]

        session = client.v1.checkout.sessions.expire(open_session(client).id)
        ids = {endpoint.next_event().id for _ in range(4)}

        assert fake.webhooks.wait_until_idle()
        assert len(ids) == 1
        assert [(one["status"], one["attempts"], one["answer"]) for one in fake.deliveries] == [("delivered", 4, 200)]
        event = client.v1.events.retrieve(ids.pop())
        assert (event.pending_webhooks, event.data.object["id"]) == (0, session.id)

    def test_pending_webhooks_are_counted_and_given_up_after_three_days(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint, clock: Clock
    ) -> None:
        fake.webhooks.url = "http://127.0.0.1:1/refuses"
        client.v1.checkout.sessions.expire(open_session(client).id)

        eventually(lambda: fake.deliveries[0]["attempts"] > 2)
        assert client.v1.events.list().data[0].pending_webhooks == 1
        clock.offset = 3 * 24 * 3600 + 1
        fake.tick()

        assert fake.webhooks.wait_until_idle()
        assert fake.deliveries[0]["status"] == "failed"

    def test_the_wait_grows_and_never_exceeds_a_minute(self, client: stripe.StripeClient, clock: Clock) -> None:
        with FakeStripe(webhook_url="http://127.0.0.1:1/", clock=clock) as slow:
            own = client_of(slow)
            own.v1.checkout.sessions.expire(open_session(own).id)
            waits: list[int] = []
            while len(waits) < 8:
                eventually(lambda: slow.deliveries[0]["attempts"] == len(waits) + 1)
                waits.append(round(slow.deliveries[0]["due_at"] - clock()))
                clock.offset += waits[-1] + 1
                slow.tick()

        assert waits == [1, 2, 4, 8, 16, 32, 60, 60]

    def test_events_can_be_listed_by_type(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        paid_intent(fake, client)

        assert [one.type for one in client.v1.events.list().data] == [
            "checkout.session.completed",
            "payment_intent.succeeded",
            "charge.succeeded",
        ]
        found = client.v1.events.list({"type": "charge.succeeded"}).data
        assert [one.type for one in found] == ["charge.succeeded"]


class TestFaults:
    def test_a_dropped_webhook_never_comes(self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
        fake.faults.webhooks.append(WebhookFault("drop", type="checkout.session.completed"))

        fake.pay(open_session(client).id)

        assert endpoint.next_types(2) == ["charge.succeeded", "payment_intent.succeeded"]
        assert fake.webhooks.wait_until_idle()
        assert endpoint.got.empty()
        assert [one["status"] for one in fake.deliveries] == ["delivered", "delivered", "dropped"]

    def test_a_duplicated_webhook_comes_twice_as_one_event(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        fake.faults.webhooks.append(WebhookFault("duplicate"))

        client.v1.checkout.sessions.expire(open_session(client).id)

        assert endpoint.next_event().id == endpoint.next_event().id
        assert fake.webhooks.wait_until_idle()
        assert endpoint.got.empty()

    def test_a_delayed_webhook_waits_for_its_time(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint, clock: Clock
    ) -> None:
        fake.faults.webhooks.append(WebhookFault("delay", type="charge.*", seconds=3600))

        fake.pay(open_session(client).id)
        first = endpoint.next_types(2)
        assert [one["status"] for one in fake.deliveries] != ["delivered"] * 3
        clock.offset = 3601
        fake.tick()

        assert first == ["payment_intent.succeeded", "checkout.session.completed"]
        assert endpoint.next_types(1) == ["charge.succeeded"]

    def test_reordered_webhooks_come_last_one_first(
        self, fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint
    ) -> None:
        fake.faults.webhooks.append(WebhookFault("reorder", times=3))

        fake.pay(open_session(client).id)

        assert endpoint.next_types(3) == ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"]

    @pytest.mark.parametrize(("kind", "made"), [("silence_before", 0), ("silence_after", 1)])
    def test_silence_gives_no_answer(self, fake: FakeStripe, client: stripe.StripeClient, kind: str, made: int) -> None:
        fake.faults.api.append(ApiFault(kind, method="POST", path="/v1/customers"))
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "one"}
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=0.3)
        connection.request("POST", "/v1/customers", "name=Ada", headers)

        with pytest.raises(TimeoutError):
            connection.getresponse()
        connection.close()

        assert len(client.v1.customers.list().data) == made
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})
        assert len(client.v1.customers.list().data) == 1

    @pytest.mark.parametrize(("kind", "made"), [("error_before", 0), ("error_after", 1), ("error_stored", 1)])
    def test_a_500_before_or_after_the_effect(self, fake: FakeStripe, client: stripe.StripeClient, kind: str, made: int) -> None:
        fake.faults.api.append(ApiFault(kind, method="POST"))

        with pytest.raises(stripe.APIError) as refused:
            client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

        assert refused.value.http_status == 500
        assert len(client.v1.customers.list().data) == made

    def test_after_a_500_the_same_key_gets_the_true_answer(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        fake.faults.api.append(ApiFault("error_after", method="POST"))
        with pytest.raises(stripe.APIError):
            client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

        again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

        assert [one.id for one in client.v1.customers.list().data] == [again.id]

    def test_a_stored_500_is_given_again(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        fake.faults.api.append(ApiFault("error_stored", method="POST"))

        for _ in range(2):
            with pytest.raises(stripe.APIError):
                client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

        assert len(client.v1.customers.list().data) == 1

    def test_a_fault_strikes_only_what_it_names_and_so_many_times(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        told = control(
            fake,
            "POST",
            "/_control/faults",
            {"api": [{"kind": "error_before", "method": "GET", "path": "/v1/customers/*", "times": 2}]},
        )

        client.v1.customers.list()
        for _ in range(2):
            with pytest.raises(stripe.APIError):
                client.v1.customers.retrieve("cus_x")
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.retrieve("cus_x")

        assert told[0] == 200
        assert told[1]["api"][0]["times"] == 2
        assert control(fake, "GET", "/_control/faults") == (200, {"api": [], "webhooks": []})

    @pytest.mark.parametrize(
        "wrong",
        [
            {"api": [{"kind": "explode"}]},
            {"webhooks": [{"kind": "drop", "colour": "red"}]},
            {"api": [{"kind": "delay", "times": "two"}]},
            {"other": []},
            ["drop"],
        ],
    )
    def test_a_fault_that_is_not_known_is_refused(self, fake: FakeStripe, wrong: Any) -> None:
        status, told = control(fake, "POST", "/_control/faults", wrong)

        assert status == 400
        assert set(told) == {"error"}
        assert control(fake, "GET", "/_control/faults")[1] == {"api": [], "webhooks": []}


class TestControlDoorAndDashboard:
    def test_the_state_tells_what_happened(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        session = client.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})
        fake.pay(session.id)
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)
        client.v1.refunds.create({"payment_intent": intent, "amount": 100})
        assert fake.webhooks.wait_until_idle()

        status, told = control(fake, "GET", "/_control/state")

        assert status == 200
        assert [(one["id"], one["status"]) for one in told["sessions"]] == [(session.id, "complete")]
        assert [(one["id"], one["status"]) for one in told["payment_intents"]] == [(intent, "succeeded")]
        assert [one["amount"] for one in told["refunds"]] == [100]
        assert {one["status"] for one in told["deliveries"]} == {"delivered"}
        assert [(one["method"], one["path"], one["idempotency_key"]) for one in told["requests"]][:2] == [
            ("POST", "/v1/checkout/sessions", "order:1"),
            ("GET", f"/v1/checkout/sessions/{session.id}", None),
        ]

    @pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "https://evil.example"}])
    def test_the_control_door_is_closed_to_other_sites(self, fake: FakeStripe, headers: dict[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=10)
        connection.request("POST", "/_control/faults", json.dumps({"api": [{"kind": "error_before"}]}), headers)

        assert connection.getresponse().status == 403
        connection.close()
        assert fake.faults.api == []

    def test_the_dashboard_lists_payments_refunds_and_deliveries(self, fake: FakeStripe, client: stripe.StripeClient) -> None:
        intent = paid_intent(fake, client, client_reference_id="<b>order</b>")
        client.v1.refunds.create({"payment_intent": intent, "amount": 100})
        assert fake.webhooks.wait_until_idle()
        connection = http.client.HTTPConnection("127.0.0.1", fake.port, timeout=10)
        connection.request("GET", "/")
        raw = connection.getresponse().read().decode()
        connection.close()

        assert "&lt;b&gt;order&lt;/b&gt;" in raw
        for words in ("$75.29", "$1.00", "checkout.session.completed", "delivered", intent):
            assert words in raw

    def test_no_card_number_is_kept(self, fake: FakeStripe, client: stripe.StripeClient, tmp_path: Path) -> None:
        with FakeStripe(state_path=tmp_path / "fake.json") as kept:
            session = open_session(client_of(kept))
            visit(str(session.url), card())
            kept.tick()
            written = (tmp_path / "fake.json").read_text()

        assert session.id in written
        assert VISA not in written


class TestRunning:
    def test_everything_survives_a_restart(self, tmp_path: Path, endpoint: Endpoint, clock: Clock) -> None:
        path = tmp_path / "deep" / "fake.json"
        with FakeStripe(state_path=path, webhook_url="http://127.0.0.1:1/", clock=clock) as first:
            before = client_of(first).v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})
            unpaid = open_session(client_of(first))
            first.pay(before.id)
            eventually(lambda: all(one["attempts"] > 0 for one in first.deliveries))
        clock.offset = 120

        with FakeStripe(state_path=path, webhook_url=endpoint.url, webhook_secret=SECRET, clock=clock) as second:
            own = client_of(second)
            again = own.v1.checkout.sessions.create(params(), {"idempotency_key": "order:1"})
            told = endpoint.next_types(3)
            page = visit(str(own.v1.checkout.sessions.retrieve(unpaid.id).url), card())
            state = own.v1.checkout.sessions.retrieve(before.id)

        assert again.id == before.id
        assert sorted(told) == ["charge.succeeded", "checkout.session.completed", "payment_intent.succeeded"]
        assert page.status == 303
        assert (state.status, state.payment_status) == ("complete", "paid")

    def test_the_command_serves_saves_and_ends_on_sigterm(self, tmp_path: Path) -> None:
        port = free_port()
        command = run_command("--port", str(port), "--state", str(tmp_path / "fake.json"), "--api-key", "sk_test_own")
        try:
            assert command.stderr is not None
            assert f"http://127.0.0.1:{port}" in command.stderr.readline()
            own = stripe.StripeClient("sk_test_own", base_addresses={"api": f"http://127.0.0.1:{port}"})
            customer = own.v1.customers.create({"name": "Ada"})
            command.send_signal(signal.SIGTERM)
            log = command.communicate(timeout=10)[1]
        finally:
            command.kill()

        assert command.returncode == 0
        assert customer.id in (tmp_path / "fake.json").read_text()
        assert [line for line in log.splitlines() if "POST /v1/customers 200" in line]

    def test_a_taken_port_is_one_clear_sentence(self, fake: FakeStripe) -> None:
        command = run_command("--port", str(fake.port))

        words = command.communicate(timeout=10)[1]

        assert words == f"Port {fake.port} on 127.0.0.1 cannot be used: Address already in use.\n"
        assert command.returncode == 1

    def test_only_this_machine_is_served(self) -> None:
        with pytest.raises(ValueError, match="loopback addresses only"):
            FakeStripe(host="192.0.2.1")

    def test_a_change_is_on_disk_soon_without_a_stop(self, tmp_path: Path) -> None:
        path = tmp_path / "fake.json"
        with FakeStripe(state_path=path) as kept:
            customer = client_of(kept).v1.customers.create({"name": "Ada"})

            eventually(lambda: path.exists() and customer.id in path.read_text())

    def test_a_broken_state_file_is_left_alone_and_named(self, tmp_path: Path) -> None:
        path = tmp_path / "fake.json"
        path.write_text("{")

        command = run_command("--port", "0", "--state", str(path))

        assert command.communicate(timeout=10)[1] == (
            f"{path} is not a state file of the fake Stripe; move it away to start afresh.\n"
        )
        assert command.returncode == 1
        assert path.read_text() == "{"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def run_command(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "shop.local.fake_stripe", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
