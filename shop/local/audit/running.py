"""A shop of the audit's own: tables, payments, the demo catalogue, background work, and the pages as on AWS behind gunicorn."""

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from io import StringIO
from pathlib import Path

from shop.local import environment, ports
from shop.local.fake_stripe import FakeStripe
from shop.local.ministack import Ministack
from shop.local.processes import end

_START_SECONDS = 60.0
_SHOWN_LINES = 15
# A browser keeps several connections open, and Chromium opens some to no purpose: each holds a thread.
_THREADS = "16"


class ShopFailed(Exception):
    """The shop did not start; the message ends with what it said last."""


@contextmanager
def running_shop(folder: Path, *, port: int = 0) -> Iterator[tuple[str, FakeStripe]]:
    """A shop for as long as the body lasts: its address and its Stripe. This process becomes one that has its settings.

    Raises PortTaken, CloudFailed and ShopFailed.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(ports.listen(port))
        origin = ports.origin(int(listener.getsockname()[1]))
        cloud = stack.enter_context(Ministack())
        stripe = stack.enter_context(
            FakeStripe(
                api_key=environment.STRIPE_KEY,
                webhook_url=f"{origin}/webhooks/stripe/",
                webhook_secret=environment.STRIPE_WEBHOOK_SECRET,
            )
        )
        os.environ.update(
            cloud.environment
            | environment.shop(origin=origin, stripe_origin=stripe.base_url)
            | {"DJANGO_SETTINGS_MODULE": "shop.local.audit.settings", "AUDIT_FOLDER": str(folder), "LOG_LEVEL": "WARNING"}
        )
        os.environ.pop("AWS_PROFILE", None)
        _prepare()
        gunicorn = ["gunicorn", "shop.entrypoints.web", "--worker-class", "gthread", "--threads", _THREADS]
        stack.enter_context(
            _child(
                [*gunicorn, "--bind", f"fd://{listener.fileno()}", "--no-control-socket"], folder / "web.log", listener.fileno()
            )
        )
        stack.enter_context(_child(["manage", "runbackground", "--noreload", "--data", str(folder)], folder / "background.log"))
        _wait(f"{origin}/healthz", folder / "web.log")
        yield origin, stripe


def _prepare() -> None:
    from shop.local.prepare import prepare

    with contextlib.redirect_stdout(StringIO()):
        prepare()
        from django.core.management import call_command

        call_command("collectstatic", interactive=False)


@contextmanager
def _child(module: list[str], log: Path, *descriptors: int, environment: Mapping[str, str] = os.environ) -> Iterator[None]:
    """A Python module in a process that ends with this one."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "shop.local.child", *module],
            stdin=subprocess.PIPE,  # the tether of shop.local.child
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=descriptors,
            process_group=0,
            env=dict(environment),
        )
    try:
        yield
    finally:
        end(process)


def _wait(url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                lines = log.read_text(errors="replace").splitlines()[-_SHOWN_LINES:]
                raise ShopFailed("The shop did not start:" + "".join(f"\n    {line}" for line in lines)) from None
            time.sleep(0.1)
