"""What the tests of the fake Stripe share: its users' three doors (the `stripe` library, a browser's requests, webhooks)."""

from __future__ import annotations

import http.client
import json
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

import stripe

from shop.local.fake_stripe import FakeStripe

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
