"""The audit trail: who changed what, before and after. An entry lies under the object it is about, in that object's table,
and is written in the transaction that makes the change, so that neither is there without the other."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex

from shop.lib.attributes import Document, DocumentListAttribute, TimeAttribute, time_text
from shop.lib.cursors import Page, read_items, read_page
from shop.lib.ids import new_record_id
from shop.lib.tables import Row, batch_get
from shop.lib.viewer import Viewer

AUDIT_SK = "AUDIT#"
"""What the sort keys of all entries begin with."""
_LONGEST_TEXT = 500
"""Characters kept of a long text: enough to recognize it, and an entry stays far below DynamoDB's 400 KB."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field's text before and after; empty for none. `about` is the partition key of what the texts name, where staff can
    look at it."""

    field: str
    before: str
    after: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing somebody did. `subject` is the partition key of what it was done to."""

    subject: str
    at: datetime
    actor_id: str
    actor_name: str
    action: str
    changes: tuple[Change, ...]


class ChangeMap(Document):
    field = UnicodeAttribute()
    before = UnicodeAttribute()
    after = UnicodeAttribute()
    about = UnicodeAttribute(null=True)


class AuditRow(Row):
    """An entry. An app gives it a table, and by its GSI1 a list of all entries of a month.

    A table without the index keeps a copy of each entry (`month_copy`) in a partition of the month.
    """

    at = TimeAttribute()
    actor_id = UnicodeAttribute(attr_name="actorId")
    actor_name = UnicodeAttribute(attr_name="actorName")
    action = UnicodeAttribute()
    changes = DocumentListAttribute(ChangeMap)
    # Of a copy in a month's partition: what the entry is about.
    about = UnicodeAttribute(null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK")


A = TypeVar("A", bound=AuditRow)


def audit_row(
    rows: type[A], subject: str, *, actor: Viewer, action: str, now: datetime, changes: Sequence[Change] = (), entry_id: str = ""
) -> A:
    """The entry to save in the transaction that makes the change. Never pass a password, a token or card data as a change.

    With an `entry_id` of its own, the entry of one thing at one time is the same however often it is written.
    """
    place = f"{time_text(now)}#{entry_id or new_record_id('aud')}"
    return rows(
        subject,
        f"{AUDIT_SK}{place}",
        at=now,
        actor_id=actor.user_id,
        actor_name=actor.name,
        action=action,
        changes=[
            ChangeMap(
                field=change.field,
                before=change.before[:_LONGEST_TEXT],
                after=change.after[:_LONGEST_TEXT],
                about=change.about or None,
            )
            for change in changes
            if change.before != change.after
        ],
        gsi1_pk=_month_key(now),
        gsi1_sk=place,
    )


def month_copy(row: A) -> A:
    """The copy of an entry that lists the month, for a table without GSI1; saved in the same transaction."""
    return type(row)(
        row.gsi1_pk,
        row.gsi1_sk,
        about=row.pk,
        at=row.at,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        changes=row.changes,
        gsi1_pk=row.gsi1_pk,
        gsi1_sk=row.gsi1_sk,
    )


def entries_about(rows: type[A], subject: str, *, cursor: str = "", size: int = 20) -> Page[Entry]:
    """What was done to an object, newest first: one Query."""
    return read_page(
        lambda **asked: rows.query(subject, rows.sk.startswith(AUDIT_SK), **asked),
        to_entry,
        key_names=("PK", "SK"),
        question=f"audit {subject}",
        cursor=cursor,
        size=size,
        forward=False,
    )


def entries_of_month(
    rows: type[A], index: GlobalSecondaryIndex[Any], month: datetime, *, cursor: str = "", size: int = 50
) -> Page[Entry]:
    """What was done in a month to anything of a table, newest first: one Query of its GSI1 and one BatchGet.

    `index` is the table's GSI1, whose projection has but the keys of an entry.
    """
    page = read_items(
        [lambda **asked: index.query(_month_key(month), **asked)],
        lambda item: (item["PK"]["S"], item["SK"]["S"]),
        key_names=("PK", "SK", "GSI1PK", "GSI1SK"),
        question=f"audit {_month_key(month)}",
        cursor=cursor,
        size=size,
        forward=False,
    )
    found = batch_get(rows, page.items, consistent=False) if page.items else []
    entries = sorted(map(to_entry, found), key=lambda entry: entry.at, reverse=True)
    return Page(tuple(entries), page.next_cursor, page.previous_cursor)


def copies_of_month(rows: type[A], month: datetime, *, cursor: str = "", size: int = 50) -> Page[Entry]:
    """The same of a table without GSI1, from the copies: one Query."""
    return read_page(
        lambda **asked: rows.query(_month_key(month), **asked),
        to_entry,
        key_names=("PK", "SK"),
        question=f"audit copies {_month_key(month)}",
        cursor=cursor,
        size=size,
        forward=False,
    )


def _month_key(moment: datetime) -> str:
    return f"{AUDIT_SK}{moment:%Y-%m}"


def to_entry(row: AuditRow) -> Entry:
    """What the entry says."""
    return Entry(
        subject=row.about or row.pk,
        at=row.at,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        action=row.action,
        changes=tuple(Change(change.field, change.before, change.after, change.about or "") for change in row.changes),
    )
