"""Whether a product's stock is what its movements add up to: received minus sold, piece by piece."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from catalog.domain import StockMovement, StockReason
from catalog.models import ProductRow, product_key, product_pk
from catalog.queries import product
from catalog.stock_models import StockRow, StockSumRow, stock_sk, stock_sum_key, to_stock_row
from shop.lib.attributes import time_text
from shop.lib.ids import new_record_id
from shop.lib.tables import Busy
from shop.lib.transactions import Refused, run_transaction

_LOOKS = 3
_SETTLED_AFTER = timedelta(minutes=10)
"""Movements older than this are summed up for good: nothing is written so late under an earlier time."""


@dataclass(frozen=True, slots=True)
class StockSum:
    """A product's stock beside what its movements add up to."""

    product_id: str
    name: str
    inventory: int
    recorded: int

    @property
    def drift(self) -> int:
        """Pieces that are there without a record, or (below zero) recorded and not there."""
        return self.inventory - self.recorded


def stock_sum(*, product_id: str, now: datetime) -> StockSum:
    """Compare a product's stock with its movements; only what moved since the last time is read. Raises ProductNotFound.

    A sale between the two reads looks like a drift, so a drift is believed when the stock stands still around it.
    """
    for _ in range(_LOOKS):
        before = product(product_id=product_id, consistent=True)
        recorded = _recorded(product_id, before.inventory, now)
        if recorded == before.inventory or product(product_id=product_id, consistent=True).inventory == before.inventory:
            break
    return StockSum(product_id, before.name, before.inventory, recorded)


def accept_stock(*, product_id: str, actor: str, now: datetime) -> StockSum:
    """Take the stock as it is for right: record what is missing from its movements. Raises ProductNotFound, Busy."""
    found = stock_sum(product_id=product_id, now=now)
    if found.drift:
        movement = StockMovement(
            new_record_id("stk"), product_id, found.drift, StockReason.ADJUSTMENT, actor, now, note="Records brought to the stock"
        )

        def build(txn: TransactWrite) -> None:
            txn.condition_check(
                ProductRow,
                product_pk(product_id),
                product_key(product_id).sk,
                condition=ProductRow.inventory == found.inventory,
            )
            txn.save(to_stock_row(movement))

        try:
            run_transaction(build)
        except Refused as refused:
            raise Busy from refused
    return found


def _recorded(product_id: str, inventory: int, now: datetime) -> int:
    """The sum of all movements: that of the settled ones is kept, and grows by those that have settled since."""
    kept = _kept(product_id)
    total, until = (kept.total, kept.until) if kept else (0, stock_sk())
    settled, last = total, until
    settled_before = f"{stock_sk()}{time_text(now - _SETTLED_AFTER)}"
    # "~" sorts behind everything a movement's key is made of; the one the sum ends with is in it.
    rows = StockRow.query(product_pk(product_id), StockRow.sk.between(until, f"{stock_sk()}~"), consistent_read=True)
    moved = [row for row in rows if row.sk != until]
    if not moved and not kept:  # never recorded, as an item written elsewhere: counted from here on
        total = settled = inventory
        last = settled_before
    for row in moved:
        total += row.change
        if row.sk < settled_before:
            settled, last = total, row.sk
    if last != until:
        summed = stock_sum_key(product_id)
        summed.total, summed.until = settled, last
        summed.save()
    return total


def _kept(product_id: str) -> StockSumRow | None:
    key = stock_sum_key(product_id)
    try:
        return StockSumRow.get(key.pk, key.sk, consistent_read=True)
    except DoesNotExist:
        return None
