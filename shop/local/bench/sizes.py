"""The same pages over catalogues of several sizes, in turns: what grows with the catalogue, and what does not."""

import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

import boto3
from django.conf import settings

from catalog.search.engine import Engine, Filters, Sort
from catalog.search.reading import SnapshotReader
from catalog.search.store import SnapshotStore
from shop.local.bench.pages import PAGES
from shop.local.bench.report import MEMORY_TARGET_MB, table
from shop.local.bench.scene import Scene
from shop.local.bench.settings import FOLDER
from shop.local.bench.stock import publish, write_tables
from shop.local.bench.timing import PageTimes, time_pages
from shop.local.bench.workers import Worker
from shop.local.fake_stripe import FakeStripe

PAGE_NAMES = ("home", "list", "category", "filtered list", "search", "product", "list, kept", "product, kept")
GROWTH = 1.3
"""A page may cost so many times what it costs over the smallest catalogue."""
_WRITTEN = 264
_QUESTIONS = 200
_WORDS = ("lamp", "oak", "mug", "stoneware", "linen chair", "brass", "speaker", "lam", "planter", "wool rug")


@dataclass(frozen=True)
class Size:
    """One catalogue: processor milliseconds and table calls a request by page, and what its index costs."""

    products: int
    cpu_ms: dict[str, float]
    table_calls: dict[str, float]
    search_p50_ms: float
    search_p95_ms: float
    build_seconds: float
    index_mb: float
    memory_mb: float


def run_sizes(*, stripe: FakeStripe, requests: int, sizes: Sequence[int]) -> list[Size]:
    """Measure all sizes side by side: one set of tables, an index and a worker each. Raises WrongAnswer and WorkerFailed."""
    scene = Scene(products=write_tables(_WRITTEN), stripe=stripe)
    pages = [page for page in PAGES if page.name in PAGE_NAMES]
    built = {}
    for size in sizes:
        print(f"Indexing {size} products …", file=sys.stderr, flush=True)
        started = time.perf_counter()
        publish(size, _new_store(size))
        built[size] = time.perf_counter() - started
    searches = {size: _search_times(_store(size)) for size in sizes}
    print(f"Timing {requests} requests of each page …", file=sys.stderr, flush=True)
    with ExitStack() as stack:
        workers = {
            (size, kept): stack.enter_context(
                Worker(
                    "shop.local.bench.wsgi",
                    environment={"MEDIA_BUCKET": _bucket(size), "KEPT_PAGES": kept},
                    log=FOLDER / f"shop-{size}-{kept}.log",
                )
            )
            for size in sizes
            for kept in ("0", "256")
        }
        times = {
            (size, page.name): PageTimes(page, scene=scene, shop=workers[size, "256" if page.is_kept else "0"])
            for page in pages  # sizes in turns, so that a busy machine bends them alike
            for size in sizes
        }
        time_pages(list(times.values()), requests=requests)
        return [
            Size(
                products=size,
                cpu_ms={page.name: times[size, page.name].ours.best_cpu for page in pages},
                table_calls={page.name: times[size, page.name].ours.table_calls for page in pages},
                search_p50_ms=searches[size][0],
                search_p95_ms=searches[size][1],
                build_seconds=built[size],
                index_mb=_index_mb(size),
                memory_mb=max(workers[size, kept].usage().memory_mb for kept in ("0", "256")),
            )
            for size in sizes
        ]


def misses(found: Sequence[Size]) -> tuple[str, ...]:
    """What grows more than it may."""
    first = found[0]
    return tuple(
        f"{name} at {size.products}"
        for size in found[1:]
        for name in first.cpu_ms
        if size.cpu_ms[name] > GROWTH * first.cpu_ms[name] or size.table_calls[name] != first.table_calls[name]
    ) + tuple(f"memory at {size.products}" for size in found if size.memory_mb > MEMORY_TARGET_MB)


def as_json(found: Sequence[Size]) -> dict[str, Any]:
    """The figures as JSON holds them."""
    return {"sizes": [asdict(size) for size in found], "misses": list(misses(found))}


def as_text(found: Sequence[Size]) -> str:
    """The figures as a person reads them."""
    first = found[0]
    head = ["CPU ms (table calls)", *(f"{size.products}" for size in found), f"largest / {first.products}"]
    rows = [
        [
            name,
            *(f"{size.cpu_ms[name]:.2f} ({size.table_calls[name]:g})" for size in found),
            f"{found[-1].cpu_ms[name] / first.cpu_ms[name]:.2f}",
        ]
        for name in first.cpu_ms
    ]
    for words, value in (
        ("search in the process, p50 ms", lambda size: f"{size.search_p50_ms:.2f}"),
        ("search in the process, p95 ms", lambda size: f"{size.search_p95_ms:.2f}"),
        ("building the index, s", lambda size: f"{size.build_seconds:.1f}"),
        ("its size, MB", lambda size: f"{size.index_mb:.1f}"),
        ("worker memory, MB", lambda size: f"{size.memory_mb:.0f}"),
    ):
        rows.append([words, *map(value, found), ""])
    beyond = misses(found)
    verdict = f"NOT MET: {', '.join(beyond)}" if beyond else f"All within {GROWTH} times, with the same table calls."
    return "\n".join([*table(head, rows), "", verdict])


def _bucket(size: int) -> str:
    return f"bench-index-{size}"


def _store(size: int) -> SnapshotStore:
    return SnapshotStore(bucket=_bucket(size), region=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL)


def _new_store(size: int) -> SnapshotStore:
    boto3.client("s3").create_bucket(Bucket=_bucket(size))
    return _store(size)


def _index_mb(size: int) -> float:
    listed = boto3.client("s3").list_objects_v2(Bucket=_bucket(size), Prefix="search/")["Contents"]
    return float(max(item["Size"] for item in listed)) / 1024 / 1024


def _search_times(store: SnapshotStore) -> tuple[float, float]:
    """Processor milliseconds of questions that were never asked before: the median and the 95th of a hundred."""
    engine: Engine = SnapshotReader(store).engine()
    times = []
    for number in range(_QUESTIONS):
        filters = Filters(text=_WORDS[number % len(_WORDS)], price_max=10_000 + 100 * number)
        started = time.process_time()
        engine.search(filters, sort=Sort.RELEVANCE)
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]
