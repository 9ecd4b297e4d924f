"""The HTTP side: requests in, one write per response, connections kept open."""

from __future__ import annotations

import http
import logging
import select
import socket
import socketserver
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger("fake_stripe")

LARGEST_BODY = 1_000_000


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    query: str
    headers: Message
    body: str


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    body: str
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class Silence(Exception):
    """This request is never to be answered."""


Answers = Callable[[Request], Answer]


class Server(ThreadingHTTPServer):
    """A loopback server that can end its open connections when it stops."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], answers: Answers) -> None:
        self.answers = answers
        self.stopping = threading.Event()
        # `shutdown` waits for a loop that was begun.
        self.serving = False
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look its own name up in the DNS here; a loopback server has no use for it.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # What is left to come here is a client that went away, which is its own business.
        log.debug("connection from %s ended early", client_address)

    def begin(self) -> threading.Thread:
        """Serve on a thread of its own."""
        self.serving = True
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), name="fake-stripe", daemon=True)
        thread.start()
        return thread

    def end(self) -> None:
        """Stop serving and end every open connection."""
        self.stopping.set()
        if self.serving:
            self.shutdown()
        self.server_close()
        with self._open_lock:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                # It was closed meanwhile.
                continue


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "FakeStripe"
    # One write per response and no waiting for the other side's delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    server: Server

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        # The doors tell the methods apart.
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > LARGEST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._write(Answer(413, "The request is too large or has no plain length.\n", "text/plain"))
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        request = Request(self.command, parts.path, parts.query, self.headers, body)
        try:
            answer = self.server.answers(request)
        except Silence:
            self._stay_silent()
            return
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            answer = Answer(500, "This went wrong here; the log says why.\n", "text/plain")
        self._write(answer)

    def _write(self, answer: Answer) -> None:
        body = answer.body.encode()
        self.send_response(answer.status, http.HTTPStatus(answer.status).phrase)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _stay_silent(self) -> None:
        self.close_connection = True
        while not self.server.stopping.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.1)
            # Readable here means the client gave up: it has nothing to send before our answer.
            if readable:
                return

    def log_message(self, *_: object) -> None:
        """Keep quiet: the doors log what matters."""
