"""Another e-mail address for an account: both addresses have to confirm it."""

from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import DoesNotExist
from pynamodb.transactions import TransactWrite

from accounts import queries
from accounts.domain import User, UserStatus, normalised_email
from accounts.limits import Kind, count_try
from accounts.models import (
    EMAIL_CHANGE_SK,
    EMAIL_SK,
    EmailChangeRow,
    EmailRow,
    TokenRow,
    UserRow,
    email_pk,
    has_credentials,
    to_email_row,
    user_key,
    user_pk,
)
from accounts.queries import LinkDead, UserNotFound
from accounts.services import (
    CHANGE_LIFETIME,
    Asked,
    EmailTaken,
    Link,
    ask,
    forget_sessions,
    is_live,
    require_own_password,
)
from shop.lib.ids import new_id
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer


class SameEmail(Exception):
    """The address is the account's already, letter for letter."""


def request_email_change(*, viewer: Viewer, password: str, new_email: str, now: datetime) -> None:
    """Ask for another address. Both addresses get a link, and both must be followed. A later wish replaces an earlier one.

    Raises BadEmail, WrongPassword, SameEmail, TooManyTries, SessionEnded.
    """
    normalised = normalised_email(new_email)
    user, _session = queries.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=now)
    require_own_password(user=user, password=password, now=now)
    if new_email.strip() == user.email:
        raise SameEmail
    count_try(Kind.REGISTER, normalised, now=now)
    change_id = new_id("change", now)
    EmailChangeRow(
        user_pk(user.user_id),
        EMAIL_CHANGE_SK,
        new_email=new_email.strip(),
        change_id=change_id,
        expires_at=now + CHANGE_LIFETIME,
    ).save()
    ask(Asked.EMAIL_CHANGE, email=new_email.strip(), now=now, user_id=user.user_id, change_id=change_id)


def confirm_email_change(*, secret: str, link: Link, source: str, now: datetime) -> bool:
    """Follow one of the two links; whether the address is changed now, or the other link is still to be followed.

    With the second one all sessions end and links sent to the old address die. A new password ends the wish: who sets one
    because somebody else was in the account, or in the mailbox, must not lose it a day later.
    Raises LinkDead, EmailTaken, TooManyTries.
    """
    count_try(Kind.LINK_SOURCE, source, now=now)
    for _ in range(3):
        row = queries.link(secret=secret, kind=link, now=now)
        try:
            user = queries.user(user_id=row.user_id or "")
            change = EmailChangeRow.get(user_pk(user.user_id), EMAIL_CHANGE_SK, consistent_read=True)
        except (UserNotFound, DoesNotExist):
            raise LinkDead from None
        if change.change_id != row.change_id or change.expires_at <= now or user.credentials != (row.credentials or 0):
            raise LinkDead
        is_second = change.new_confirmed if link is Link.OLD_EMAIL else change.old_confirmed
        try:
            if is_second:
                _change_email(user, row, change, now)
            else:
                _confirm_one_end(row, change, link, now)
        except Refused as refusal:
            if refusal.is_about(row.pk):
                raise LinkDead from refusal
            if refusal.is_about(email_pk(change.new_email)):
                raise EmailTaken from refusal
            continue  # the other link was followed at the same moment: look again
        return is_second
    raise LinkDead


def _confirm_one_end(row: TokenRow, change: EmailChangeRow, link: Link, now: datetime) -> None:
    mine, other = (
        (EmailChangeRow.old_confirmed, EmailChangeRow.new_confirmed)
        if link is Link.OLD_EMAIL
        else (EmailChangeRow.new_confirmed, EmailChangeRow.old_confirmed)
    )
    key = EmailChangeRow(change.pk, change.sk)

    def build(txn: TransactWrite) -> None:
        txn.delete(row, condition=is_live(now))
        txn.update(key, actions=[mine.set(True)], condition=(EmailChangeRow.change_id == change.change_id) & (other == False))  # noqa: E712 - conditions of PynamoDB

    run_transaction(build)


def _change_email(user: User, row: TokenRow, change: EmailChangeRow, now: datetime) -> None:
    old_pk, new_pk = email_pk(user.email), email_pk(change.new_email)

    def build(txn: TransactWrite) -> None:
        txn.delete(row, condition=is_live(now))
        txn.delete(EmailChangeRow(change.pk, change.sk), condition=EmailChangeRow.change_id == change.change_id)
        if old_pk != new_pk:  # else it is but spelt in another way
            txn.delete(EmailRow(old_pk, EMAIL_SK))
            txn.save(to_email_row(replace(user, email=change.new_email)), condition=EmailRow.pk.does_not_exist())
        txn.update(
            user_key(user.user_id),
            actions=[
                UserRow.email.set(change.new_email),
                UserRow.gsi1_pk.set(new_pk),
                UserRow.credentials.set(user.credentials + 1),
            ],
            condition=has_credentials(user.credentials) & (UserRow.status == UserStatus.ACTIVE) & (UserRow.role == user.role),
        )

    run_transaction(build)
    forget_sessions(user_id=user.user_id, before=user.credentials + 1)
