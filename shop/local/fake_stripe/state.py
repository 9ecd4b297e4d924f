"""Everything the fake Stripe remembers, under one lock, kept in one JSON file."""

from __future__ import annotations

import copy
import json
import os
import secrets
import string
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shop.local.fake_stripe.errors import Json, missing_object

API_VERSION = "2026-10-28.endive"
LOG_LENGTH = 1000
# Stripe's Events can be read for 30 days: https://docs.stripe.com/api/events
EVENT_LIFE = 30 * 24 * 3600
# A save that took so long is followed by a rest of so many times its length.
_REST = 4
_LETTERS = string.ascii_letters + string.digits

# What each table holds, as Stripe's `object` field and its error messages name it.
KINDS = {
    "sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "customers": "customer",
    "payment_methods": "payment_method",
    "events": "event",
    "products": "product",
    "shipping_rates": "shipping_rate",
    "coupons": "coupon",
}
_PREFIXES = {
    "cs_": "sessions",
    "pi_": "payment_intents",
    "ch_": "charges",
    "re_": "refunds",
    "cus_": "customers",
    "pm_": "payment_methods",
    "prod_": "products",
    "shr_": "shipping_rates",
}


class State:
    """The tables and the rules-free ways to reach them.

    Whoever reads or writes holds `lock`; each table keeps its objects in the order of creation.
    """

    def __init__(self, *, clock: Callable[[], float], path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        # Where this server answers; known once it listens.
        self.base_url = ""
        self.path = path
        self.tables: dict[str, dict[str, Json]] = {name: {} for name in KINDS}
        # Not objects of Stripe's own: what a session was made from, a payment method's test card, stored answers.
        self.session_extras: dict[str, Json] = {}
        self.test_cards: dict[str, str] = {}
        self.idempotency: dict[str, Json] = {}
        self.deliveries: dict[str, Json] = {}
        self.requests: deque[Json] = deque(maxlen=LOG_LENGTH)
        # The API call under way, which an event names as its cause.
        self.cause: Json = {"id": None, "idempotency_key": None}
        self.on_event: Callable[[Json, str], None] = _nobody_listens
        self._dirty = False
        self._rests_until = 0.0
        self._save_lock = threading.Lock()
        if path is not None and path.exists():
            self._load(path)

    @property
    def now(self) -> int:
        return int(self.clock())

    def find(self, table: str, object_id: str, *, param: str = "id") -> Json:
        """One object; Stripe's 404 when there is none."""
        found = self.tables[table].get(object_id)
        if found is None:
            raise missing_object(KINDS[table], object_id, param=param)
        return found

    def by_id(self, object_id: str) -> Json | None:
        """The object with this id, whatever its kind."""
        for prefix, table in _PREFIXES.items():
            if object_id.startswith(prefix):
                return self.tables[table].get(object_id)
        return None

    def add(self, table: str, thing: Json) -> Json:
        """Keep a new object."""
        self.tables[table][thing["id"]] = thing
        self.touch()
        return thing

    def touch(self) -> None:
        """Note that something changed and is to be saved."""
        self._dirty = True

    def emit(self, event_type: str, thing: Json, *, group: str, previous: Json | None = None) -> None:
        """Record an event about an object as it is now; `group` keeps its webhooks in order."""
        data: Json = {"object": copy.deepcopy(thing)}
        if previous is not None:
            data["previous_attributes"] = previous
        event = {
            "id": new_id("evt_1"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": 0,
            "request": dict(self.cause),
            "type": event_type,
        }
        self.add("events", event)
        self.on_event(event, group)

    def forget_old(self) -> None:
        """Drop what Stripe would no longer answer for."""
        events = self.tables["events"]
        for event in list(events.values()):
            if event["created"] < self.now - EVENT_LIFE and event["pending_webhooks"] == 0:
                del events[event["id"]]

    def save_when_rested(self) -> None:
        """Save, unless the last save was so recent and so long that saving would be all that is done."""
        if time.monotonic() >= self._rests_until:
            self.save()

    def save(self) -> None:
        """Write the file if anything changed: a whole new file takes the old one's place."""
        if self.path is None:
            return
        started = time.monotonic()
        with self._save_lock:
            with self.lock:
                if not self._dirty:
                    return
                self._dirty = False
                written = json.dumps(self._snapshot())
            self.path.parent.mkdir(parents=True, exist_ok=True)
            half_done = self.path.with_name(self.path.name + ".tmp")
            half_done.write_text(written)
            os.replace(half_done, self.path)
            ended = time.monotonic()
            self._rests_until = ended + _REST * (ended - started)

    def _snapshot(self) -> Json:
        answered = {key: kept for key, kept in self.idempotency.items() if kept["status"] is not None}
        return {
            "tables": self.tables,
            "session_extras": self.session_extras,
            "test_cards": self.test_cards,
            "idempotency": answered,
            "deliveries": self.deliveries,
            "requests": list(self.requests),
        }

    def _load(self, path: Path) -> None:
        try:
            kept: dict[str, Any] = json.loads(path.read_text())
        except ValueError as error:
            raise ValueError(f"{path} is not a state file of the fake Stripe; move it away to start afresh.") from error
        self.tables.update(kept["tables"])
        self.session_extras = kept["session_extras"]
        self.test_cards = kept["test_cards"]
        self.idempotency = kept["idempotency"]
        self.deliveries = kept["deliveries"]
        self.requests.extend(kept["requests"])


def _nobody_listens(event: Json, group: str) -> None:
    """Stand in until the webhooks take the events."""


def new_id(prefix: str, length: int = 24) -> str:
    """A new id that looks like one of Stripe's."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length))
