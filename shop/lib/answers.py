"""A write of another system is done once, however often it is sent: its `Idempotency-Key` is claimed in the very transaction that
does it, and the answer is kept beside the claim.

So a key is never claimed for something that did not happen, and nothing happens twice because a process died before it answered.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from shop.lib.attributes import EpochAttribute
from shop.lib.tables import Row, is_refused
from shop.lib.transactions import Refused

KEEP = timedelta(days=1)
"""How long an answer is kept, and a key therefore means the same request."""
_SK = "ANSWER"


class Repeated(Exception):
    """What is asked under this key was done before; nothing was done now."""


class KeyReused(Exception):
    """The key stands for another request."""


class AnswerRow(Row):
    """A claimed key and the answer given. An app gives it a table."""

    fingerprint = UnicodeAttribute()
    answer = UnicodeAttribute(null=True)
    expires_at = EpochAttribute(attr_name="expiresAt")


@dataclass(frozen=True, slots=True)
class Claim:
    """One request that shall be done once: its key, and a fingerprint of what it asks."""

    rows: type[AnswerRow]
    pk: str
    fingerprint: str
    now: datetime

    def kept(self) -> str | None:
        """The answer given before; empty when it was done and the answer was not kept, None when it was not done.

        Raises KeyReused.
        """
        try:
            row = self.rows.get(self.pk, _SK, consistent_read=True)
        except DoesNotExist:
            return None
        if row.expires_at <= self.now:
            return None
        if row.fingerprint != self.fingerprint:
            raise KeyReused
        return row.answer or ""

    def join(self, txn: TransactWrite) -> None:
        """Add to the transaction that does it: claim the key, if it is free."""
        txn.save(self._row(), condition=self._is_free())

    def check(self, refused: Refused) -> None:
        """Raise Repeated if the key was what the transaction was refused for."""
        if refused.is_about(self.pk):
            raise Repeated from refused

    def keep(self, answer: str) -> None:
        """Keep the answer, for whoever sends the request again."""
        row = self._row()
        row.answer = answer
        try:
            row.save(self._is_free() | (self.rows.fingerprint == self.fingerprint))
        except PutError as error:
            if not is_refused(error):
                raise

    def _row(self) -> AnswerRow:
        return self.rows(self.pk, _SK, fingerprint=self.fingerprint, expires_at=self.now + KEEP)

    def _is_free(self) -> Condition:
        is_free: Condition = self.rows.pk.does_not_exist() | (self.rows.expires_at <= self.now)
        return is_free


def claim_of(rows: type[AnswerRow], *, who: str, key: str, request: bytes, now: datetime) -> Claim:
    """The claim of this caller's key for this request, bytes that tell it from every other."""
    return Claim(rows, f"ANSWER#{_hash(json.dumps([who, key]).encode())}", _hash(request), now)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
