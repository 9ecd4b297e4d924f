"""Lighthouse, a Node tool: installed once as `package-lock.json` beside this says, run on one page at a time."""

import hashlib
import json
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from shop.local import ports

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PRESETS = ("phone", "desktop")
_HERE = Path(__file__).parent
_TOOLS = Path(__file__).resolve().parents[3] / ".audit-tools"
_MANIFESTS = ("package.json", "package-lock.json")
_NODE = 18
_RUN_SECONDS = 240
_SHOWN_LINES = 8
_FLAGS = ("--no-sandbox", "--disable-gpu")


class NoLighthouse(Exception):
    """Lighthouse cannot be had here; the message says why, and what to do."""


class LighthouseFailed(Exception):
    """A run broke off; the message ends with what it said last."""


@dataclass(frozen=True)
class Scores:
    """Median scores of a page, 0 to 100, and what cost points in any run."""

    scores: Mapping[str, int]
    lost: tuple[str, ...]
    largest_paint_ms: float
    layout_shift: float
    blocking_ms: float
    machine: float
    """How quick the machine was meanwhile, by Lighthouse's own measure; a quiet laptop has 1,500 and more."""


def install() -> Path:
    """The program, installed where it is not yet. Raises NoLighthouse."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        raise NoLighthouse(
            f"Lighthouse needs Node {_NODE} or later and npm, and they are not here: pages are looked at with axe alone."
        )
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if int(said.lstrip("v").partition(".")[0] or 0) < _NODE:
        raise NoLighthouse(f"Lighthouse needs Node {_NODE} or later, and this is {said}: pages are looked at with axe alone.")
    program = _TOOLS / "node_modules" / "lighthouse" / "cli" / "index.js"
    wanted = hashlib.sha256(b"".join((_HERE / name).read_bytes() for name in _MANIFESTS)).hexdigest()
    stamp = _TOOLS / "installed"
    if program.exists() and stamp.exists() and stamp.read_text() == wanted:
        return program
    _TOOLS.mkdir(exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in _MANIFESTS:
        shutil.copyfile(_HERE / name, _TOOLS / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=_TOOLS, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoLighthouse(f"npm could not install Lighthouse: pages are looked at with axe alone.{_last(done)}")
    stamp.write_text(wanted)
    return program


def measure(
    program: Path, *, chromium: str, url: str, cookies: Sequence[Mapping[str, str]], preset: str, is_indexed: bool
) -> Scores:
    """The medians of as many runs as there are `cookies`, each a visitor's. Raises LighthouseFailed.

    A page that asks search engines to stay away loses no points for it.
    """
    reports = [_run_well(program, chromium, url, mine, preset, is_indexed=is_indexed) for mine in cookies]
    return Scores(
        scores={
            name: round(100 * statistics.median(report["categories"][name]["score"] or 0 for report in reports))
            for name in CATEGORIES
        },
        lost=tuple(sorted({found for report in reports for found in _lost(report)})),
        largest_paint_ms=_median(reports, "largest-contentful-paint"),
        layout_shift=_median(reports, "cumulative-layout-shift"),
        blocking_ms=_median(reports, "total-blocking-time"),
        machine=float(statistics.median(report["environment"]["benchmarkIndex"] for report in reports)),
    )


def _run_well(
    program: Path, chromium: str, url: str, cookies: Mapping[str, str], preset: str, *, is_indexed: bool
) -> dict[str, Any]:
    """A run; once more where it broke off, as happens when the machine is so busy that Chromium's trace has gaps."""
    try:
        return _run(program, chromium, url, cookies, preset, is_indexed=is_indexed)
    except LighthouseFailed:
        return _run(program, chromium, url, cookies, preset, is_indexed=is_indexed)


def _run(program: Path, chromium: str, url: str, cookies: Mapping[str, str], preset: str, *, is_indexed: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lighthouse-") as folder, _visitor(Path(folder), chromium, url, cookies) as port:
        report = Path(folder) / "report.json"
        command = [
            *("node", str(program), url, "--quiet", "--output=json", f"--output-path={report}"),
            *(f"--port={port}", f"--only-categories={','.join(CATEGORIES)}"),
            *(["--preset=desktop"] if preset == "desktop" else []),
            *([] if is_indexed else ["--skip-audits=is-crawlable,meta-description"]),
        ]
        try:
            done = subprocess.run(
                command,
                cwd=_TOOLS,
                capture_output=True,
                text=True,
                check=False,
                timeout=_RUN_SECONDS,
            )
        except subprocess.TimeoutExpired:
            raise LighthouseFailed(f"Lighthouse did not finish {url} within {_RUN_SECONDS} s.") from None
        if done.returncode or not report.exists():
            raise LighthouseFailed(f"Lighthouse could not look at {url}.{_last(done)}")
        content: dict[str, Any] = json.loads(report.read_text())
    if content["finalDisplayedUrl"] != url:
        raise LighthouseFailed(f"Lighthouse was led from {url} to {content['finalDisplayedUrl']}.")
    return content


def _lost(report: dict[str, Any]) -> list[str]:
    """The audits that count and are not perfect."""
    weighed = {one["id"] for name in CATEGORIES for one in report["categories"][name]["auditRefs"] if one["weight"]}
    return [
        f"{name} {100 * score:.0f}" for name in weighed if (score := report["audits"][name]["score"]) is not None and score < 1
    ]


def _median(reports: Sequence[dict[str, Any]], audit: str) -> float:
    return float(statistics.median(report["audits"][audit].get("numericValue", 0.0) for report in reports))


@contextmanager
def _visitor(folder: Path, chromium: str, url: str, cookies: Mapping[str, str]) -> Iterator[int]:
    """A Chromium that has these cookies, and the port it is steered by.

    Lighthouse itself can only send them as a header, which Chromium leaves out of what a page's scripts ask for: fragments would
    find nobody signed in.
    """
    with ports.listen(0) as free:
        port = int(free.getsockname()[1])
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "profile", executable_path=chromium, args=[*_FLAGS, f"--remote-debugging-port={port}"]
        )
        try:
            context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
            yield port
        finally:
            context.close()


def _last(done: "subprocess.CompletedProcess[str]") -> str:
    lines = (done.stdout + done.stderr).strip().splitlines()[-_SHOWN_LINES:]
    return "".join(f"\n    {line}" for line in lines)
