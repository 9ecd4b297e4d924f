"""The fault kit: what a test may ask to go wrong, for the next so many calls or webhooks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from fnmatch import fnmatchcase
from threading import Lock
from typing import Any

from shop.local.fake_stripe.errors import ApiError, Json

API_KINDS = (
    "silence_before",  # nothing is done, and no answer ever comes
    "silence_after",  # it is done, and no answer ever comes
    "error_before",  # nothing is done, 500
    "error_after",  # it is done, 500; a retry with the same key gets the true answer
    "error_stored",  # it is done, 500, and the same key gets that 500 again, as Stripe documents
    "delay",  # answered late; the idempotency key is in use meanwhile
)
WEBHOOK_KINDS = (
    "drop",  # never sent
    "duplicate",  # sent twice
    "delay",  # sent `seconds` late
    "reorder",  # the next `times` are gathered, then sent last one first
)


@dataclass
class ApiFault:
    """One fault of API calls; `path` and `method` may hold `*`."""

    kind: str
    method: str = "*"
    path: str = "*"
    times: int = 1
    seconds: float = 0.0


@dataclass
class WebhookFault:
    """One fault of webhooks; `type` is an event type and may hold `*`."""

    kind: str
    type: str = "*"
    times: int = 1
    seconds: float = 1.0
    # Deliveries a reorder has gathered so far.
    held: list[str] = field(default_factory=list)


class Faults:
    """The faults now set: lists a test may append to, each used up as it strikes."""

    def __init__(self) -> None:
        self.api: list[ApiFault] = []
        self.webhooks: list[WebhookFault] = []
        self._lock = Lock()

    def take_api(self, method: str, path: str) -> ApiFault | None:
        """The fault that strikes this call, one time used up."""
        with self._lock:
            for fault in self.api:
                if fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path) and fault.times > 0:
                    fault.times -= 1
                    self.api = [other for other in self.api if other.times > 0]
                    return fault
        return None

    def take_webhook(self, event_type: str) -> WebhookFault | None:
        """The fault that strikes this event's delivery, one time used up."""
        with self._lock:
            for fault in self.webhooks:
                if fnmatchcase(event_type, fault.type) and fault.times > 0:
                    fault.times -= 1
                    self.webhooks = [other for other in self.webhooks if other.times > 0]
                    return fault
        return None

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self.api, self.webhooks = [], []

    def add(self, wanted: Json) -> None:
        """Take in what the control door was sent: `{"reset": true, "api": [...], "webhooks": [...]}`."""
        api = [ApiFault(**_checked(one, ApiFault, API_KINDS)) for one in _listed(wanted, "api")]
        webhooks = [WebhookFault(**_checked(one, WebhookFault, WEBHOOK_KINDS)) for one in _listed(wanted, "webhooks")]
        if unknown := set(wanted) - {"reset", "api", "webhooks"}:
            raise ApiError(f"Unknown fault group: {', '.join(sorted(unknown))}")
        if wanted.get("reset"):
            self.clear()
        with self._lock:
            self.api.extend(api)
            self.webhooks.extend(webhooks)

    def as_json(self) -> Json:
        """The faults still to strike."""
        with self._lock:
            return {"api": [asdict(fault) for fault in self.api], "webhooks": [asdict(fault) for fault in self.webhooks]}


def _listed(wanted: Json, name: str) -> list[Any]:
    given = wanted.get(name, [])
    if not isinstance(given, list):
        raise ApiError(f"`{name}` must be a list of faults.")
    return given


def _checked(one: Any, shape: type[ApiFault | WebhookFault], kinds: tuple[str, ...]) -> Json:
    if not isinstance(one, dict) or one.get("kind") not in kinds:
        raise ApiError(f"A fault needs a `kind`, one of: {', '.join(kinds)}.")
    types: dict[str, type | tuple[type, ...]] = {"times": int, "seconds": (int, float)}
    known = {item.name for item in fields(shape)} - {"held"}
    for name, value in one.items():
        if name not in known or not isinstance(value, types.get(name, str)):
            raise ApiError(f"Not a setting of this fault: {name}={value!r}. It knows {', '.join(sorted(known))}.")
    return one
