"""Reads of accounts. docs/tables.md has a row for each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pynamodb.exceptions import DoesNotExist
from pynamodb.pagination import ResultIterator

from accounts.desk_models import FILTERS_SK, NameRow, PersonNoteRow, SavedFiltersRow, name_pk, person_note_sk, to_filters
from accounts.domain import BadEmail, PersonNote, Role, Session, User
from accounts.links import hash_of
from accounts.mail_models import AccountMailRow
from accounts.models import (
    EMAIL_SK,
    PROFILE_SK,
    TOKEN_SK,
    AccountAuditRow,
    EmailRow,
    RegisteredRow,
    SessionRow,
    TokenRow,
    UserMeta,
    UserRow,
    email_pk,
    people_pk,
    people_span,
    registered_pk,
    registered_sk,
    session_sk,
    to_session,
    to_user,
    token_pk,
    user_pk,
)
from accounts.sign_in_models import SIGNED_IN_ATTRIBUTES, SUBJECT_SK, SubjectRow, subject_pk, to_person
from shop.lib import audit, mail_log
from shop.lib.audit import Entry
from shop.lib.cursors import Page, read_items
from shop.lib.mail_log import LoggedMail
from shop.lib.tables import batch_get, batch_items, items_of, value_of
from shop.lib.viewer import SavedFilter

PEOPLE_SIZE = 25
LOOKED_THROUGH = 100
"""Accounts a page looks at where no index answers: as many as one call reads whole."""
MOST_FOUND = 50
"""People a search by name shows: who wants more adds a word."""
_LOOKED_AT = 500
"""People of one word of a name that are compared with those of another."""
_DAYS_OF_A_MONTH = 31


class Tab(StrEnum):
    """The lists of customers."""

    ALL = "all"
    UNUSED = "unused"
    OUT = "out"


@dataclass(frozen=True, slots=True)
class CustomersAsked:
    """What the list of customers is asked. `domain` is the end of addresses, from the @ on, in their one form."""

    tab: Tab = Tab.ALL
    since: datetime | None = None
    until: datetime | None = None
    domain: str = ""
    cursor: str = ""

    @property
    def is_looked_through(self) -> bool:
        """Whether no index answers it."""
        return self.tab is not Tab.ALL or bool(self.domain)

    def fits(self, user: User) -> bool:
        """Whether somebody belongs into the list that was asked for."""
        if self.tab is Tab.OUT:
            return not user.is_active
        return self.tab is Tab.ALL or (user.is_active and user.is_unused)


class UserNotFound(Exception):
    """There is no such person (any more)."""


class SessionEnded(Exception):
    """The session is over: signed out, expired, or its owner's password or status changed."""


class LinkDead(Exception):
    """A link from a mail that was used, has expired, or never was."""


def user(*, user_id: str) -> User:
    """Somebody by id, as last written. Raises UserNotFound."""
    try:
        return to_user(UserRow.get(user_pk(user_id), PROFILE_SK, consistent_read=True))
    except DoesNotExist:
        raise UserNotFound(user_id) from None


def user_by_email(*, email: str) -> User:
    """Somebody by e-mail address in any spelling. Raises UserNotFound.

    An item in the specification's form, written by another system, claims no address and is found by the index. All three
    calls are made whoever is asked for, so that the time of a sign-in does not tell who has an account.
    """
    try:
        pk = email_pk(email)
    except BadEmail:
        raise UserNotFound from None
    indexed = next((row.user_id for row in UserRow.by_email.query(pk, limit=1)), "")
    try:
        claimed = EmailRow.get(pk, EMAIL_SK, consistent_read=True).user_id
    except DoesNotExist:
        claimed = ""
    return user(user_id=claimed or indexed)


def user_of_subject(*, subject: str) -> User:
    """Whose account somebody's sign-in at another provider opens: two calls. Raises UserNotFound."""
    try:
        link = SubjectRow.get(subject_pk(subject), SUBJECT_SK, consistent_read=True)
    except DoesNotExist:
        raise UserNotFound from None
    found = user(user_id=link.user_id)
    if found.subject != subject:
        raise UserNotFound
    return found


