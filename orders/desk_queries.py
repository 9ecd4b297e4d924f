"""Reads of the staff's desk: lists of all orders, search, notes. A page costs the same at a hundred and a million orders."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pynamodb.pagination import ResultIterator

from orders.desk_models import NoteRow, OrderMailRow, WordRow, note_sk, word_pk
from orders.domain import Order, OrderStatus
from orders.models import OrderRow, date_partitions, order_sk, ref_pk, status_partitions, time_bound
from orders.queries import OrderNotFound, order_by_id, orders_by_ids
from shop.lib import mail_log
from shop.lib.attributes import time_text
from shop.lib.cursors import Page, read_page
from shop.lib.mail_log import LoggedMail
from shop.lib.money import Money

LIST_SIZE = 25
_MOST_FOUND = 50
"""Orders a search shows: who wants more adds a word."""
_EXPORTED_AT_ONCE = 100
_LOOKED_AT = 500
"""Orders of one word that are compared with those of another."""


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as lists show it: what the indexes carry."""

    order_id: str
    status: OrderStatus
    email: str
    total: Money
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    text: str
    actor: str
    at: datetime


def listed_orders(
    *,
    status: OrderStatus | None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: str = "",
    oldest_first: bool = False,
    size: int = LIST_SIZE,
) -> Page[ListedOrder]:
    """A page of all orders, or of one status, placed in a span of time; one Query a partition of the index."""
    index, partitions, sort = _list_of(status)
    low, high = time_text(since) if since else "0", time_bound(until) if until else "~"
    if low > high:
        return Page(())  # DynamoDB refuses to look between a later and an earlier time

    def ask(partition: str, **paging: Any) -> ResultIterator[OrderRow]:
        rows: ResultIterator[OrderRow] = index.query(partition, sort.between(low, high), **paging)
        return rows

    return read_page(
        [partial(ask, partition) for partition in partitions],
        _listed,
        key_names=("PK", "SK", f"{index.Meta.index_name}PK", f"{index.Meta.index_name}SK"),
        question=f"desk {status} {low} {high} {oldest_first}",
        cursor=cursor,
        size=size,
        forward=oldest_first,
    )


def exported_page(
    *, status: OrderStatus | None, since: datetime | None, until: datetime | None, cursor: str, most: int
) -> Page[Order]:
    """A page of a list with its orders whole, newest first, a hundred or `most`: a Query and two batches."""
    page = listed_orders(status=status, since=since, until=until, cursor=cursor, size=min(_EXPORTED_AT_ONCE, most))
    whole = orders_by_ids(order_ids=[listed.order_id for listed in page.items])
    return Page(tuple(whole[listed.order_id] for listed in page.items if listed.order_id in whole), page.next_cursor)


def orders_like(words: tuple[str, ...]) -> tuple[Order, ...]:
    """Orders that have all the words, newest first: one Query a word, then two batches."""
    if not words:
        return ()
    found = [[row.order_id for row in WordRow.query(word_pk(word), scan_index_forward=False, limit=_LOOKED_AT)] for word in words]
    in_all = set(found[0]).intersection(*found[1:])
    chosen = [order_id for order_id in found[0] if order_id in in_all][:_MOST_FOUND]
    whole = orders_by_ids(order_ids=chosen)
    return tuple(whole[order_id] for order_id in chosen if order_id in whole)


def order_with_number(text: str) -> Order | None:
    """The order whose number this is, with or without its `ord-`; None when there is none."""
    number = text.strip().lower()
    try:
        return order_by_id(order_id=number if number.startswith("ord-") else f"ord-{number}")
    except OrderNotFound:
        return None


def neighbours(order: Order) -> tuple[str, str]:
    """The numbers of the orders placed just after and just before this one; empty at the ends. Two Queries a partition."""
    place = f"{time_text(order.created_at)}#{order.order_id}"
    later = [
        (row.gsi2_sk, row.order_id)
        for partition in date_partitions()
        for row in OrderRow.by_date.query(partition, OrderRow.gsi2_sk > place, limit=1)
    ]
    earlier = [
        (row.gsi2_sk, row.order_id)
        for partition in date_partitions()
        for row in OrderRow.by_date.query(partition, OrderRow.gsi2_sk < place, limit=1, scan_index_forward=False)
    ]
    return min(later, default=("", ""))[1], max(earlier, default=("", ""))[1]


def notes_of(*, order_id: str) -> tuple[Note, ...]:
    """Staff's notes about an order, newest first."""
    rows = NoteRow.query(ref_pk(order_id), NoteRow.sk.startswith(note_sk()), scan_index_forward=False)
    return tuple(Note(row.text, row.actor, row.at) for row in rows)


def mails_about(*, order_id: str) -> tuple[LoggedMail, ...]:
    """Mails about an order, latest first: one Query."""
    return mail_log.mails_about(OrderMailRow, ref_pk(order_id))


def mails_of_month(*, month: datetime, cursor: str = "") -> Page[LoggedMail]:
    """Mails about orders in a month, latest first: one Query and one BatchGet."""
    return mail_log.mails_of_month(OrderMailRow, OrderRow.by_status, month, cursor=cursor)


def failed_mails(*, cursor: str = "", size: int = mail_log.PAGE_SIZE) -> Page[LoggedMail]:
    """Mails about orders that could not be sent: one Query."""
    return mail_log.failed_mails(OrderMailRow, cursor=cursor, size=size)


def _list_of(status: OrderStatus | None) -> tuple[Any, tuple[str, ...], Any]:
    if status is None:
        return OrderRow.by_date, date_partitions(), OrderRow.gsi2_sk
    return OrderRow.by_status, status_partitions(status), OrderRow.gsi1_sk


def _listed(row: OrderRow) -> ListedOrder | None:
    if not row.sk.startswith(order_sk("")):
        return None
    return ListedOrder(
        order_id=row.order_id,
        status=OrderStatus(row.status),
        email=row.email or "",
        total=Money.of(row.totals.total, row.totals.currency),
        placed_at=row.created_at,
    )
