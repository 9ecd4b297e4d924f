"""`make run`: starts the laptop's cloud and the shop in it, watches over them, and ends all of it.

    this process
    ├── cloud       ministack: tables, streams, object storage, mail        DATA/cloud
    ├── payments    the fake Stripe                                        DATA/stripe.json
    ├── prepare     tables, bucket, sender, demo shop; ends when done
    ├── shop        runserver with autoreload
    └── work        runbackground with autoreload: stream worker and job clock

Everything listens on the loopback interface. A child that ends by itself ends everything, but for `shop` and `work`: they run the
code that is being written, and wait for the next save of a Python file when it fails.
"""

import fcntl
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from shop import DEMO_NAME
from shop.local import environment, ports
from shop.local.ministack import CloudFailed, Ministack
from shop.local.processes import Child, ChildEnded, printer
from shop.local.saves import Saves
from shop.local.summary import LocalShop, summary

_START_SECONDS = 60.0
_PREPARE_SECONDS = 300.0
_END_SECONDS = 1.5
_POLL_SECONDS = 0.03
_WATCH_SECONDS = 2.0
_SAVE_SECONDS = 0.5
_SHOWN_LINES = 25
# Python's exit status after an exception that nobody caught.
_CODE_FAILED = 1
START_MODULE = (sys.executable, "-m", "shop.local.child")
_ROOT = Path(__file__).resolve().parents[2]


class CannotStart(Exception):
    """The shop cannot start; the message is the sentence to print."""


class StopAsked(Exception):
    """Ctrl-C or SIGTERM."""


def run(*, port: int, data_dir: Path, empty: bool = False, start_module: Sequence[str] = START_MODULE, code: Path = _ROOT) -> int:
    """Run the shop until it is told to stop; the exit status. Prints what a person has to know.

    `empty` begins a shop without the demo's products and people; its data folder remembers that.

    `start_module` begins the command line of every child but the cloud; a module and its arguments follow.
    `code` is the folder whose Python files are the shop.
    """
    started_at = time.monotonic()
    events: SimpleQueue[Exception] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Only noted here and obeyed by the main loop, so that a second Ctrl-C cannot interrupt the ending.
        signal.signal(number, lambda *_: events.put(StopAsked()))
    try:
        lock = _take(port=port, data_dir=data_dir)
        is_empty = _stays_empty(data_dir, empty=empty)
    except CannotStart as refusal:
        print(refusal, file=sys.stderr)
        return 1
    shop = Shop(port=port, data_dir=data_dir, is_empty=is_empty, events=events, start_module=start_module, code=code)
    status = 0
    try:
        shop.start()
        print(summary(shop.describe(), seconds=time.monotonic() - started_at), flush=True)
        shop.watch()
    except StopAsked:
        print("\nStopping …", flush=True)
    except ChildEnded as ended:
        print(_obituary(ended), file=sys.stderr, flush=True)
        status = 1
    except (CannotStart, CloudFailed) as failure:
        print(failure, file=sys.stderr, flush=True)
        status = 1
    finally:
        shop.stop()
        os.close(lock)
    if not status:
        print(f"Stopped. Everything is kept in {data_dir}.", flush=True)
    return status


def _take(*, port: int, data_dir: Path) -> int:
    """Make sure of the port and of the data folder. Raises CannotStart."""
    if not ports.is_free(port):
        raise CannotStart(f"Port {port} is already in use. Choose another: make run PORT={port + 1} DATA={data_dir}-{port + 1}")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotStart(f"The data folder {data_dir} cannot be used: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CannotStart(
            f"Another shop is running on the data in {data_dir}. Choose another folder: make run PORT={port} DATA=…"
        ) from None
    return descriptor


def _stays_empty(data_dir: Path, *, empty: bool) -> bool:
    """Whether this shop is one without the demo, now and at every later start. Raises CannotStart."""
    mark = data_dir / "empty"
    if empty and not mark.exists():
        if (data_dir / "cloud").exists():
            raise CannotStart(
                f"The shop in {data_dir} has the demo products already. "
                "Begin an empty one in a folder of its own: make run EMPTY=yes DATA=…"
            )
        mark.touch()
    return mark.exists()


