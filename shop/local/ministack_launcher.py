"""Runs ministack, the laptop's AWS, with snapshots. A script for the interpreter of `.cloud-venv`, not a module of the shop.

ministack keeps everything in memory and writes it down only when it is stopped politely: after `kill -9` all is gone, and
stream records and sent mails are gone even after a polite stop. This launcher therefore
1. serves on a listening socket that its parent opened (so a taken port is noticed before anything starts);
2. restores the last complete snapshot, stream records and mails included, so that a shop wakes up with its unfinished work;
3. writes a snapshot every few seconds while things change, into a folder of its own that counts only once a pointer file
   names it: a kill in the middle of writing leaves the snapshot before it untouched;
4. ends, with a last snapshot, as soon as its standard input closes, which the system does when the parent dies of anything.

The functions with an underscore that it calls in ministack are private: that is why requirements/ministack.in pins one version.
"""

import argparse
import asyncio
import copy
import fcntl
import importlib
import json
import logging
import os
import resource
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

# Where the launcher says who it is. Its parent asks here before it adopts a server that is already running.
IDENTITY_PATH = "/_shop/cloud"
_POINTER = "CURRENT"
# What ministack itself does not keep, by service module.
_FORGOTTEN = {"dynamodb": ("_stream_records", "_stream_trimmed", "_closed_streams"), "ses": ("_sent_emails",)}
_FORGOTTEN_FILE = "shop_forgotten"
_LAST_SNAPSHOT_TRIES = 3
_LOCK_SECONDS = 5.0
_READS = ("Get", "Query", "Scan", "Describe", "List", "BatchGet", "TransactGet")

logger = logging.getLogger("cloud")


class SnapshotFailed(Exception):
    """A snapshot could not be written whole; the one before it stays in force."""


def main() -> None:
    """Serve until SIGTERM, SIGINT or the end of standard input."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="file descriptor of the listening socket")
    parser.add_argument("--data", type=Path, help="folder that keeps everything; without it nothing outlives the process")
    parser.add_argument("--snapshot-every", type=float, default=2.0, metavar="SECONDS")
    args = parser.parse_args()

    listener = socket.socket(fileno=args.fd)
    port = int(listener.getsockname()[1])
    # hypercorn opens the descriptor again by number; two Python objects must not both close it.
    listener.detach()
    data: Path | None = args.data.resolve() if args.data else None
    lock = _lock(data) if data else None
    snapshots = Snapshots(data / "state") if data else None
    _set_environment(port, data, snapshots)
    _raise_open_file_limit()
    asyncio.run(_serve(args.fd, data, snapshots, args.snapshot_every))
    if lock is not None:
        os.close(lock)


def _lock(data: Path) -> int:
    """Hold the data folder: two servers writing into one would destroy each other's snapshots."""
    data.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            # A predecessor that lost its parent may still be writing its last snapshot.
            if time.monotonic() > deadline:
                sys.exit(f"Another local AWS is already using {data}.")
            time.sleep(0.05)
        else:
            return descriptor


def _set_environment(port: int, data: Path | None, snapshots: "Snapshots | None") -> None:
    """ministack reads its environment while it is imported, so this comes first."""
    # AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come from the parent: under AUTH they are the root user's.
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "EDGE_PORT"):
        os.environ.pop(name, None)
    os.environ |= {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        # These two would open ports of their own on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": os.environ.get("MINISTACK_LOG_LEVEL", "WARNING"),
        "PERSIST_STATE": "1" if snapshots else "0",
        "S3_PERSIST": "1" if data else "0",
    }
    if data and snapshots:
        os.environ |= {"STATE_DIR": str(snapshots.latest()), "S3_DATA_DIR": str(data / "s3")}


def _raise_open_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            # macOS reports "no limit" and refuses it; the soft limit will do.
            return


