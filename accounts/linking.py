"""Whose account somebody's sign-in at the user pool opens, and what they may do: the pool's groups say it at each sign-in.

An account that was linked has no password any more: whoever the pool shuts out is shut out here.
"""

import secrets
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from pynamodb.transactions import TransactWrite

from accounts import passwords, queries
from accounts.domain import BadEmail, Proven, Role, User, UserStatus, normalised_email, rights_of_groups
from accounts.models import (
    AccountAuditRow,
    EmailRow,
    UserRow,
    has_credentials,
    to_email_row,
    to_row,
    user_key,
    user_pk,
)
from accounts.queries import UserNotFound
from accounts.services import forget_sessions
from accounts.sign_in_models import SUBJECT_SK, SubjectRow, subject_pk
from accounts.staffing import NotAllowed, set_rights
from shop.lib.audit import audit_row
from shop.lib.ids import new_id
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Permission, Viewer

_ACTOR = Viewer(name="Cognito")


class NotLetIn(Exception):
    """Whoever signed in there stays out here; the message tells them why and whom to ask."""


def account_of(*, person: Proven, now: datetime) -> User:
    """The account of somebody the pool vouches for, with the rights their groups give; made or linked when they are new.

    Raises NotLetIn.
    """
    rights = rights_of_groups(person.groups, settings.COGNITO_GROUPS)
    try:
        user = queries.user_of_subject(subject=person.subject)
    except UserNotFound:
        if rights is None:
            raise NotLetIn("Your account there is in no group that may do anything here. An admin can add it to one.") from None
        user = _newcomer(person, *rights, now=now)
    if not user.is_active:
        raise NotLetIn("Your account here is shut. An admin can open it again.")
    user = _with_rights(user, *(rights or (Role.CUSTOMER, frozenset())), now=now)
    if rights is None:
        raise NotLetIn("Your account there is in no group that may do anything here any more. An admin can add it to one.")
    return user


def _with_rights(user: User, role: Role, permissions: frozenset[Permission], *, now: datetime) -> User:
    """The account with what the groups say now, which may be less than before."""
    if user.role is role and user.permissions == permissions:
        return user
    try:
        return set_rights(user=user, role=role, permissions=permissions, by=_ACTOR.name, now=now)
    except NotAllowed:
        raise NotLetIn("Your account changed at this very moment. Please try once more.") from None


def _newcomer(person: Proven, role: Role, permissions: frozenset[Permission], *, now: datetime) -> User:
    """The account of somebody who signs in this way for the first time: a new one, or the one that has their address."""
    try:
        normalised_email(person.email)
    except BadEmail:
        raise NotLetIn("Your account there has no e-mail address. An admin can add one.") from None
    if not person.is_email_verified:
        raise NotLetIn("Your e-mail address there is not confirmed yet. Please confirm it, then sign in once more.")
    try:
        found = queries.user_by_email(email=person.email)
    except UserNotFound:
        return _made(person, role, permissions, now=now)
    if found.subject:
        raise NotLetIn("Another sign-in has the account with your e-mail address. An admin can tell which.")
    if found.is_active and not found.permissions <= permissions:
        raise NotLetIn(
            "The account with your e-mail address may do more here than your groups there. "
            "Sign in with its password, or ask an admin to bring the two into line."
        )
    return _linked(found, person, now=now) if found.is_active else found


def _made(person: Proven, role: Role, permissions: frozenset[Permission], *, now: datetime) -> User:
    user = User(
        user_id=new_id("user", now),
        email=person.email,
        first_name=person.first_name or person.email.partition("@")[0],
        last_name=person.last_name,
        role=role,
        status=UserStatus.ACTIVE,
        created_at=now,
        password_hash=_nobodys_password(),
        credentials=1,
        granted=frozenset() if role is Role.ADMIN else permissions,
        subject=person.subject,
    )

    def build(txn: TransactWrite) -> None:
        txn.save(to_email_row(user), condition=EmailRow.pk.does_not_exist())
        txn.save(to_row(user), condition=UserRow.pk.does_not_exist())
        txn.save(SubjectRow(subject_pk(person.subject), SUBJECT_SK, user_id=user.user_id))
        txn.save(_entry(user, "signed in for the first time", now))

    _run(build)
    return user


def _linked(user: User, person: Proven, *, now: datetime) -> User:
    """The account that has the address, from now on opened by the pool alone: password, mailed links and sessions end."""
    count, made = user.credentials + 1, _nobodys_password()
    is_unchanged = (
        UserRow.subject.does_not_exist()
        & (UserRow.email == user.email)
        & (UserRow.role == user.role)
        & (UserRow.status == UserStatus.ACTIVE)
        & has_credentials(user.credentials)
    )

    def build(txn: TransactWrite) -> None:
        txn.update(
            user_key(user.user_id),
            actions=[UserRow.subject.set(person.subject), UserRow.password_hash.set(made), UserRow.credentials.set(count)],
            condition=is_unchanged,
        )
        txn.save(SubjectRow(subject_pk(person.subject), SUBJECT_SK, user_id=user.user_id))
        txn.save(_entry(user, "linked to a sign-in", now))

    _run(build)
    forget_sessions(user_id=user.user_id, before=count)
    return queries.user(user_id=user.user_id)


def _entry(user: User, action: str, now: datetime) -> AccountAuditRow:
    return audit_row(AccountAuditRow, user_pk(user.user_id), actor=_ACTOR, action=action, now=now)


def _nobodys_password() -> str:
    return passwords.hashed(secrets.token_urlsafe(32))


def _run(build: Callable[[TransactWrite], None]) -> None:
    try:
        run_transaction(build)
    except Refused as refusal:
        raise NotLetIn("Your account changed at this very moment. Please try once more.") from refusal
