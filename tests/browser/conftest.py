"""A whole shop as `make run` starts it, and a Chromium to visit it with."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from shop.local.audit.axe import violations
from shop.local.ports import listen

_ROOT = Path(__file__).resolve().parents[2]
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_START_SECONDS = 120
_PATIENCE = 60_000
"""Milliseconds. What comes at once waits for nothing, and a machine with much else to do makes no test fail."""
expect.set_options(timeout=_PATIENCE)


@dataclass(frozen=True)
class RunningShop:
    """A shop that `python -m shop.local` started, and its own table engine."""

    url: str
    cloud: str
    access_key: str
    secret_key: str

    def stock_of(self, name: str) -> int:
        """Pieces of the product of this name that are left, as its table says."""
        client = boto3.client(
            "dynamodb",
            endpoint_url=self.cloud,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )
        found = client.scan(
            TableName="dev-Products",
            FilterExpression="#n = :n",
            ExpressionAttributeNames={"#n": "name"},
            ExpressionAttributeValues={":n": {"S": name}},
            ConsistentRead=True,
        )
        return int(found["Items"][0]["inventory"]["N"])


@pytest.fixture(scope="session")
def shop() -> Iterator[RunningShop]:
    """A new shop with the demo catalogue, on ports and in a folder of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SHOP_", "STRIPE_"))}
    for name in ("SITE_ORIGIN", "TABLE_PREFIX", "EMAIL_BACKEND", "EXTRA_HOSTS", "DJANGO_SETTINGS_MODULE"):
        environment.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="shop-") as data, (Path(data) / "run.log").open("w") as output:
        runner = subprocess.Popen(
            [sys.executable, "-u", "-m", "shop.local", "--port", str(_free_port()), "--data", data],
            cwd=_ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield _read_summary(runner, Path(output.name))
        finally:
            runner.send_signal(signal.SIGTERM)
            runner.wait(timeout=20)


def _free_port() -> int:
    with listen(0) as listener:
        return int(listener.getsockname()[1])


def _read_summary(runner: "subprocess.Popen[bytes]", log: Path) -> RunningShop:
    """Wait for the start-up summary and read the addresses in it."""
    deadline = time.monotonic() + _START_SECONDS
    while "Ready after" not in (text := log.read_text()):
        if runner.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the shop did not start:\n{text[-4000:]}")
        time.sleep(0.1)

    def found(pattern: str) -> tuple[str, ...]:
        match = re.search(pattern, text, re.MULTILINE)
        assert match, f"{pattern} is not in the summary:\n{text}"
        return match.groups()

    (url,) = found(r"^  Shop +(\S+?)/?$")
    cloud, access_key, secret_key = found(r"^  AWS +(\S+) +access key (\S+) +secret (\S+)$")
    return RunningShop(url, cloud, access_key, secret_key)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Chromium, from wherever this machine has it; the CHROMIUM variable names another one."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, shop: RunningShop) -> Iterator[Callable[..., Page]]:
    """Open the shop as a new visitor: `visit("/", script=False, width=390)`. What a page complains about fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(path: str = "/", *, script: bool = True, width: int = 1280, **options: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=script, base_url=shop.url, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(_PATIENCE)
        page.on("console", lambda message: _note(complaints, shop, message))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """`axe(page)` fails with what axe holds against the page as it is now."""

    def look(page: Page) -> None:
        assert list(map(str, violations(page))) == []

    return look


def _note(complaints: list[str], shop: RunningShop, message: Any) -> None:
    # The stand-in Stripe answers a declined card with 402, which Chromium reports as an error of that page.
    if message.type in ("error", "warning") and message.location["url"].startswith(shop.url):
        complaints.append(f"{message.location['url']}: {message.text}")
