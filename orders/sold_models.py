"""Rows that tell what is sold most: pieces by product and day, and each day's best. Their key text is built here alone."""

import json
from datetime import date
from decimal import Decimal

from pynamodb.attributes import UnicodeAttribute

from orders.ledger_domain import Sold
from orders.ledger_models import figures_pk
from orders.models import OrderMeta
from shop.lib.attributes import DecimalAttribute, EpochAttribute, IntegerAttribute
from shop.lib.money import Money
from shop.lib.tables import Row


class SoldRow(Row):
    """What was sold of a product on a day. It grows in the transaction that counts the order, and ends when it is long ranked."""

    class Meta(OrderMeta):
        pass

    name = UnicodeAttribute(null=True)
    pieces = IntegerAttribute(null=True)
    revenue = DecimalAttribute(null=True)
    expires_at = EpochAttribute(attr_name="expiresAt", null=True)


class BestSoldRow(Row):
    """The best sold of a day, beside its figures. `orders` is how many orders it has seen: while that is all, all is done."""

    class Meta(OrderMeta):
        pass

    orders = IntegerAttribute()
    # JSON: id, name, pieces and money of each. A quarter's thousands of entries are one page's; as DynamoDB's maps they cost
    # PynamoDB a tenth of a millisecond each.
    best = UnicodeAttribute()


def sold_pk(day: date, currency: str) -> str:
    return f"SOLD#{day.isoformat()}#{currency}"


def sold_sk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def best_pk(day: date) -> str:
    """The partition of a day's figures: a month's best are one query."""
    return figures_pk(day)


def best_sk(day: date, currency: str) -> str:
    return f"BEST#{day.isoformat()}#{currency}"


def to_sold(row: SoldRow, currency: str) -> Sold:
    revenue = Decimal(0) if row.revenue is None else row.revenue
    return Sold(row.sk.partition("#")[2], row.name or "", row.pieces or 0, Money.of(revenue, currency))


def to_best_row(day: date, currency: str, *, orders: int, best: list[Sold]) -> BestSoldRow:
    entries = [[one.product_id, one.name, one.pieces, one.revenue.minor] for one in best]
    return BestSoldRow(best_pk(day), best_sk(day, currency), orders=orders, best=json.dumps(entries, ensure_ascii=False))


def best_of_row(row: BestSoldRow) -> list[tuple[str, str, int, int]]:
    """Id, name, pieces and money, in minor units, of each of a day's best."""
    return [(product_id, name, pieces, minor) for product_id, name, pieces, minor in json.loads(row.best)]
