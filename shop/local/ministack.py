"""Ministack, the laptop's AWS, as a child process: used by `make run` and by every test that needs a cloud."""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from shop.local import environment, ports
from shop.local.ministack_launcher import IDENTITY_PATH
from shop.local.processes import end

_ROOT = Path(__file__).resolve().parents[2]
_LAUNCHER = Path(__file__).with_name("ministack_launcher.py")
_LEAVING_SECONDS = 1.0
_SHOWN_LINES = 15


class CloudFailed(Exception):
    """The local AWS did not start; the message says why in one sentence or with its last lines."""


class Ministack:
    """A local AWS on the loopback interface, usable as a context manager.

    `port=0` takes any free port. Without `data_dir` nothing is kept; with one, everything outlives `stop()` at once and a
    `kill -9` up to the last snapshot. A healthy server of the same port and folder is adopted, and left running by `stop()`.
    What the server prints goes to a temporary file, or with `piped` to `process.stdout`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        data_dir: Path | None = None,
        snapshot_seconds: float = 2.0,
        piped: bool = False,
    ) -> None:
        self.port = port
        # The root user's.
        self.access_key = environment.ACCESS_KEY
        self.secret_key = environment.SECRET_KEY
        self.region = environment.REGION
        self.process: subprocess.Popen[bytes] | None = None
        self._data_dir = data_dir.resolve() if data_dir else None
        self._snapshot_seconds = snapshot_seconds
        self._piped = piped
        self._own_log: Path | None = None

    @property
    def endpoint(self) -> str:
        """The address every AWS client needs."""
        return ports.origin(self.port)

    @property
    def is_healthy(self) -> bool:
        """Whether it answers."""
        return _is_healthy(self.port)

    @property
    def environment(self) -> dict[str, str]:
        """What a process must have in its environment to speak to this cloud and to no other."""
        return environment.aws(self.endpoint)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.stop()

    def start(self, timeout: float = 30.0) -> Self:
        """Start, or adopt, and return when it answers. Raises ports.PortTaken and CloudFailed."""
        self.launch()
        self.wait(timeout)
        return self

    def launch(self) -> None:
        """Start, or adopt, without waiting for an answer. Raises ports.PortTaken and CloudFailed."""
        if self.process is not None:
            raise CloudFailed("This local AWS is already running.")
        listener = self._listen()
        if listener is None:
            return
        with listener:
            self.port = int(listener.getsockname()[1])
            self.process = self._spawn(listener)

    def wait(self, timeout: float = 30.0) -> None:
        """Return when it answers. Raises CloudFailed."""
        deadline = time.monotonic() + timeout
        while not _is_healthy(self.port):
            if self.process and self.process.poll() is not None:
                raise self._failed("The local AWS stopped while starting.")
            if time.monotonic() > deadline:
                raise self._failed(f"The local AWS did not answer within {timeout:.0f} s.")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it, keeping everything when it has a data folder. Does nothing to an adopted one, or when already stopped."""
        process, self.process = self.process, None
        if process is None:
            return
        end(process)
        if self._own_log:
            self._own_log.unlink(missing_ok=True)

    def _listen(self) -> socket.socket | None:
        """The listening socket, or None when a server of ours is there already."""
        deadline = time.monotonic() + _LEAVING_SECONDS
        while True:
            try:
                return ports.listen(self.port)
            except ports.PortTaken:
                ours = self._data_dir is not None and runs_here(self.port, self._data_dir)
                # One whose parent has just been killed still answers while it says good-bye: see whether it stays.
                if time.monotonic() > deadline:
                    if ours:
                        return None
                    raise
                if not ours and not self._data_dir:
                    raise
            time.sleep(0.05)

    def _spawn(self, listener: socket.socket) -> subprocess.Popen[bytes]:
        command = [str(cloud_python()), "-I", str(_LAUNCHER), "--fd", str(listener.fileno())]
        if self._data_dir:
            command += ["--data", str(self._data_dir), "--snapshot-every", str(self._snapshot_seconds)]
        keys = {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}
        with self._output() as output:
            return subprocess.Popen(
                command,
                # The tether: it closes when this process is gone, and the launcher ends with it.
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=(listener.fileno(),),
                # A group of its own keeps Ctrl-C from reaching it before its users have stopped.
                process_group=0,
                env=os.environ | keys,
            )

    @contextmanager
    def _output(self) -> Iterator[IO[bytes] | int]:
        if self._piped:
            yield subprocess.PIPE
            return
        descriptor, name = tempfile.mkstemp(prefix="local-aws-", suffix=".log")
        self._own_log = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            yield file

    def _failed(self, sentence: str) -> CloudFailed:
        """End what is left of it; the error to raise, with what it printed last."""
        lines = self._own_log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:] if self._own_log else []
        self.stop()
        return CloudFailed(sentence + "".join(f"\n    {line}" for line in lines))


def cloud_python() -> Path:
    """The interpreter of ministack's own virtual environment. Raises CloudFailed."""
    python = _ROOT / ".cloud-venv" / "bin" / "python"
    if not python.exists():
        raise CloudFailed("The local AWS is not installed; `make run` or `make test` installs it.")
    return python


def runs_here(port: int, data_dir: Path) -> bool:
    """Whether the server on this port is a healthy local AWS that keeps its data in this folder."""
    identity = _get_json(f"{ports.origin(port)}{IDENTITY_PATH}")
    return identity.get("data") == str(data_dir.resolve()) and _is_healthy(port)


def _is_healthy(port: int) -> bool:
    return "services" in _get_json(f"{ports.origin(port)}/_ministack/health")


def _get_json(url: str) -> dict[str, object]:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            content = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return {}
    return content if isinstance(content, dict) else {}
