"""Do an effect once: claim its key, do it, mark it done. Mails and the day's figures hang on this."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError

from shop.lib.attributes import EpochAttribute
from shop.lib.tables import Row, is_refused

LEASE = timedelta(minutes=5)
"""How long a claim shuts others out: longer than any effect takes (a Lambda function of ours ends after a minute)."""
KEEP = timedelta(days=40)
"""How long a done effect is remembered: longer than Stripe repeats events (3 days) and streams keep records (a day)."""


_SK = "ONCE"


class InProgress(Exception):
    """Somebody else holds the claim and has not finished: come back later, for they may die before they are done."""


class ClaimState(StrEnum):
    CLAIMED = "claimed"
    DONE = "done"


class ClaimRow(Row):
    """A claimed effect. An app gives it a table: `class EffectRow(ClaimRow): class Meta(BaseMeta): …`."""

    state = UnicodeAttribute()
    holder = UnicodeAttribute(null=True)
    lease_until = EpochAttribute(attr_name="leaseUntil")
    expires_at = EpochAttribute(attr_name="expiresAt")


Claim = TypeVar("Claim", bound=ClaimRow)


@contextmanager
def once(rows: type[ClaimRow], key: str, *, now: datetime) -> Iterator[bool]:
    """Claim `key`: the body receives True when it shall do the effect, False when it was done before.

    A clean end marks the key done; an exception gives the claim back, so that a retry can take it. If the process dies in
    between, the lease runs out and the effect may happen a second time: at least once, and once unless something dies.

    Raises InProgress while another holder's lease runs.
    """
    row = rows(
        pk=_pk(key),
        sk=_SK,
        state=ClaimState.CLAIMED,
        # A claim whose reply was lost is sent again by botocore and must not be shut out by itself.
        holder=uuid.uuid4().hex,
        lease_until=now + LEASE,
        expires_at=now + KEEP,
    )
    is_ours = (rows.state == ClaimState.CLAIMED) & (rows.holder == row.holder)
    is_over = (rows.state == ClaimState.CLAIMED) & (rows.lease_until <= now)
    is_free = rows.pk.does_not_exist() | is_over | is_ours
    try:
        row.save(is_free)
    except PutError as error:
        if not is_refused(error):
            raise
        if not _is_done(rows, row.pk, row.sk):
            raise InProgress(key) from error
        yield False
        return
    try:
        yield True
    except BaseException:
        with _refusal_passed_over():  # somebody took it over after our lease: the effect's own error is what matters
            row.delete(is_ours)
        raise
    row.update(actions=[rows.state.set(ClaimState.DONE)], condition=rows.holder == row.holder)


def done_claim(rows: type[Claim], key: str, *, now: datetime) -> Claim:
    """A claim that is done as soon as it is saved: for an effect that is in the same transaction.

    Saved on the condition that there is none, it lets the effect happen once, whatever dies.
    """
    return rows(pk=_pk(key), sk=_SK, state=ClaimState.DONE, lease_until=now, expires_at=now + KEEP)


def _pk(key: str) -> str:
    return f"EFFECT#{key}"


@contextmanager
def _refusal_passed_over() -> Iterator[None]:
    """Pass over a delete whose condition did not hold."""
    try:
        yield
    except DeleteError as error:
        if not is_refused(error):
            raise


def _is_done(rows: type[ClaimRow], pk: str, sk: str) -> bool:
    try:
        return rows.get(pk, sk, consistent_read=True).state == ClaimState.DONE
    except DoesNotExist:  # given back between our write and this read
        return False
