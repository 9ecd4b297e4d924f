from __future__ import annotations

import http.client
from typing import Any

import pytest
import stripe

from shop.local.fake_stripe import ApiFault, FakeStripe, WebhookFault
from tests.shop.local.fake_stripe.scene import KEY, Clock, Endpoint, control, open_session


def test_a_dropped_webhook_never_comes(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    fake.faults.webhooks.append(WebhookFault("drop", type="checkout.session.completed"))

    fake.pay(open_session(client).id)

    assert endpoint.next_types(2) == ["charge.succeeded", "payment_intent.succeeded"]
    assert fake.webhooks.wait_until_idle()
    assert endpoint.got.empty()
    assert [one["status"] for one in fake.deliveries] == ["delivered", "delivered", "dropped"]


def test_a_duplicated_webhook_comes_twice_as_one_event(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    fake.faults.webhooks.append(WebhookFault("duplicate"))

    client.v1.checkout.sessions.expire(open_session(client).id)

    assert endpoint.next_event().id == endpoint.next_event().id
    assert fake.webhooks.wait_until_idle()
    assert endpoint.got.empty()


def test_a_delayed_webhook_waits_for_its_time(
    fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint, clock: Clock
) -> None:
    fake.faults.webhooks.append(WebhookFault("delay", type="charge.*", seconds=3600))

    fake.pay(open_session(client).id)
    first = endpoint.next_types(2)
    assert [one["status"] for one in fake.deliveries] != ["delivered"] * 3
    clock.offset = 3601
    fake.tick()

    assert first == ["payment_intent.succeeded", "checkout.session.completed"]
    assert endpoint.next_types(1) == ["charge.succeeded"]


def test_reordered_webhooks_come_last_one_first(fake: FakeStripe, client: stripe.StripeClient, endpoint: Endpoint) -> None:
    fake.faults.webhooks.append(WebhookFault("reorder", times=3))

    fake.pay(open_session(client).id)

    assert endpoint.next_types(3) == ["checkout.session.completed", "payment_intent.succeeded", "charge.succeeded"]


@pytest.mark.parametrize(("kind", "made"), [("silence_before", 0), ("silence_after", 1)])
def test_silence_gives_no_answer(fake: FakeStripe, client: stripe.StripeClient, kind: str, made: int) -> None:
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
def test_a_500_before_or_after_the_effect(fake: FakeStripe, client: stripe.StripeClient, kind: str, made: int) -> None:
    fake.faults.api.append(ApiFault(kind, method="POST"))

    with pytest.raises(stripe.APIError) as refused:
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert refused.value.http_status == 500
    assert len(client.v1.customers.list().data) == made


def test_after_a_500_the_same_key_gets_the_true_answer(fake: FakeStripe, client: stripe.StripeClient) -> None:
    fake.faults.api.append(ApiFault("error_after", method="POST"))
    with pytest.raises(stripe.APIError):
        client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    again = client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert [one.id for one in client.v1.customers.list().data] == [again.id]


def test_a_stored_500_is_given_again(fake: FakeStripe, client: stripe.StripeClient) -> None:
    fake.faults.api.append(ApiFault("error_stored", method="POST"))

    for _ in range(2):
        with pytest.raises(stripe.APIError):
            client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "one"})

    assert len(client.v1.customers.list().data) == 1


def test_a_fault_strikes_only_what_it_names_and_so_many_times(fake: FakeStripe, client: stripe.StripeClient) -> None:
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
def test_a_fault_that_is_not_known_is_refused(fake: FakeStripe, wrong: Any) -> None:
    status, told = control(fake, "POST", "/_control/faults", wrong)

    assert status == 400
    assert set(told) == {"error"}
    assert control(fake, "GET", "/_control/faults")[1] == {"api": [], "webhooks": []}
