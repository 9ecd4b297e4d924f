"""Pieces in and out of stock. Whatever changes `inventory` records it in the same transaction, so the records add up to it."""

from collections.abc import Iterable
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.transactions import TransactWrite

from catalog.domain import Availability, Product, ProductStatus, StockMovement, StockReason
from catalog.models import CatalogAuditRow, ProductRow, product_key, product_pk
from catalog.product_queries import forget_products
from catalog.queries import product
from catalog.staff_models import short_key
from catalog.stock_models import to_stock_row
from shop.lib.answers import Claim
from shop.lib.audit import Change, audit_row
from shop.lib.ids import new_record_id
from shop.lib.money import Money
from shop.lib.tables import Busy, all_of, is_refused
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

_COUNTS = 5
"""How often a counted number is tried while sales go on between reading the stock and writing it."""


class NotEnoughStock(Exception):
    """More pieces were to be taken out than there are; `left` is how many there are."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} left")
        self.left = left


class StockMoved(Exception):
    """The stock is not what the caller had seen, but `left`; nothing was written."""

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} now")
        self.left = left


def take_stock(
    txn: TransactWrite, *, product_id: str, quantity: int, price: Money, order_id: str, actor: str, now: datetime
) -> None:
    """Add to a transaction: take pieces out of stock, if so many are there, at this price, and the product is for sale.

    Whoever commits the transaction calls `stock_changed` after it.
    """
    txn.update(
        product_key(product_id),
        actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)],
        condition=all_of(
            ProductRow.inventory >= quantity,
            ProductRow.price == price.amount,
            ProductRow.currency == price.currency,
            ProductRow.status == ProductStatus.ACTIVE,
        ),
    )
    _record(txn, StockMovement(new_record_id("stk"), product_id, -quantity, StockReason.SALE, actor, now, order_id))


def retake_stock(txn: TransactWrite, *, product_id: str, quantity: int, order_id: str, actor: str, now: datetime) -> None:
    """Add to a transaction: take an order's pieces once more, if so many are there.

    The order was paid at its own price after its pieces had been given back: today's price and status are no matter.
    """
    txn.update(
        product_key(product_id),
        actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)],
        condition=ProductRow.inventory >= quantity,
    )
    _record(txn, StockMovement(new_record_id("stk"), product_id, -quantity, StockReason.SALE, actor, now, order_id))


def return_stock(
    txn: TransactWrite, *, product_id: str, quantity: int, reason: StockReason, order_id: str, actor: str, now: datetime
) -> None:
    """Add to a transaction: put an order's pieces back into stock. A product deleted meanwhile refuses the transaction.

    `reason` is RELEASE for what was never paid, RETURN for what was. Whoever commits the transaction calls `stock_changed`
    after it.
    """
    txn.update(
        product_key(product_id),
        actions=[ProductRow.inventory.set(ProductRow.inventory + quantity)],
        condition=ProductRow.pk.exists(),
    )
    _record(txn, StockMovement(new_record_id("stk"), product_id, quantity, reason, actor, now, order_id))


def stock_changed(*, product_ids: Iterable[str]) -> None:
    """Let product pages read these products anew: a transaction with them was committed."""
    forget_products(product_ids)


def adjust_stock(
    *,
    product_id: str,
    reason: StockReason,
    actor: str,
    now: datetime,
    change: int | None = None,
    absolute: int | None = None,
    note: str = "",
    seen: int | None = None,
    claim: Claim | None = None,
    by: Viewer | None = None,
) -> StockMovement | None:
    """Change the stock by `change` pieces, or to `absolute`, a counted number; what was recorded, None when there was no change.

    With `seen` only if there are so many now, with `claim` only if that was not done before. `by` is the member of staff who did
    it, for the audit trail.

    Raises ProductNotFound, NotEnoughStock, StockMoved, Repeated, Busy; then nothing was written. ValueError unless exactly one
    number is given, and for a negative count.
    """
    if (change is None) == (absolute is None) or (absolute is not None and absolute < 0):
        raise ValueError("give either a change, or a counted number of at least 0")

    def move(pieces: int, *, seen: int | None) -> StockMovement:
        name = by.name if by else ""
        movement = StockMovement(new_record_id("stk"), product_id, pieces, reason, actor, now, note=note, actor_name=name)
        return _move(movement, now, seen=seen, claim=claim, by=by)

    if change is not None:
        return move(change, seen=seen) if change else None
    if seen is not None:
        return move(int(absolute or 0) - seen, seen=seen) if absolute != seen else None
    for _ in range(_COUNTS):
        there = product(product_id=product_id, consistent=True).inventory
        if there == absolute:
            return None
        try:
            return move(int(absolute or 0) - there, seen=there)
        except StockMoved:
            continue  # sold in between: count from what is there now
    raise Busy


def set_stock(*, product_id: str, inventory: int, now: datetime, actor: str = "shop") -> None:
    """Set the stock to a counted number. Raises ProductNotFound, Busy."""
    adjust_stock(product_id=product_id, absolute=inventory, reason=StockReason.ADJUSTMENT, actor=actor, now=now)


def mark_availability(*, product_id: str, inventory: int, availability: Availability) -> bool:
    """Note what shoppers are told of the stock, if the stock is still this; False when it has moved on (a record follows)."""
    try:
        product_key(product_id).update(
            actions=[ProductRow.availability.set(availability)],
            condition=ProductRow.inventory == inventory,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        return False
    forget_products([product_id])
    return True


def note_shortage(*, product: Product, before: Availability | None) -> None:
    """Put an active product that is low or sold out on staff's list of them, or take it off. May run twice."""
    if before and before is not product.shortage:
        short_key(before, product.product_id).delete()
    if product.shortage:
        row = short_key(product.shortage, product.product_id)
        row.product_id, row.name, row.category = product.product_id, product.name, product.category
        row.save()


def _move(movement: StockMovement, now: datetime, *, seen: int | None, claim: Claim | None, by: Viewer | None) -> StockMovement:
    """Write a movement and the stock it makes, if the stock is `seen` where that is given, and never below nothing.

    Raises ProductNotFound, NotEnoughStock, StockMoved, Repeated.
    """
    if seen is not None and seen + movement.change < 0:
        raise NotEnoughStock(seen)

    def build(txn: TransactWrite) -> None:
        enough = ProductRow.inventory >= -movement.change if movement.change < 0 else ProductRow.pk.exists()
        txn.update(
            product_key(movement.product_id),
            actions=[ProductRow.inventory.set(ProductRow.inventory + movement.change), ProductRow.updated_at.set(now)],
            condition=enough if seen is None else ProductRow.inventory == seen,
        )
        _record(txn, movement)
        if by:
            txn.save(_audit(movement, seen, by))
        if claim:
            claim.join(txn)

    try:
        run_transaction(build)
    except Refused as refused:
        if claim:
            claim.check(refused)
        left = product(product_id=movement.product_id, consistent=True).inventory
        raise (NotEnoughStock if seen is None else StockMoved)(left) from refused
    forget_products([movement.product_id])
    return movement


def _audit(movement: StockMovement, seen: int | None, by: Viewer) -> CatalogAuditRow:
    why = f"{movement.change:+d}, {movement.reason}{f': {movement.note}' if movement.note else ''}"
    change = Change("stock", "" if seen is None else str(seen), why if seen is None else f"{seen + movement.change} ({why})")
    subject = product_pk(movement.product_id)
    return audit_row(CatalogAuditRow, subject, actor=by, action="changed the stock", now=movement.at, changes=[change])


def _record(txn: TransactWrite, movement: StockMovement) -> None:
    txn.save(to_stock_row(movement))
