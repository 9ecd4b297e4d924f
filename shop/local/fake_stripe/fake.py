"""`FakeStripe`: the whole stand-in as one object, for `python -m` and for tests."""

from __future__ import annotations

import datetime as dt
import ipaddress
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

from shop.local.fake_stripe import cards, checkout, idempotency
from shop.local.fake_stripe.doors import Doors
from shop.local.fake_stripe.errors import Json
from shop.local.fake_stripe.faults import Faults
from shop.local.fake_stripe.state import State
from shop.local.fake_stripe.web import Server
from shop.local.fake_stripe.webhooks import Webhooks

log = logging.getLogger("fake_stripe")

# How often due sessions are looked for and changes are saved.
_BEAT = 0.25


class FakeStripe:
    """A Stripe on this machine: API, hosted payment page, webhooks, fault kit.

    Use it as a context manager, or call `start()` and `stop()`. `port=0` takes any free port; `base_url`
    is for `stripe.StripeClient(key, base_addresses={"api": fake.base_url})`. `clock` gives the time for
    objects, expiry and webhook retries; after moving it call `tick()`.
    Raises OSError when the port is taken; ValueError when the host is not a loopback address or the state
    file is not one.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        api_key: str = "sk_test_local",
        webhook_url: str = "",
        webhook_secret: str = "whsec_local",  # noqa: S107 - signs on this machine only
        state_path: Path | str | None = None,
        shop_name: str = "Test shop",
        clock: Callable[[], float] = time.time,
        first_retry: float = 1.0,
    ) -> None:
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"The fake Stripe listens on loopback addresses only, not on {host}.")
        self.faults = Faults()
        self.state = State(clock=clock, path=Path(state_path) if state_path else None)
        self.webhooks = Webhooks(self.state, self.faults, url=webhook_url, secret=webhook_secret, first_retry=first_retry)
        self._stopping = threading.Event()
        self._doors = Doors(self.state, self.faults, api_key=api_key, shop_name=shop_name, stopping=self._stopping)
        self._server = Server((host, port), self._doors.answer)
        self.port: int = self._server.server_port
        self.base_url = f"http://{host}:{self.port}"
        self._take_address()
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Serve on threads of its own until `stop()`."""
        self.webhooks.start()
        beat = threading.Thread(target=self._beat, name="fake-stripe-beat", daemon=True)
        beat.start()
        self._threads = [self._server.begin(), beat]
        return self

    def stop(self) -> None:
        """End the threads and connections, and save."""
        self._stopping.set()
        self._server.end()
        self.webhooks.stop()
        for thread in self._threads:
            thread.join(timeout=2)
        self.state.save()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def requests(self) -> list[Json]:
        """The API calls so far: method, path, idempotency key, status; the oldest first."""
        with self.state.lock:
            return [dict(one) for one in self.state.requests]

    @property
    def deliveries(self) -> list[Json]:
        """The webhook deliveries so far, pending ones too; the oldest first."""
        with self.state.lock:
            return [dict(one) for one in self.state.deliveries.values()]

    def tick(self) -> None:
        """Do now what time brings: expire what is due, retry what is due, save."""
        self._tend()
        self.state.save()

    def pay(
        self,
        session_id: str,
        *,
        number: str = "4242424242424242",
        email: str = "shopper@example.com",
        name: str = "Test Shopper",
        authentication: bool | None = None,
    ) -> Literal["paid", "declined", "authenticate", "expired"]:
        """Pay as a shopper on the hosted page would; `authentication` answers the bank's question."""
        with self.state.lock:
            checkout.expire_due(self.state)
            session = self.state.find("sessions", session_id, param="session")
            year = dt.datetime.fromtimestamp(self.state.now, dt.UTC).year + 3
            card = cards.CardDetails(number, 12, year, name)
            paid = checkout.pay(self.state, session, card, email=email)
            if paid.outcome == "authenticate" and authentication is not None:
                paid = checkout.authenticate(self.state, session, passed=authentication)
            return paid.outcome

    def _tend(self) -> None:
        with self.state.lock:
            checkout.expire_due(self.state)
            idempotency.forget_old(self.state)
            self.state.forget_old()
        self.webhooks.wake()

    def _take_address(self) -> None:
        # Sessions of an earlier run are paid at today's address.
        self.state.base_url = self.base_url
        for session in self.state.tables["sessions"].values():
            session["url"] = checkout.page_url(self.state, session)

    def _beat(self) -> None:
        while not self._stopping.wait(_BEAT):
            try:
                self._tend()
                self.state.save_when_rested()
            except OSError:
                # The disk may be full or the folder gone; serving goes on and the next beat tries again.
                log.exception("the state could not be saved")
                self.state.touch()
