"""Waiting for what another process does."""

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Return as soon as it has happened; fail the test when it has not in time."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
