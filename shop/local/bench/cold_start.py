"""Cold starts of the web function under Lambda's own client, from the start of the process to the first page."""

import base64
import gzip
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from shop.local.bench.asks import Ask, WrongAnswer
from shop.local.bench.runtime_api import Result, RuntimeApi
from shop.local.bench.timing import percentile
from shop.local.bench.usage import memory_mb

TARGET_MS = 400.0
_ANSWER_SECONDS = 60.0
_OK = 200


@dataclass(frozen=True)
class ColdStarts:
    """Medians over the starts, the least disturbed one, the largest memory of any, and the times of a function that is warm."""

    starts: int
    cpu_ms: float
    best_cpu_ms: float
    wall_ms: float
    memory_mb: float
    warm_p50_ms: float
    warm_p95_ms: float


@dataclass(frozen=True)
class _Start:
    cpu_ms: float
    wall_ms: float
    memory_mb: float


class Function:
    """A function of Lambda's and the page it is asked for; the answer must hold one of the `expected` texts."""

    def __init__(
        self,
        handler: str,
        *,
        path: str,
        expected: Collection[str],
        log: Path,
        environment: Mapping[str, str],
    ) -> None:
        self._handler = handler
        self._environment = environment
        self._event = _event(Ask(path))
        self._expected = expected
        self._log = log

    def start(self) -> _Start:
        """A new process, one page, and its end: so all the processor time it ever used is that of the start."""
        started_at = time.perf_counter()
        with self._process() as (process, api):
            wall_ms = (self._result(api).answered_at - started_at) * 1000
            memory = memory_mb(process.pid, peak=True)
            process.kill()
            _, _, used = os.wait4(process.pid, 0)
        return _Start((used.ru_utime + used.ru_stime) * 1000, wall_ms, memory)

    def warm_times(self, requests: int) -> list[float]:
        """Milliseconds from handing out an event to its answer, in one process that has answered before."""
        with self._process() as (_, api):
            self._result(api)
            results = [self._result(api) for _ in range(requests)]
        return [(result.answered_at - result.given_at) * 1000 for result in results]

    @contextmanager
    def _process(self) -> Iterator[tuple[subprocess.Popen[bytes], RuntimeApi]]:
        command = [sys.executable, "-m", "awslambdaric", self._handler]
        with RuntimeApi() as api, self._log.open("wb") as log:
            environment = {**os.environ, **self._environment, "AWS_LAMBDA_RUNTIME_API": api.address}
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
            try:
                yield process, api
            finally:
                process.kill()
                process.wait()

    def _result(self, api: RuntimeApi) -> Result:
        api.give(self._event)
        try:
            result = api.results.get(timeout=_ANSWER_SECONDS)
        except Empty:
            raise WrongAnswer(f"The function did not answer: {self._log.read_text(errors='replace')[-2000:]}") from None
        if result.is_error or result.content["statusCode"] != _OK or not self._is_page(_text(result.content)):
            raise WrongAnswer(f"The function answered something else: {str(result.content)[:2000]}")
        return result

    def _is_page(self, text: str) -> bool:
        return any(name in text for name in self._expected)


def measure(functions: Sequence[Function], *, starts: int, requests: int) -> list[ColdStarts]:
    """Start each function so often, in turns, so that a busy machine bends them alike; and once more for the warm requests.

    Raises WrongAnswer.
    """
    for function in functions:
        function.start()  # so that every module is compiled
    rounds = [[function.start() for function in functions] for _ in range(starts)]
    by_function = zip(functions, zip(*rounds, strict=True), strict=True)
    return [_summary(started, function.warm_times(requests)) for function, started in by_function]


def _summary(measured: Sequence[_Start], warm: Sequence[float]) -> ColdStarts:
    return ColdStarts(
        starts=len(measured),
        cpu_ms=statistics.median(start.cpu_ms for start in measured),
        best_cpu_ms=min(start.cpu_ms for start in measured),
        wall_ms=statistics.median(start.wall_ms for start in measured),
        memory_mb=max(start.memory_mb for start in measured),
        warm_p50_ms=percentile(warm, 50),
        warm_p95_ms=percentile(warm, 95),
    )


def _event(ask: Ask) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    path, _, query = ask.path.partition("?")
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": {name.lower(): value for name, value in ask.headers.items()},
        "requestContext": {
            "http": {"method": ask.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9", "userAgent": "bench"},
            "requestId": "bench",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }


def _text(answer: dict[str, Any]) -> str:
    body: str = answer["body"]
    return gzip.decompress(base64.b64decode(body)).decode() if answer.get("isBase64Encoded") else body
