"""How often something may be tried, by account and by source address. Kept in the table: every process counts together.

A try is counted before the work it is for begins, by a write with a condition, so that a thousand at once are counted one by one.
"""

import hashlib
import random
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.expressions.condition import Condition

from accounts.domain import Limit, Tries, tried_once_more
from accounts.models import LIMIT_SK, LimitRow, limit_pk
from shop.lib.tables import is_refused

_TRIES = 6
_LONGEST_PAUSE_SECONDS = 0.05

_SECONDS, _MINUTES, _HOURS, _DAYS = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))


class Kind(StrEnum):
    """What is limited: by account (or link), and by source address."""

    LOGIN = "login"
    LOGIN_SOURCE = "login-source"
    CODE = "code"
    REGISTER = "register"
    REGISTER_SOURCE = "register-source"
    RESET = "reset"
    RESET_SOURCE = "reset-source"
    LINK_SOURCE = "link-source"
    ORDER = "order"
    ORDER_SOURCE = "order-source"
    DISCOUNT_SOURCE = "discount-source"


LIMITS = {
    # Nine passwords in the first quarter of an hour, and ever fewer afterwards.
    Kind.LOGIN: Limit(5, 30 * _SECONDS, 1 * _HOURS, 1 * _DAYS),
    # An office may share one address: right passwords are not counted.
    Kind.LOGIN_SOURCE: Limit(30, 10 * _SECONDS, 15 * _MINUTES, 6 * _HOURS),
    Kind.CODE: Limit(5, 30 * _SECONDS, 1 * _HOURS, 1 * _DAYS),
    # Each of these is a mail to somebody.
    Kind.REGISTER: Limit(3, 5 * _MINUTES, 1 * _DAYS, 2 * _DAYS),
    Kind.REGISTER_SOURCE: Limit(10, 1 * _MINUTES, 1 * _HOURS, 1 * _DAYS),
    Kind.RESET: Limit(3, 10 * _MINUTES, 1 * _DAYS, 2 * _DAYS),
    Kind.RESET_SOURCE: Limit(10, 1 * _MINUTES, 1 * _HOURS, 1 * _DAYS),
    Kind.LINK_SOURCE: Limit(30, 10 * _SECONDS, 15 * _MINUTES, 6 * _HOURS),
    # The link to an order, asked for by number and address: a mail to somebody each time both fit.
    Kind.ORDER: Limit(5, 5 * _MINUTES, 1 * _DAYS, 2 * _DAYS),
    Kind.ORDER_SOURCE: Limit(10, 1 * _MINUTES, 1 * _HOURS, 1 * _DAYS),
    # Codes made for one person can be guessed like passwords; right ones are not counted.
    Kind.DISCOUNT_SOURCE: Limit(20, 10 * _SECONDS, 15 * _MINUTES, 6 * _HOURS),
}


@dataclass(frozen=True)
class TooManyTries(Exception):
    """It is too early for another try; `wait` says how long."""

    wait: timedelta


def count_try(kind: Kind, whom: str, *, now: datetime) -> None:
    """Count a try, or refuse it. Raises TooManyTries, also when so many try at this moment that the count cannot be written."""
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        before, row = _kept(kind, whom, now)
        after = tried_once_more(before, LIMITS[kind], now)
        if after is None:
            raise TooManyTries((before.next_at or now) - now)
        if _write(kind, whom, after, row, now):
            return
    raise TooManyTries(LIMITS[kind].first_pause)


def forget_tries(kind: Kind, whom: str) -> None:
    """Begin anew: who knows the password need not pay for those who guessed at it."""
    LimitRow(_pk(kind, whom), LIMIT_SK).delete()


def give_back_try(kind: Kind, whom: str, *, now: datetime) -> None:
    """Uncount a try that was right, and no other: a guesser must not wipe out his count with an account of his own."""
    before, row = _kept(kind, whom, now)
    if row is not None:
        _write(
            kind, whom, Tries(max(0, before.count - 1), before.next_at if before.count > LIMITS[kind].free else None), row, now
        )


def _kept(kind: Kind, whom: str, now: datetime) -> tuple[Tries, LimitRow | None]:
    try:
        row = LimitRow.get(_pk(kind, whom), LIMIT_SK, consistent_read=True)
    except DoesNotExist:
        return Tries(), None
    return (Tries(row.tries, row.next_at) if row.expires_at > now else Tries()), row


def _write(kind: Kind, whom: str, tries: Tries, before: LimitRow | None, now: datetime) -> bool:
    """Keep the count unless somebody else changed it since it was read."""
    row = LimitRow(
        _pk(kind, whom),
        LIMIT_SK,
        tries=tries.count,
        next_at=tries.next_at,
        written_by=uuid.uuid4().hex,
        expires_at=max(now, tries.next_at or now) + LIMITS[kind].forgets_after,
    )
    is_unchanged: Condition = LimitRow.written_by == before.written_by if before is not None else LimitRow.pk.does_not_exist()
    try:
        # Sent again by botocore after a lost reply, the write meets itself and must not count as somebody else's.
        row.save(is_unchanged | (LimitRow.written_by == row.written_by))
    except PutError as error:
        if not is_refused(error):
            raise
        return False
    return True


def _pk(kind: Kind, whom: str) -> str:
    # Hashed: the table of limits need not be a list of who tried to sign in, and a key has a bounded length.
    return limit_pk(f"{kind}#{hashlib.sha256(whom.encode()).hexdigest()[:32]}")
