"""Calls to others, told to whoever watches: nobody on a laptop, the traces where Lambda runs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

_THROTTLED = "tries_throttled"
_READS = frozenset({"GetItem", "BatchGetItem", "Query", "TransactGetItems"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call to somebody else, after its end. Times are seconds since 1970."""

    service: str
    operation: str
    started_at: float
    ended_at: float
    failed: bool
    read_units: float = 0
    write_units: float = 0
    throttled: int = 0
    """How many of its tries were throttled, the last included."""


Watcher = Callable[[Call], None]
_watchers: list[Watcher] = []


def watch(watcher: Watcher) -> None:
    """Tell this one of every call from now on."""
    _watchers.append(watcher)


def tell(call: Call) -> None:
    """Tell all that watch."""
    for watcher in _watchers:
        watcher(call)


@contextmanager
def call_to(service: str, operation: str) -> Iterator[None]:
    """What happens inside is a call to this service; an exception is a failure of it."""
    started_at, failed = time.time(), True
    try:
        yield
        failed = False
    finally:
        tell(Call(service, operation, started_at, time.time(), failed))


def tell_of_dynamodb(events: Any) -> None:
    """Tell of every call of a botocore client of DynamoDB, by its events: what it was, how long it took, what it consumed."""

    def begun(context: dict[str, Any], **kwargs: Any) -> None:
        context["began_at"] = time.time()

    def ended(context: dict[str, Any], event_name: str, parsed: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if not _watchers:
            return
        operation = event_name.rsplit(".", 1)[-1]
        units = _units((parsed or {}).get("ConsumedCapacity"))
        read, written = (units, 0.0) if operation in _READS else (0.0, units)
        now = time.time()
        failed = parsed is None or "Error" in parsed
        began_at, throttled = context.get("began_at", now), context.get(_THROTTLED, 0)
        tell(Call("DynamoDB", operation, began_at, now, failed, read, written, throttled))

    events.register("before-call.dynamodb", begun)
    events.register("after-call.dynamodb", ended)
    events.register("after-call-error.dynamodb", ended)


def note_throttled(context: dict[str, Any]) -> None:
    """One try of the call with this context was throttled."""
    context[_THROTTLED] = context.get(_THROTTLED, 0) + 1


def _units(consumed: Any) -> float:
    parts = consumed if isinstance(consumed, list) else [consumed or {}]
    return float(sum(part.get("CapacityUnits", 0) for part in parts))
