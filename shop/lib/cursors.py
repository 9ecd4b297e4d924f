"""Paging through a query by next and previous. A cursor is opaque, signed and bound to its question."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Generic, TypeVar

from django.core import signing
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from shop.lib.addresses import with_query
from shop.lib.tables import Item, items_of

_SALT = "shop.cursor.v2"

Key = dict[str, Any]


T = TypeVar("T")
R = TypeVar("R", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list; the cursors are empty where there is nothing further."""

    items: tuple[T, ...]
    next_cursor: str = ""
    previous_cursor: str = ""


def page_urls(page: Page[Any], path: str, asked: Mapping[str, str] | None = None) -> dict[str, str]:
    """`next_url` and `previous_url` of the page of a list at this path, as templates/staff/pager.html takes them; or empty."""

    def url(cursor: str) -> str:
        return with_query(path, {**(asked or {}), "cursor": cursor}) if cursor else ""

    return {"next_url": url(page.next_cursor), "previous_url": url(page.previous_cursor)}


def read_page(
    ask: Callable[..., ResultIterator[R]] | Sequence[Callable[..., ResultIterator[R]]],
    convert: Callable[[R], T | None],
    *,
    key_names: Sequence[str],
    question: str,
    cursor: str,
    size: int,
    forward: bool = True,
) -> Page[T]:
    """The page of `size` rows that `cursor` points to, each converted; a row converted to None is left out.

    `ask` is a PynamoDB query without `limit`, `last_evaluated_key` and `scan_index_forward`, which this adds, or several whose
    answers are merged into one order; `key_names` are the attributes that place a row in the queried table or index, the one that
    orders last. One row more than the page is read to know whether there is a further page. A cursor that is forged, or of
    another question, is page one.
    """
    asks = [ask] if callable(ask) else list(ask)
    return _read(asks, list, convert, key_names, question, cursor, size, forward=forward)


def read_items(
    asks: Sequence[Callable[..., ResultIterator[Any]]],
    convert: Callable[[Item], T | None],
    *,
    key_names: Sequence[str],
    question: str,
    cursor: str,
    size: int,
    forward: bool = True,
) -> Page[T]:
    """`read_page` of raw items: for lists that show a few attributes of many rows (`shop.lib.tables.value_of` reads one)."""
    return _read(asks, partial(items_of, most=size + 1), convert, key_names, question, cursor, size, forward=forward)


def _read(
    asks: Sequence[Callable[..., ResultIterator[Any]]],
    take: Callable[[ResultIterator[Any]], list[Any]],
    convert: Callable[[Any], T | None],
    key_names: Sequence[str],
    question: str,
    cursor: str,
    size: int,
    *,
    forward: bool,
) -> Page[T]:
    starts, backwards = _open(cursor, question, len(asks))
    ascending = forward != backwards
    streams = [
        _Stream(take(one(limit=size + 1, last_evaluated_key=start, scan_index_forward=ascending)), start, key_names)
        for one, start in zip(asks, starts, strict=True)
    ]
    rows = _merged(streams, size, ascending=ascending)
    if not rows and cursor and any(starts):
        return _read(asks, take, convert, key_names, question, "", size, forward=forward)
    has_more, came_from_somewhere = any(stream.has_more for stream in streams), any(starts)
    ahead = _seal([stream.ahead for stream in streams], question, backwards=backwards) if has_more else ""
    behind = _seal([stream.behind for stream in streams], question, backwards=not backwards) if came_from_somewhere else ""
    if backwards:
        rows.reverse()
        ahead, behind = behind, ahead
    return Page(
        items=tuple(item for row in rows if (item := convert(row)) is not None),
        next_cursor=ahead,
        previous_cursor=behind,
    )


def look_through(
    ask: Callable[..., ResultIterator[R]],
    convert: Callable[[R], T],
    *,
    row: type[R],
    key_names: Sequence[str],
    question: str,
    cursor: str,
    size: int,
    look: int,
    forward: bool = True,
) -> tuple[Page[T], Key | None]:
    """A page of a query with a filter: one call that looks through `look` rows at most, however few of them fit.

    Beside the page, where it stopped looking with room left on the page; None when the page is full or there are no more rows.
    Arguments as for `read_page`; `row` is what the query reads.
    """
    (start,), backwards = _open(cursor, question, 1)
    answer = next(ask(page_size=look, last_evaluated_key=start, scan_index_forward=forward != backwards).page_iter)
    found, end = answer["Items"], answer.get("LastEvaluatedKey")
    shown = found[:size]
    keys = [{name: item[name] for name in key_names} for item in shown]
    onward = keys[-1] if len(found) > size else end
    ahead = _seal([onward], question, backwards=backwards) if onward else ""
    # An empty page leads back from where it stopped: what it began after is then shown again.
    behind = _seal([keys[0] if keys else end], question, backwards=not backwards) if start else ""
    stopped = end if len(found) <= size and not backwards else None
    if backwards:
        shown.reverse()
        ahead, behind = behind, ahead
    return Page(tuple(convert(row.from_raw_data(item)) for item in shown), ahead, behind), stopped


class _Stream:
    """What one query answered, from `start` on (None: from its edge), and how much of it the page has taken."""

    def __init__(self, rows: list[Any], start: Key | None, key_names: Sequence[str]) -> None:
        self.rows = rows
        self.taken = 0
        self._start = start
        self._key_names = key_names

    @property
    def has_more(self) -> bool:
        return self.taken < len(self.rows)

    @property
    def ahead(self) -> Key | None:
        """Where the page after this one starts in it."""
        return self._key(self.taken - 1) if self.taken else self._start

    @property
    def behind(self) -> Key | None:
        """Where the page before this one starts in it, reading the other way: at its first row that is not before the page."""
        return self._key(0) if self.rows else None

    def place(self, at: int) -> str:
        """What orders the row among those of other queries."""
        return str(self._key(at)[self._key_names[-1]]["S"])

    def _key(self, at: int) -> Key:
        row: Any = self.rows[at]
        # A row from an index carries but its projection.
        stored = row if isinstance(row, dict) else row.serialize(null_check=False)
        return {name: stored[name] for name in self._key_names}


def _merged(streams: list[_Stream], size: int, *, ascending: bool) -> list[Any]:
    """The first rows of all streams in one order; equals in the order of the streams, so that the way back is the way there."""
    if len(streams) == 1:
        streams[0].taken = min(size, len(streams[0].rows))
        return streams[0].rows[:size]
    places = [[(stream.place(at), number, at) for at in range(len(stream.rows))] for number, stream in enumerate(streams)]
    in_order = heapq.merge(*places, key=lambda place: place[:2], reverse=not ascending)
    rows = []
    for _, number, at in islice(in_order, size):
        streams[number].taken = at + 1
        rows.append(streams[number].rows[at])
    return rows


def _seal(starts: list[Key | None], question: str, *, backwards: bool) -> str:
    return signing.dumps({"q": question, "k": starts, "b": backwards}, salt=_SALT, compress=True)


def _open(cursor: str, question: str, streams: int) -> tuple[list[Key | None], bool]:
    first_page: list[Key | None] = [None] * streams
    if not cursor:
        return first_page, False
    try:
        content = signing.loads(cursor, salt=_SALT)
    except signing.BadSignature:
        return first_page, False
    # Another number of streams: INDEX_PARTITIONS was changed meanwhile.
    if content["q"] != question or len(content["k"]) != streams:
        return first_page, False
    return content["k"], content["b"]
