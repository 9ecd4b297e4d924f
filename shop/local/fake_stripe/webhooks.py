"""Signed webhooks, delivered from the background and tried again until they are taken."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import itertools
import json
import logging
import threading
import time
from urllib.parse import urlsplit

from shop.local.fake_stripe.errors import Json
from shop.local.fake_stripe.faults import Faults
from shop.local.fake_stripe.state import State, new_id

log = logging.getLogger("fake_stripe.webhooks")

LONGEST_WAIT = 60.0
GIVE_UP_AFTER = 3 * 24 * 3600
KEPT_WHEN_DONE = 500
ANSWER_TIMEOUT = 15.0
WORKERS = 4
# How long a reorder waits for its last event before it sends what it has.
REORDER_PATIENCE = 5.0
# An injected clock may jump, so nobody sleeps longer than this.
_NAP = 0.25
_TAKEN = range(200, 300)


def signature(secret: str, body: str, at: int) -> str:
    """The Stripe-Signature header: https://docs.stripe.com/webhooks#verify-manually"""
    digest = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Webhooks:
    """The queue of deliveries and the threads that empty it.

    One object's events are sent one after another, in order; different objects side by side.
    A delivery that failed does not hold back the ones behind it, as at Stripe.
    """

    def __init__(self, state: State, faults: Faults, *, url: str, secret: str, first_retry: float = 1.0) -> None:
        self.url = url
        self.secret = secret
        self.first_retry = first_retry
        self._state = state
        self._faults = faults
        self._changed = threading.Condition(state.lock)
        self._pending = [one["id"] for one in state.deliveries.values() if one["status"] == "pending"]
        self._orders = itertools.count(1 + max((one["order"] for one in state.deliveries.values()), default=0))
        self._busy_groups: set[str] = set()
        self._stopping = False
        self._threads: list[threading.Thread] = []
        state.on_event = self.queue

    def start(self) -> None:
        """Begin to deliver."""
        self._stopping = False
        self._threads = [threading.Thread(target=self._work, name=f"webhooks-{number}", daemon=True) for number in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the threads; what is pending stays pending."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=2)

    def wake(self) -> None:
        """Look again at once, for instance after the clock was moved."""
        with self._changed:
            self._changed.notify_all()

    def wait_until_idle(self, timeout: float = 10.0) -> bool:
        """Wait until every delivery was taken, dropped or given up; False when time ran out first."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._pending, timeout)

    def queue(self, event: Json, group: str) -> None:
        """Take in a new event, and whatever fault strikes it. The caller holds the state's lock."""
        if not self.url:
            return
        fault = self._faults.take_webhook(event["type"])
        kind = fault.kind if fault else None
        for _ in range(2 if kind == "duplicate" else 1):
            delivery = self._deliverable(event, group)
            if kind == "drop":
                delivery["status"] = "dropped"
            else:
                event["pending_webhooks"] += 1
                self._pending.append(delivery["id"])
            if fault and kind == "delay":
                delivery["due_at"] += fault.seconds
            if fault and kind == "reorder":
                self._hold(delivery, fault.held, last=fault.times == 0)
        self._changed.notify_all()

    def _deliverable(self, event: Json, group: str) -> Json:
        now = self._state.clock()
        delivery: Json = {
            "id": new_id("we_"),
            "event": event["id"],
            "type": event["type"],
            "group": group,
            "order": next(self._orders),
            "status": "pending",
            "attempts": 0,
            "created": now,
            "due_at": now,
            "answer": None,
        }
        self._state.deliveries[delivery["id"]] = delivery
        self._state.touch()
        return delivery

    def _hold(self, delivery: Json, held: list[str], *, last: bool) -> None:
        delivery["due_at"] += REORDER_PATIENCE
        # One group, so that the changed order is kept among different objects too.
        delivery["group"] = f"reorder-{held[0] if held else delivery['id']}"
        held.append(delivery["id"])
        if last:
            together = [self._state.deliveries[one] for one in held]
            orders = sorted((one["order"] for one in together), reverse=True)
            for one, order in zip(together, orders, strict=True):
                one.update(order=order, due_at=self._state.clock())

    def _work(self) -> None:
        while True:
            with self._changed:
                delivery = self._next()
                while delivery is None and not self._stopping:
                    self._changed.wait(_NAP)
                    delivery = self._next()
                if self._stopping or delivery is None:
                    return
                self._busy_groups.add(delivery["group"])
                body = self._body(delivery)
            answer = self._send(body)
            with self._changed:
                self._busy_groups.discard(delivery["group"])
                self._note(delivery, answer)
                self._changed.notify_all()

    def _next(self) -> Json | None:
        now = self._state.clock()
        due = [
            delivery
            for delivery in (self._state.deliveries[one] for one in self._pending)
            if delivery["due_at"] <= now and delivery["group"] not in self._busy_groups
        ]
        return min(due, key=lambda delivery: int(delivery["order"]), default=None)

    def _body(self, delivery: Json) -> str:
        return json.dumps(self._state.tables["events"][delivery["event"]], indent=2)

    def _send(self, body: str) -> int | str:
        """The endpoint's status, or in words why there was none."""
        parts = urlsplit(self.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(parts.netloc, timeout=ANSWER_TIMEOUT)
        # Signed anew at each attempt and by the true time: the receiver refuses old signatures.
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(self.secret, body, int(time.time())),
            "Connection": "close",
        }
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request("POST", path, body.encode(), headers)
            response = connection.getresponse()
            response.read()
            return response.status
        except (OSError, http.client.HTTPException) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _note(self, delivery: Json, answer: int | str) -> None:
        delivery["attempts"] += 1
        delivery["answer"] = answer
        now = self._state.clock()
        if answer in _TAKEN:
            self._finish(delivery, "delivered")
        elif now - delivery["created"] >= GIVE_UP_AFTER:
            self._finish(delivery, "failed")
        else:
            delivery["due_at"] = now + min(self.first_retry * 2 ** min(delivery["attempts"] - 1, 20), LONGEST_WAIT)
        self._state.touch()
        log.info(
            "webhook %s %s attempt %d: %s (%s)",
            delivery["type"],
            delivery["event"],
            delivery["attempts"],
            answer,
            delivery["status"],
        )

    def _finish(self, delivery: Json, status: str) -> None:
        delivery["status"] = status
        self._pending.remove(delivery["id"])
        event = self._state.tables["events"].get(delivery["event"])
        if event is not None:
            event["pending_webhooks"] -= 1
        done = [one["id"] for one in self._state.deliveries.values() if one["status"] != "pending"]
        for old in done[:-KEPT_WHEN_DONE]:
            del self._state.deliveries[old]
