"""The stack's functions, run by Lambda's own client: from a folder that holds what the image holds, or in the image itself."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import Any, Self

from shop.local.bench.runtime_api import RuntimeApi
from tests.infra.reading import ROOT

_SECONDS = 30.0
IN_IMAGE = os.environ.get("SHOP_IMAGE_RUN", "")
"""A command that runs its arguments in a container of the image, such as `buildah run … shop --`; set by `make image-test`."""


def image_folder(folder: Path) -> Path:
    """What the Dockerfile puts into the image, without the libraries; static files collected."""
    copied = re.findall(r"^COPY ([a-z.]+) /app/", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    left_out = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] not in "#!*"]
    for name in copied:
        source = ROOT / name
        if source.is_dir():
            ignored = [line.partition("/")[2] for line in left_out if line.startswith(f"{name}/")]
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__", *ignored))
        else:
            shutil.copy(source, folder / name)
    subprocess.run([sys.executable, ROOT / "infra/collect_static.py", str(folder)], check=True, env=bare(), timeout=60)
    return folder


def bare() -> dict[str, str]:
    """An environment with nothing of ours in it."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


class Function:
    """One function, usable as a context manager: what is posted to `url` is an event, the answer its result."""

    def __init__(self, handler: str, *, environment: Mapping[str, str], folder: Path, log: Path) -> None:
        self._handler = handler
        self._environment = environment
        self._folder = folder
        self._log = log
        self._api = RuntimeApi()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._doors())
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def lines(self) -> list[str]:
        """What it has written."""
        return self._log.read_text().splitlines()

    def __enter__(self) -> Self:
        self._api.__enter__()
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        environment = {**self._environment, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        if IN_IMAGE:
            run, _, rest = IN_IMAGE.partition(" -- ")
            given = [part for name, value in environment.items() for part in ("--env", f"{name}={value}")]
            *options, container = shlex.split(run)
            command = [*options, *given, container, "--", *shlex.split(rest), self._handler]
            environment = {}
        else:
            command = [sys.executable, "-m", "awslambdaric", self._handler]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=bare() | environment, stdout=log, stderr=subprocess.STDOUT, process_group=0
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        assert self._process
        os.killpg(self._process.pid, 9)
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()
        self._api.__exit__(kind, error, traceback)

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Hand it the event; what it made of it."""
        with self._lock:
            self._api.give(event)
            try:
                return self._api.results.get(timeout=_SECONDS).content
            except Empty:
                raise AssertionError("\n".join(self.lines()[-20:])) from None

    def _doors(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Doors(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body = json.dumps(function.invoke(event)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                """Say nothing."""

        return Doors
