"""How Stripe is made to speak, also out of turn."""

import json
import time
from typing import Any

import stripe as stripe_library
from botocore.exceptions import ReadTimeoutError
from django.test import Client

from orders.domain import SESSION_LIFETIME, Order
from orders.payments import gateway
from shop.local.fake_stripe import FakeStripe

LOST = ReadTimeoutError(endpoint_url="http://dynamodb")


def sessions(stripe: FakeStripe) -> dict[str, dict[str, Any]]:
    return stripe.state.tables["sessions"]


def another_session(stripe: FakeStripe, order: Order) -> str:
    """Open a further session for an order at Stripe, as it does once it has forgotten the key of the first; its id."""
    stripe.state.idempotency.clear()
    session = gateway().open_session(
        order,
        success_url="http://testserver/success",
        cancel_url="http://testserver/cancel",
        expires_at=order.created_at + SESSION_LIFETIME,
    )
    return session.session_id


def paid_after_all(stripe: FakeStripe, session_id: str) -> None:
    """Stripe said the session is over, and yet it is paid: a word of Stripe's that was overtaken by the shopper."""
    sessions(stripe)[session_id].update(status="open")
    assert stripe.pay(session_id) == "paid"


def event(stripe: FakeStripe, session_id: str, **changes: Any) -> dict[str, Any]:
    """The event Stripe sends when a session is complete."""
    return {
        "id": "evt_guards",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": json.loads(json.dumps(sessions(stripe)[session_id]))},
    } | changes


def deliver(client: Client, event: dict[str, Any]) -> tuple[int, str]:
    """Knock at the webhook's door with a rightly signed event; status and body of the answer."""
    body, stamp = json.dumps(event), int(time.time())
    mac = stripe_library.WebhookSignature._compute_signature(f"{stamp}.{body}", "whsec_tests")
    headers = {"Stripe-Signature": f"t={stamp},v1={mac}"}
    answer = client.post("/webhooks/stripe/", body, content_type="application/json", headers=headers)
    return answer.status_code, answer.text
