"""What was measured, as values, as JSON and as tables."""

import gzip
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import django

from shop.local.bench.cold_start import TARGET_MS as COLD_START_TARGET_MS
from shop.local.bench.cold_start import ColdStarts
from shop.local.bench.timing import PageTimes
from shop.local.bench.watching import Watched

MEMORY_TARGET_MB = 120.0
# Compressed bytes of a first visit.
HTML_BUDGET, CSS_BUDGET, JS_BUDGET = 14 * 1024, 12 * 1024, 22 * 1024
_HEADERS = ("Cache-Control", "Vary", "ETag")


@dataclass(frozen=True)
class Row:
    """A page. `floor_cpu_ms` is None where nothing is drawn, `target_ms` where the design names none."""

    page: str
    status: int
    cpu_ms: float
    best_cpu_ms: float
    floor_cpu_ms: float | None
    target_ms: float | None
    p50_ms: float
    p95_ms: float
    calls: dict[str, int]
    read_units: float
    write_units: float
    raw_bytes: int
    sent_bytes: int
    headers: dict[str, str]
    sets_cookie: bool

    @property
    def ratio(self) -> float | None:
        return self.cpu_ms / self.floor_cpu_ms if self.floor_cpu_ms else None

    @property
    def is_met(self) -> bool | None:
        return None if self.target_ms is None else self.cpu_ms <= self.target_ms


@dataclass(frozen=True)
class Report:
    """Everything one run found out."""

    requests: int
    products: int
    rows: tuple[Row, ...]
    worker_memory_mb: float
    floor_memory_mb: float
    cold_start: ColdStarts
    pruned_start: ColdStarts
    """As deployed: botocore's data pruned, static files left to a CDN, logs and metrics as JSON."""
    floor_start: ColdStarts
    """Of a bare Django view with a client of the tables, which answers a constant."""
    css_bytes: int
    js_bytes: int

    @property
    def html_bytes(self) -> int:
        """The largest first page that everybody shares, as it is sent."""
        return max(row.sent_bytes for row in self.rows if row.page in ("home", "list", "product"))

    @property
    def misses(self) -> tuple[str, ...]:
        """What is beyond its target."""
        pages = [row.page for row in self.rows if row.is_met is False]
        memory = ["worker memory"] if self.worker_memory_mb > MEMORY_TARGET_MB else []
        cold = ["cold start"] if self.pruned_start.cpu_ms > COLD_START_TARGET_MS else []
        sizes = {
            "HTML": (self.html_bytes, HTML_BUDGET),
            "CSS": (self.css_bytes, CSS_BUDGET),
            "JavaScript": (self.js_bytes, JS_BUDGET),
        }
        return (*pages, *memory, *cold, *(name for name, (size, budget) in sizes.items() if size > budget))


