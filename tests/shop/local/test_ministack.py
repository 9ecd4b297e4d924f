import os
import random
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from shop.local import ports
from shop.local.ministack import CloudFailed, Ministack, runs_here
from tests.shop.local.waiting import wait_until

SNAPSHOT_SECONDS = 0.1


def client(cloud: Ministack, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=cloud.endpoint,
        aws_access_key_id=cloud.access_key,
        aws_secret_access_key=cloud.secret_key,
        region_name=cloud.region,
    )


def create_table(cloud: Ministack) -> None:
    client(cloud, "dynamodb").create_table(
        TableName="Things",
        KeySchema=[{"AttributeName": "PK", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "PK", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )


def put(cloud: Ministack, key: str) -> None:
    client(cloud, "dynamodb").put_item(TableName="Things", Item={"PK": {"S": key}})


def keys(cloud: Ministack) -> set[str]:
    return {item["PK"]["S"] for item in client(cloud, "dynamodb").scan(TableName="Things")["Items"]}


def stream_keys(cloud: Ministack) -> list[str]:
    streams = client(cloud, "dynamodbstreams")
    arn = streams.list_streams(TableName="Things")["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    return [record["dynamodb"]["Keys"]["PK"]["S"] for record in streams.get_records(ShardIterator=iterator)["Records"]]


def last_snapshot(data_dir: Path) -> str:
    pointer = data_dir / "state" / "CURRENT"
    return pointer.read_text() if pointer.exists() else ""


def kill(cloud: Ministack) -> None:
    assert cloud.process
    cloud.process.kill()
    cloud.process.wait()
    cloud.stop()


def test_without_a_folder_nothing_is_kept() -> None:
    with Ministack() as cloud:
        create_table(cloud)
        port = cloud.port
    with Ministack(port=port) as cloud:
        assert client(cloud, "dynamodb").list_tables()["TableNames"] == []


def test_a_clean_stop_keeps_items_stream_records_mails_and_objects(tmp_path: Path) -> None:
    with Ministack(data_dir=tmp_path, snapshot_seconds=3600) as cloud:
        create_table(cloud)
        put(cloud, "a")
        client(cloud, "s3").create_bucket(Bucket="photos")
        client(cloud, "s3").put_object(Bucket="photos", Key="a.webp", Body=b"RIFF")
        ses = client(cloud, "sesv2")
        ses.create_email_identity(EmailIdentity="shop@example.com")
        content = {"Simple": {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "…"}}}}
        ses.send_email(FromEmailAddress="shop@example.com", Destination={"ToAddresses": ["a@example.com"]}, Content=content)
    with Ministack(data_dir=tmp_path) as cloud:
        assert keys(cloud) == {"a"}
        assert stream_keys(cloud) == ["a"]
        assert client(cloud, "s3").get_object(Bucket="photos", Key="a.webp")["Body"].read() == b"RIFF"
        assert client(cloud, "sesv2").get_account()["SendQuota"]["SentLast24Hours"] == 1.0


def test_a_killed_cloud_comes_back_with_its_last_snapshot(tmp_path: Path) -> None:
    cloud = Ministack(data_dir=tmp_path, snapshot_seconds=SNAPSHOT_SECONDS).start()
    create_table(cloud)
    put(cloud, "a")
    before = last_snapshot(tmp_path)
    wait_until(lambda: last_snapshot(tmp_path) != before)
    # That snapshot may have been on its way already; the one after a further change holds "a" for certain.
    put(cloud, "b")
    before = last_snapshot(tmp_path)
    wait_until(lambda: last_snapshot(tmp_path) != before)
    kill(cloud)
    with Ministack(data_dir=tmp_path) as cloud:
        assert keys(cloud) >= {"a"}
        assert set(stream_keys(cloud)) == keys(cloud)


def test_reading_alone_writes_no_snapshots(tmp_path: Path) -> None:
    with Ministack(data_dir=tmp_path, snapshot_seconds=0.05) as cloud:
        create_table(cloud)
        wait_until(lambda: last_snapshot(tmp_path) != "")
        client(cloud, "dynamodb").list_tables()
        settled = last_snapshot(tmp_path)
        stop = threading.Event()
        for _ in range(10):
            keys(cloud)
            stream_keys(cloud)
            stop.wait(0.03)
        assert last_snapshot(tmp_path) == settled


def test_no_moment_to_kill_it_destroys_what_was_kept(tmp_path: Path) -> None:
    chance = random.Random(20)
    with Ministack(data_dir=tmp_path) as cloud:
        create_table(cloud)
    safe: set[str] = set()
    for round_number in range(5):
        # So many snapshots that most kills hit one that is being written.
        cloud = Ministack(data_dir=tmp_path, snapshot_seconds=0.001).start()
        assert safe <= keys(cloud)
        safe = keys(cloud)
        assert sorted(stream_keys(cloud)) == sorted(safe)
        assert cloud.process
        threading.Timer(chance.uniform(0.05, 0.4), cloud.process.kill).start()
        for number in range(10_000):
            try:
                put(cloud, f"{round_number}-{number}")
            except (BotoCoreError, ClientError):
                break
        cloud.stop()
    assert safe


def test_it_ends_with_its_parent_and_keeps_everything(tmp_path: Path) -> None:
    port = int(ports.helper_port("cloud", web_port=31_000, data_dir=tmp_path))
    program = (
        "import sys, time; from pathlib import Path; from shop.local.ministack import Ministack\n"
        f"cloud = Ministack(port={port}, data_dir=Path({str(tmp_path / 'cloud')!r}), snapshot_seconds=3600).start()\n"
        "print('up', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "up\n"
        cloud = Ministack(port=port)
        create_table(cloud)
        put(cloud, "a")
        os.kill(parent.pid, signal.SIGKILL)
    wait_until(lambda: ports.is_free(port))
    with Ministack(port=port, data_dir=tmp_path / "cloud") as cloud:
        assert keys(cloud) == {"a"}


def test_a_healthy_one_of_the_same_folder_is_adopted_and_left_running(tmp_path: Path) -> None:
    with Ministack(data_dir=tmp_path) as cloud:
        create_table(cloud)
        with Ministack(port=cloud.port, data_dir=tmp_path) as adopted:
            assert adopted.process is None
            put(adopted, "a")
        assert keys(cloud) == {"a"}


def test_one_of_another_folder_is_not_adopted(tmp_path: Path) -> None:
    with Ministack(data_dir=tmp_path / "a") as cloud:
        assert not runs_here(cloud.port, tmp_path / "b")
        with pytest.raises(ports.PortTaken):
            Ministack(port=cloud.port, data_dir=tmp_path / "b").start()


def test_whatever_else_listens_is_not_adopted(tmp_path: Path) -> None:
    with ports.listen(0) as stranger, pytest.raises(ports.PortTaken):
        Ministack(port=stranger.getsockname()[1], data_dir=tmp_path).start()


def test_two_of_them_never_share_a_folder(tmp_path: Path) -> None:
    with Ministack(data_dir=tmp_path), pytest.raises(CloudFailed, match="Another local AWS is already using"):
        Ministack(data_dir=tmp_path).start()


def test_nobody_reads_an_object_without_signing() -> None:
    with Ministack() as cloud:
        client(cloud, "s3").create_bucket(Bucket="photos")
        client(cloud, "s3").put_object(Bucket="photos", Key="a.webp", Body=b"RIFF")
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(f"{cloud.endpoint}/photos/a.webp")
