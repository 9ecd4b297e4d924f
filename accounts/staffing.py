"""What staff do to accounts: rights, invitations, shutting out, ending sessions. Each change with its entry in the audit trail.

Whoever is changed feels it at their next staff page: those ask the tables (`shop.lib.access`).
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from pynamodb.expressions.condition import Condition, size
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from accounts import passwords, queries
from accounts.desk_models import person_note_row
from accounts.domain import (
    Role,
    Session,
    User,
    UserStatus,
    may_change_among_others,
    may_edit,
    may_grant,
    may_hand_out,
    may_look_after,
    normalised_email,
)
from accounts.limits import Kind, count_try
from accounts.models import (
    EMAIL_SK,
    FACTOR,
    PROFILE_SK,
    AccountAuditRow,
    EmailRow,
    SessionRow,
    UserRow,
    email_pk,
    people_pk,
    people_sk,
    session_sk,
    to_email_row,
    to_row,
    user_key,
    user_pk,
)
from accounts.queries import UserNotFound
from accounts.services import Asked, EmailTaken, forget_sessions, request_row, signs_in_elsewhere
from accounts.wording import PERMISSION_WORDS, ROLE_WORDS, STATUS_WORDS
from shop.lib.audit import Change, audit_row
from shop.lib.ids import new_id, new_record_id
from shop.lib.tables import all_of
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Permission, Viewer

_SESSIONS_AT_ONCE = 90
"""A transaction has a hundred writes at the most."""


class NotAllowed(Exception):
    """Nobody grants what they lack or edits somebody above them; or the person was changed by somebody else just now."""


class InvitationAccepted(Exception):
    """They have signed in already: an invitation has nothing left to open."""


def change_rights(*, editor: Viewer, user_id: str, role: Role, permissions: frozenset[Permission], now: datetime) -> User:
    """Make somebody what the editor may make them, as of the next staff page they open. Raises NotAllowed, UserNotFound."""
    user = queries.user(user_id=user_id)
    given = _given(role, permissions)
    if not (may_edit(editor, user) and may_grant(editor, role=role, permissions=permissions)):
        raise NotAllowed
    return _set_rights(user, role, given, editor=editor, now=now)


def set_rights(*, user: User, role: Role, permissions: frozenset[Permission], by: str = "command line", now: datetime) -> User:
    """Make somebody this, asking nobody: for the command line, and what groups elsewhere say. Raises NotAllowed when they just
    changed."""
    return _set_rights(user, role, _given(role, permissions), editor=Viewer(name=by), now=now)


def invite(
    *, editor: Viewer, email: str, first_name: str, last_name: str, role: Role, permissions: frozenset[Permission], now: datetime
) -> User:
    """Make an account for a new member of staff and mail them the link that sets its password. Raises NotAllowed, EmailTaken,
    BadEmail.

    Nobody can sign in to it before: its password is a secret nobody was told.
    """
    given = _given(role, permissions)
    if role is Role.CUSTOMER or not may_grant(editor, role=role, permissions=permissions):
        raise NotAllowed
    normalised_email(email)
    try:
        queries.user_by_email(email=email)
    except UserNotFound:
        pass
    else:
        raise EmailTaken
    user = User(
        user_id=new_id("user", now),
        email=email.strip(),
        first_name=first_name,
        last_name=last_name,
        role=role,
        status=UserStatus.ACTIVE,
        created_at=now,
        password_hash=passwords.hashed(secrets.token_urlsafe(32)),
        credentials=1,
        granted=frozenset(given),
    )

    def build(txn: TransactWrite) -> None:
        txn.save(to_email_row(user), condition=EmailRow.pk.does_not_exist())
        txn.save(to_row(user), condition=UserRow.pk.does_not_exist())
        txn.save(request_row(Asked.INVITATION, email=user.email, now=now, user_id=user.user_id))
        txn.save(_entry(user, editor, "invited", now, _rights_changes(None, user)))

    try:
        run_transaction(build)
    except Refused as refusal:
        raise EmailTaken from refusal
    return user


def invite_again(*, editor: Viewer, user_id: str, now: datetime) -> None:
    """Mail the link once more to somebody who has never signed in. Raises NotAllowed, InvitationAccepted, UserNotFound,
    TooManyTries."""
    user = queries.user(user_id=user_id)
    if not may_edit(editor, user) or not user.is_active:
        raise NotAllowed
    if user.last_login is not None:
        raise InvitationAccepted
    _ask(user, Asked.INVITATION, editor, "invited again", now)


def send_reset(*, editor: Viewer, user_id: str, now: datetime) -> None:
    """Mail somebody a link for a new password. Raises NotAllowed, UserNotFound, TooManyTries."""
    user = queries.user(user_id=user_id)
    if not may_look_after(editor, user) or not user.is_active or signs_in_elsewhere(user):
        raise NotAllowed
    _ask(user, Asked.RESET, editor, "sent a link for a new password", now)


def change_status(*, editor: Viewer, user_id: str, status: UserStatus, now: datetime) -> User:
    """Shut somebody out, wherever they are signed in, or let them in again. Raises NotAllowed, UserNotFound."""
    user = queries.user(user_id=user_id)
    if not may_look_after(editor, user):
        raise NotAllowed
    return user if user.status is status else _set_status(user, status, editor, now)


def change_customers_status(*, editor: Viewer, user: User, status: UserStatus, now: datetime) -> None:
    """The same for one of several customers, as they were just read: never for staff, however much the editor may. Raises
    NotAllowed."""
    if not may_change_among_others(editor, user) or user.status is status:
        raise NotAllowed
    _set_status(user, status, editor, now)


def reset_second_factor(*, editor: Viewer, user_id: str, now: datetime) -> User:
    """Take somebody's authenticator away, who has lost it and the recovery codes; a mail tells them. Without one nothing happens.

    They sign in with the password alone then; where staff need an authenticator, they set up a new one first.
    Raises NotAllowed, UserNotFound.
    """
    user = queries.user(user_id=user_id)
    if not may_look_after(editor, user):
        raise NotAllowed
    if not user.has_second_factor:
        return user

    def build(txn: TransactWrite) -> None:
        condition = _is_unchanged(user) & (user.factor == FACTOR)
        txn.update(user_key(user_id), actions=[UserRow.second_factor.remove()], condition=condition)
        txn.save(_entry(user, editor, "took the authenticator away", now, [Change("second factor", "on", "off")]))

    _run(build)
    return replace(user, factor="")


def add_note(*, editor: Viewer, user_id: str, text: str, now: datetime) -> None:
    """Write something down about somebody, for staff, with its entry in the audit trail. Raises UserNotFound."""
    user = queries.user(user_id=user_id)

    def build(txn: TransactWrite) -> None:
        # Nothing is noted about somebody who leaves at this moment.
        txn.condition_check(UserRow, user_pk(user_id), PROFILE_SK, condition=UserRow.pk.exists())
        txn.save(person_note_row(user_id, note_id=new_record_id("note"), text=text, actor=editor.name, at=now))
        txn.save(_entry(user, editor, "wrote a note", now))

    try:
        run_transaction(build)
    except Refused as refusal:
        raise UserNotFound(user_id) from refusal


def note_export(*, editor: Viewer, user_id: str, now: datetime) -> User:
    """Note that somebody is given what is kept about a customer; then it may be. Raises NotAllowed, UserNotFound."""
    user = queries.user(user_id=user_id)
    if not may_hand_out(editor, user):
        raise NotAllowed
    _entry(user, editor, "took out the data", now).save()
    return user


def erasure_of(*, editor: Viewer, user: User, now: datetime) -> AccountAuditRow:
    """The entry that goes with the end of somebody's account; it names nobody but who did it. Raises NotAllowed."""
    if not may_hand_out(editor, user):
        raise NotAllowed
    return _entry(user, editor, "erased the account", now)


