from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from shop.local.fake_stripe import FakeStripe
from tests.shop.local.fake_stripe.scene import SECRET, Clock, Endpoint, client_of


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
