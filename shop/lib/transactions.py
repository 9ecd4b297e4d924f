"""Several writes, all or none, repeated on conflicts, which neither PynamoDB nor botocore does (pynamodb/PynamoDB#1264)."""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pynamodb.exceptions import CancellationReason, TransactWriteError
from pynamodb.transactions import TransactWrite

from shop.lib.deadline import time_left
from shop.lib.tables import PASSING, Busy, code_of, connection, is_passing

TRIES = 10
DEADLINE_SECONDS = 6.0
_FIRST_PAUSE_SECONDS = 0.025
_LONGEST_PAUSE_SECONDS = 1.0
_CONDITION_FAILED = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One write whose condition did not hold: its key, and the item as it stands (None when absent or not asked for)."""

    pk: str
    sk: str
    item: dict[str, Any] | None


class Refused(Exception):
    """A condition did not hold, so nothing was written. `refusals` names every write that was refused."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__(", ".join(f"{refusal.pk} {refusal.sk}" for refusal in refusals))
        self.refusals = refusals

    def is_about(self, pk: str) -> bool:
        """Whether a write to this partition key was among the refused."""
        return any(refusal.pk == pk for refusal in self.refusals)


def run_transaction(
    build: Callable[[TransactWrite], None],
    *,
    before_retry: Callable[[], object] | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Write everything `build` adds to the transaction, or nothing.

    Conflicts, throttling and lost replies are tried again (10 tries, full jitter, 6 s in all) under one client
    token, so that a try whose reply was lost is not done twice. A failed condition is an answer and never repeated.
    `before_retry` runs before each further try and may raise to give up early: a strongly consistent look at scarce
    stock there is what keeps a rush short.

    Raises Refused when a condition failed, Busy when patience ran out, TransactWriteError for anything else.
    """
    transaction = _Transaction(connection=connection(), client_request_token=str(uuid.uuid4()))
    build(transaction)
    ends_at = time.monotonic() + min(DEADLINE_SECONDS, time_left())
    for attempt in range(TRIES):
        if attempt:
            pause(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)))  # noqa: S311 - jitter
            if before_retry:
                before_retry()
        try:
            return transaction.send()
        except TransactWriteError as error:
            refusals = transaction.refusals(error)
            if refusals:
                raise Refused(refusals) from error
            if not _is_worth_repeating(error):
                raise
            if time.monotonic() >= ends_at:
                raise Busy from error
            last = error
    raise Busy from last


def _is_worth_repeating(error: TransactWriteError) -> bool:
    if code_of(error) == "TransactionCanceledException":
        return all(reason is None or reason.code in PASSING for reason in error.cancellation_reasons)
    return is_passing(error)


class _Transaction(TransactWrite):
    """A TransactWrite that can be sent again and can tell which of its writes were refused."""

    def send(self) -> None:
        self._commit()

    def refusals(self, error: TransactWriteError) -> tuple[Refusal, ...]:
        """The refused writes by key: reasons come in the order PynamoDB sends the writes, which is not the order of the calls."""
        sent = [*self._condition_check_items, *self._delete_items, *self._put_items, *self._update_items]
        return tuple(
            _refusal(write, reason)
            for write, reason in zip(sent, error.cancellation_reasons, strict=False)
            if reason is not None and reason.code == _CONDITION_FAILED
        )


def _refusal(write: dict[str, Any], reason: CancellationReason) -> Refusal:
    key = write.get("Key") or write["Item"]
    return Refusal(pk=key["PK"]["S"], sk=key["SK"]["S"], item=reason.raw_item)
