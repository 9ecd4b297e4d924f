"""Reads of what is sold most."""

from collections.abc import Iterator
from datetime import date, timedelta

from orders.ledger_domain import Sold, added_up
from orders.sold_models import BestSoldRow, SoldRow, best_of_row, best_pk, best_sk, sold_pk, to_sold


def best_sold(*, first: date, last: date, currency: str) -> tuple[Sold, ...]:
    """What was sold most from the first to the last day, in no order: a query a month, whatever was sold.

    It is the sum of each day's best: of a product that was not among them on some day, that day is missing.
    """
    return added_up((entry for row in _rows(first, last, currency) for entry in best_of_row(row)), currency)


def orders_ranked(*, first: date, last: date, currency: str) -> dict[date, int]:
    """By day how many orders its best have seen."""
    return {date.fromisoformat(row.sk.split("#")[1]): row.orders for row in _rows(first, last, currency)}


def sold_on(*, day: date, currency: str) -> list[Sold]:
    """Everything sold on a day: for the job, whose time grows with the products sold that day."""
    return [to_sold(row, currency) for row in SoldRow.query(sold_pk(day, currency), consistent_read=True)]


def _rows(first: date, last: date, currency: str) -> Iterator[BestSoldRow]:
    month = first.replace(day=1)
    while month <= last:
        rows = BestSoldRow.query(best_pk(month), BestSoldRow.sk.between(best_sk(first, ""), best_sk(last, "~")))
        yield from (row for row in rows if row.sk.endswith(f"#{currency}"))
        month = (month + timedelta(days=32)).replace(day=1)
