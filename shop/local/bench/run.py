"""The whole measurement, in a process whose environment and Django are set up."""

import logging
import re
import subprocess
import sys
from pathlib import Path

from django.conf import settings
from django.test import Client
from django.utils.html import escape

from catalog import menu
from shop.local.bench import cold_start, drawings
from shop.local.bench.asks import Ask
from shop.local.bench.pages import CATEGORY_PATH, LIST_PATH, PAGES
from shop.local.bench.report import Report, row_of
from shop.local.bench.scene import Scene
from shop.local.bench.settings import DRAWINGS, FOLDER
from shop.local.bench.stock import stock_up
from shop.local.bench.timing import PageTimes, time_pages
from shop.local.bench.watching import watch
from shop.local.bench.workers import Worker
from shop.local.fake_stripe import FakeStripe

_FLOOR = "shop.local.bench.floor"


def run(*, stripe: FakeStripe, requests: int, products: int, cold_starts: int) -> Report:
    """Fill the tables, and measure every page, cold starts and memory. Raises WrongAnswer and WorkerFailed."""
    for name in ("django.request", "fake_stripe"):
        logging.getLogger(name).setLevel(logging.ERROR)  # the 404 and the payments that are measured are no news
    _say(f"Writing {products} products …")
    scene = Scene(products=stock_up(products), stripe=stripe)

    _say("Watching what each page asks of the tables …")
    watched = {page.name: watch(page, scene) for page in PAGES}
    with_floor = {page.name: watched[page.name].drawing for page in PAGES if page.has_floor}
    drawn = {name: drawing for name, drawing in with_floor.items() if drawing and drawings.can_be_saved(drawing)}
    drawings.save(drawn, DRAWINGS)

    _say(f"Timing {requests} requests of each page …")
    with (
        Worker("shop.local.bench.wsgi", environment={"KEPT_PAGES": "0"}, log=FOLDER / "shop.log") as shop,
        Worker("shop.local.bench.wsgi", environment={}, log=FOLDER / "kept.log") as keeping,
        Worker(
            f"{_FLOOR}.wsgi",
            environment={"DJANGO_SETTINGS_MODULE": f"{_FLOOR}.settings"},
            log=FOLDER / "floor.log",
        ) as floor,
    ):
        times = [
            PageTimes(page, scene=scene, shop=keeping if page.is_kept else shop, floor=floor if page.name in drawn else None)
            for page in PAGES
        ]
        time_pages(times, requests=requests)
        memory, floor_memory = max(shop.usage().memory_mb, keeping.usage().memory_mb), floor.usage().memory_mb

    _say(f"Starting the function {cold_starts} times …")
    cold, pruned, cold_floor = _cold_starts(_names_on(CATEGORY_PATH, scene), starts=cold_starts, requests=requests)
    return Report(
        requests=requests,
        products=products,
        rows=tuple(row_of(page, watched[page.page.name]) for page in times),
        worker_memory_mb=memory,
        floor_memory_mb=floor_memory,
        cold_start=cold,
        pruned_start=pruned,
        floor_start=cold_floor,
        css_bytes=_sent_assets("css"),
        js_bytes=_sent_assets("js"),
    )


def _cold_starts(expected: tuple[str, ...], *, starts: int, requests: int) -> list[cold_start.ColdStarts]:
    """With botocore's data whole; as deployed, which is pruned, and with logs and metrics; and the least it could cost."""
    prune_script = Path(settings.BASE_DIR) / "infra" / "prune_botocore.py"
    subprocess.run([sys.executable, str(prune_script), str(FOLDER / "botocore")], check=True)
    pruned = {"BOTOCORE_DATA": str(FOLDER / "botocore")}
    deployed = pruned | {"SERVE_STATIC": "false", "AWS_LAMBDA_FUNCTION_NAME": "web"}
    log, ours = FOLDER / "function.log", "shop.entrypoints.web.handler"
    functions = [
        cold_start.Function(ours, path=CATEGORY_PATH, expected=expected, log=log, environment={}),
        cold_start.Function(ours, path=CATEGORY_PATH, expected=expected, log=log, environment=deployed),
        cold_start.Function(f"{_FLOOR}.cold.handler", path="/", expected=["a constant"], log=log, environment=pruned),
    ]
    return cold_start.measure(functions, starts=starts, requests=requests)


def _sent_assets(kind: str) -> int:
    """Compressed bytes of the style sheets or scripts that a list page names."""
    page = Client().get(LIST_PATH, headers=Ask(LIST_PATH).headers | {"Accept-Encoding": ""}).text
    names = set(re.findall(rf'(?:href|src)="/static/([^"]+\.{kind})"', page))
    return sum((Path(settings.STATIC_ROOT) / f"{name}.gz").stat().st_size for name in names)


def _names_on(category_path: str, scene: Scene) -> tuple[str, ...]:
    shelf = next(category for category in menu.categories() if category.path == category_path)
    return tuple(escape(product.name) for product in scene.products if product.category == shelf.name)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
