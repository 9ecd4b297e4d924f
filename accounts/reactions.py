"""What follows when a row of the Users table changed: mails, and the words people are found by.

Records may come twice; every mail is claimed once.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from accounts import mails, queries, services
from accounts.desk_models import name_row
from accounts.devices import device_name
from accounts.domain import User
from accounts.mail_models import AccountMailRow
from accounts.models import (
    PROFILE_SK,
    REQUEST_SK,
    EffectRow,
    RequestRow,
    SessionRow,
    UserRow,
    request_pk,
    session_sk,
    to_session,
    to_user,
    user_pk,
)
from accounts.queries import UserNotFound
from accounts.services import Asked, Link
from shop.lib.mail_log import noting
from shop.lib.once import once
from shop.lib.words import findable_words

Item = dict[str, Any]


def account_changed(old: Item | None, new: Item | None, *, now: datetime) -> None:
    """Let somebody be found by their name as it is now, and send the mails a change causes.

    `old` and `new` are the item before and after, as the stream has them.

    Raises InProgress while another run is at the same mail, ValueError for a request of an unknown kind, and what the mail
    backend raises: the record shall come again.
    """
    _keep_names(old, new)
    if new is None:
        if old is not None and old["SK"]["S"] == PROFILE_SK:
            _tell_of_end(UserRow.from_raw_data(old), now)
        return
    sk = new["SK"]["S"]
    if sk == REQUEST_SK and old is None:
        _answer(RequestRow.from_raw_data(new), now)
    elif sk.startswith(session_sk("")) and old is None:
        _tell_of_new_device(SessionRow.from_raw_data(new), now)
    elif sk == PROFILE_SK and old is not None:
        before, after = to_user(UserRow.from_raw_data(old)), to_user(UserRow.from_raw_data(new))
        _tell_of_changed_credentials(before, after, now)
        _tell_of_changed_factor(before, after, now)


def _keep_names(old: Item | None, new: Item | None) -> None:
    """Safe to repeat: records of one person come in the order of their changes."""
    whose = new or old
    if whose is None or whose["SK"]["S"] != PROFILE_SK:
        return
    user_id = UserRow.from_raw_data(whose).user_id
    before, after = _names_of(old), _names_of(new)
    for word in after - before:
        name_row(word, user_id).save()
    for word in before - after:
        name_row(word, user_id).delete()


def _names_of(item: Item | None) -> set[str]:
    return set(findable_words(to_user(UserRow.from_raw_data(item)).name)) if item else set()


def _answer(asked: RequestRow, now: datetime) -> None:
    """Do what somebody asked for, or tell the one whom it concerns. A link asked for long ago is dead on arrival: not sent."""
    with once(EffectRow, _request_id(asked), now=now) as is_ours:
        if not is_ours or asked.expires_at <= now:
            return
        answers = {
            Asked.ACCOUNT: _answer_registration,
            Asked.RESET: _answer_reset,
            Asked.INVITATION: _answer_invitation,
            Asked.EMAIL_CHANGE: _answer_email_change,
        }
        # A kind that a later release writes is a ValueError: not done, so that it comes again, and is seen where it never is.
        answers[Asked(asked.kind)](asked, now)


def _request_id(asked: RequestRow) -> str:
    return asked.pk.removeprefix(request_pk(""))


def _about(user: User, origin: str, now: datetime) -> AbstractContextManager[None]:
    """Mails sent inside are logged under the person."""
    return noting(AccountMailRow, subject=user_pk(user.user_id), origin=origin, now=now)


def _answer_registration(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user_by_email(email=asked.email)
    except UserNotFound:
        expires_at = now + services.VERIFY_LIFETIME
        secret = services.make_link(link=Link.VERIFY, email=asked.email, expires_at=expires_at, pending=asked)
        with noting(AccountMailRow, subject=asked.pk, origin=_request_id(asked), now=now):  # there is nobody yet
            mails.send_verify(to=asked.email, secret=secret, onward=asked.onward or "")
    else:
        with _about(user, _request_id(asked), now):
            mails.send_has_account(user, onward=asked.onward or "")


def _answer_reset(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user_by_email(email=asked.email)
    except UserNotFound:
        return
    if user.is_active and not services.signs_in_elsewhere(user):
        expires_at = now + services.RESET_LIFETIME
        secret = services.make_link(link=Link.RESET, email=user.email, expires_at=expires_at, user=user)
        with _about(user, _request_id(asked), now):
            mails.send_reset(user, secret)


def _answer_invitation(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user(user_id=asked.user_id or "")
    except UserNotFound:
        return
    if user.is_active and not services.signs_in_elsewhere(user):
        expires_at = now + services.INVITATION_LIFETIME
        secret = services.make_link(link=Link.RESET, email=user.email, expires_at=expires_at, user=user)
        with _about(user, _request_id(asked), now):
            mails.send_invitation(user, secret)


def _answer_email_change(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user(user_id=asked.user_id or "")
    except UserNotFound:  # the account was deleted right after
        return
    try:
        holder = queries.user_by_email(email=asked.email)
    except UserNotFound:
        holder = user
    if holder.user_id != user.user_id:
        with _about(holder, _request_id(asked), now):
            mails.send_has_account(holder)
        return
    old, new = (
        services.make_link(
            link=link,
            email=asked.email,
            expires_at=now + services.CHANGE_LIFETIME,
            user=user,
            change_id=asked.change_id or "",
        )
        for link in (Link.OLD_EMAIL, Link.NEW_EMAIL)
    )
    with _about(user, _request_id(asked), now):
        mails.send_email_change_old(user, new_email=asked.email, secret=old)
        mails.send_email_change_new(new_email=asked.email, secret=new)


def _tell_of_new_device(row: SessionRow, now: datetime) -> None:
    if not row.is_new_device:
        return
    session = to_session(row)
    with once(EffectRow, f"{session.session_id}#mail-new-device", now=now) as is_ours:
        if not is_ours:
            return
        try:
            user = queries.user(user_id=session.user_id)
        except UserNotFound:  # the account was deleted right after
            return
        with _about(user, session.session_id, now):
            mails.send_new_device(
                user,
                device=device_name(session.user_agent),
                source=session.source,
                at=f"{session.created_at:%B} {session.created_at.day} at {session.created_at:%H:%M} UTC",
            )


def _tell_of_end(row: UserRow, now: datetime) -> None:
    with once(EffectRow, f"{row.user_id}#mail-end", now=now) as is_ours:
        if is_ours:
            user = to_user(row)
            with _about(user, "end", now):
                mails.send_account_deleted(user)


def _tell_of_changed_factor(old: User, new: User, now: datetime) -> None:
    if old.factor == new.factor:
        return
    with once(EffectRow, f"{new.user_id}#mail-factor-{old.factor}-{new.factor}", now=now) as is_ours:
        if is_ours:
            with _about(new, f"factor-{new.factor}", now):
                (mails.send_factor_on if new.has_second_factor else mails.send_factor_off)(new)


def _tell_of_changed_credentials(old: User, new: User, now: datetime) -> None:
    """A password merely hashed anew at a login is the same password: the count of credentials tells."""
    if old.credentials == new.credentials:
        return
    with once(EffectRow, f"{new.user_id}#mail-credentials-{new.credentials}", now=now) as is_ours:
        if not is_ours:
            return
        if old.subject != new.subject:
            with _about(new, f"credentials-{new.credentials}", now):
                mails.send_linked(new)
        elif old.email != new.email:
            for which, address in (("old", old.email), ("new", new.email)):
                with _about(new, f"credentials-{new.credentials}-{which}", now):
                    mails.send_email_changed(new, to=address, new_email=new.email)
        else:
            with _about(new, f"credentials-{new.credentials}", now):
                mails.send_password_changed(new)
