"""The log of mails: what was sent or could not be, to whom and how often it was tried. Bodies are not kept, addresses shortened.

An app gives the rows a table; a mail lies under what it is about (an order, a person, a product). `noting` says what a mail is
about while it is sent, so that what sends it need not know.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex

from shop.lib.attributes import EpochAttribute, IntegerAttribute, TimeAttribute, time_text
from shop.lib.cursors import Page, read_items, read_page
from shop.lib.tables import Row, batch_get

logger = logging.getLogger(__name__)

KEEP = timedelta(days=90)
"""How long the log remembers a mail: as long as somebody may ask where it is."""
PAGE_SIZE = 50
FAILED_PK = "MAILS#failed"
MAIL_SK = "MAIL#"
"""What the sort keys of all mails begin with."""
_LONGEST_PROBLEM = 200
_SHOWN_OF_ADDRESS = 2
_ADDRESS = re.compile(r"[^\s<>()\"',;:]+@[^\s<>()\"',;:]+")


class MailState(StrEnum):
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A mail of the log. `subject` is the partition key of what it is about, `origin` what made it one of its kind."""

    subject: str
    kind: str
    origin: str
    to: str
    state: MailState
    at: datetime
    tries: int
    problem: str
    actor: str


class MailRow(Row):
    """A mail. An app gives it a table with GSI1, which lists the mails of a month."""

    kind = UnicodeAttribute()
    origin = UnicodeAttribute()
    to = UnicodeAttribute()
    state = UnicodeAttribute()
    at = TimeAttribute()
    tries = IntegerAttribute()
    problem = UnicodeAttribute(null=True)
    actor = UnicodeAttribute(null=True)
    about = UnicodeAttribute(null=True)
    expires_at = EpochAttribute(attr_name="expiresAt")
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)


R = TypeVar("R", bound=MailRow)


@dataclass(frozen=True, slots=True)
class _About:
    rows: type[MailRow]
    subject: str
    origin: str
    now: datetime
    actor: str


_about: ContextVar[_About | None] = ContextVar("mail_is_about", default=None)


@contextmanager
def noting(rows: type[MailRow], *, subject: str, origin: str, now: datetime, actor: str = "") -> Iterator[None]:
    """Every mail sent inside is noted under `subject` (a partition key). The same kind and origin again is another try."""
    token = _about.set(_About(rows, subject, origin, now, actor))
    try:
        yield
    finally:
        _about.reset(token)


def note(*, kind: str, to: str, trouble: Exception | None) -> None:
    """Keep that a mail went out, or why it did not. Never raises: a mail that is out must not go again because of its log."""
    about = _about.get()
    if about is None:
        return
    try:
        _write(about, kind, to, trouble)
    except Exception:
        logger.exception("a mail was not noted in the log")


def mails_about(rows: type[R], subject: str) -> tuple[LoggedMail, ...]:
    """The mails about a thing, latest first: one Query."""
    return latest_first(rows.query(subject, rows.sk.startswith(MAIL_SK)))


def latest_first(rows: Iterable[MailRow]) -> tuple[LoggedMail, ...]:
    """The mails of these rows, latest first."""
    return tuple(sorted(map(_mail, rows), key=lambda mail: mail.at, reverse=True))


def mails_of_month(
    rows: type[R], index: GlobalSecondaryIndex[Any], month: datetime, *, cursor: str = "", size: int = PAGE_SIZE
) -> Page[LoggedMail]:
    """Mails first tried in a month, latest first: one Query of the table's GSI1 and one BatchGet."""
    page = read_items(
        [partial(index.query, _month_key(month))],
        lambda item: (item["PK"]["S"], item["SK"]["S"]),
        key_names=("PK", "SK", "GSI1PK", "GSI1SK"),
        question=_month_key(month),
        cursor=cursor,
        size=size,
        forward=False,
    )
    found = {(row.pk, row.sk): row for row in batch_get(rows, page.items, consistent=False)} if page.items else {}
    return Page(tuple(_mail(found[key]) for key in page.items if key in found), page.next_cursor, page.previous_cursor)


def failed_mails(rows: type[R], *, cursor: str = "", size: int = PAGE_SIZE) -> Page[LoggedMail]:
    """Mails whose last try failed, whenever that was: one Query."""
    return read_page(
        partial(rows.query, FAILED_PK), _mail, key_names=("PK", "SK"), question=FAILED_PK, cursor=cursor, size=size, forward=False
    )


def forget_failure(rows: type[R], *, subject: str, kind: str, origin: str) -> None:
    """A mail that failed needs nobody any more: it went out another way."""
    rows(FAILED_PK, f"{subject}#{_sk(kind, origin)}").delete()


def erase_mails(rows: type[R], subject: str) -> None:
    """Forget every mail about somebody: a Query, and a delete each, failures included."""
    for row in list(rows.query(subject, rows.sk.startswith(MAIL_SK))):
        rows(FAILED_PK, f"{subject}#{row.sk}").delete()
        row.delete()


def short_address(address: str) -> str:
    """Enough of an address to recognize it by, and too little to write to: `ad…@example.com`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:_SHOWN_OF_ADDRESS]}…{at}{domain}" if at else "…"


def _write(about: _About, kind: str, to: str, trouble: Exception | None) -> None:
    rows, sk = about.rows, _sk(kind, about.origin)
    problem = _ADDRESS.sub("…", f"{type(trouble).__name__}: {trouble}")[:_LONGEST_PROBLEM] if trouble else ""
    row = rows(about.subject, sk)
    row.update(
        actions=[
            rows.kind.set(kind),
            rows.origin.set(about.origin),
            rows.to.set(short_address(to)),
            rows.state.set(MailState.FAILED if trouble else MailState.SENT),
            rows.at.set(about.now),
            rows.tries.set((rows.tries | 0) + 1),
            rows.problem.set(problem) if problem else rows.problem.remove(),
            rows.actor.set(about.actor) if about.actor else rows.actor.remove(),
            rows.expires_at.set(about.now + KEEP),
            # Where the month lists it: by the first try, so that a mail does not wander.
            rows.gsi1_pk.set(rows.gsi1_pk | _month_key(about.now)),
            rows.gsi1_sk.set(rows.gsi1_sk | f"{time_text(about.now)}#{about.subject}#{sk}"),
        ]
    )
    pointer = f"{about.subject}#{sk}"
    if trouble:
        _copy(row, pointer).save()
    elif row.tries > 1:
        rows(FAILED_PK, pointer).delete()


def _copy(row: R, pointer: str) -> R:
    """A failed mail once more, in the list of those."""
    copy = type(row)(FAILED_PK, pointer, kind=row.kind, origin=row.origin, to=row.to, state=row.state, at=row.at)
    copy.tries, copy.problem, copy.actor = row.tries, row.problem, row.actor
    copy.about, copy.expires_at = row.pk, row.expires_at
    return copy


def _mail(row: MailRow) -> LoggedMail:
    return LoggedMail(
        subject=row.about or row.pk,
        kind=row.kind,
        origin=row.origin,
        to=row.to,
        state=MailState(row.state),
        at=row.at,
        tries=row.tries,
        problem=row.problem or "",
        actor=row.actor or "",
    )


def _sk(kind: str, origin: str) -> str:
    return f"{MAIL_SK}{kind}#{origin}"


def _month_key(moment: datetime) -> str:
    return f"MAILS#{moment:%Y-%m}"
