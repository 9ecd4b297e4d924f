"""300 lives of 50 steps of the game in `tests/orders/machine.py`, in parts that run side by side.

The tables are in memory, which makes a step ten times as quick; a last game is played on memory and the local engine at once, and
every answer of the one must be the other's. Longer: `LIVES=3000 make test ARGS=tests/orders/test_machine.py`.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from accounts.models import UserRow
from cart.models import CartRow
from catalog.models import ProductRow
from orders.models import OrderRow
from shop.lib.tables import connection
from shop.local.fake_stripe import FakeStripe
from tests.memory_tables import MemoryTables
from tests.orders.machine import play

LIVES, STEPS = int(os.environ.get("LIVES", "300")), int(os.environ.get("STEPS", "50"))
PARTS = 6
ROWS = (ProductRow, UserRow, CartRow, OrderRow)


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.lib.transactions.time.sleep", lambda _seconds: None)


@pytest.mark.timeout(600)  # on a machine that does much else besides
@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_stock_and_money_add_up(stripe: FakeStripe, part: int) -> None:
    tables = MemoryTables(*ROWS)

    with patch.object(connection().client, "_make_api_call", tables.call):
        seen = play(stripe, tables, lives=LIVES // PARTS, steps=STEPS, begin=tables.clear)

    print(", ".join(f"{count} {name}" for name, count in seen.most_common()))  # noqa: T201 - what -s shows of a long game
    assert seen["lives"] >= LIVES // PARTS


@pytest.mark.usefixtures("tables")
def test_tables_in_memory_answer_as_the_engine_does(stripe: FakeStripe) -> None:
    tables = MemoryTables(*ROWS)
    with both(tables):
        play(stripe, tables, lives=4, steps=30)


@contextmanager
def both(memory: MemoryTables) -> Iterator[None]:
    """Every call goes to the engine and to memory, and their answers must be the same."""
    client = connection().client
    real = client._make_api_call

    def call(operation: str, params: dict[str, Any]) -> Any:
        answer, refusal = _answer(real, operation, params)
        other, other_refusal = _answer(memory.call, operation, params)
        assert _said(refusal) == _said(other_refusal), (operation, params)
        assert _told(answer, params) == _told(other, params), (operation, params)
        if refusal:
            raise refusal
        return answer

    with patch.object(client, "_make_api_call", call):
        yield


def _answer(call: Any, operation: str, params: dict[str, Any]) -> tuple[dict[str, Any], ClientError | None]:
    try:
        return call(operation, params), None
    except ClientError as refusal:
        return {}, refusal


def _said(refusal: ClientError | None) -> list[Any]:
    if refusal is None:
        return []
    response: Any = refusal.response
    return [response["Error"]["Code"], [reason["Code"] for reason in response.get("CancellationReasons", [])]]


def _written(item: dict[str, Any]) -> str:
    return json.dumps(item, sort_keys=True, default=repr)


def _told(answer: dict[str, Any], params: dict[str, Any]) -> list[Any]:
    """What an answer says; items that have no order of their own, sorted."""
    items = answer.get("Items", [])
    if "IndexName" in params:
        items = sorted(items, key=_written)
    found = {name: sorted(batch, key=_written) for name, batch in answer.get("Responses", {}).items()}
    return [answer.get("Item"), items, found, answer.get("Attributes"), "LastEvaluatedKey" in answer]
