"""A stand-in for an OpenSearch domain: it notes what it is asked, and finds one product whatever was asked for."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalog.domain import Product
from catalog.search.cards import pack
from catalog.search.engine import Document


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Cluster:
    """What it was asked, and how it answers."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    product: Product | None = None
    status: int = 200
    text: str = ""
    """Instead of an answer."""
    refusals: int = 0
    """How many writes are refused from now on, for there are too many."""
    awake: threading.Event = field(default_factory=threading.Event)
    """While it is not set, nothing is answered."""

    @property
    def lines(self) -> list[str]:
        """What it was asked, without questions' options."""
        return [f"{one.method} {one.path.partition('?')[0]}" for one in self.asked]

    def answer(self, asked: Asked) -> Any:
        path = asked.path.partition("?")[0]
        if path.endswith("/_alias"):
            return {f"{path.split('/')[1].removesuffix('-*')}-cafe": {"aliases": {path.split("/")[1].removesuffix("-*"): {}}}}
        if path.endswith("/_bulk"):
            return {
                "errors": False,
                "items": [{"index": {"status": 200}} for line in asked.body.splitlines() if b'"_id"' in line],
            }
        if not path.endswith("search"):
            return {}
        if path.endswith("/_msearch"):
            return {"responses": [{"hits": {"total": {"value": 1}}}] * (len(asked.body.splitlines()) // 2)}
        counted = {"values": {"buckets": []}, "highest": {"value": None}, "there": {"shelf": {"buckets": []}}}
        hits = [{"_source": {"card": pack(Document.of(self.product))}}] if self.product else []
        aggregations = dict.fromkeys(json.loads(asked.body).get("aggs", {}), counted)
        return {"hits": {"total": {"value": len(hits)}, "hits": hits}, "aggregations": aggregations}


@contextmanager
def cluster_of(product: Product | None = None, *, certificate: Path | None = None) -> Iterator[Cluster]:
    """A domain on loopback, over https with a certificate of its own in this file."""
    cluster = Cluster(product=product)
    cluster.awake.set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            cluster.asked.append(asked)
            if not cluster.awake.wait(0):
                cluster.awake.wait()
                self.close_connection = True
                return
            is_refused = cluster.refusals > 0 and "/_bulk" in asked.path
            cluster.refusals -= is_refused
            text = (cluster.text or json.dumps(cluster.answer(asked))).encode()
            self.send_response(429 if is_refused else cluster.status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the same
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_write_certificate(certificate))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    cluster.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield cluster
    finally:
        cluster.awake.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _write_certificate(file: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file
