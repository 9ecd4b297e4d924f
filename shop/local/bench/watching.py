"""A pass through Django's test client that watches what a page asks of the tables and what it draws."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from django.http import HttpRequest
from django.template import loader
from django.test import Client

from catalog.menu import categories
from catalog.shared import forget_pages
from shop.lib.tables import connection
from shop.local.bench.asks import Ask, WrongAnswer
from shop.local.bench.capacity import READS, WRITES, read_units
from shop.local.bench.drawings import Drawing
from shop.local.bench.pages import Page
from shop.local.bench.scene import Scene


@dataclass
class TableCalls:
    """Calls by operation, and the capacity units they take. Index writes inside a transaction are not told, so not among them."""

    operations: Counter[str] = field(default_factory=Counter)
    read_units: float = 0
    write_units: float = 0


@dataclass(frozen=True)
class Watched:
    """What one request did, in a process that is warm."""

    calls: TableCalls
    drawing: Drawing | None


def watch(page: Page, scene: Scene) -> Watched:
    """Ask for the page twice, and watch the second time. Raises WrongAnswer."""
    ask = page.prepare(scene)
    _ask(ask, page)
    if not page.is_kept:
        forget_pages()
    if page.is_once:
        ask = page.prepare(scene)
    with noted_calls() as calls, _noted_drawings() as drawings:
        _ask(ask, page)
    return Watched(calls, drawings[0] if drawings else None)


def _ask(ask: Ask, page: Page) -> None:
    response = Client(enforce_csrf_checks=True).generic(
        ask.method, ask.path, ask.body, content_type=ask.headers.get("Content-Type", ""), headers=ask.headers
    )
    if response.status_code != page.status:
        raise WrongAnswer(f"{page.name}: {ask.method} {ask.path} answered {response.status_code}, not {page.status}.")


@contextmanager
def noted_calls() -> Iterator[TableCalls]:
    calls = TableCalls()
    asked: list[dict[str, Any]] = []

    def ask_for_units(params: dict[str, Any], model: Any, **kwargs: Any) -> None:
        # A count reads what it counts, and costs as much, so it is answered with the items here.
        if params.get("Select") == "COUNT":
            del params["Select"]
        # Nor does leaving attributes out make a read cheaper.
        for wanted in params.get("RequestItems", {}).values():
            if isinstance(wanted, dict) and wanted.pop("ProjectionExpression", None):
                del wanted["ExpressionAttributeNames"]
        asked[:] = [params]
        if model.name in WRITES:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, Any], model: Any, **kwargs: Any) -> None:
        calls.operations[model.name] += 1
        if model.name in READS:
            calls.read_units += read_units(model.name, asked[0], parsed)
        else:
            told = parsed.get("ConsumedCapacity", [])
            calls.write_units += sum(part["CapacityUnits"] for part in (told if isinstance(told, list) else [told]))

    events = connection().client.meta.events
    hooks: dict[str, Any] = {"before-parameter-build.dynamodb": ask_for_units, "after-call.dynamodb": note}
    for event, hook in hooks.items():
        events.register(event, hook)
    try:
        yield calls
    finally:
        for event, hook in hooks.items():
            events.unregister(event, hook)


@contextmanager
def _noted_drawings() -> Iterator[list[Drawing]]:
    drawings: list[Drawing] = []
    draw = loader.render_to_string

    def note(template: str, context: dict[str, Any] | None, request: HttpRequest | None, *args: Any, **kwargs: Any) -> str:
        given = {"shop_name": "Fernhollow", "nav_categories": categories(), "is_local": False, **(context or {})}
        drawings.append(Drawing(template, given))
        return draw(template, context, request, *args, **kwargs)

    with patch.object(loader, "render_to_string", note):
        yield drawings
