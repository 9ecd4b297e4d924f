"""Stripe's webhooks: what it signed moves an order, nothing else does."""

import json
import time
from datetime import datetime
from typing import Any

import pytest
import stripe as stripe_library
from django.test import Client

from orders import queries
from orders.domain import Order, OrderStatus
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.conftest import items_of

pytestmark = pytest.mark.usefixtures("tables")

SECRET = "whsec_tests"


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """An order whose shopper has paid and closed the tab."""
    mug = factories.make_product(price=Money(2400, "USD"))
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now))
    stripe.pay(order.payment.session_id)
    return order


def event_about(stripe: FakeStripe, session_id: str, **changes: Any) -> dict[str, Any]:
    """The event Stripe sends of a completed session."""
    event = next(event for event in stripe.state.tables["events"].values() if event["type"] == "checkout.session.completed")
    assert event["data"]["object"]["id"] == session_id
    copied: dict[str, Any] = json.loads(json.dumps(event))
    return copied | changes


def signature(body: bytes, *, secret: str = SECRET, at: float | None = None) -> str:
    stamp = int(at or time.time())
    mac = stripe_library.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", secret)
    return f"t={stamp},v1={mac}"


def knock(client: Client, body: bytes, sign: str) -> int:
    answer = client.post(
        "/webhooks/stripe/", body, content_type="application/json", headers={"Stripe-Signature": sign} if sign else {}
    )
    return answer.status_code


def test_a_signed_webhook_settles_the_order_of_a_closed_tab_once(client: Client, stripe: FakeStripe, paid: Order) -> None:
    body = json.dumps(event_about(stripe, paid.payment.session_id)).encode()

    assert [knock(client, body, signature(body)) for _ in range(3)] == [200, 200, 200]

    order = queries.order_by_id(order_id=paid.order_id)
    assert [entry.status for entry in order.history] == [OrderStatus.PENDING, OrderStatus.PROCESSING]
    assert len([item for item in items_of("Orders") if item["PK"]["S"].startswith("EVENT#")]) == 1


def test_unsigned_altered_old_and_wrongly_signed_webhooks_change_nothing(client: Client, stripe: FakeStripe, paid: Order) -> None:
    body = json.dumps(event_about(stripe, paid.payment.session_id)).encode()
    before = items_of("Orders")

    refused = {
        "unsigned": knock(client, body, ""),
        "altered": knock(client, body.replace(b"checkout", b"Checkout"), signature(body)),
        "old": knock(client, body, signature(body, at=time.time() - 301)),
        "wrong secret": knock(client, body, signature(body, secret="whsec_other")),
        "nonsense": knock(client, body, "t=x,v1=y"),
        "no json": knock(client, b"\xff\xfe", "t=1,v1=1"),
        "no event": knock(client, b"[]", signature(b"[]")),
    }

    assert refused == dict.fromkeys(refused, 400)
    assert items_of("Orders") == before


def test_a_webhook_that_lies_about_the_payment_changes_nothing(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime, paid: Order
) -> None:
    unpaid = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    event = event_about(stripe, paid.payment.session_id)
    event["data"]["object"] |= {"id": unpaid.payment.session_id, "payment_status": "paid"}
    body = json.dumps(event).encode()

    assert knock(client, body, signature(body)) == 200

    assert queries.order_by_id(order_id=unpaid.order_id).status is OrderStatus.PENDING


@pytest.mark.parametrize("change", [{"livemode": True}, {"data": {"object": {"id": "pi_1", "object": "payment_intent"}}}])
def test_events_that_are_not_for_us_are_thanked_and_left_alone(
    client: Client, stripe: FakeStripe, paid: Order, change: dict[str, Any]
) -> None:
    body = json.dumps(event_about(stripe, paid.payment.session_id, **change)).encode()

    assert knock(client, body, signature(body)) == 200
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING


def test_an_order_that_is_not_there_yet_makes_stripe_come_again(
    client: Client, stripe: FakeStripe, paid: Order, tables: Any
) -> None:
    body = json.dumps(event_about(stripe, paid.payment.session_id)).encode()
    key = {"PK": {"S": f"ORDER#{paid.order_id}"}, "SK": {"S": "REF"}}
    ref = tables.get_item(TableName="test-Orders", Key=key)["Item"]
    tables.delete_item(TableName="test-Orders", Key=key)

    assert knock(client, body, signature(body)) == 503
    tables.put_item(TableName="test-Orders", Item=ref)
    assert knock(client, body, signature(body)) == 200
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PROCESSING


def test_a_silent_stripe_makes_it_come_again(client: Client, stripe: FakeStripe, paid: Order) -> None:
    body = json.dumps(event_about(stripe, paid.payment.session_id)).encode()
    stripe.faults.api.append(ApiFault("error_before", method="GET"))

    assert knock(client, body, signature(body)) == 503
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING
    assert knock(client, body, signature(body)) == 200


@pytest.mark.parametrize("field", ["amount_total", "currency"])
def test_another_amount_or_currency_than_ordered_goes_to_review(
    client: Client, stripe: FakeStripe, paid: Order, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    session = stripe.state.tables["sessions"][paid.payment.session_id]
    session[field] = {"amount_total": 100, "currency": "eur"}[field]
    body = json.dumps(event_about(stripe, paid.payment.session_id)).encode()

    assert knock(client, body, signature(body)) == 200

    order = queries.order_by_id(order_id=paid.order_id)
    assert order.status is OrderStatus.REVIEW
    assert order.payment.status == "review"
    assert "does not fit order" in caplog.text


def test_the_webhook_door_takes_posts_alone(client: Client) -> None:
    assert client.get("/webhooks/stripe/").status_code == 405


def test_an_event_of_a_kind_we_do_not_know_is_thanked_and_left_alone(client: Client, stripe: FakeStripe, paid: Order) -> None:
    """Ours by its mark, and about neither a session, a refund nor a refused card."""
    event = event_about(stripe, paid.payment.session_id, type="payment_method.attached")
    event["data"]["object"] = {"id": "pm_1", "object": "payment_method", "metadata": event["data"]["object"]["metadata"]}
    body = json.dumps(event).encode()
    before = items_of("Orders")

    assert knock(client, body, signature(body)) == 200

    assert items_of("Orders") == before
