"""Thousands of orders, quickly: one that was really placed and paid, written again under other names, times and owners.

Each copy is the rows the shop wrote of the first, letter for letter but for these, and its payment at Stripe likewise.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from catalog.models import ProductRow
from orders.domain import Order
from orders.models import OrderRow
from shop.lib.attributes import time_text
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.local.fake_stripe.state import new_id as new_stripe_id
from shop.local.prove.world import World

_A_CALL = 25
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
_STRIPES = ("sessions", "payment_intents", "charges")


@dataclass(frozen=True)
class Copy:
    """Who, when and of what."""

    owner: Owner
    placed_at: datetime
    product_id: str


class Copies:
    """Copies of one paid order."""

    def __init__(self, world: World, order: Order) -> None:
        self._world = world
        self._order = order
        self._rows = [
            (table, json.dumps(item))
            for table in (OrderRow.Meta.table_name, ProductRow.Meta.table_name)
            for item in _items(world, table)
            if order.order_id in json.dumps(item)
        ]
        [self._movement] = {item["movementId"]["S"] for _, text in self._rows if "movementId" in (item := json.loads(text))}
        with world.stripe.state.lock:
            kept = world.stripe.state.tables
            self._stripes = [
                (table, text) for table in _STRIPES for one in kept[table].values() if order.order_id in (text := json.dumps(one))
            ]

    def write(self, wanted: Iterable[Copy]) -> list[str]:
        """Write them all; their numbers."""
        numbers: list[str] = []
        rows = self._renamed(wanted, numbers)
        client = self._world.eyes
        while some := list(islice(rows, _A_CALL)):
            requests: dict[str, list[Any]] = {}
            for table, item in some:
                requests.setdefault(table, []).append({"PutRequest": {"Item": item}})
            while requests:
                requests = client.batch_write_item(RequestItems=requests)["UnprocessedItems"]
        return numbers

    def _renamed(self, wanted: Iterable[Copy], numbers: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        for copy in wanted:
            yield from self._one(copy, numbers)

    def _one(self, copy: Copy, numbers: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
        order, later = self._order, copy.placed_at - self._order.created_at
        number = new_id("ord", copy.placed_at)
        numbers.append(number)
        names = {
            order.order_id: number,
            order.owner.key: copy.owner.key,
            order.lines[0].product_id: copy.product_id,
            order.payment.session_id: new_stripe_id("cs_test_a1", 50),
            order.payment.payment_intent_id: new_stripe_id("pi_3"),
            order.payment.transaction_id: new_stripe_id("ch_3"),
            self._movement: new_id("stk", copy.placed_at),
        }
        change = re.compile("|".join(re.escape(name) for name in names if name))
        for table, text in self._rows:
            moved = _TIME.sub(lambda found: _moved(found[0], later), change.sub(lambda found: names[found[0]], text))
            yield table, json.loads(moved)
        for table, text in self._stripes:
            made = json.loads(change.sub(lambda found: names[found[0]], text))
            made["created"] = int((datetime.fromtimestamp(made["created"], UTC) + later).timestamp())
            with self._world.stripe.state.lock:
                self._world.stripe.state.tables[table][made["id"]] = made


def spread(owner: Owner, count: int, products: Sequence[str], *, until: datetime, over: timedelta) -> Iterator[Copy]:
    """So many copies of an owner, oldest first, evenly over this time; products take turns."""
    for at in range(count):
        yield Copy(owner, until - over + over * (at + 1) / count, products[at % len(products)])


def _items(world: World, table: str) -> Iterator[dict[str, Any]]:
    for page in world.eyes.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
        yield from page["Items"]


def _moved(text: str, later: timedelta) -> str:
    return time_text(datetime.fromisoformat(text) + later)