def row_of(times: PageTimes, watched: Watched) -> Row:
    """A page's row from its two passes."""
    answer = times.ours.answers[-1]
    return Row(
        page=times.page.name,
        status=answer.status,
        cpu_ms=times.ours.cpu,
        best_cpu_ms=times.ours.best_cpu,
        floor_cpu_ms=times.least.cpu if times.least else None,
        target_ms=times.page.target_ms,
        p50_ms=times.ours.wall(50),
        p95_ms=times.ours.wall(95),
        calls=dict(watched.calls.operations),
        read_units=watched.calls.read_units,
        write_units=watched.calls.write_units,
        raw_bytes=len(gzip.decompress(answer.body)) if answer.headers["Content-Encoding"] == "gzip" else len(answer.body),
        sent_bytes=len(answer.body),
        headers={name: answer.headers[name] for name in _HEADERS if name in answer.headers},
        sets_cookie="Set-Cookie" in answer.headers,
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as JSON holds it."""
    return {
        "python": platform.python_version(),
        "django": django.__version__,
        "requests": report.requests,
        "products": report.products,
        "pages": [asdict(row) | {"ratio": row.ratio, "met": row.is_met} for row in report.rows],
        "cold_start": asdict(report.cold_start)
        | {"target_ms": COLD_START_TARGET_MS, "met": report.pruned_start.cpu_ms <= COLD_START_TARGET_MS},
        "pruned_start": asdict(report.pruned_start),
        "floor_start": asdict(report.floor_start),
        "bytes": {"html": report.html_bytes, "css": report.css_bytes, "js": report.js_bytes},
        "worker_memory_mb": report.worker_memory_mb,
        "floor_memory_mb": report.floor_memory_mb,
        "memory_target_mb": MEMORY_TARGET_MB,
        "misses": list(report.misses),
    }


def as_text(report: Report) -> str:
    """The report as a person reads it."""
    cold, pruned, floor = report.cold_start, report.pruned_start, report.floor_start
    return "\n".join(
        [
            f"Python {platform.python_version()}, Django {django.__version__}, {report.products} products, "
            f"{report.requests} requests a page.",
            "CPU: milliseconds of the worker a request, user and system, in the median round; best: in the least disturbed one.",
            "Floor: the page's template drawn from memory by a bare Django. WCU: without index writes inside a transaction.",
            "",
            *table(
                [
                    "page",
                    "CPU",
                    "best",
                    "floor",
                    "ratio",
                    "target",
                    "",
                    "p50",
                    "p95",
                    "RCU",
                    "WCU",
                    "bytes",
                    "sent",
                    "table calls",
                ],
                [_figures(row) for row in report.rows],
            ),
            "",
            *table(["page", "status", "Cache-Control", "Vary", "ETag", "Set-Cookie"], [_answer(row) for row in report.rows]),
            "",
            f"Cold start to the first category page, median of {cold.starts}: {cold.cpu_ms:.0f} ms CPU,"
            f" {cold.wall_ms:.0f} ms wall, at most {cold.memory_mb:.0f} MB;"
            f" then warm p50 {cold.warm_p50_ms:.1f} ms, p95 {cold.warm_p95_ms:.1f} ms.",
            f"The same with botocore's data pruned, as deployed: {pruned.cpu_ms:.0f} ms CPU"
            f" (target {COLD_START_TARGET_MS:.0f}: {_verdict(pruned.cpu_ms <= COLD_START_TARGET_MS)}),"
            f" {pruned.best_cpu_ms:.0f} in the least disturbed, {pruned.wall_ms:.0f} ms wall, at most {pruned.memory_mb:.0f} MB.",
            f"Its floor, a constant with Django and a client of the tables: {floor.cpu_ms:.0f} ms CPU,"
            f" {floor.best_cpu_ms:.0f} in the least disturbed; ours / floor: {pruned.best_cpu_ms / floor.best_cpu_ms:.2f}.",
            f"First visit, compressed: HTML {report.html_bytes} of {HTML_BUDGET} bytes, CSS {report.css_bytes} of {CSS_BUDGET},"
            f" JavaScript {report.js_bytes} of {JS_BUDGET}.",
            f"Worker memory after the run: {report.worker_memory_mb:.0f} MB"
            f" (target {MEMORY_TARGET_MB:.0f}: {_verdict(report.worker_memory_mb <= MEMORY_TARGET_MB)});"
            f" the floor's: {report.floor_memory_mb:.0f} MB.",
        ]
    )


def _figures(row: Row) -> list[str]:
    calls = " ".join(f"{name}×{count}" if count > 1 else name for name, count in sorted(row.calls.items()))
    return [
        row.page,
        f"{row.cpu_ms:.2f}",
        f"{row.best_cpu_ms:.2f}",
        _number(row.floor_cpu_ms, 2),
        _number(row.ratio, 1),
        _number(row.target_ms, 1),
        _verdict(row.is_met),
        f"{row.p50_ms:.1f}",
        f"{row.p95_ms:.1f}",
        f"{row.read_units:g}",
        f"{row.write_units:g}",
        str(row.raw_bytes),
        str(row.sent_bytes),
        calls or "none",
    ]


def _answer(row: Row) -> list[str]:
    return [row.page, str(row.status), *(row.headers.get(name, "-") for name in _HEADERS), "yes" if row.sets_cookie else "no"]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _verdict(is_met: bool | None) -> str:  # noqa: FBT001 - three ways to say it, and no more to tell
    return {None: "", True: "met", False: "NOT MET"}[is_met]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table for a terminal."""
    widths = [max(len(line[at]) for line in (head, *rows)) for at in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