class Shop:
    """The children, and what they must know about each other."""

    def __init__(
        self,
        *,
        port: int,
        data_dir: Path,
        is_empty: bool,
        events: "SimpleQueue[Exception]",
        start_module: Sequence[str],
        code: Path,
    ) -> None:
        self._port = port
        self._data_dir = data_dir
        self._is_empty = is_empty
        self._events = events
        self._start_module = start_module
        cloud_port = ports.helper_port("cloud", web_port=port, data_dir=data_dir)
        self._stripe_port = ports.helper_port("stripe", web_port=port, data_dir=data_dir)
        self._cloud = Ministack(port=cloud_port, data_dir=data_dir / "cloud", piped=True)
        self._prepare = self._child("prepare", 90)
        self._stripe = self._child("payments", 35)
        self._web = self._child("shop", 32)
        self._work = self._child("work", 34)
        self._show = printer("local", 90)
        self._saves = Saves(code)
        # Those whose code failed; a save of a Python file starts them again. Before the shop is prepared there is nothing to wait
        # for: what fails by then (a setting, most of all) fails the preparing too.
        self._waiting: list[Child] = []
        self._is_prepared = False

    def start(self) -> None:
        """Start everything side by side; return when the shop answers.

        Raises StopAsked, ChildEnded, CannotStart and CloudFailed.
        """
        if not self._is_empty and not (self._data_dir / "cloud").exists():
            self._show("a new shop: its products and photographs take about half a minute, once")
        try:
            self._cloud.launch()
        except ports.PortTaken as taken:
            raise CannotStart(f"{taken} The local AWS needs it; stop what uses it and try again.") from taken
        if self._cloud.process:
            self._child("cloud", 33).adopt(self._cloud.process)
        else:
            self._show(f"using the local AWS that already runs at {self._cloud.endpoint}")
            threading.Thread(target=self._watch_adopted_cloud, daemon=True).start()
        self._start(self._stripe, "shop.local.fake_stripe", *self._stripe_arguments())
        self._start_own_code(self._web)

        self._until(lambda: self._cloud.is_healthy, "The local AWS", _START_SECONDS)
        self._start(self._prepare, "shop.local.prepare", *(["--empty"] if self._is_empty else []))
        self._until_prepared()
        self._start_own_code(self._work)
        self._until(lambda: _answers(self._stripe_origin), "The fake Stripe", _START_SECONDS)
        self._until(lambda: _answers(f"{self._origin}/healthz"), "The shop", _START_SECONDS)

    def watch(self) -> None:
        """See to it that it goes on until something ends it. Raises StopAsked and ChildEnded."""
        while True:
            self._raise_event(wait=_SAVE_SECONDS if self._waiting else None)
            if self._waiting and self._saves.any_since_last_look():
                failed, self._waiting = self._waiting, []
                for child in failed:
                    self._show(f"a Python file was saved: {child.name} starts again")
                    self._start_own_code(child)

    def stop(self) -> None:
        """End everything: first those who use the cloud, then the cloud. Safe at any stage of starting."""
        # The cloud may take longer than the others (Ministack.stop): its last snapshot must not be cut short.
        users = [self._prepare, self._work, self._web, self._stripe]
        for child in users:
            child.ask_to_end()
        deadline = time.monotonic() + _END_SECONDS
        for child in users:
            child.make_end(deadline)
        self._cloud.stop()

    def describe(self) -> LocalShop:
        """Where everything is, for the person who started it."""
        return LocalShop(
            shop=f"{self._origin}/",
            mail=f"{self._origin}/_local/mail/",
            payments=f"{self._stripe_origin}/",
            cloud=self._cloud.endpoint,
            access_key=self._cloud.access_key,
            secret_key=self._cloud.secret_key,
            region=self._cloud.region,
            table_prefix=environment.TABLE_PREFIX,
            data=str(self._data_dir),
            # How `manage.py seed` tells which demo users there are.
            log_ins=self._told("login:"),
            codes=self._told("code:"),
            first_admin=self._first_admin() if self._is_empty else "",
        )

    def _first_admin(self) -> str:
        """The command that makes an admin of this shop; a second run of it does no harm."""
        return (
            f"SHOP_LOCAL=true AWS_ENDPOINT_URL={self._cloud.endpoint} .venv/bin/python manage.py createstaff you@example.com "
            "--first-name Your --last-name Name --role admin"
        )

    def _told(self, mark: str) -> tuple[str, ...]:
        """What `manage.py seed` wrote in lines that begin with the mark."""
        return tuple(line.removeprefix(mark).strip() for line in self._prepare.last_lines if line.startswith(mark))

    @property
    def _origin(self) -> str:
        return ports.origin(self._port)

    @property
    def _stripe_origin(self) -> str:
        return ports.origin(self._stripe_port)

    def _start(self, child: Child, *module_and_arguments: str) -> None:
        child.start([*self._start_module, *module_and_arguments], self._environment())

    def _start_own_code(self, child: Child) -> None:
        # Through manage.py, which says in one sentence what is wrong with a setting.
        if child is self._web:
            self._start(child, "manage", "runserver", f"{ports.HOST}:{self._port}")
        else:
            self._start(child, "manage", "runbackground", "--data", str(self._data_dir))

    def _child(self, name: str, colour: int) -> Child:
        return Child(name, colour=colour, events=self._events)

    def _stripe_arguments(self) -> list[str]:
        return [
            *("--host", ports.HOST, "--port", str(self._stripe_port)),
            *("--webhook-url", f"{self._origin}/webhooks/stripe/", "--webhook-secret", environment.STRIPE_WEBHOOK_SECRET),
            *("--api-key", environment.STRIPE_KEY, "--state", str(self._data_dir / "stripe.json")),
            *("--shop-name", os.environ.get("SHOP_NAME") or DEMO_NAME),
        ]

    def _environment(self) -> dict[str, str]:
        return (
            environment.without_aws(os.environ)
            | self._cloud.environment
            | environment.shop(origin=self._origin, stripe_origin=self._stripe_origin)
            | {
                "DJANGO_SETTINGS_MODULE": "shop.settings",
                "PYTHONUNBUFFERED": "1",
                "DJANGO_RUNSERVER_HIDE_WARNING": "true",
            }
        )

    def _watch_adopted_cloud(self) -> None:
        """Nobody tells us when a process that is not our child ends, so ask."""
        while self._cloud.is_healthy:
            time.sleep(_WATCH_SECONDS)
        self._events.put(ChildEnded(self._child("cloud", 33), 1))

    def _until(self, ready: Callable[[], bool], who: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                raise CannotStart(f"{who} did not answer within {seconds:.0f} s.")
            self._raise_event(wait=_POLL_SECONDS)

    def _until_prepared(self) -> None:
        try:
            self._raise_event(wait=_PREPARE_SECONDS)
        except ChildEnded as ended:
            if ended.child is not self._prepare or ended.status:
                raise
            self._is_prepared = True
        else:
            raise CannotStart(f"Preparing the demo shop took more than {_PREPARE_SECONDS:.0f} s.")

    def _raise_event(self, *, wait: float | None) -> None:
        try:
            event = self._events.get(timeout=wait)
        except Empty:
            return
        if not (self._is_prepared and isinstance(event, ChildEnded) and self._waits_for_a_save(event)):
            raise event

    def _waits_for_a_save(self, ended: ChildEnded) -> bool:
        """Whether this child ended because of its code; then the next save starts it again, and the person is told.

        A save that came while the mistake was on its way to the end of the process is that save.
        """
        child = ended.child
        if child not in (self._web, self._work) or ended.status != _CODE_FAILED:
            return False
        if self._saves.any_after(child.began_to_read_code):
            self._show(f"{child.name} ended, for the reason above, and a Python file was saved meanwhile: it starts again")
            self._start_own_code(child)
            return True
        if not self._waiting:
            self._saves.look()
        self._waiting.append(child)
        what = "the shop's pages wait" if child is self._web else "background work (mails, jobs) waits"
        self._show(f"{child.name} ended, for the reason above: {what} for the next save of a Python file")
        return True


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10):
            return True
    except urllib.error.HTTPError:
        # Any answer is one: the page may have its own reasons.
        return True
    except OSError:
        return False


def _obituary(ended: ChildEnded) -> str:
    lines = "".join(f"\n    {line}" for line in list(ended.child.last_lines)[-_SHOWN_LINES:])
    return f"\n{ended.child.name} stopped unexpectedly (status {ended.status}), so everything is stopped. Its last lines:{lines}"
