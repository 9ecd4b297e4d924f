"""Lambda's side of the Runtime API on the loopback interface: hands out events, takes the answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from shop.local import ports

_VERSION = "/2018-06-01/runtime"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
"""The trace every event belongs to."""


@dataclass(frozen=True)
class Result:
    """What the function made of an event, and when; `is_error` when it or its start failed."""

    content: dict[str, Any]
    given_at: float
    answered_at: float
    is_error: bool


class RuntimeApi:
    """Serves one function, usable as a context manager. Times are of `time.perf_counter`."""

    def __init__(self) -> None:
        self.results: SimpleQueue[Result] = SimpleQueue()
        self._events: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._given_at = 0.0
        self._server = _Server((ports.HOST, 0), self._handler())

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._events.put(None)  # whoever is still asked for an event need not wait

    @property
    def address(self) -> str:
        """What AWS_LAMBDA_RUNTIME_API must be."""
        return f"{ports.HOST}:{self._server.server_port}"

    def give(self, event: dict[str, Any]) -> None:
        """Hand the event to whoever asks next."""
        self._events.put(event)

    def next_event(self) -> dict[str, Any] | None:
        event = self._events.get()
        self._given_at = time.perf_counter()
        return event

    def take(self, content: dict[str, Any], *, is_error: bool) -> None:
        self.results.put(Result(content, self._given_at, time.perf_counter(), is_error))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(_Handler):
            runtime = api

        return Handler


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Functions end by being killed, often with a connection open; everything else shows as an answer that is missing."""


class _Handler(BaseHTTPRequestHandler):
    runtime: RuntimeApi
    protocol_version = "HTTP/1.1"
    # One packet an answer and no waiting for a fuller one; otherwise each answer takes 40 ms of delayed acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        event = self.runtime.next_event()
        if event is None:
            self.close_connection = True
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": "00000000-0000-0000-0000-000000000000",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
            "Lambda-Runtime-Trace-Id": TRACE,
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:000000000000:function:web",
        }
        self._answer(200, event, headers)

    def do_POST(self) -> None:
        answered = self.path.startswith(f"{_VERSION}/invocation/") and self.path.endswith("/response")
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.runtime.take(content, is_error=not answered)
        self._answer(202, {"status": "OK"}, {})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def _answer(self, status: int, content: dict[str, Any], headers: dict[str, str]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