def end_sessions(*, editor: Viewer, user_id: str, now: datetime) -> int:
    """Sign somebody out everywhere; out of how many browsers. Raises NotAllowed, UserNotFound."""
    user = queries.user(user_id=user_id)
    if not may_look_after(editor, user):
        raise NotAllowed
    found = queries.sessions_of(user_id=user_id, now=now)
    for start in range(0, len(found), _SESSIONS_AT_ONCE):
        chunk = found[start : start + _SESSIONS_AT_ONCE]
        changes = [Change("sessions", str(len(found) - start), str(len(found) - start - len(chunk)))]

        def build(txn: TransactWrite, chunk: Sequence[Session] = chunk, changes: Sequence[Change] = changes) -> None:
            for session in chunk:
                txn.delete(SessionRow(user_pk(user_id), session_sk(session.session_id)))
            txn.save(_entry(user, editor, "signed out everywhere", now, changes))

        run_transaction(build)
    return len(found)


def _set_status(user: User, status: UserStatus, editor: Viewer, now: datetime) -> User:
    action = "let in again" if status is UserStatus.ACTIVE else "shut out"
    change = Change("status", STATUS_WORDS[user.status], STATUS_WORDS[status])

    def build(txn: TransactWrite) -> None:
        # Of two who do the same at one moment, one has done it.
        condition = _is_unchanged(user) & (UserRow.status == user.status)
        txn.update(user_key(user.user_id), actions=[UserRow.status.set(status)], condition=condition)
        txn.save(_entry(user, editor, action, now, [change]))

    _run(build)
    if status is UserStatus.DISABLED:
        forget_sessions(user_id=user.user_id, before=user.credentials + 1)
    return replace(user, status=status)


