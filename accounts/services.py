"""Opening an account, and its password; what staff, the address book and sign-ins change of one has modules of its own.

Whatever is answered by mail is only asked for here, by a row that costs the same for known and unknown addresses; the table's
stream (`reactions`) looks the person up and sends. So neither the page's words nor its time tell who has an account.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from accounts import passwords, queries
from accounts.domain import (
    BadPassword,
    Role,
    User,
    UserStatus,
    normalised_email,
    require_good_password,
)
from accounts.limits import Kind, count_tries, count_try, forget_tries
from accounts.links import hash_of, new_secret
from accounts.models import (
    REQUEST_SK,
    TOKEN_SK,
    EmailRow,
    RegisteredRow,
    RequestRow,
    SessionRow,
    TokenRow,
    UserRow,
    has_credentials,
    registered_pk,
    registered_sk,
    request_pk,
    session_sk,
    to_email_row,
    to_row,
    token_pk,
    user_key,
    user_pk,
)
from accounts.queries import LinkDead, UserNotFound
from shop.lib.ids import new_id
from shop.lib.tables import is_refused
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

VERIFY_LIFETIME = timedelta(hours=24)
RESET_LIFETIME = timedelta(minutes=10)
INVITATION_LIFETIME = timedelta(days=7)
CHANGE_LIFETIME = timedelta(hours=24)
REQUEST_LIFETIME = timedelta(days=2)
"""Longer than a stream keeps a record that could not be delivered."""


class Asked(StrEnum):
    """What can be asked for and is answered by mail."""

    ACCOUNT = "account"
    RESET = "reset"
    INVITATION = "invitation"
    EMAIL_CHANGE = "email-change"


class Link(StrEnum):
    """What a link in a mail is for."""

    VERIFY = "verify"
    RESET = "reset"
    OLD_EMAIL = "old-email"
    NEW_EMAIL = "new-email"


class WrongPassword(Exception):
    """This is not the password."""


class EmailTaken(Exception):
    """Another account has this address."""


# --- Registration -----------------------------------------------------------------------------------------------------


def register(*, email: str, first_name: str, last_name: str, password: str, source: str, now: datetime, onward: str = "") -> None:
    """Ask for an account. The address gets a mail: with a link that opens the account, or saying that there is one already.

    Nothing exists until the link is followed, so nobody can sit on another's address. `onward` is the page
    of this site the mail leads on to. Raises BadEmail, BadPassword, TooManyTries.
    """
    normalised = normalised_email(email)
    require_password(password, about=(email, first_name, last_name))
    count_tries((Kind.REGISTER_SOURCE, source), (Kind.REGISTER, normalised), now=now)
    ask(
        Asked.ACCOUNT,
        email=email.strip(),
        now=now,
        password_hash=passwords.hashed(password),
        first_name=first_name,
        last_name=last_name,
        onward=onward or None,
    )


def open_account(*, secret: str, password: str, source: str, now: datetime) -> User:
    """Follow the link of the mail: the account begins to exist.

    The password is asked for again: who merely owns the mailbox did not choose it, and must not be led into an account
    that somebody else made in their name. Raises LinkDead, WrongPassword, EmailTaken, TooManyTries.
    """
    count_try(Kind.LINK_SOURCE, source, now=now)
    row = queries.link(secret=secret, kind=Link.VERIFY, now=now)
    count_try(Kind.CODE, f"verify {row.pk}", now=now)
    if not passwords.is_right(password, row.password_hash):
        raise WrongPassword
    user = User(
        user_id=new_id("user", now),
        email=row.email,
        first_name=row.first_name or "",
        last_name=row.last_name or "",
        role=Role.CUSTOMER,
        status=UserStatus.ACTIVE,
        created_at=now,
        password_hash=row.password_hash or "",
        credentials=1,
    )
    add_user(user=user, link=row, now=now)
    return user


def add_user(*, user: User, link: TokenRow | None = None, now: datetime) -> None:
    """Write a new account with its claim to the address, using up the link it came by. Raises EmailTaken, LinkDead."""
    try:
        queries.user_by_email(email=user.email)
    except UserNotFound:
        pass
    else:
        raise EmailTaken

    def build(txn: TransactWrite) -> None:
        if link is not None:
            txn.delete(link, condition=is_live(now))
        txn.save(to_email_row(user), condition=EmailRow.pk.does_not_exist())
        txn.save(to_row(user), condition=UserRow.pk.does_not_exist())
        if user.role is Role.CUSTOMER:
            day = user.created_at.date()
            txn.update(RegisteredRow(registered_pk(day), registered_sk(day)), actions=[RegisteredRow.number.add(1)])

    try:
        run_transaction(build)
    except Refused as refusal:
        if link is not None and refusal.is_about(link.pk):
            raise LinkDead from refusal
        raise EmailTaken from refusal


def add_missing_user(*, user: User, password: str, now: datetime) -> bool:
    """Write an account with this password unless its address has one; whether it was written."""
    try:
        queries.user_by_email(email=user.email)
    except UserNotFound:
        add_user(user=replace(user, password_hash=passwords.hashed(password)), now=now)
        return True
    return False


# --- Passwords --------------------------------------------------------------------------------------------------------


def require_password(password: str, *, about: Iterable[str]) -> None:
    """Refuse a password that is easily guessed. Raises BadPassword."""
    require_good_password(password, about=about)
    if passwords.is_common(password):
        raise BadPassword("Many people use this password, so it is among the first to be tried. Please choose another one.")


def request_password_reset(*, email: str, source: str, now: datetime) -> None:
    """Ask for a link that sets a new password; it goes to the address of the account, if there is one.

    Raises BadEmail, TooManyTries.
    """
    normalised = normalised_email(email)
    count_tries((Kind.RESET_SOURCE, source), (Kind.RESET, normalised), now=now)
    ask(Asked.RESET, email=normalised, now=now)


def reset_password(*, secret: str, password: str, source: str, now: datetime) -> None:
    """Set a new password by a mailed link, once. Every session ends. Raises LinkDead, BadPassword, TooManyTries."""
    count_try(Kind.LINK_SOURCE, source, now=now)
    row = queries.link(secret=secret, kind=Link.RESET, now=now)
    try:
        user = queries.user(user_id=row.user_id or "")
    except UserNotFound:
        raise LinkDead from None
    require_password(password, about=(user.email, user.first_name, user.last_name))
    made = passwords.hashed(password)

    def build(txn: TransactWrite) -> None:
        txn.delete(row, condition=is_live(now))
        txn.update(
            user_key(user.user_id),
            actions=[UserRow.password_hash.set(made), UserRow.credentials.set((row.credentials or 0) + 1)],
            condition=has_credentials(row.credentials or 0) & (UserRow.status == UserStatus.ACTIVE),
        )

    try:
        run_transaction(build)
    except Refused as refusal:
        raise LinkDead from refusal
    forget_sessions(user_id=user.user_id, before=(row.credentials or 0) + 1)
    forget_tries(Kind.LOGIN, normalised_email(user.email))


def change_password(*, viewer: Viewer, password: str, new_password: str, now: datetime) -> None:
    """Set a new password by knowing the old one. Every other session ends.

    Raises WrongPassword, BadPassword, TooManyTries, SessionEnded.
    """
    user, session = queries.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=now)
    require_own_password(user=user, password=password, now=now)
    require_password(new_password, about=(user.email, user.first_name, user.last_name))
    made, count = passwords.hashed(new_password), user.credentials + 1

    def build(txn: TransactWrite) -> None:
        txn.update(
            user_key(user.user_id),
            actions=[UserRow.password_hash.set(made), UserRow.credentials.set(count)],
            condition=has_credentials(user.credentials) & (UserRow.status == UserStatus.ACTIVE),
        )
        txn.update(
            SessionRow(user_pk(user.user_id), session_sk(session.session_id)),
            actions=[SessionRow.credentials.set(count)],
            condition=SessionRow.pk.exists(),
        )

    try:
        run_transaction(build)
    except Refused as refusal:
        raise queries.SessionEnded(session.session_id) from refusal
    forget_sessions(user_id=user.user_id, before=count)


def require_own_password(*, user: User, password: str, now: datetime) -> None:
    """Let somebody who is signed in prove that it is still them. Raises WrongPassword, TooManyTries."""
    whom = f"own {user.user_id}"
    count_try(Kind.CODE, whom, now=now)
    if not passwords.is_right(password, user.password_hash):
        raise WrongPassword
    forget_tries(Kind.CODE, whom)


def keep_newer_hash(*, user: User, password: str) -> None:
    """Hash a password that was just proven right at today's cost, unless it was changed meanwhile. It stays the same password."""
    try:
        user_key(user.user_id).update(
            actions=[UserRow.password_hash.set(passwords.hashed(password))],
            condition=UserRow.password_hash == user.password_hash,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise


def signs_in_elsewhere(user: User) -> bool:
    """Whether somebody has no password here, for they sign in at another provider: no mail may give them one."""
    return bool(user.subject) and settings.COGNITO_SIGNS_IN


# --- Links ------------------------------------------------------------------------------------------------------------


def make_link(
    *,
    link: Link,
    email: str,
    expires_at: datetime,
    user: User | None = None,
    change_id: str = "",
    pending: RequestRow | None = None,
) -> str:
    """A new link's secret. It goes into a mail and is kept nowhere; the table has its hash."""
    secret = new_secret()
    TokenRow(
        token_pk(hash_of(secret)),
        TOKEN_SK,
        kind=link,
        email=email,
        user_id=user.user_id if user else None,
        credentials=user.credentials if user else None,
        change_id=change_id or None,
        password_hash=pending.password_hash if pending else None,
        first_name=pending.first_name if pending else None,
        last_name=pending.last_name if pending else None,
        expires_at=expires_at,
    ).save()
    return secret


# --- Shared -----------------------------------------------------------------------------------------------------------


def forget_sessions(*, user_id: str, before: int) -> None:
    """Delete the sessions an earlier count of credentials started. They are dead already; this is tidying."""
    for row in SessionRow.query(user_pk(user_id), SessionRow.sk.startswith(session_sk("")), consistent_read=True):
        if row.credentials < before:
            row.delete()


def ask(asked: Asked, *, email: str, now: datetime, **details: Any) -> None:
    """Note what somebody asked for; the stream answers it by mail."""
    request_row(asked, email=email, now=now, **details).save()


def request_row(asked: Asked, *, email: str, now: datetime, **details: Any) -> RequestRow:
    """The row that asks for a mail, to be saved by itself or with what the mail is about."""
    return RequestRow(
        request_pk(new_id("ask", now)),
        REQUEST_SK,
        kind=asked,
        email=email,
        requested_at=now,
        expires_at=now + REQUEST_LIFETIME,
        **details,
    )


def is_live(now: datetime) -> Condition:
    """The condition that a link was not used and is not too old."""
    condition: Condition = TokenRow.pk.exists() & (TokenRow.expires_at > now)
    return condition
