"""The stream worker: does on a laptop what Lambda's event source mapping does on AWS.

It reads the streams of the tables, calls the stream function with events of Lambda's shape, and promises what Lambda promises:
- at least once: how far it came is written down after the function has succeeded;
- in order: a record is delivered when the one before it has succeeded or has been put aside;
- no record blocks the stream for ever: one that keeps failing is put aside in a file, loudly.

How far it came is kept in a table of the same cloud, as Amazon's own consumers do. A cloud that wakes up from an older snapshot
then remembers the older position too, and no effect that the snapshot has forgotten is skipped.
"""

import base64
import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from shop.local.context import LocalContext

Record = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Mapping[str, Any]]

POLL_SECONDS = 0.5
# A record is tried once and then once after each of these delays.
RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0)
_BATCH_SIZE = 100
# A table that is deleted and made again has a new stream.
_REDISCOVER_SECONDS = 5.0
_PAUSE_AFTER_FAILURE_SECONDS = 1.0
_GONE = ("ResourceNotFoundException", "ExpiredIteratorException")

logger = logging.getLogger(__name__)


class Stopped(Exception):
    """The worker was told to stop in the middle of a batch; what is not written down comes again."""


@dataclass(frozen=True)
class Shard:
    """One shard of one table's stream."""

    table: str
    stream_arn: str
    shard_id: str


