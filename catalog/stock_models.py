"""Rows of the record of stock in the Products table, and the only place where their key text is built."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from catalog.domain import StockMovement, StockReason
from catalog.models import ProductMeta, product_pk
from shop.lib.attributes import IntegerAttribute, TimeAttribute, time_text
from shop.lib.tables import Row


class StockRow(Row):
    """A change of a product's stock, written in the transaction that makes it and never changed."""

    class Meta(ProductMeta):
        pass

    movement_id = UnicodeAttribute(attr_name="movementId")
    product_id = UnicodeAttribute(attr_name="productId")
    change = IntegerAttribute()
    reason = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = TimeAttribute()
    order_id = UnicodeAttribute(attr_name="orderId", null=True)
    note = UnicodeAttribute(null=True)
    actor_name = UnicodeAttribute(attr_name="actorName", null=True)


class StockSumRow(Row):
    """What a product's movements add up to, up to one of them: a comparison reads but those after it."""

    class Meta(ProductMeta):
        pass

    total = IntegerAttribute()
    until = UnicodeAttribute()


def stock_sum_key(product_id: str) -> StockSumRow:
    return StockSumRow(product_pk(product_id), "STOCKSUM")


def stock_sk(at: datetime | None = None, movement_id: str = "") -> str:
    """The key of a movement; without arguments what all of them begin with."""
    return f"STOCK#{time_text(at)}#{movement_id}" if at else "STOCK#"


def to_stock_row(movement: StockMovement) -> StockRow:
    return StockRow(
        product_pk(movement.product_id),
        stock_sk(movement.at, movement.movement_id),
        movement_id=movement.movement_id,
        product_id=movement.product_id,
        change=movement.change,
        reason=movement.reason,
        actor=movement.actor,
        at=movement.at,
        order_id=movement.order_id or None,
        note=movement.note or None,
        actor_name=movement.actor_name or None,
    )


def to_movement(row: StockRow) -> StockMovement:
    return StockMovement(
        movement_id=row.movement_id,
        product_id=row.product_id,
        change=row.change,
        reason=StockReason(row.reason),
        actor=row.actor,
        at=row.at,
        order_id=row.order_id or "",
        note=row.note or "",
        actor_name=row.actor_name or "",
    )
