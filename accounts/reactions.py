"""What follows when a row of the Users table changed: mails. Records may come twice; every mail is claimed once."""

from datetime import datetime
from typing import Any

from accounts import mails, queries, services
from accounts.devices import device_name
from accounts.domain import User
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
)
from accounts.queries import UserNotFound
from accounts.services import Asked, Link
from shop.lib.once import once

Item = dict[str, Any]


def account_changed(old: Item | None, new: Item | None, *, now: datetime) -> None:
    """Send the mails a change causes. `old` and `new` are the item before and after, as the stream has them.

    Raises InProgress while another run is at the same mail, and what the mail backend raises: the record shall come again.
    """
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


def _answer(asked: RequestRow, now: datetime) -> None:
    """Do what somebody asked for, or tell the one whom it concerns. A link asked for long ago is dead on arrival: not sent."""
    with once(EffectRow, asked.pk.removeprefix(request_pk("")), now=now) as is_ours:
        if not is_ours or asked.expires_at <= now:
            return
        if asked.kind == Asked.ACCOUNT:
            _answer_registration(asked, now)
        elif asked.kind == Asked.RESET:
            _answer_reset(asked, now)
        elif asked.kind == Asked.INVITATION:
            _answer_invitation(asked, now)
        elif asked.kind == Asked.EMAIL_CHANGE:
            _answer_email_change(asked, now)


def _answer_registration(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user_by_email(email=asked.email)
    except UserNotFound:
        expires_at = now + services.VERIFY_LIFETIME
        secret = services.make_link(link=Link.VERIFY, email=asked.email, expires_at=expires_at, pending=asked)
        mails.send_verify(to=asked.email, secret=secret, onward=asked.onward or "")
    else:
        mails.send_has_account(user, onward=asked.onward or "")


def _answer_reset(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user_by_email(email=asked.email)
    except UserNotFound:
        return
    if user.is_active and not services.signs_in_elsewhere(user):
        expires_at = now + services.RESET_LIFETIME
        mails.send_reset(user, services.make_link(link=Link.RESET, email=user.email, expires_at=expires_at, user=user))


def _answer_invitation(asked: RequestRow, now: datetime) -> None:
    try:
        user = queries.user(user_id=asked.user_id or "")
    except UserNotFound:
        return
    if user.is_active and not services.signs_in_elsewhere(user):
        expires_at = now + services.INVITATION_LIFETIME
        mails.send_invitation(user, services.make_link(link=Link.RESET, email=user.email, expires_at=expires_at, user=user))


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
        mails.send_new_device(
            user,
            device=device_name(session.user_agent),
            source=session.source,
            at=f"{session.created_at:%B} {session.created_at.day} at {session.created_at:%H:%M} UTC",
        )


def _tell_of_end(row: UserRow, now: datetime) -> None:
    with once(EffectRow, f"{row.user_id}#mail-end", now=now) as is_ours:
        if is_ours:
            mails.send_account_deleted(to_user(row))


def _tell_of_changed_factor(old: User, new: User, now: datetime) -> None:
    if old.factor == new.factor:
        return
    with once(EffectRow, f"{new.user_id}#mail-factor-{old.factor}-{new.factor}", now=now) as is_ours:
        if is_ours:
            (mails.send_factor_on if new.has_second_factor else mails.send_factor_off)(new)


def _tell_of_changed_credentials(old: User, new: User, now: datetime) -> None:
    """A password merely hashed anew at a login is the same password: the count of credentials tells."""
    if old.credentials == new.credentials:
        return
    with once(EffectRow, f"{new.user_id}#mail-credentials-{new.credentials}", now=now) as is_ours:
        if not is_ours:
            return
        if old.subject != new.subject:
            mails.send_linked(new)
        elif old.email != new.email:
            for address in (old.email, new.email):
                mails.send_email_changed(new, to=address, new_email=new.email)
        else:
            mails.send_password_changed(new)
