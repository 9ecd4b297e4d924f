from __future__ import annotations

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import stripe

from shop.local.fake_stripe import ApiFault, FakeStripe
from tests.shop.local.fake_stripe.scene import (
    KEY,
    Clock,
    client_of,
    control,
    eventually,
    open_session,
    paid_intent,
    params,
    visit,
)


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