def _set_rights(user: User, role: Role, given: Sequence[Permission], *, editor: Viewer, now: datetime) -> User:
    changed = replace(user, role=role, granted=frozenset(given))
    rights: Action = UserRow.permissions.set(list(given)) if given else UserRow.permissions.remove()

    def build(txn: TransactWrite) -> None:
        txn.update(
            user_key(user.user_id),
            actions=[UserRow.role.set(role), rights],
            condition=_is_unchanged(user) & (UserRow.email == user.email),
        )
        # Moves them between the lists; and claims the address of an account that another system wrote.
        txn.update(
            EmailRow(email_pk(user.email), EMAIL_SK),
            actions=[
                EmailRow.user_id.set(user.user_id),
                EmailRow.gsi1_pk.set(people_pk(role)),
                EmailRow.gsi1_sk.set(people_sk(user)),
            ],
            condition=EmailRow.pk.does_not_exist() | (EmailRow.user_id == user.user_id),
        )
        txn.save(_entry(user, editor, "changed the rights", now, _rights_changes(user, changed)))

    _run(build)
    return changed


def _ask(user: User, asked: Asked, editor: Viewer, action: str, now: datetime) -> None:
    normalised = normalised_email(user.email)
    count_try(Kind.RESET, normalised, now=now)

    def build(txn: TransactWrite) -> None:
        txn.save(request_row(asked, email=normalised, now=now, user_id=user.user_id))
        txn.save(_entry(user, editor, action, now))

    run_transaction(build)


def _run(build: Callable[[TransactWrite], None]) -> None:
    try:
        run_transaction(build)
    except Refused as refusal:
        raise NotAllowed from refusal


def _is_unchanged(user: User) -> Condition:
    """The rule was asked about the person as read: who was given more meanwhile is not changed.

    Another system may have written the permissions in any order, or an empty list of them.
    """
    as_many = size(UserRow.permissions) == len(user.granted)
    return all_of(
        UserRow.role == user.role,
        as_many if user.granted else UserRow.permissions.does_not_exist() | as_many,
        *(UserRow.permissions.contains(word) for word in sorted(user.granted)),
    )


def _given(role: Role, permissions: frozenset[Permission]) -> list[Permission]:
    """What is written down: an admin has everything without being given any."""
    return sorted(permissions) if role is Role.STAFF else []


def _rights_changes(before: User | None, after: User) -> list[Change]:
    """The role, and one by one what was given and what was taken, in the words in which it was asked."""
    had, has = before.granted if before else frozenset(), after.granted
    return [
        Change("role", ROLE_WORDS[before.role] if before else "", ROLE_WORDS[after.role]),
        *(Change("may now", "", words) for one, words in PERMISSION_WORDS.items() if one in has - had),
        *(Change("may no more", "", words) for one, words in PERMISSION_WORDS.items() if one in had - has),
    ]


def _entry(user: User, editor: Viewer, action: str, now: datetime, changes: Sequence[Change] = ()) -> AccountAuditRow:
    return audit_row(AccountAuditRow, user_pk(user.user_id), actor=editor, action=action, now=now, changes=changes)