class Snapshots:
    """Numbered folders of complete states; the pointer file names the one that counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()

    def latest(self) -> Path:
        """The folder to restore from. It need not exist: a first start has nothing to restore."""
        try:
            return self._folder / (self._folder / _POINTER).read_text().strip()
        except FileNotFoundError:
            return self._folder / "none"

    def write(self, states: dict[str, object]) -> None:
        """Write one complete snapshot and make it the one that counts. Raises SnapshotFailed."""
        with self._lock:
            previous = self.latest()
            name = f"{time.time_ns():020d}"
            part = self._folder / f"{name}.part"
            part.mkdir(parents=True)
            self._fill(part, states)
            if previous.is_dir():
                # A service that could not report its state must not lose what it had.
                for kept in previous.glob("*.json"):
                    if not (part / kept.name).exists():
                        shutil.copyfile(kept, part / kept.name)
            part.rename(self._folder / name)
            pointer = self._folder / f"{_POINTER}.part"
            pointer.write_text(name)
            pointer.replace(self._folder / _POINTER)
            self._sweep(keep={name, previous.name})

    def _fill(self, part: Path, states: dict[str, object]) -> None:
        persistence: Any = importlib.import_module("ministack.core.persistence")
        persistence.STATE_DIR = str(part)
        persistence.save_all({service: (lambda state=state: state) for service, state in states.items()})
        # save_all logs its failures and goes on; half a snapshot is none.
        missing = [name for name, state in states.items() if state is not None and not (part / f"{name}.json").exists()]
        if missing:
            shutil.rmtree(part)
            raise SnapshotFailed(", ".join(missing))

    def _sweep(self, *, keep: set[str]) -> None:
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder.name not in keep:
                shutil.rmtree(folder, ignore_errors=True)


async def _serve(descriptor: int, data: Path | None, snapshots: Snapshots | None, every: float) -> None:
    hypercorn = importlib.import_module("hypercorn.asyncio")
    config = importlib.import_module("hypercorn.config").Config()
    ministack: Any = importlib.import_module("ministack.app")
    config.bind = [f"fd://{descriptor}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    config.graceful_timeout = 1.0

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=_stop_with_parent, args=(loop, stop), daemon=True).start()

    watched = Watched(ministack.app, {"data": str(data) if data else "", "pid": os.getpid()})
    keeper = None
    if snapshots:
        _restore_what_it_forgets(ministack)
        # What ministack does when it is stopped politely becomes one more snapshot.
        ministack.save_all = lambda _services: _write_last_snapshot(ministack, snapshots)
        keeper = asyncio.create_task(_snapshot_while_changing(ministack, snapshots, watched, every))
    await hypercorn.serve(watched, config, shutdown_trigger=stop.wait, mode="asgi")
    if keeper:
        keeper.cancel()


def _stop_with_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """The other end of standard input is the parent's alone, so it closes the moment the parent is gone, even by SIGKILL."""
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(stop.set)


class Watched:
    """The ASGI application around ministack: notes that something changed, and says who it is."""

    def __init__(self, app: App, identity: dict[str, object]) -> None:
        self._app = app
        self._identity = json.dumps(identity).encode()
        self.changed = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        if scope["type"] == "http" and scope["path"] == IDENTITY_PATH:
            headers = [(b"content-type", b"application/json"), (b"content-length", str(len(self._identity)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self._identity})
            return
        try:
            await self._app(scope, receive, send)
        finally:
            self.changed = self.changed or (scope["type"] == "http" and not _is_read(scope))


def _is_read(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"x-amz-target":
            return bool(value.decode("latin-1").rpartition(".")[2].startswith(_READS))
    return scope["method"] in ("GET", "HEAD", "OPTIONS")


async def _snapshot_while_changing(ministack: Any, snapshots: Snapshots, watched: Watched, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        if not watched.changed:
            continue
        watched.changed = False
        try:
            # Copied on the event loop, where every request is served, so that a snapshot never holds half a transaction;
            # turned into text and written elsewhere, so that requests go on meanwhile.
            await asyncio.to_thread(snapshots.write, _collect(ministack))
        except Exception:
            # A table may change under the copy (expiry runs in a thread): the next round tries again.
            logger.warning("snapshot failed, trying again", exc_info=True)
            watched.changed = True


def _write_last_snapshot(ministack: Any, snapshots: Snapshots) -> None:
    for remaining in reversed(range(_LAST_SNAPSHOT_TRIES)):
        try:
            snapshots.write(_collect(ministack))
        except Exception:
            if not remaining:
                raise
        else:
            return


def _collect(ministack: Any) -> dict[str, object]:
    """A private copy of every service's state, and of what ministack forgets."""
    services: dict[str, Callable[[], object]] = ministack._build_persistence_save_dict()
    # dynamodb copies its own state, leaving out an index that can be rebuilt.
    states = {name: get() if name == "dynamodb" else copy.deepcopy(get()) for name, get in services.items()}
    states[_FORGOTTEN_FILE] = {
        service: {store: copy.deepcopy(getattr(module, store)) for store in stores}
        for service, stores in _FORGOTTEN.items()
        if (module := sys.modules.get(f"ministack.services.{service}"))
    }
    return states


def _restore_what_it_forgets(ministack: Any) -> None:
    """Let ministack restore the rest right after everything it keeps itself, before the first request."""
    load_everything_else = ministack._load_persisted_state

    def load() -> None:
        load_everything_else()
        saved = importlib.import_module("ministack.core.persistence").load_state(_FORGOTTEN_FILE) or {}
        for service, stores in saved.items():
            module = importlib.import_module(f"ministack.services.{service}")
            for store, content in stores.items():
                getattr(module, store).update(content)

    ministack._load_persisted_state = load


if __name__ == "__main__":
    main()
