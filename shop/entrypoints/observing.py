"""What is told of every run where Lambda runs: JSON lines, metrics and traces. On a laptop it does nothing, and imports nothing.

Nothing personal and no token leaves the process this way: paths are told as their routes, and what still looks like an
e-mail address, a signed token or a key is struck out of every line (tests/infra/test_stack.py sends canaries through the shop).
"""

import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from shop.entrypoints import traces
from shop.lib.logs import WithoutSecrets
from shop.lib.watching import Call, watch

SERVICE = "shop"
_SECRETS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an e-mail address
    r"|eyJ[\w-]{8,}(?:\.[\w-]*){1,2}"  # a signed token
    r"|(?:sk|rk)_(?:live|test)_\w+|whsec_\w+"  # Stripe's keys
    r"|(?<=key=)[^\s\"&]{8,}|(?<=token=)[^\s\"&]{8,}"
)
_UNITS = {"Milliseconds": "Milliseconds", "Revenue": "None"}


@dataclass
class Run:
    """One run of a function: what is known about it, and its numbers."""

    facts: dict[str, Any] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)

    def note(self, **facts: Any) -> None:
        """Something to find the line by: a route, a status, a job's name. Nothing personal."""
        self.facts |= facts

    def count(self, name: str, number: float = 1) -> None:
        """Add to a metric."""
        self.numbers[name] = self.numbers.get(name, 0) + number


class _Process:
    """What a process sets up once."""

    def __init__(self) -> None:
        from aws_lambda_powertools import Metrics
        from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

        self.metrics = Metrics(namespace=settings.METRICS_NAMESPACE, service=SERVICE)
        self.formatter = LambdaPowertoolsFormatter(json_serializer=_without_secrets, use_rfc3339=True, utc=True, service=SERVICE)
        self.is_cold = True
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(self.formatter)
        handler.addFilter(WithoutSecrets())
        logging.getLogger().handlers = [handler]
        # Its lines hold paths; status and route of every request are told below.
        logging.getLogger("django.request").setLevel(logging.CRITICAL)


_process: _Process | None = None
_run: Run | None = None


def start() -> None:
    """Set up the process. Every entry point calls it once, after Django is set up."""
    global _process  # noqa: PLW0603 - one process, one set-up
    if settings.ON_LAMBDA and _process is None:
        _process = _Process()
        watch(_noted)
        watch(traces.send)


@contextmanager
def run_of(function: str, context: Any, **facts: Any) -> Iterator[Run]:
    """One run: its lines carry the request's id, and its end is a line with its facts and numbers, which are metrics too."""
    global _run  # noqa: PLW0603 - a Lambda process does one thing at a time
    run = _run = Run({"function": function, **facts})
    if _process is None:
        yield run
        return
    _process.formatter.append_keys(function_request_id=getattr(context, "aws_request_id", ""), function=function)
    started_at = time.perf_counter()
    try:
        yield run
    except Exception:
        run.count("Failures")
        logging.getLogger(__name__).exception("the %s function failed", function)
        raise
    finally:
        run.count("Milliseconds", round((time.perf_counter() - started_at) * 1000, 1))
        run.note(request_id=getattr(context, "aws_request_id", ""), cold_start=_process.is_cold)
        if _process.is_cold:
            # All the processor time since the process began: what `make bench` measures, where the shop runs.
            run.note(cold_start_cpu_ms=round(time.process_time() * 1000))
        _process.is_cold = False
        _tell(_process, run)
        _run = None


def _noted(call: Call) -> None:
    if _run is None:
        return
    _run.count(f"{call.service}Calls")
    _run.count("ReadUnits", call.read_units)
    _run.count("WriteUnits", call.write_units)
    if call.throttled:
        _run.count("TablesThrottled", call.throttled)


def _tell(process: _Process, run: Run) -> None:
    for name, fact in run.facts.items():
        process.metrics.add_metadata(name, fact)
    for name, number in run.numbers.items():
        process.metrics.add_metric(name, _UNITS.get(name, "Count"), number)
    process.metrics.flush_metrics()


def _without_secrets(line: Any) -> str:
    return _SECRETS.sub("<removed>", json.dumps(line, default=str, ensure_ascii=False))
