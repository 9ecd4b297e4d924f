"""How often something may be tried, by account and by source address. Kept in the table: every process counts together.

A try is counted before the work it is for begins, by a write with a condition, so that a thousand at once are counted one by one.

Where there is a Redis (`CACHE_URL`), it keeps until when somebody has to wait, so that a refusal costs no table call. It only
ever repeats a refusal of the table: gone, slow, emptied or dying, it lets nobody do more.
"""

import hashlib
import random
import time
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import NoReturn

from django.conf import settings
from django.core.cache import cache
from pynamodb.exceptions import PutError
from pynamodb.expressions.condition import Condition

from accounts.domain import Limit, Tries, tried_once_more
from accounts.sign_in_models import LIMIT_SK, LimitRow, limit_pk
from shop.lib.tables import batch_get, is_refused

_TRIES = 6
_LONGEST_PAUSE_SECONDS = 0.05
_KEPT_IN_REDIS = timedelta(minutes=1)
"""How long Redis repeats a refusal before the table is asked again: a Redis that missed a reset is wrong for no longer."""

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

    @property
    def is_of_source(self) -> bool:
        return self.endswith("-source")


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


class TooManyTries(Exception):
    """It is too early for another try; `wait` says how long."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(wait)
        self.wait = wait


def count_try(kind: Kind, whom: str, *, now: datetime) -> None:
    """Count a try, or refuse it. Raises TooManyTries, also when so many try at this moment that the count cannot be written."""
    count_tries((kind, whom), now=now)


def count_tries(*limited: tuple[Kind, str], now: datetime) -> None:
    """Count one try under several limits, or refuse it: where one of them refuses, none counts it. Raises TooManyTries.

    A refusal is one table call, or none with Redis. A source that is unknown holds nobody up.
    """
    left = {_pk(kind, whom): kind for kind, whom in limited if whom or not kind.is_of_source}
    _refuse_what_redis_knows(left, now)
    for attempt in range(_TRIES):
        if not left:
            return
        if attempt:
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - jitter, no secret
        rows = _rows(left)
        before = {pk: _tries_of(rows.get(pk), now) for pk in left}
        after = {pk: counted for pk, kind in left.items() if (counted := tried_once_more(before[pk], LIMITS[kind], now))}
        if len(after) < len(left):
            _refuse({pk: before[pk].next_at or now for pk in left if pk not in after}, now)
        left = {pk: kind for pk, kind in left.items() if not _write(pk, kind, after[pk], rows.get(pk), now)}
    if left:
        raise TooManyTries(max(LIMITS[kind].first_pause for kind in left.values()))


def forget_tries(kind: Kind, whom: str) -> None:
    """Begin anew: who knows the password need not pay for those who guessed at it."""
    pk = _pk(kind, whom)
    LimitRow(pk, LIMIT_SK).delete()
    if settings.CACHE_URL:
        cache.delete(pk)


def give_back_try(kind: Kind, whom: str, *, now: datetime) -> None:
    """Uncount a try that was right, and no other: a guesser must not wipe out his count with an account of his own.

    One of an unknown source was not counted.
    """
    pk = _pk(kind, whom)
    row = _rows([pk]).get(pk) if whom else None
    if row is not None:
        before = _tries_of(row, now)
        next_at = before.next_at if before.count > LIMITS[kind].free else None
        _write(pk, kind, Tries(max(0, before.count - 1), next_at), row, now)


def _refuse_what_redis_knows(pks: Iterable[str], now: datetime) -> None:
    """Without a Redis, or when it does not answer, nothing is known."""
    known = cache.get_many(pks).values() if settings.CACHE_URL else ()
    until = max(known, default=0)
    if until > now.timestamp():
        raise TooManyTries(datetime.fromtimestamp(until, UTC) - now)


def _refuse(closed: Mapping[str, datetime], now: datetime) -> NoReturn:
    """Refuse a try by limits that are closed until these times, and let Redis do so from now on."""
    if settings.CACHE_URL:
        for pk, until in closed.items():
            seconds = ceil(min(until - now, _KEPT_IN_REDIS).total_seconds())
            cache.set(pk, int(until.timestamp()), seconds)
    raise TooManyTries(max(closed.values()) - now)


def _rows(pks: Iterable[str]) -> dict[str, LimitRow]:
    return {row.pk: row for row in batch_get(LimitRow, [(pk, LIMIT_SK) for pk in pks], consistent=True)}


def _tries_of(row: LimitRow | None, now: datetime) -> Tries:
    return Tries(row.tries, row.next_at) if row is not None and row.expires_at > now else Tries()


def _write(pk: str, kind: Kind, tries: Tries, before: LimitRow | None, now: datetime) -> bool:
    """Keep the count unless somebody else changed it since it was read."""
    row = LimitRow(
        pk,
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
