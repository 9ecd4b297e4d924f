"""Paging through a query by next and previous. A cursor is opaque, signed and bound to its question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core import signing
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

_SALT = "shop.cursor.v1"


T = TypeVar("T")
R = TypeVar("R", bound=Model)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list; the cursors are empty where there is nothing further."""

    items: tuple[T, ...]
    next_cursor: str = ""
    previous_cursor: str = ""


def read_page(
    ask: Callable[..., ResultIterator[R]],
    convert: Callable[[R], T | None],
    *,
    key_names: Sequence[str],
    question: str,
    cursor: str,
    size: int,
    forward: bool = True,
) -> Page[T]:
    """The page of `size` rows that `cursor` points to, each converted; a row converted to None is left out.

    `ask` is a PynamoDB query without `limit`, `last_evaluated_key` and `scan_index_forward`, which this adds; `key_names` are the
    attributes that place a row in the queried table or index. One row more than the page is read to know whether there is a
    further page. A cursor that is forged, or of another question, is page one.
    """
    key, backwards = _open(cursor, question)
    rows = list(ask(limit=size + 1, last_evaluated_key=key, scan_index_forward=forward != backwards))
    if not rows and key:
        return read_page(ask, convert, key_names=key_names, question=question, cursor="", size=size, forward=forward)
    has_more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (True, has_more) if backwards else (has_more, key is not None)
    return Page(
        items=tuple(item for row in rows if (item := convert(row)) is not None),
        next_cursor=_seal(rows[-1], key_names, question, backwards=False) if has_next and rows else "",
        previous_cursor=_seal(rows[0], key_names, question, backwards=True) if has_previous and rows else "",
    )


def _seal(row: Model, key_names: Sequence[str], question: str, *, backwards: bool) -> str:
    stored = row.serialize(null_check=False)  # a row from an index carries but its projection
    return signing.dumps(
        {"q": question, "k": {name: stored[name] for name in key_names}, "b": backwards}, salt=_SALT, compress=True
    )


def _open(cursor: str, question: str) -> tuple[dict[str, Any] | None, bool]:
    if not cursor:
        return None, False
    try:
        content = signing.loads(cursor, salt=_SALT)
    except signing.BadSignature:
        return None, False
    if content["q"] != question:
        return None, False
    return content["k"], content["b"]
