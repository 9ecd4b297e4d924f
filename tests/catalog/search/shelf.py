"""A bucket with published indexes, and what tests do with it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import boto3

from catalog.search import reading
from catalog.search.embedded import FORMAT
from catalog.search.engine import Document, Filters
from catalog.search.publishing import SnapshotWriter
from catalog.search.reading import SnapshotReader
from catalog.search.store import SnapshotStore
from shop.local.ministack import Ministack
from tests import factories


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Shelf:
    """A bucket of its own, and what tests do with it."""

    def __init__(self, cloud: Ministack) -> None:
        self.cloud = cloud
        self.bucket = f"search-{uuid4().hex[:12]}"
        self.client = boto3.client("s3", endpoint_url=cloud.endpoint, region_name=cloud.region)
        self.client.create_bucket(Bucket=self.bucket)
        self.clock = Clock()

    def store(self) -> SnapshotStore:
        return SnapshotStore(bucket=self.bucket, region=self.cloud.region, endpoint_url=self.cloud.endpoint)

    def writer(self) -> SnapshotWriter:
        return SnapshotWriter(self.store())

    def reader(self) -> SnapshotReader:
        return SnapshotReader(self.store(), clock=self.clock)

    def later(self) -> None:
        self.clock.now += reading.LOOK_SECONDS

    def keys(self, folder: str = "") -> list[str]:
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix=f"search/{FORMAT}/{folder}")
        return [item["Key"] for item in listed.get("Contents", [])]

    def replace_archive(self, change: Callable[[bytes], bytes], *, tell_pointer: bool) -> None:
        """Put something else in place of the current archive, and its checksum into the pointer or not."""
        kept = self.store()
        seen = kept.current()
        assert seen
        assert seen.pointer.archive
        content = change(self.client.get_object(Bucket=self.bucket, Key=seen.pointer.archive)["Body"].read())
        key = seen.pointer.archive + "x"
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)
        checksum = hashlib.sha256(content).hexdigest() if tell_pointer else seen.pointer.sha256
        kept.point(replace(seen.pointer, archive=key, sha256=checksum), instead_of=seen)


def document(product_id: str, name: str = "Mug") -> Document:
    return Document.of(factories.product(product_id=product_id, name=name))


def shown(reader: SnapshotReader) -> dict[str, str]:
    """Names by id of what is in the index the reader gives."""
    return {card.product_id: card.name for card in reader.engine().search(Filters(), size=1000).cards}