def live_session(*, user_id: str, session_id: str, now: datetime) -> tuple[User, Session]:
    """Somebody and the session they are signed in with, in one call, as last written. Raises SessionEnded."""
    keys = [(user_pk(user_id), PROFILE_SK), (user_pk(user_id), session_sk(session_id))]
    items = {item["SK"]["S"]: item for item in batch_items(UserMeta.table_name, keys, consistent=True)}
    if len(items) < len(keys):
        raise SessionEnded(session_id)
    person = to_user(UserRow.from_raw_data(items[PROFILE_SK]))
    session = to_session(SessionRow.from_raw_data(items[session_sk(session_id)]))
    if not session.is_alive(person, now):
        raise SessionEnded(session_id)
    return person, session


def signed_in(
    *, user_id: str, session_id: str, now: datetime, with_filters: bool
) -> tuple[User, Session, tuple[SavedFilter, ...] | None]:
    """The same for every page that asks who somebody is: of the person what rights depend on, without address book and cards,
    and with their kept filters if wanted. One call. Raises SessionEnded."""
    pk = user_pk(user_id)
    keys = [(pk, PROFILE_SK), (pk, session_sk(session_id)), *([(pk, FILTERS_SK)] if with_filters else [])]
    found = batch_items(UserMeta.table_name, keys, consistent=True, attributes=(*SIGNED_IN_ATTRIBUTES, SavedFiltersRow.filters))
    items = {item["SK"]["S"]: item for item in found}
    if PROFILE_SK not in items or session_sk(session_id) not in items:
        raise SessionEnded(session_id)
    person = to_person(items[PROFILE_SK])
    session = to_session(SessionRow.from_raw_data(items[session_sk(session_id)]))
    if not session.is_alive(person, now):
        raise SessionEnded(session_id)
    if not with_filters:
        return person, session, None
    kept = items.get(FILTERS_SK)
    return person, session, to_filters(SavedFiltersRow.from_raw_data(kept) if kept else None)


def sessions_of(*, user_id: str, now: datetime) -> tuple[Session, ...]:
    """Where somebody is signed in, last seen first. Two calls. Raises UserNotFound."""
    person = user(user_id=user_id)
    rows = SessionRow.query(user_pk(user_id), SessionRow.sk.startswith(session_sk("")), consistent_read=True)
    found = (to_session(row) for row in rows)
    return tuple(sorted((one for one in found if one.is_alive(person, now)), key=lambda one: one.seen_at, reverse=True))


def link(*, secret: str, kind: str, now: datetime) -> TokenRow:
    """What a link from a mail is about; only services may see the row. Raises LinkDead."""
    try:
        row = TokenRow.get(token_pk(hash_of(secret)), TOKEN_SK, consistent_read=True)
    except DoesNotExist:
        raise LinkDead from None
    if row.kind != kind or row.expires_at <= now:
        raise LinkDead
    return row


def is_link_live(*, secret: str, kind: str, now: datetime) -> bool:
    """Whether a link from a mail still leads somewhere, so that nobody fills in a form for nothing. Looking uses nothing up."""
    try:
        link(secret=secret, kind=kind, now=now)
    except LinkDead:
        return False
    return True


# --- For staff --------------------------------------------------------------------------------------------------------


def people(*, role: Role, cursor: str = "", size: int = PEOPLE_SIZE) -> Page[User]:
    """A page of the customers, or of staff and admins, who came last first: one Query of GSI1 and one BatchGet.

    Who was written by another system is listed from the first sign-in or change by staff on; the address finds them before.
    """
    return _listed(people_pk(role), ("0", "~"), question=people_pk(role), cursor=cursor, size=size)


def customers(*, asked: CustomersAsked) -> Page[User]:
    """A page of the customers asked for, at the price of `people`.

    No index tells how an account is used or where its address ends: where that is asked, a page is what fits among
    LOOKED_THROUGH accounts, and may be empty with more to come.
    """
    span = people_span(asked.since, asked.until)
    if span[0] > span[1]:
        return Page(())  # DynamoDB refuses to look between a later and an earlier time
    page = _listed(
        people_pk(Role.CUSTOMER),
        span,
        ends_with=asked.domain,
        question=f"customers {asked.tab} {span} {asked.domain}",
        cursor=asked.cursor,
        size=LOOKED_THROUGH if asked.is_looked_through else PEOPLE_SIZE,
    )
    return replace(page, items=tuple(filter(asked.fits, page.items)))


def people_by_ids(*, user_ids: Sequence[str]) -> tuple[User, ...]:
    """Those of these people (up to 100) who are there, as last written and in this order: one BatchGet."""
    return _people_of(user_ids, consistent=True)


