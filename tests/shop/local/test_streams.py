import json
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from shop.local.context import LocalContext
from shop.local.ministack import Ministack
from shop.local.streams import StreamWorker
from tests.shop.local.waiting import wait_until

NO_DELAYS = (0.0, 0.0, 0.0)


class SetWhileWaiting(threading.Event):
    """A stop that always comes in the middle of a pause."""

    def wait(self, timeout: float | None = None) -> bool:
        return True


class Shelf:
    """One table with a stream, the function that hears of its changes, and a worker between them."""

    def __init__(self, folder: Path) -> None:
        name = uuid.uuid4().hex[:8]
        self.table = f"things-{name}"
        self.checkpoints = f"checkpoints-{name}"
        self.dead_letters = folder / "put-aside.jsonl"
        self.dynamodb = boto3.client("dynamodb")
        self.stop = threading.Event()
        self.events: list[list[str]] = []
        self.contexts: list[LocalContext] = []
        self.records: list[dict[str, Any]] = []
        # Keys that the function refuses, and how many times more.
        self.refusals: dict[str, int] = {}
        self.crashes: dict[str, int] = {}

    def create(self) -> None:
        self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )

    def put(self, *keys: str) -> None:
        for key in keys:
            self.dynamodb.put_item(TableName=self.table, Item={"PK": {"S": key}})

    def worker(self) -> StreamWorker:
        return StreamWorker(
            tables=[self.table],
            checkpoint_table=self.checkpoints,
            handler=self.handler,
            dead_letters=self.dead_letters,
            stop=self.stop,
            retry_delays=NO_DELAYS,
        )

    def handler(self, event: dict[str, Any], context: object) -> dict[str, Any]:
        assert isinstance(context, LocalContext)
        self.contexts.append(context)
        json.dumps(event)  # Lambda's events are JSON all the way down
        keys = [record["dynamodb"]["Keys"]["PK"]["S"] for record in event["Records"]]
        self.events.append(keys)
        for key in keys:
            if self.crashes.get(key):
                self.crashes[key] -= 1
                raise ValueError(key)
        failed = []
        for key, record in zip(keys, event["Records"], strict=True):
            if self.refusals.get(key):
                self.refusals[key] -= 1
                failed.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            else:
                self.records.append(record)
        return {"batchItemFailures": failed}

    @property
    def heard(self) -> list[str]:
        return [record["dynamodb"]["Keys"]["PK"]["S"] for record in self.records]

    def put_aside(self) -> list[str]:
        lines = self.dead_letters.read_text().splitlines() if self.dead_letters.exists() else []
        return [json.loads(line)["record"]["dynamodb"]["Keys"]["PK"]["S"] for line in lines]


@pytest.fixture
def shelf(cloud: Ministack, tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path)
    made.create()
    yield made
    made.dynamodb.delete_table(TableName=made.table)


def test_the_function_hears_of_every_change_once_and_in_order_in_lambdas_shape(shelf: Shelf) -> None:
    worker = shelf.worker()
    shelf.put("a")
    shelf.dynamodb.put_item(TableName=shelf.table, Item={"PK": {"S": "a"}, "raw": {"B": b"\x00\xff"}, "n": {"N": "1.50"}})
    shelf.dynamodb.delete_item(TableName=shelf.table, Key={"PK": {"S": "a"}})
    assert worker.poll() == 3
    assert worker.poll() == 0
    assert [record["eventName"] for record in shelf.records] == ["INSERT", "MODIFY", "REMOVE"]
    changed = shelf.records[1]
    assert changed["eventSource"] == "aws:dynamodb"
    assert changed["awsRegion"] == "us-east-1"
    assert f":table/{shelf.table}/stream/" in changed["eventSourceARN"]
    assert changed["dynamodb"]["Keys"] == {"PK": {"S": "a"}}
    assert changed["dynamodb"]["OldImage"] == {"PK": {"S": "a"}}
    assert changed["dynamodb"]["NewImage"] == {"PK": {"S": "a"}, "raw": {"B": "AP8="}, "n": {"N": "1.5"}}
    assert isinstance(changed["dynamodb"]["ApproximateCreationDateTime"], float)


def test_every_call_has_the_whole_of_a_function_s_time(shelf: Shelf) -> None:
    worker = shelf.worker()
    for key in ("a", "b"):
        shelf.put(key)
        worker.poll()

    first, second = shelf.contexts
    assert first.aws_request_id != second.aws_request_id
    assert first._started_at < second._started_at


def test_a_worker_that_starts_again_goes_on_where_the_last_one_stopped(shelf: Shelf) -> None:
    shelf.put("a", "b")
    shelf.worker().poll()
    shelf.put("c")
    shelf.worker().poll()
    assert shelf.events == [["a", "b"], ["c"]]


