"""Signing in and out: sessions are rows that can be listed and ended; cookies and tokens name them."""

import logging
import uuid
from dataclasses import dataclass, replace
from datetime import datetime

from pynamodb.exceptions import PutError, UpdateError

from accounts import passwords, queries, tokens
from accounts.domain import BadEmail, Refresh, Session, User, normalised_email, refresh_of
from accounts.limits import Kind, count_tries, forget_tries, give_back_try
from accounts.models import EmailRow, SessionRow, UserRow, session_sk, to_email_row, user_key, user_pk
from accounts.queries import SessionEnded, UserNotFound
from accounts.services import keep_newer_hash
from shop.lib.ids import new_id
from shop.lib.tables import is_refused
from shop.lib.viewer import Viewer

logger = logging.getLogger(__name__)

_USER_AGENT_LENGTH = 300


class WrongCredentials(Exception):
    """No active account has this address and this password; which of the two is wrong is not told."""


@dataclass(frozen=True, slots=True)
class Device:
    """The browser that asks. `id` is its own among those this account signed in from before, else empty."""

    known_as: str
    user_agent: str
    source: str
    coarse_source: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody with the tokens that prove it."""

    viewer: Viewer
    session: Session
    access: str
    refresh: str


def authenticate(*, email: str, password: str, device: Device, now: datetime) -> User:
    """Whose address and password these are. Costs one bcrypt hash, whether there is such an account or not.

    Tries are counted by account and by source. A browser that signed in before has a count of its own, so that who guesses
    from elsewhere cannot shut the owner out. Raises WrongCredentials, TooManyTries.
    """
    try:
        normalised = normalised_email(email)
    except BadEmail:
        normalised = email
    whom = f"{normalised} {device.known_as}" if device.known_as else normalised
    count_tries((Kind.LOGIN_SOURCE, device.source), (Kind.LOGIN, whom), now=now)
    user = _active_user(normalised)
    if not passwords.is_right(password, user.password_hash if user else None) or user is None:
        raise WrongCredentials
    forget_tries(Kind.LOGIN, whom)
    give_back_try(Kind.LOGIN_SOURCE, device.source, now=now)
    if passwords.is_outdated(user.password_hash):
        keep_newer_hash(user=user, password=password)
    _claim_address(user)
    return user


def start_session(
    *, user: User, is_long: bool, factor: str = "", device: Device, now: datetime, is_provided: bool = False
) -> SignedIn:
    """Sign somebody in who has proven who they are, to us, with a code of this authenticator if any, or (`is_provided`) to
    another provider."""
    session = Session(
        session_id=new_id("ses", now),
        user_id=user.user_id,
        current=uuid.uuid4().hex,
        previous="",
        rotated_at=now,
        credentials=user.credentials,
        is_long=is_long,
        factor=factor,
        user_agent=device.user_agent[:_USER_AGENT_LENGTH],
        source=device.coarse_source,
        created_at=now,
        seen_at=now,
        expires_at=now,
        is_provided=is_provided,
    )
    session = replace(session, expires_at=session.end(now))
    SessionRow(
        user_pk(user.user_id),
        session_sk(session.session_id),
        session_id=session.session_id,
        current=session.current,
        rotated_at=now,
        credentials=session.credentials,
        is_long=is_long,
        factor=factor or None,
        # The first browser of all is no news to anybody.
        is_new_device=not device.known_as and user.last_login is not None,
        is_provided=is_provided or None,
        user_agent=session.user_agent or None,
        source=session.source or None,
        created_at=now,
        seen_at=now,
        expires_at=session.expires_at,
    ).save()
    user_key(user.user_id).update(actions=[UserRow.last_login.set(now)], condition=UserRow.pk.exists())
    return _signed_in(user, session, now)


def refresh(*, token: str, now: datetime) -> SignedIn:
    """New tokens for a refresh token: each is good once.

    Requests of one page may arrive with the same token; for a few seconds the later ones get what the first one got. After
    that, a token used twice means that two have it, and the session ends for both. Raises SessionEnded.
    """
    try:
        claim = tokens.read_refresh(token)
    except tokens.BadToken as error:
        raise SessionEnded from error
    user, session = queries.live_session(user_id=claim.user_id, session_id=claim.session_id, now=now)
    verdict = refresh_of(session, claim.token_id, now)
    if verdict is Refresh.REPLAYED:
        logger.warning("refresh token of session %s used twice; session ended", session.session_id)
        end_session(user_id=user.user_id, session_id=session.session_id)
        raise SessionEnded(session.session_id)
    if verdict is Refresh.CURRENT:
        session = _rotate(user, session, now)
    return _signed_in(user, session, now)


def confirm(*, viewer: Viewer, now: datetime, with_filters: bool = False) -> Viewer:
    """Somebody as the tables know them at this moment, with their kept filters if wanted: one call. Raises SessionEnded."""
    user, session, filters = queries.signed_in(
        user_id=viewer.user_id, session_id=viewer.session_id, now=now, with_filters=with_filters
    )
    return replace(tokens.viewer_of(user, session), filters=filters)


def is_provided(*, viewer: Viewer, now: datetime) -> bool:
    """Whether another provider vouched for somebody in this session."""
    try:
        _user, session = queries.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=now)
    except SessionEnded:
        return False
    return session.is_provided


def end_session(*, user_id: str, session_id: str) -> None:
    """Sign somebody out of one browser. Ending an ended session changes nothing."""
    SessionRow(user_pk(user_id), session_sk(session_id)).delete()


def end_other_sessions(*, viewer: Viewer, now: datetime) -> int:
    """Sign somebody out everywhere else; out of how many browsers."""
    others = [
        session for session in queries.sessions_of(user_id=viewer.user_id, now=now) if session.session_id != viewer.session_id
    ]
    for session in others:
        end_session(user_id=viewer.user_id, session_id=session.session_id)
    return len(others)


def mark_second_factor(*, viewer: Viewer, factor: str, now: datetime) -> SignedIn:
    """Note that this session's owner has just given a code of this authenticator; with new tokens. Raises SessionEnded."""
    try:
        SessionRow(user_pk(viewer.user_id), session_sk(viewer.session_id)).update(
            actions=[SessionRow.factor.set(factor)],
            condition=SessionRow.pk.exists(),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise SessionEnded(viewer.session_id) from error
    return tokens_anew(viewer=viewer, now=now)


def tokens_anew(*, viewer: Viewer, now: datetime) -> SignedIn:
    """The session's tokens as the tables know its owner now: for the answer to what changed the owner. Raises SessionEnded."""
    user, session = queries.live_session(user_id=viewer.user_id, session_id=viewer.session_id, now=now)
    return _signed_in(user, session, now)


def _rotate(user: User, session: Session, now: datetime) -> Session:
    """The session with its next refresh token; another request's, if it was quicker by a moment. Raises SessionEnded."""
    rotated = replace(
        session,
        current=uuid.uuid4().hex,
        previous=session.current,
        rotated_at=now,
        seen_at=now,
        expires_at=session.end(now),
    )
    try:
        SessionRow(user_pk(user.user_id), session_sk(session.session_id)).update(
            actions=[
                SessionRow.current.set(rotated.current),
                SessionRow.previous.set(rotated.previous),
                SessionRow.rotated_at.set(now),
                SessionRow.seen_at.set(now),
                SessionRow.expires_at.set(rotated.expires_at),
            ],
            condition=SessionRow.current == session.current,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        # By another request's write, or by our own, whose reply was lost: either way what stands there is ours to hand out.
        _user, session = queries.live_session(user_id=user.user_id, session_id=session.session_id, now=now)
        if session.previous != rotated.previous:
            raise SessionEnded(session.session_id) from error
        return session
    return rotated


def _signed_in(user: User, session: Session, now: datetime) -> SignedIn:
    viewer = tokens.viewer_of(user, session)
    return SignedIn(viewer, session, tokens.access_token(viewer, now), tokens.refresh_token(session, now))


def _active_user(email: str) -> User | None:
    try:
        user = queries.user_by_email(email=email)
    except UserNotFound:
        return None
    return user if user.is_active else None


def _claim_address(user: User) -> None:
    """An item another system wrote claims no address yet; from its first login on it does."""
    if user.credentials:
        return
    try:
        to_email_row(user).save(EmailRow.pk.does_not_exist())
    except PutError as error:
        if not is_refused(error):
            raise
