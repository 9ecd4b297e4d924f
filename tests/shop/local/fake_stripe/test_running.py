from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import (
    SECRET,
    VISA,
    Clock,
    Endpoint,
    card,
    client_of,
    control,
    eventually,
    open_session,
    paid_intent,
    params,
    visit,
)


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
        cwd=Path(__file__).parents[4],
    )
