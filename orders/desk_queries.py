"""Reads of the staff's desk: lists of all orders, search, notes. A page costs the same at a hundred and a million orders."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from pynamodb.pagination import ResultIterator

from orders.desk_models import NoteRow, OrderMailRow, WordRow, note_sk, word_pk
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Refund
from orders.ledger_models import OrderAuditRow, RefundRow, refund_sk, to_refund
from orders.ledger_queries import in_order
from orders.maps import TotalsMap
from orders.models import REF_SK, OrderRow, RefRow, date_partitions, order_sk, ref_pk, status_partitions, time_bound
from orders.queries import OrderNotFound, order_by_id, order_of, orders_by_ids
from shop.lib import audit, mail_log
from shop.lib.attributes import time_text
from shop.lib.audit import AUDIT_SK, Entry
from shop.lib.cursors import Page, read_items
from shop.lib.mail_log import LoggedMail
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Item, Row, count_up_to, items_of, value_of

LIST_SIZE = 25
_MOST_FOUND = 50
"""Orders a search shows: who wants more adds a word."""
_EXPORTED_AT_ONCE = 100
_MOST_PAPERS = 1000
_SHOWN_ENTRIES = 20
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


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order and what is known around it; notes, mails and entries of the audit trail newest first."""

    order: Order
    refunds: tuple[Refund, ...]
    notes: tuple[Note, ...]
    mails: tuple[LoggedMail, ...]
    entries: tuple[Entry, ...]


R = TypeVar("R", bound=Row)


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

    return read_items(
        [partial(ask, partition) for partition in partitions],
        _listed,
        key_names=("PK", "SK", f"{index.Meta.index_name}PK", f"{index.Meta.index_name}SK"),
        question=f"desk {status} {low} {high} {oldest_first}",
        cursor=cursor,
        size=size,
        forward=oldest_first,
    )


def count_of_status(status: OrderStatus, *, at_most: int) -> int:
    """How many orders are of a status, counted up to `at_most`: one Query a partition of the index."""
    index = OrderRow.by_status.Meta.index_name
    counts = [count_up_to(OrderRow, one, index=index, at_most=at_most) for one in status_partitions(status)]
    return min(sum(counts), at_most)


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


def neighbour(order: Order, *, is_later: bool) -> str:
    """The number of the order placed just after this one, or just before; empty at the end. One Query a partition."""
    place = f"{time_text(order.created_at)}#{order.order_id}"
    beside = OrderRow.gsi2_sk > place if is_later else OrderRow.gsi2_sk < place
    found = [
        (row.gsi2_sk, row.order_id)
        for partition in date_partitions()
        for row in OrderRow.by_date.query(partition, beside, limit=1, scan_index_forward=is_later)
    ]
    return (min if is_later else max)(found, default=("", ""))[1]


def order_file(*, order_id: str) -> OrderFile:
    """An order with all that lies under its number: one Query and one GetItem. Raises OrderNotFound."""
    items = items_of(RefRow.query(ref_pk(order_id), consistent_read=True), most=_MOST_PAPERS)

    def rows(begins: str, row: type[R]) -> list[R]:
        """Those of one kind, newest first where their keys begin with their time."""
        return [row.from_raw_data(item) for item in reversed(items) if value_of(item, Row.sk).startswith(begins)]

    reference = next((item for item in items if value_of(item, Row.sk) == REF_SK), None)
    if reference is None:
        raise OrderNotFound(order_id)
    return OrderFile(
        order=order_of(owner=Owner.of_key(value_of(reference, RefRow.owner)), order_id=order_id),
        refunds=in_order(map(to_refund, rows(refund_sk(), RefundRow))),
        notes=tuple(Note(row.text, row.actor, row.at) for row in rows(note_sk(), NoteRow)),
        mails=mail_log.latest_first(rows(mail_log.MAIL_SK, OrderMailRow)),
        entries=tuple(map(audit.to_entry, rows(AUDIT_SK, OrderAuditRow)[:_SHOWN_ENTRIES])),
    )


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


def _listed(item: Item) -> ListedOrder | None:
    if not value_of(item, OrderRow.sk).startswith(order_sk("")):
        return None
    totals = item[OrderRow.totals.attr_name]["M"]
    return ListedOrder(
        order_id=value_of(item, OrderRow.order_id),
        status=OrderStatus(value_of(item, OrderRow.status)),
        email=value_of(item, OrderRow.email, ""),
        total=Money.of(value_of(totals, TotalsMap.total), value_of(totals, TotalsMap.currency)),
        placed_at=value_of(item, OrderRow.created_at),
    )
