"""Several writers at once, and rebuilds among batches."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from catalog.search import publishing, store
from catalog.search.engine import Batch, Document, IndexMissing
from catalog.search.publishing import RebuildOvertaken, SnapshotWriter
from catalog.search.store import SnapshotStore, StoreFailed, Superseded
from tests.catalog.search.shelf import Shelf, document, shown

# --- Several writers --------------------------------------------------------------------------------------------------


def test_two_writers_at_once_lose_nothing(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    start = threading.Barrier(4)

    def write(writer: SnapshotWriter, name: str) -> None:
        start.wait()
        for number in range(3):
            writer.apply(Batch((document(f"{name}{number}"),)))

    threads = [threading.Thread(target=write, args=(shelf.writer(), name)) for name in "wxyz"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(shown(shelf.reader())) == {"a", *(f"{name}{number}" for name in "wxyz" for number in range(3))}


def test_a_writer_whose_index_was_tidied_away_meanwhile_begins_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.writer().rebuild([document("a")])
    quick, slow = shelf.writer(), shelf.writer()
    real = SnapshotStore.fetch_archive

    def overtaken(kept: SnapshotStore, pointer: store.Pointer, file: Path) -> None:
        monkeypatch.setattr(SnapshotStore, "fetch_archive", real)
        for number in range(store.ARCHIVES_KEPT + 1):
            quick.apply(Batch((document(f"q{number}"),)))
        real(kept, pointer, file)

    monkeypatch.setattr(SnapshotStore, "fetch_archive", overtaken)
    slow.apply(Batch((document("s"),)))

    assert set(shown(shelf.reader())) == {"a", "q0", "q1", "q2", "q3", "s"}


def test_a_writer_that_is_always_behind_gives_up_and_publishes_nothing(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.writer().rebuild([document("a")])
    before = shelf.keys()
    monkeypatch.setattr(publishing, "_PAUSE_SECONDS", 0)
    seen = shelf.store().current()
    assert seen
    monkeypatch.setattr(SnapshotStore, "current", lambda _: replace(seen, etag='"other"'))

    with pytest.raises(Superseded):
        shelf.writer().apply(Batch((document("b"),)))

    assert shelf.keys() == before


def test_a_publication_whose_answer_was_lost_is_not_taken_for_a_refusal(shelf: Shelf) -> None:
    kept = shelf.store()
    first = kept.point(store.Pointer(1, changes="x"), instead_of=None)
    second = kept.point(store.Pointer(2, changes="y"), instead_of=first)

    assert kept.point(store.Pointer(2, changes="y"), instead_of=first) == second
    with pytest.raises(Superseded):
        kept.point(store.Pointer(2, changes="z"), instead_of=first)


def test_only_the_last_three_archives_are_kept(shelf: Shelf) -> None:
    writer = shelf.writer()
    writer.rebuild([document("a")])
    for number in range(5):
        writer.apply(Batch((document(f"b{number}"),)))

    assert len(shelf.keys("archives/")) == 3
    assert len(shelf.keys("changes/")) == 5


# --- Rebuilds among batches -------------------------------------------------------------------------------------------


def _interrupted(documents: Iterable[Document], meanwhile: Callable[[], None]) -> Iterator[Document]:
    """The products as a rebuild reads them, while something else happens after the first."""
    for number, read in enumerate(documents):
        yield read
        if number == 0:
            meanwhile()


@pytest.mark.parametrize("is_first", [True, False])
def test_changes_published_during_a_rebuild_are_in_it(shelf: Shelf, is_first: bool) -> None:
    if not is_first:
        shelf.writer().rebuild([document("old")])
        shelf.writer().apply(Batch((document("a", "Older than what the rebuild reads"),)))
    other = shelf.writer()

    def meanwhile() -> None:
        other.apply(Batch((document("a", "Changed"), document("new"), document("brief"))))
        other.apply(Batch((document("b", "Changed"),), ("brief", "deleted")))

    read = [document("a"), document("deleted"), document("c")]
    assert shelf.writer().rebuild(_interrupted(read, meanwhile)) == 4

    assert shown(shelf.reader()) == {"a": "Changed", "b": "Changed", "c": "Mug", "new": "Mug"}


def test_a_batch_that_comes_between_a_rebuild_and_its_publication_is_in_it(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.writer().rebuild([document("a")])
    point = SnapshotStore.point
    others = [Batch((document("b"),)), Batch((document("c"),), ("a",))]

    def late(self: SnapshotStore, *args: Any, **kwargs: Any) -> Any:
        if others and threading.current_thread() is threading.main_thread():
            batch = others.pop(0)
            thread = threading.Thread(target=lambda: shelf.writer().apply(batch))
            thread.start()
            thread.join()
        return point(self, *args, **kwargs)

    monkeypatch.setattr(SnapshotStore, "point", late)
    shelf.writer().rebuild([document("a"), document("z")])

    assert set(shown(shelf.reader())) == {"b", "c", "z"}


def test_changes_before_the_first_rebuild_make_no_index(shelf: Shelf) -> None:
    shelf.writer().apply(Batch((document("a"),)))

    with pytest.raises(IndexMissing):
        shelf.reader().engine()
    assert shelf.writer().rebuild([document("b")]) == 1


def test_a_rebuild_whose_journal_is_gone_publishes_nothing(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])

    def meanwhile() -> None:
        shelf.writer().apply(Batch((document("b"),)))
        for key in shelf.keys("changes/"):
            shelf.client.delete_object(Bucket=shelf.bucket, Key=key)

    with pytest.raises(RebuildOvertaken):
        shelf.writer().rebuild(_interrupted([document("a", "Other")], meanwhile))

    assert shown(shelf.reader()) == {"a": "Mug", "b": "Mug"}


def test_an_old_journal_that_is_gone_disturbs_no_rebuild(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    shelf.writer().apply(Batch((document("old"),)))
    for key in shelf.keys("changes/"):
        shelf.client.delete_object(Bucket=shelf.bucket, Key=key)

    shelf.writer().rebuild(_interrupted([document("a")], lambda: shelf.writer().apply(Batch((document("b"),)))))

    assert set(shown(shelf.reader())) == {"a", "b"}


def test_a_rebuild_that_fails_leaves_what_was_published(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])

    def broken() -> Iterator[Document]:
        yield document("b")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        shelf.writer().rebuild(broken())

    assert set(shown(shelf.reader())) == {"a"}


def test_a_rebuild_tells_how_far_it_is(shelf: Shelf) -> None:
    told: list[int] = []

    shelf.writer().rebuild((document(f"p{number}") for number in range(2500)), told.append)

    assert told == [1000, 2000]


def test_a_writer_without_a_bucket_says_so() -> None:
    writer = SnapshotWriter(SnapshotStore(bucket="none", region="us-east-1", endpoint_url="http://127.0.0.1:9"))

    with pytest.raises(StoreFailed):
        writer.apply(Batch((document("a"),)))
    with pytest.raises(StoreFailed):
        writer.rebuild([])


# --- Trouble with the bucket ------------------------------------------------------------------------------------------


def test_an_index_that_cannot_be_tidied_away_after_is_published_all_the_same(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    writer = shelf.writer()
    writer.rebuild([document("a")])

    def fail(*_: object) -> None:
        raise StoreFailed("AccessDenied")

    with monkeypatch.context() as patch:
        patch.setattr(SnapshotStore, "tidy", fail)
        for number in range(4):
            writer.apply(Batch((document(f"b{number}"),)))
    assert set(shown(shelf.reader())) == {"a", "b0", "b1", "b2", "b3"}
    assert (len(shelf.keys("archives/")), len(caplog.records)) == (5, 4)
    assert caplog.messages[0] == "Old search indexes were not deleted: AccessDenied"

    writer.apply(Batch((document("c"),)))
    assert len(shelf.keys("archives/")) == 3


def test_an_archive_that_is_broken_and_still_current_is_no_race(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    shelf.replace_archive(lambda content: content[:-100], tell_pointer=False)
    before = shelf.keys()

    with pytest.raises(store.CorruptArchive):
        shelf.writer().apply(Batch((document("b"),)))

    assert set(before) <= set(shelf.keys())
    seen = shelf.store().current()
    assert seen
    assert seen.pointer.archive in before


def test_a_journal_is_kept_for_a_rebuild_and_now_and_then_tidied(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_TIDIED_EVERY", 3)
    writer = shelf.writer()
    writer.rebuild([document("a")])  # 1
    writer.apply(Batch((document("b"),)))  # 2
    writer.apply(Batch((document("c"),)))  # 3: they are young
    assert len(shelf.keys("changes/")) == 2

    monkeypatch.setattr(store, "JOURNAL_KEPT", timedelta(seconds=-60))
    writer.apply(Batch((document("d"),)))  # 4
    assert len(shelf.keys("changes/")) == 3
    for name in "ef":
        writer.apply(Batch((document(name),)))  # 5, and 6: they are old
    assert shelf.keys("changes/") == []
    assert set(shown(shelf.reader())) == set("abcdef")


def test_a_pointer_that_cannot_be_read_is_a_failure_of_the_store(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    [pointer] = shelf.keys("current.json")
    for content in (b"{", b'{"other": 1}', b"[]"):
        shelf.client.put_object(Bucket=shelf.bucket, Key=pointer, Body=content)
        with pytest.raises(StoreFailed, match="The pointer cannot be read"):
            shelf.store().current()


@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown"])
def test_a_refusal_that_is_no_race_is_a_failure_of_the_store(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    kept = shelf.store()

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": code}}, "PutObject")

    monkeypatch.setattr(kept._client, "put_object", refuse)
    with pytest.raises(StoreFailed, match=code):
        kept.point(store.Pointer(1, changes="x"), instead_of=None)
    assert shelf.keys() == []
