"""A fault gateway: stands between the shop and its tables and does to some calls what AWS does on a bad day.

DynamoDB's local stand-ins never answer TransactionConflict or throttle, and never lose a reply. Here a share of calls, chosen by
a seeded generator, does. Everything else passes through untouched, signature included.
"""

import json
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from shop.local import ports

_TIMEOUT_SECONDS = 30
_CONNECT_TRIES = 5
_HOP_HEADERS = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "upgrade"})
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
_SERVICE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
_TYPE = "com.amazonaws.dynamodb.v20120810#"
_CONFLICT = {
    "__type": f"{_TYPE}TransactionCanceledException",
    "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]",
    "CancellationReasons": [{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}],
}
_THROTTLED = {"__type": f"{_TYPE}ThrottlingException", "message": "Rate exceeded"}


@dataclass
class Weather:
    """How bad the day is: shares from 0 to 1 of DynamoDB calls that meet each fault."""

    conflicts: float = 0.0
    """Of transactions: refused because another is at one of their items."""
    throttled: float = 0.0
    """Of all calls."""
    lost_replies: float = 0.0
    """Of all calls: done, and the connection cut before the answer."""
    silent: Collection[str] = ()
    """Services (`dynamodb`, `s3`, `ses`) that do nothing and never answer."""
    met: Counter[str] = field(default_factory=Counter)
    """How many calls met which fault."""


class FaultGateway:
    """An HTTP proxy on the loopback interface in front of the address of a local AWS; a context manager."""

    def __init__(self, *, upstream_port: int, seed: int = 1) -> None:
        self.weather = Weather()
        self._chance = random.Random(seed)  # noqa: S311 - which calls fail is no secret, and must repeat
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._server = _Server(self, upstream_port)

    @property
    def endpoint(self) -> str:
        """The address AWS clients use instead of the true one."""
        return f"http://{ports.HOST}:{self._server.server_port}"

    @property
    def upstream(self) -> str:
        """The address behind it, for what is to be timed."""
        return ports.origin(self._server.upstream_port)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="fault-gateway", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def fault_for(self, service: str, operation: str) -> str:
        """The fault this call meets; empty for none. All but silence befalls DynamoDB alone."""
        with self._lock:
            weather, chance = self.weather, self._chance
            if service in weather.silent:
                fault = "silence"
            elif service != "dynamodb":
                return ""
            elif operation == "TransactWriteItems" and chance.random() < weather.conflicts:
                fault = "conflict"
            elif chance.random() < weather.throttled:
                fault = "throttle"
            elif chance.random() < weather.lost_replies:
                fault = "lost reply"
            else:
                return ""
            weather.met[fault] += 1
            return fault

    def stay_silent(self) -> None:
        """Wait as a dependency does that takes a call and never answers, until it is well again or the gateway stops."""
        while self.weather.silent and not self._stopping.wait(0.1):
            pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def __init__(self, gateway: FaultGateway, upstream_port: int) -> None:
        super().__init__((ports.HOST, 0), _Handler)
        self.gateway = gateway
        self.upstream_port = upstream_port

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that gave up is no trouble of the gateway's."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "")
        signed = _SERVICE.search(self.headers.get("Authorization", ""))
        fault = self.server.gateway.fault_for(signed[1] if signed else "", target.rsplit(".", 1)[-1])
        if fault == "silence":
            self.server.gateway.stay_silent()
            self.close_connection = True
        elif fault in ("conflict", "throttle"):
            content = json.dumps(_CONFLICT if fault == "conflict" else _THROTTLED).encode()
            self._answer(HTTPStatus.BAD_REQUEST, [("Content-Type", "application/x-amz-json-1.0")], content)
        else:
            answer = self._ask(body)
            self.close_connection = fault == "lost reply"
            if not self.close_connection:
                self._answer(*answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - given by the standard library

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = self._connection()
        try:
            # The Host header stays the gateway's: it is part of what was signed.
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in _HOP_HEADERS:
                    connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    def _connection(self) -> HTTPConnection:
        """A connection to the true AWS, whose queue may be full for a moment in a rush."""
        for _ in range(_CONNECT_TRIES):
            connection = HTTPConnection(ports.HOST, self.server.upstream_port, timeout=_TIMEOUT_SECONDS)
            try:
                connection.connect()
            except OSError:
                time.sleep(0.05)
            else:
                return connection
        raise HTTPException("the local AWS takes no connections")

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response_only(status)
        is_head = self.command == "HEAD"  # whose length is that of a body which is not sent
        for name, value in headers:
            if name.lower() not in _HOP_HEADERS and (is_head or name.lower() != "content-length"):
                self.send_header(name, value)
        if not is_head:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if not is_head:
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the standard library
        """The verdict table is what is read, not every call."""
