"""The audit knows every address, and says so when a budget is broken."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from shop.local.audit.__main__ import HELD, MEASURED
from shop.local.audit.lighthouse import CATEGORIES, Scores
from shop.local.audit.report import KB, Report, as_json, as_text
from shop.local.audit.routes import PROGRAMS, ROUTES, NotAPage
from shop.local.audit.walk import Seen
from shop.local.audit.weights import Weights

GOOD = Scores(
    scores=dict.fromkeys(CATEGORIES, 98), lost=(), largest_paint_ms=900.0, layout_shift=0.0, blocking_ms=0.0, machine=1500.0
)
LIGHT = Weights(html=14 * KB, css=12 * KB, js=22 * KB)


def _addresses(
    patterns: list[URLPattern | URLResolver], *, route: str = "", namespace: str = ""
) -> Iterator[tuple[str, set[str]]]:
    """The name of every address with its arguments, but for programs'."""
    for pattern in patterns:
        here = route + str(pattern.pattern)
        if here.startswith(PROGRAMS):
            continue
        if isinstance(pattern, URLResolver):
            yield from _addresses(pattern.url_patterns, route=here, namespace=pattern.namespace or namespace)
        else:
            yield f"{namespace}:{pattern.name}" if namespace else str(pattern.name), set(pattern.pattern.converters)


def test_every_address_is_looked_at_or_has_a_reason_why_not() -> None:
    addresses = dict(_addresses(get_resolver().url_patterns))

    assert sorted(ROUTES) == sorted(addresses), "a new address needs an entry in shop/local/audit/routes.py"
    for name, route in ROUTES.items():
        if isinstance(route, NotAPage):
            assert route.reason
            continue
        assert route, name
        assert all(set(visit.given) == addresses[name] for visit in route), name


def test_it_starts_before_there_are_settings() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHOP_", "DJANGO_"))}
    asked = subprocess.run(
        [sys.executable, "-m", "shop.local.audit", "--help"], capture_output=True, text=True, check=False, env=environment
    )

    assert (asked.returncode, asked.stderr) == (0, "")
    assert "--runs" in asked.stdout


def test_what_lighthouse_looks_at_are_addresses_with_all_their_arguments() -> None:
    addresses = dict(_addresses(get_resolver().url_patterns))

    assert all(set(visit.given) == addresses[route] for route, visit in MEASURED.values())
    assert set(MEASURED) >= HELD


def test_what_keeps_every_budget_breaks_none() -> None:
    report = Report(
        seen=[Seen("catalog:home", "/", "guest", 390, ())],
        scores={("home", "phone"): GOOD},
        weights={"home": LIGHT},
        held=frozenset({"home"}),
    )

    assert report.broken == ()
    assert "Every budget is kept." in as_text(report)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (
            Report(seen=[Seen("catalog:home", "/", "guest", 390, ("image-alt (critical): no words: img",))]),
            "catalog:home / (guest, 390 px): image-alt (critical): no words: img",
        ),
        (
            Report(
                seen=[],
                scores={("home", "phone"): replace(GOOD, scores={**GOOD.scores, "seo": 97}, lost=("meta-description 0",))},
                held=frozenset({"home"}),
            ),
            "home, phone: seo 97, at least 98 wanted",
        ),
        (
            Report(seen=[], weights={"cart": Weights(html=1, css=12 * KB + 60, js=1)}, held=frozenset({"cart"})),
            "cart: CSS of 12.1 KB, at most 12 wanted",
        ),
    ],
)
def test_a_broken_budget_is_named_in_both_reports(report: Report, said: str) -> None:
    assert report.broken == (said,)
    assert f"NOT MET: {said}" in as_text(report)
    assert as_json(report)["broken"] == [said]


def test_pages_without_a_budget_are_told_and_break_none() -> None:
    slow = replace(GOOD, scores=dict.fromkeys(CATEGORIES, 40))
    report = Report(seen=[], scores={("staff", "phone"): slow}, weights={"staff": Weights(99999, 99999, 99999)})

    assert report.broken == ()
    assert "staff, phone" in as_text(report)
