"""`python -m shop.local.audit`: starts a shop of its own and holds its pages to the budgets, with axe and Lighthouse."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from shop.local.audit import lighthouse
from shop.local.audit.report import Report, as_json, as_text
from shop.local.audit.routes import Visit, Who
from shop.local.audit.running import ShopFailed, running_shop
from shop.local.audit.weights import Weights, weigh
from shop.local.ministack import CloudFailed
from shop.local.ports import PortTaken

if TYPE_CHECKING:
    from shop.local.audit.stage import Stage
    from shop.local.audit.walk import Seen

_JSON = Path(".shop-data") / "audit.json"
_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MEASURED = {
    "home": ("catalog:home", Visit(who=Who.STRANGER)),
    "list": ("catalog:list", Visit(who=Who.STRANGER)),
    "product": ("catalog:product", Visit(who=Who.STRANGER, given={"product_id": "product", "slug": "product_slug"})),
    "cart": ("cart:cart", Visit(who=Who.GUEST)),
    "search": ("catalog:list", Visit(who=Who.STRANGER, query="?q=lamp")),
    "checkout": ("orders:delivery", Visit(who=Who.GUEST)),
    "order": ("orders:order", Visit(who=Who.SHOPPER, given={"order_id": "shipped"})),
    "staff": ("staff:home", Visit(who=Who.ADMIN)),
}
"""What Lighthouse looks at and what is weighed, by the name in the tables."""
HELD = frozenset({"home", "list", "product", "cart"})
"""The pages that have to keep the budgets; of the others the figures are told."""
_INDEXED = frozenset({"home", "list", "product"})


def main() -> int:
    """Look, print, write; 0 only when every budget is kept."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="shop-audit-") as folder:
        try:
            report = _audit(Path(folder), wanted)
        except (CloudFailed, PortTaken, ShopFailed, lighthouse.LighthouseFailed) as failure:
            print(failure, file=sys.stderr)
            return 1
    print("\n" + as_text(report))
    wanted.json.parent.mkdir(parents=True, exist_ok=True)
    wanted.json.write_text(json.dumps(as_json(report), indent=2) + "\n")
    return 1 if report.broken else 0


def _audit(folder: Path, wanted: argparse.Namespace) -> Report:
    program, left_out = None, ""
    if wanted.runs:
        try:
            program = lighthouse.install()
        except lighthouse.NoLighthouse as reason:
            left_out = str(reason)
    _say("Starting a shop …")
    with running_shop(folder, port=wanted.port) as (origin, stripe):
        # Needs the settings, which the running shop has given this process.
        from shop.local.audit.stage import set_stage

        stage = set_stage(stripe)
        return Report(
            scores=_scores(program, origin, stage, wanted.runs) if program else {},
            weights={name: _weight(origin, stage, name) for name in MEASURED},
            seen=[] if wanted.no_axe else _seen(origin, stage, wanted),
            held=HELD,
            left_out=left_out,
        )


def _scores(program: Path, origin: str, stage: "Stage", runs: int) -> dict[tuple[str, str], lighthouse.Scores]:
    chromium = _chromium()
    if chromium is None:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.executable_path
    found = {}
    for name, (route, visit) in MEASURED.items():
        for preset in lighthouse.PRESETS:
            found[name, preset] = lighthouse.measure(
                program,
                chromium=chromium,
                url=origin + stage.path(route, visit),
                cookies=[stage.cookies(visit.who) for _ in range(runs)],
                preset=preset,
                is_indexed=name in _INDEXED,
            )
            _say(f"Lighthouse: {name}, {preset}: {', '.join(map(str, found[name, preset].scores.values()))}")
    return found


def _weight(origin: str, stage: "Stage", name: str) -> Weights:
    route, visit = MEASURED[name]
    return weigh(origin + stage.path(route, visit), cookies=stage.cookies(visit.who))


def _seen(origin: str, stage: "Stage", wanted: argparse.Namespace) -> "list[Seen]":
    from shop.local.audit.walk import walk

    _say("Looking at every page with axe …")
    if wanted.pictures:
        wanted.pictures.mkdir(parents=True, exist_ok=True)
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=["--no-sandbox"])
        for one in walk(browser, origin=origin, stage=stage, only=wanted.only, pictures=wanted.pictures):
            found.append(one)
            for problem in one.problems:
                _say(f"{one.page} {one.path} ({one.who}, {one.width} px): {problem}")
        browser.close()
    return found


def _chromium() -> str | None:
    """Chromium, from wherever this machine has it; the CHROMIUM variable names another one; None for Playwright's own."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), None)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shop.local.audit", description=__doc__)
    parser.add_argument(
        "--runs", type=int, default=3, help="how often Lighthouse runs on each page; the median counts; 0 leaves it out"
    )
    parser.add_argument("--only", default="", help="look with axe only at routes with this in their name, such as orders_staff")
    parser.add_argument("--no-axe", action="store_true", help="leave axe out")
    parser.add_argument("--pictures", type=Path, help="a folder that gets a picture of every page at both widths")
    parser.add_argument("--port", type=int, default=0, help="where its shop listens (default: any free port)")
    parser.add_argument("--json", type=Path, default=_JSON, help="the file that gets what was found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