def _listed(partition: str, span: tuple[str, str], *, question: str, cursor: str, size: int, ends_with: str = "") -> Page[User]:
    """A page of the list of people; of those whose address ends so, if that is asked."""

    def ask(**paging: Any) -> ResultIterator[UserRow]:
        rows: ResultIterator[UserRow] = UserRow.by_email.query(partition, UserRow.gsi1_sk.between(*span), **paging)
        return rows

    page = read_items(
        [ask],
        # A place in the list lies under the claim to the address.
        lambda item: value_of(item, UserRow.user_id) if item["PK"]["S"].endswith(ends_with) else None,
        key_names=("PK", "SK", "GSI1PK", "GSI1SK"),
        question=question,
        cursor=cursor,
        size=size,
        forward=False,
    )
    return Page(_people_of(page.items), page.next_cursor, page.previous_cursor)


def people_named(words: tuple[str, ...]) -> tuple[User, ...]:
    """Who has all the words in their name, the latest account first: one Query a word and one BatchGet.

    The words are as `findable_words` gives them. The stream writes them down a moment after a name.
    """
    if not words:
        return ()
    found = [[row.user_id for row in NameRow.query(name_pk(word), scan_index_forward=False, limit=_LOOKED_AT)] for word in words]
    in_all = set(found[0]).intersection(*found[1:])
    return _people_of([user_id for user_id in found[0] if user_id in in_all][:MOST_FOUND])


def names_of(*, user_ids: Sequence[str]) -> dict[str, str]:
    """What these people (up to 100) are called, by id, as far as they are still there: one BatchGet."""
    return {one.user_id: one.name or one.email for one in _people_of(tuple(dict.fromkeys(user_ids)))}


def _people_of(user_ids: Sequence[str], *, consistent: bool = False) -> tuple[User, ...]:
    """Those of these people who are (still) there, in this order."""
    if not user_ids:
        return ()
    rows = batch_get(UserRow, [(user_pk(user_id), PROFILE_SK) for user_id in user_ids], consistent=consistent)
    whole = {row.user_id: to_user(row) for row in rows}
    return tuple(whole[user_id] for user_id in user_ids if user_id in whole)


def notes_about(*, user_id: str, most: int = 50) -> tuple[PersonNote, ...]:
    """What staff wrote down about somebody, newest first: one Query."""
    begins = PersonNoteRow.sk.startswith(person_note_sk())
    rows = PersonNoteRow.query(user_pk(user_id), begins, scan_index_forward=False, limit=most)
    return tuple(PersonNote(row.text, row.actor, row.at) for row in rows)


def entries_about(*, user_id: str, cursor: str = "") -> Page[Entry]:
    """What staff did to an account, newest first: one Query."""
    return audit.entries_about(AccountAuditRow, user_pk(user_id), cursor=cursor)


def mails_to(*, user_id: str) -> tuple[LoggedMail, ...]:
    """Mails about an account, latest first: one Query."""
    return mail_log.mails_about(AccountMailRow, user_pk(user_id))


def mails_of_month(*, month: datetime, cursor: str = "") -> Page[LoggedMail]:
    """Mails about accounts in a month, latest first: one Query and one BatchGet."""
    return mail_log.mails_of_month(AccountMailRow, UserRow.by_email, month, cursor=cursor)


def failed_mails(*, cursor: str = "", size: int = mail_log.PAGE_SIZE) -> Page[LoggedMail]:
    """Mails about accounts that could not be sent: one Query."""
    return mail_log.failed_mails(AccountMailRow, cursor=cursor, size=size)


def entries_of_month(*, month: datetime, cursor: str = "") -> Page[Entry]:
    """What staff did to accounts in a month, newest first: one Query and one BatchGet."""
    return audit.entries_of_month(AccountAuditRow, UserRow.by_email, month, cursor=cursor)


def registered(*, first: date, last: date) -> dict[date, int]:
    """By day how many customers came from the first to the last: one query a month."""
    found: dict[date, int] = {}
    month = first.replace(day=1)
    while month <= last:
        span = RegisteredRow.sk.between(registered_sk(first), registered_sk(last))
        items = items_of(RegisteredRow.query(registered_pk(month), span), most=_DAYS_OF_A_MONTH)
        found |= {
            date.fromisoformat(value_of(item, RegisteredRow.sk).partition("#")[2]): value_of(item, RegisteredRow.number, 0)
            for item in items
        }
        month = (month + timedelta(days=32)).replace(day=1)
    return found