def test_what_a_crashed_worker_had_not_finished_comes_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("a", "b")
    crashed = shelf.worker()
    # The process dies after the function has done its work and before that is written down.
    monkeypatch.setattr(crashed._checkpoints, "write", _die)
    with pytest.raises(KeyboardInterrupt):
        crashed.poll()
    shelf.worker().poll()
    assert shelf.events == [["a", "b"], ["a", "b"]]


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_failed_record_is_tried_again_alone_and_then_the_rest_goes_on(shelf: Shelf) -> None:
    shelf.refusals["b"] = 2
    shelf.put("a", "b", "c")
    shelf.worker().poll()
    assert shelf.events == [["a", "b", "c"], ["b"], ["b"], ["c"]]
    assert shelf.put_aside() == []


def test_a_record_that_keeps_failing_is_put_aside_loudly_and_the_stream_flows_on(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.refusals["b"] = 1000
    shelf.put("a", "b", "c")
    shelf.worker().poll()
    assert shelf.events == [["a", "b", "c"], *[["b"]] * len(NO_DELAYS), ["c"]]
    assert shelf.put_aside() == ["b"]
    assert caplog.text.count("RECORD PUT ASIDE") == 1
    shelf.put("d")
    shelf.worker().poll()
    assert shelf.events[-1] == ["d"]
    assert shelf.put_aside() == ["b"]


def test_a_function_that_raises_blames_the_one_record_that_makes_it_raise(shelf: Shelf) -> None:
    shelf.crashes["b"] = 1000
    shelf.put("a", "b", "c")
    shelf.worker().poll()
    assert shelf.heard == ["a", "c"]
    assert shelf.put_aside() == ["b"]


def test_a_stop_between_tries_leaves_the_record_for_the_next_worker(shelf: Shelf) -> None:
    shelf.refusals["b"] = 1
    shelf.put("a", "b")
    shelf.stop.set()
    worker = shelf.worker()
    worker.run()
    assert shelf.events == []

    shelf.stop = SetWhileWaiting()
    stopped_while_retrying = shelf.worker()
    stopped_while_retrying.run()
    assert shelf.events == [["a", "b"]]

    shelf.stop = threading.Event()
    shelf.worker().poll()
    assert shelf.events == [["a", "b"], ["b"]]
    assert shelf.put_aside() == []


def test_a_table_made_anew_is_read_from_its_first_change(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.local.streams._REDISCOVER_SECONDS", 0.0)
    worker = shelf.worker()
    shelf.put("a")
    worker.poll()
    shelf.dynamodb.delete_table(TableName=shelf.table)
    worker.poll()
    shelf.create()
    shelf.put("b")
    worker.poll()
    assert shelf.heard == ["a", "b"]


def test_the_worker_waits_for_a_table_that_is_not_there_yet(cloud: Ministack, tmp_path: Path) -> None:
    early = Shelf(tmp_path)
    running = threading.Thread(target=early.worker().run, kwargs={"poll_seconds": 0.01})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shop.local.streams._REDISCOVER_SECONDS", 0.0)
        running.start()
        early.create()
        early.put("a")
        wait_until(lambda: early.heard == ["a"])
        early.stop.set()
        running.join()


def test_a_cloud_that_wakes_up_from_an_older_snapshot_delivers_what_it_has_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in Ministack().environment.items():
        monkeypatch.setenv(name, value)
    with Ministack(data_dir=tmp_path / "cloud") as cloud:
        monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint)
        shelf = Shelf(tmp_path)
        shelf.create()
        shelf.put("a")
        shelf.worker().poll()
        shelf.put("b")
    # "b" was written and kept, nobody has heard of it, and what happens from now on is lost.
    forgetful = Ministack(port=cloud.port, data_dir=tmp_path / "cloud", snapshot_seconds=3600).start()
    shelf.worker().poll()
    shelf.put("c")
    shelf.worker().poll()
    assert shelf.heard == ["a", "b", "c"]
    assert forgetful.process
    forgetful.process.kill()
    forgetful.process.wait()
    forgetful.stop()
    with Ministack(port=cloud.port, data_dir=tmp_path / "cloud"):
        shelf.put("d")
        shelf.worker().poll()
    # The effects of "b" are forgotten like all else since, so it comes again; "c" was never written; "a" is done with.
    assert shelf.heard == ["a", "b", "c", "b", "d"]


def test_a_position_that_the_stream_no_longer_knows_means_from_the_oldest_record_on(shelf: Shelf) -> None:
    shelf.put("a")
    worker = shelf.worker()
    worker.poll()
    key = shelf.dynamodb.scan(TableName=shelf.checkpoints)["Items"][0]["PK"]
    shelf.dynamodb.put_item(TableName=shelf.checkpoints, Item={"PK": key, "sequenceNumber": {"S": "9" * 30}})
    shelf.put("b")
    worker.poll()
    assert shelf.events == [["a"], ["a", "b"]]
