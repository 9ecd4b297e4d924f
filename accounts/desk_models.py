"""Rows that staff's desk needs beside the accounts: notes about people, and the filters each member of staff has kept."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from accounts.models import UserMeta, user_pk
from shop.lib.attributes import Document, DocumentListAttribute, IntegerAttribute, TimeAttribute, time_text
from shop.lib.tables import Row
from shop.lib.viewer import SavedFilter

FILTERS_SK = "FILTERS"


class PersonNoteRow(Row):
    """What staff wrote down about somebody, for staff; theirs to see when they ask for their data."""

    class Meta(UserMeta):
        pass

    text = UnicodeAttribute()
    actor = UnicodeAttribute()
    at = TimeAttribute()


class SavedFilterMap(Document):
    filter_id = UnicodeAttribute(attr_name="filterId")
    listed = UnicodeAttribute(attr_name="list")
    name = UnicodeAttribute()
    query = UnicodeAttribute()


class SavedFiltersRow(Row):
    """The filters somebody of staff has named, all in one row: a list page reads it whole."""

    class Meta(UserMeta):
        pass

    filters = DocumentListAttribute(SavedFilterMap)
    version = IntegerAttribute()


class NameRow(Row):
    """A word of somebody's name, by which staff find them."""

    class Meta(UserMeta):
        pass

    user_id = UnicodeAttribute(attr_name="userId")


class KeysRow(Row):
    """Anything under a person, by its key alone."""

    class Meta(UserMeta):
        pass


def person_note_sk(at: str = "", note_id: str = "") -> str:
    """The sort key of a note; without arguments, what all of them begin with."""
    return f"NOTE#{at}#{note_id}" if note_id else "NOTE#"


def person_note_row(user_id: str, *, note_id: str, text: str, actor: str, at: datetime) -> PersonNoteRow:
    return PersonNoteRow(user_pk(user_id), person_note_sk(time_text(at), note_id), text=text, actor=actor, at=at)


def name_pk(word: str) -> str:
    return f"NAME#{word}"


def name_row(word: str, user_id: str) -> NameRow:
    return NameRow(name_pk(word), f"FINDS#{user_id}", user_id=user_id)


def to_filters(row: SavedFiltersRow | None) -> tuple[SavedFilter, ...]:
    """Somebody's filters, of their row; who keeps none has none."""
    return tuple(SavedFilter(one.filter_id, one.listed, one.name, one.query) for one in row.filters) if row else ()