class StreamWorker:
    """Delivers the changes of some tables to one function."""

    def __init__(
        self,
        *,
        tables: Sequence[str],
        checkpoint_table: str,
        handler: Handler,
        dead_letters: Path,
        stop: threading.Event,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        # The worker asks again every half second; botocore's own patience would only hide an outage.
        config = Config(connect_timeout=1, read_timeout=5, retries={"total_max_attempts": 1})
        self._tables = tables
        self._dynamodb = boto3.client("dynamodb", config=config)
        self._streams = boto3.client("dynamodbstreams", config=config)
        self._checkpoints = Checkpoints(self._dynamodb, checkpoint_table)
        self._delivery = Delivery(handler=handler, dead_letters=dead_letters, stop=stop, retry_delays=retry_delays)
        self._stop = stop
        self._shards: list[Shard] = []
        self._discover_at = 0.0

    def run(self, *, poll_seconds: float = POLL_SECONDS) -> None:
        """Deliver until the stop event is set. A cloud that does not answer is waited for."""
        while not self._stop.is_set():
            try:
                found = self.poll()
            except Stopped:
                return
            except (BotoCoreError, ClientError) as error:
                logger.warning("the streams cannot be read: %s", error)
                self._discover_at = 0.0
                self._stop.wait(_PAUSE_AFTER_FAILURE_SECONDS)
                continue
            if not found:
                self._stop.wait(poll_seconds)

    def poll(self) -> int:
        """Read every shard once and deliver what is there; how many records. Raises botocore's errors and Stopped."""
        if time.monotonic() >= self._discover_at:
            self._shards = [shard for table in self._tables for shard in self._shards_of(table)]
            self._discover_at = time.monotonic() + _REDISCOVER_SECONDS
        return sum(self._poll_shard(shard) for shard in self._shards)

    def _shards_of(self, table: str) -> list[Shard]:
        try:
            arn = self._dynamodb.describe_table(TableName=table)["Table"].get("LatestStreamArn")
            shards = self._streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"] if arn else []
        except ClientError as error:
            if _code(error) in _GONE:
                # Not created yet, or being created anew: asked again soon.
                return []
            raise
        return [Shard(table, arn, shard["ShardId"]) for shard in shards]

    def _poll_shard(self, shard: Shard) -> int:
        try:
            records = self._read(shard)
        except ClientError as error:
            if _code(error) not in _GONE:
                raise
            self._discover_at = 0.0
            return 0
        if records:
            self._delivery.deliver(records, done=lambda record: self._checkpoints.write(shard, _sequence(record)))
        return len(records)

    def _read(self, shard: Shard) -> list[Record]:
        # A fresh iterator each time: one kept across a restart of the cloud may point past records it has never returned.
        answer = self._streams.get_records(ShardIterator=self._iterator(shard), Limit=_BATCH_SIZE)
        return [as_lambda_sends_it(record, shard.stream_arn) for record in answer["Records"]]

    def _iterator(self, shard: Shard) -> str:
        where = {"StreamArn": shard.stream_arn, "ShardId": shard.shard_id}
        sequence_number = self._checkpoints.read(shard)
        if sequence_number:
            try:
                answer = self._streams.get_shard_iterator(
                    **where, ShardIteratorType="AFTER_SEQUENCE_NUMBER", SequenceNumber=sequence_number
                )
                return str(answer["ShardIterator"])
            except ClientError as error:
                if _code(error) != "TrimmedDataAccessException":
                    raise
                # The record we stopped at is a day old, or newer than the snapshot the cloud woke up from. From the oldest
                # record on, some come a second time; from any later one, some might never come.
        return str(self._streams.get_shard_iterator(**where, ShardIteratorType="TRIM_HORIZON")["ShardIterator"])


class Checkpoints:
    """How far the worker came in each shard. Asked each time, never remembered: the cloud may have woken up from a snapshot."""

    def __init__(self, dynamodb: Any, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def read(self, shard: Shard) -> str | None:
        """The sequence number of the last record that is done with, or None when there is none yet."""
        try:
            item = self._dynamodb.get_item(TableName=self._table, Key=_checkpoint_key(shard), ConsistentRead=True).get("Item")
        except ClientError as error:
            if _code(error) != "ResourceNotFoundException":
                raise
            self._create_table()
            return None
        return item["sequenceNumber"]["S"] if item else None

    def write(self, shard: Shard, sequence_number: str) -> None:
        """Note that everything up to and including this record is done with."""
        item = {**_checkpoint_key(shard), "sequenceNumber": {"S": sequence_number}}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def _create_table(self) -> None:
        self._dynamodb.create_table(
            TableName=self._table,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@dataclass
class Delivery:
    """Hands records to the function, in order, each until it has succeeded or was put aside."""

    handler: Handler
    dead_letters: Path
    stop: threading.Event
    retry_delays: Sequence[float]

    def deliver(self, records: Sequence[Record], *, done: Callable[[Record], None]) -> None:
        """Deliver all of them; `done` is told the last record of every stretch that is over. Raises Stopped.

        1. The batch as a whole: what comes before the first failure is done.
        2. The failed record alone, after growing delays, until it succeeds or is put aside.
        3. What comes after it, from 1.
        """
        remaining = list(records)
        while remaining:
            failed_at = self._first_failure(remaining)
            if failed_at:
                done(remaining[failed_at - 1])
            if failed_at < len(remaining):
                self._retry_alone(remaining[failed_at])
                done(remaining[failed_at])
            remaining = remaining[failed_at + 1 :]

    def _first_failure(self, records: Sequence[Record]) -> int:
        """The position of the first failed record; the number of records when none failed."""
        try:
            # A context a call: it counts down the time of this one.
            answer = self.handler({"Records": list(records)}, LocalContext("stream"))
        except Exception:
            if len(records) == 1:
                logger.exception("the stream function failed")
                return 0
            # It did not say which record it was: find out one by one.
            logger.warning("the stream function failed with %d records; trying them one by one", len(records))
            return next((at for at, record in enumerate(records) if self._first_failure([record]) == 0), len(records))
        failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures") or ()}
        return next((at for at, record in enumerate(records) if _sequence(record) in failed), len(records))

    def _retry_alone(self, record: Record) -> None:
        for delay in self.retry_delays:
            logger.warning("record %s failed; trying it again in %.1f s", _sequence(record), delay)
            if self.stop.wait(delay):
                raise Stopped
            if self._first_failure([record]):
                return
        self._put_aside(record)

    def _put_aside(self, record: Record) -> None:
        self.dead_letters.parent.mkdir(parents=True, exist_ok=True)
        with self.dead_letters.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"putAsideAt": datetime.now(UTC).isoformat(), "record": record}) + "\n")
        logger.error(
            "RECORD PUT ASIDE: %s of %s failed %d times and is kept in %s; the stream goes on without it",
            _sequence(record),
            record["eventSourceARN"],
            len(self.retry_delays) + 1,
            self.dead_letters,
        )


def as_lambda_sends_it(record: Record, stream_arn: str) -> Record:
    """A record from the streams API in the form of Lambda's events: JSON all the way down, and with its stream's name."""
    plain: Record = _plain(record)
    return {**plain, "eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.timestamp()
    return value


def _sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def _checkpoint_key(shard: Shard) -> dict[str, dict[str, str]]:
    return {"PK": {"S": f"{shard.stream_arn}#{shard.shard_id}"}}


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
