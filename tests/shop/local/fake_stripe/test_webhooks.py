from __future__ import annotations

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import SECRET, Clock, Endpoint, client_of, eventually, open_session, paid_intent


def test_a_payment_is_told_in_signed_events_in_order(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
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


def test_a_refund_is_told_with_what_it_was_before(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    intent = paid_intent(fake, client)
    endpoint.next_types(3)

    client.v1.refunds.create({"payment_intent": intent, "amount": 100}, {"idempotency_key": "refund:1"})

    created, refunded, updated = (endpoint.next_event() for _ in range(3))
    assert [one.type for one in (created, refunded, updated)] == ["refund.created", "charge.refunded", "refund.updated"]
    assert refunded.data.object["amount_refunded"] == 100
    assert refunded.data["previous_attributes"]["amount_refunded"] == 0
    assert created.request is not None
    assert created.request.idempotency_key == "refund:1"


def test_an_event_is_tried_again_until_it_is_taken(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    endpoint.answers = [503, 302, 500, 200]

    session = client.v1.checkout.sessions.expire(open_session(client).id)
    ids = {endpoint.next_event().id for _ in range(4)}

    assert fake.webhooks.wait_until_idle()
    assert len(ids) == 1
    assert [(one["status"], one["attempts"], one["answer"]) for one in fake.deliveries] == [("delivered", 4, 200)]
    event = client.v1.events.retrieve(ids.pop())
    assert (event.pending_webhooks, event.data.object["id"]) == (0, session.id)


def test_pending_webhooks_are_counted_and_given_up_after_three_days(
    fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint, clock: Clock
) -> None:
    fake.webhooks.url = "http://127.0.0.1:1/refuses"
    client.v1.checkout.sessions.expire(open_session(client).id)

    eventually(lambda: fake.deliveries[0]["attempts"] > 2)
    assert client.v1.events.list().data[0].pending_webhooks == 1
    clock.offset = 3 * 24 * 3600 + 1
    fake.tick()

    assert fake.webhooks.wait_until_idle()
    assert fake.deliveries[0]["status"] == "failed"


def test_the_wait_grows_and_never_exceeds_a_minute(client: stripe.StripeClient, clock: Clock) -> None:
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


def test_events_can_be_listed_by_type(fake: FakeStripe, client: stripe.StripeClient) -> None:
    paid_intent(fake, client)

    assert [one.type for one in client.v1.events.list().data] == [
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
    ]
    found = client.v1.events.list({"type": "charge.succeeded"}).data
    assert [one.type for one in found] == ["charge.succeeded"]
