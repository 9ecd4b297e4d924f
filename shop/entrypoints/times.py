"""How long a function that nobody waits for may still work."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from shop.lib.deadline import request_time

_FAREWELL_SECONDS = 3.0
"""Kept back from Lambda's own limit: for the answer that says what was not done."""


@contextmanager
def lambda_time(context: Any) -> Iterator[None]:
    """Everything inside ends before Lambda ends the process; endless where nobody says how long (a test, the command line)."""
    left = getattr(context, "get_remaining_time_in_millis", None)
    if left is None:
        yield
        return
    with request_time(max(0.0, left() / 1000 - _FAREWELL_SECONDS)):
        yield
