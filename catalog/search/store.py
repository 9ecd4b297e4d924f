"""Where published indexes lie: a bucket with immutable archives, a journal of changes, and one small pointer to what is current.

    <prefix>/<format>/current.json                     the pointer; the only object that is ever written twice
    <prefix>/<format>/archives/<sequence>-<token>.tar  an index
    <prefix>/<format>/changes/<sequence>-<token>.json  the changes that led to it, and the name of those before

The pointer is written with S3's conditional writes (If-Match on the version that was read, If-None-Match for the first), so of
two writers that started from the same state one is refused and starts again from the other's. The format is in the path: code
that writes another kind of index finds none until a rebuild, and code that is still being replaced keeps its own.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.search.embedded import FORMAT
from catalog.search.signed import Found, NoAnswer, SignedReader

ARCHIVES_KEPT = 3
"""A reader that has just seen the last pointer may still be fetching the archive before."""
JOURNAL_KEPT = timedelta(days=1)
"""A rebuild that takes longer than this is overtaken, see `publishing.RebuildOvertaken`."""
_TIDIED_EVERY = 20
_CHUNK = 1 << 20
_CONNECT_SECONDS = 1
_READ_SECONDS = 5
# 409 is AWS's answer when two conditional writes meet; 404 when the object was deleted between.
_REFUSED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409", "NoSuchKey"}


class StoreFailed(Exception):
    """The bucket cannot be reached, or refused."""


class Superseded(Exception):
    """The pointer is not what it was any more: somebody else has published since."""


class CorruptArchive(Exception):
    """An archive is not what its pointer promises, or holds what no index holds."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """What is current. There is no archive before the first rebuild, while changes are noted already."""

    sequence: int
    archive: str | None = None
    sha256: str = ""
    changes: str | None = None


@dataclass(frozen=True, slots=True)
class SeenPointer:
    """A pointer as it was read; `etag` is what a write must match."""

    pointer: Pointer
    etag: str


class SnapshotStore:
    """The bucket. `endpoint_url` is empty on AWS; a laptop's cloud has an address. Everything raises StoreFailed."""

    def __init__(self, *, bucket: str, region: str, endpoint_url: str = "", prefix: str = "search") -> None:
        self._bucket = bucket
        self._reader = SignedReader(bucket=bucket, region=region, endpoint_url=endpoint_url)
        self._region = region
        self._endpoint_url = endpoint_url
        self._base = f"{prefix}/{FORMAT}"

    def current(self) -> SeenPointer | None:
        """The pointer, or None when nothing was ever published."""
        found = self._get(f"{self._base}/current.json")
        if found is None:
            return None
        try:
            with self._failures():
                content = found.body.read()
            return SeenPointer(Pointer(**json.loads(content)), found.etag)
        except (ValueError, TypeError) as error:
            raise StoreFailed(f"The pointer cannot be read: {error}") from error

    def point(self, pointer: Pointer, *, instead_of: SeenPointer | None) -> SeenPointer:
        """Make this current. Raises Superseded when `instead_of` is not current any more."""
        condition = {"IfMatch": instead_of.etag} if instead_of else {"IfNoneMatch": "*"}
        body = json.dumps(asdict(pointer)).encode()
        try:
            with self._failures(refused=True):
                answer = self._client.put_object(
                    Bucket=self._bucket, Key=f"{self._base}/current.json", Body=body, ContentType="application/json", **condition
                )
        except Superseded:
            # The client repeats a call whose answer was lost; then it was our own first attempt that got ahead of the second.
            seen = self.current()
            if seen is None or seen.pointer != pointer:
                raise
            return seen
        return SeenPointer(pointer, answer["ETag"])

    def add_archive(self, file: Path, sequence: int) -> tuple[str, str]:
        """Store an archive; its key and checksum."""
        key = f"{self._base}/archives/{sequence:012d}-{secrets.token_hex(8)}.tar"
        with file.open("rb") as content, self._failures():
            checksum = hashlib.file_digest(content, "sha256").hexdigest()
            content.seek(0)
            self._client.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType="application/x-tar")
        return key, checksum

    def fetch_archive(self, pointer: Pointer, file: Path) -> None:
        """Write the pointer's archive to the file. Raises CorruptArchive, also when there is no such archive."""
        found = self._get(pointer.archive or "")
        if found is None:
            raise CorruptArchive(f"{pointer.archive} does not exist")
        checksum = hashlib.sha256()
        with file.open("wb") as out, self._failures():
            for chunk in found.body.stream(_CHUNK):
                checksum.update(chunk)
                out.write(chunk)
        if checksum.hexdigest() != pointer.sha256:
            raise CorruptArchive(f"{pointer.archive} has another checksum than its pointer says")

    def add_changes(self, changes: dict[str, Any], sequence: int) -> str:
        """Note changes in the journal; their key."""
        key = f"{self._base}/changes/{sequence:012d}-{secrets.token_hex(8)}.json"
        with self._failures():
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=json.dumps(changes).encode(), ContentType="application/json"
            )
        return key

    def changes(self, key: str) -> dict[str, Any] | None:
        """Changes in the journal; None when they are not kept any more."""
        found = self._get(key)
        with self._failures():
            return None if found is None else dict(json.loads(found.body.read()))

    def delete(self, *keys: str) -> None:
        if keys:
            with self._failures():
                self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
                )

    def tidy(self, sequence: int) -> None:
        """Delete archives older than the last ones up to `sequence`, and now and then changes that no rebuild will ask for."""
        oldest = f"{self._base}/archives/{max(0, sequence - ARCHIVES_KEPT + 1):012d}"
        for page in self._pages("archives"):
            self.delete(*(item["Key"] for item in page if item["Key"] < oldest))
        if sequence % _TIDIED_EVERY == 0:
            before = datetime.now(UTC) - JOURNAL_KEPT
            for page in self._pages("changes"):
                self.delete(*(item["Key"] for item in page if item["LastModified"] < before))

    def _pages(self, folder: str) -> Iterator[list[dict[str, Any]]]:
        with self._failures():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{self._base}/{folder}/")
            for page in pages:
                yield page.get("Contents", [])

    def _get(self, key: str) -> Found | None:
        try:
            return self._reader.get(key)
        except NoAnswer as error:
            raise StoreFailed(str(error)) from error

    @contextmanager
    def _failures(self, *, refused: bool = False) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as error:
            if refused and error.response["Error"]["Code"] in _REFUSED:
                raise Superseded(str(error)) from error
            raise StoreFailed(str(error)) from error
        except (BotoCoreError, HTTPError, ConnectionError, TimeoutError) as error:
            raise StoreFailed(str(error)) from error

    @cached_property
    def _client(self) -> Any:
        # For writers alone; what reads is `signed.py`.
        from botocore.config import Config
        from botocore.session import get_session

        return get_session().create_client(
            "s3",
            region_name=self._region,
            endpoint_url=self._endpoint_url or None,
            config=Config(
                connect_timeout=_CONNECT_SECONDS,
                read_timeout=_READ_SECONDS,
                retries={"total_max_attempts": 2, "mode": "standard"},
            ),
        )
