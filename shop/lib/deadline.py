"""How much of a request's time is left. Whatever waits for somebody else asks before it begins."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST_SECONDS = 20.0
"""API Gateway gives up after 29 s; an honest page of ours must be on its way well before."""

_ends_at: ContextVar[float | None] = ContextVar("request_ends_at", default=None)


class OutOfTime(Exception):
    """The request has no time left for another call."""


@contextmanager
def request_time(seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Everything inside is one request with so many seconds."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def time_left() -> float:
    """Seconds left of the request; endless outside of one, as in a job or on the command line."""
    ends_at = _ends_at.get()
    return float("inf") if ends_at is None else ends_at - time.monotonic()


def require_time(seconds: float) -> None:
    """Raise OutOfTime unless so much is left."""
    if time_left() < seconds:
        raise OutOfTime
