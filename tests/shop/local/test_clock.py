import threading
from typing import Any

import pytest

from shop.local.clock import run_clock


class Time:
    """A clock that stands still until somebody waits."""

    def __init__(self, *, ends_at: float) -> None:
        self.now = 0.0
        self._ends_at = ends_at
        self.stop = threading.Event()
        self.stop.wait = self._wait  # type: ignore[assignment]  # what a clock waits by

    def _wait(self, seconds: float) -> bool:
        self.now += seconds
        if self.now > self._ends_at:
            self.stop.set()
        return self.stop.is_set()


def test_every_job_runs_at_once_and_then_at_its_interval() -> None:
    time = Time(ends_at=130)
    ran: list[tuple[float, str]] = []

    def handler(event: dict[str, Any], context: object) -> None:
        ran.append((time.now, event["job"]))

    run_clock(handler=handler, stop=time.stop, jobs={"often": 60.0, "rarely": 100.0}, now=lambda: time.now)
    assert ran == [(0, "often"), (0, "rarely"), (60, "often"), (100, "rarely"), (120, "often")]


def test_a_job_that_fails_is_reported_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    time = Time(ends_at=60)
    tries: list[float] = []

    def handler(event: dict[str, Any], context: object) -> None:
        tries.append(time.now)
        raise ValueError("the table is on holiday")

    run_clock(handler=handler, stop=time.stop, jobs={"sweep": 60.0}, now=lambda: time.now)
    assert tries == [0, 60]
    assert caplog.text.count("job sweep failed; it runs again in 60 s") == 2
