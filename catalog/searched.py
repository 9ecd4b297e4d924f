"""What shoppers search for, counted without a table call in their search (docs/decisions.md).

A search's page is the same bytes for everybody and mostly comes from the CDN, so it counts nothing. The small private request
that each page makes anyway (the cart's mark) says on which page it is; where that is a search, its words are counted in this
process, and once a minute at the most one write adds up what has come together, the first at once.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from threading import Lock
from urllib.parse import parse_qs, urlsplit

from pynamodb.exceptions import PynamoDBException

from catalog import index_queries
from catalog.search.engine import IndexMissing
from catalog.search.words import words_of
from catalog.searched_domain import Searched, may_be_counted
from catalog.searched_models import (
    REST,
    SearchedRow,
    counter,
    counter_name,
    counts_of,
    searched_pk,
    searched_sk,
    to_searched,
)
from shop.lib.deadline import OutOfTime
from shop.lib.tables import items_of

logger = logging.getLogger(__name__)

_PAUSE = timedelta(minutes=1)
"""Between two writes of a process."""
_MOST_AT_ONCE = 30
"""Different terms a process keeps between two writes; of more the first are counted."""
MOST_A_DAY = 300
"""Different terms of a day. Each further process may add one before it knows that there is no room."""
_DAYS_OF_A_MONTH = 31
KEEP = timedelta(days=100)
"""How long a day's terms are kept: the dashboard's longest period and a little."""


class _Tally:
    """What this process has counted and not written yet."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.times: dict[str, int] = {}
        self.rest = 0
        self.written_at: datetime | None = None
        self.known: tuple[date, frozenset[str]] = (date.min, frozenset())

    def add(self, name: str) -> None:
        with self.lock:
            if name in self.times or len(self.times) < _MOST_AT_ONCE:
                self.times[name] = self.times.get(name, 0) + 1
            else:
                self.rest += 1

    def take(self, now: datetime) -> dict[str, int]:
        """What is to be written now: nothing while the last write is fresh. Whoever takes it, writes it."""
        with self.lock:
            if not (self.times or self.rest) or (self.written_at is not None and now - self.written_at < _PAUSE):
                return {}
            taken = self.times | ({REST: self.rest} if self.rest else {})
            self.times, self.rest, self.written_at = {}, 0, now
            return taken


_tally = _Tally()


def note_search(*, address: str, list_path: str, now: datetime) -> None:
    """Count the search whose page this is the address of, if it is one; and write, if it is time. Never fails.

    Words that may be somebody's (an address, a number) are not counted at all. Who searched is not known here.
    """
    typed = _typed(address, list_path)
    words = words_of(typed)
    if may_be_counted(typed, words):
        term = " ".join(words)
        try:
            _tally.add(counter_name(term, found=index_queries.finds_anything(text=term)))
        except IndexMissing:
            return
    _guarded(lambda: _write(now))


def searched(*, first: date, last: date) -> tuple[Searched, ...]:
    """What was searched for from the first to the last day, each term once: one query a month."""
    times: Counter[str] = Counter()
    month = first.replace(day=1)
    while month <= last:
        span = SearchedRow.sk.between(searched_sk(first), searched_sk(last))
        for item in items_of(SearchedRow.query(searched_pk(month), span), most=_DAYS_OF_A_MONTH):
            times.update(counts_of(item))
        month = (month + timedelta(days=32)).replace(day=1)
    return to_searched(times)


def forget_searches() -> None:
    """Drop what was not written yet, for tests."""
    global _tally  # noqa: PLW0603 - one process, one tally
    _tally = _Tally()


def _typed(address: str, list_path: str) -> str:
    """The words searched for at this address; none on a second page of the same search, or on another page."""
    try:
        parts = urlsplit(address)
        asked = parse_qs(parts.query, max_num_fields=50) if parts.path == list_path else {}
    except ValueError:
        return ""
    return "" if "page" in asked or "cursor" in asked else asked.get("q", [""])[0]


def _guarded(write: Callable[[], None]) -> None:
    """Counting is worth no shopper's trouble: what cannot be written is lost."""
    try:
        write()
    except (PynamoDBException, OutOfTime):
        logger.warning("searches could not be counted", exc_info=True)


def _write(now: datetime) -> None:
    taken = _tally.take(now)
    if not taken:
        return
    day = now.date()
    known = _tally.known[1] if _tally.known[0] == day else frozenset()
    sums: dict[str, int] = {}
    for name, times in taken.items():
        has_room = name in known or len(known) < MOST_A_DAY
        sums[name if has_room else REST] = sums.get(name if has_room else REST, 0) + times
    row = SearchedRow(searched_pk(day), searched_sk(day))
    row.update(actions=[SearchedRow.expires_at.set(now + KEEP), *(counter(name).add(times) for name, times in sums.items())])
    _tally.known = (day, frozenset(row.counts))
