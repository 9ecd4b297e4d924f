"""A gunicorn with one sync worker, and requests to it."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from shop.local import ports
from shop.local.bench.asks import Ask
from shop.local.bench.usage import USAGE_PATH
from shop.local.processes import end

_START_SECONDS = 60.0
_SHOWN_LINES = 15


class WorkerFailed(Exception):
    """The server did not start; the message ends with what it said last."""


@dataclass(frozen=True)
class Answer:
    """An answer and how long it took to come, from connecting to the last byte."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    wall_ms: float


@dataclass(frozen=True)
class Usage:
    """What the worker process has used: processor time and table calls since its start, memory now."""

    cpu_ms: float
    memory_mb: float
    table_calls: int


class Worker:
    """`application` (module:name) served by one sync worker on the loopback interface, usable as a context manager."""

    def __init__(self, application: str, *, environment: Mapping[str, str], log: Path) -> None:
        self._application = application
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    def __enter__(self) -> Self:
        with ports.listen(0) as listener, self._log.open("wb") as log:
            self._port = int(listener.getsockname()[1])
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "shop.local.child", "gunicorn", self._application),
                    *("--workers", "1", "--worker-class", "sync", "--timeout", "120"),
                    *("--bind", f"fd://{listener.fileno()}", "--no-control-socket"),
                ],
                stdin=subprocess.PIPE,  # the tether of shop.local.child
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(listener.fileno(),),
                process_group=0,
                env={**os.environ, **self._environment},
            )
        self._wait(self._process)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stop()

    def ask(self, ask: Ask) -> Answer:
        """Make the request on a connection of its own, as a sync worker wants it."""
        started_at = time.perf_counter()
        connection = http.client.HTTPConnection(ports.HOST, self._port, timeout=60)
        try:
            connection.request(ask.method, ask.path, body=ask.body or None, headers=ask.headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        return Answer(response.status, response.headers, body, (time.perf_counter() - started_at) * 1000)

    def usage(self) -> Usage:
        """What the worker has used until now."""
        return Usage(**json.loads(self.ask(Ask(USAGE_PATH)).body))

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                self._stop()
                lines = self._log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
                raise WorkerFailed(f"{self._application} did not start:" + "".join(f"\n    {line}" for line in lines))
            try:
                self.usage()
                return
            except OSError:
                time.sleep(0.05)

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        end(process)
