"""Publishing an index through a bucket, and reading it while it changes."""

import io
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.search import reading
from catalog.search.archives import pack_folder, unpack
from catalog.search.engine import Batch, Filters, IndexMissing
from catalog.search.reading import SnapshotReader
from catalog.search.store import CorruptArchive, SeenPointer, SnapshotStore
from tests.catalog.search.shelf import Shelf, document, shown

# --- Publishing and reading -------------------------------------------------------------------------------------------


def test_what_is_published_is_found_by_readers_that_look_again(shelf: Shelf) -> None:
    writer, reader = shelf.writer(), shelf.reader()
    assert writer.rebuild([document("a"), document("b")]) == 2
    assert shown(reader) == {"a": "Mug", "b": "Mug"}

    writer.apply(Batch((document("c"), document("a", "Bowl")), ("b", "never-there")))

    assert shown(reader) == {"a": "Mug", "b": "Mug"}
    shelf.later()
    assert shown(reader) == {"a": "Bowl", "c": "Mug"}
    assert shown(shelf.reader()) == {"a": "Bowl", "c": "Mug"}


def test_a_batch_applied_twice_changes_nothing_more(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a"), document("b")])
    batch = Batch((document("c"), document("a", "Bowl")), ("b",))

    shelf.writer().apply(batch)
    shelf.writer().apply(batch)

    assert shown(shelf.reader()) == {"a": "Bowl", "c": "Mug"}


def test_an_empty_batch_publishes_nothing(shelf: Shelf) -> None:
    shelf.writer().apply(Batch())

    assert shelf.keys() == []


def test_the_pointer_is_looked_at_no_more_than_every_thirty_seconds(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    look = SnapshotStore.current

    def noted_look(self: SnapshotStore) -> SeenPointer | None:
        looks.append(shelf.clock.now)
        return look(self)

    monkeypatch.setattr(SnapshotStore, "current", noted_look)
    reader = shelf.reader()
    for second in range(100):
        shelf.clock.now = 1000.0 + second
        with pytest.raises(IndexMissing):
            reader.engine()
    assert looks == [1000.0, 1030.0, 1060.0, 1090.0]

    shelf.writer().rebuild([document("a")])
    looks.clear()
    for second in range(100, 190):
        shelf.clock.now = 1000.0 + second
        assert (second >= 120) == _is_open(reader)
    assert looks == [1120.0, 1150.0, 1180.0]


def _is_open(reader: SnapshotReader) -> bool:
    try:
        return bool(shown(reader))
    except IndexMissing:
        return False


def test_an_engine_in_use_outlives_its_successor_and_its_folder_goes_with_it(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    reader = shelf.reader()
    held = reader.engine()
    folder = held.folder
    shelf.writer().apply(Batch((document("b"),)))
    shelf.later()

    assert set(shown(reader)) == {"a", "b"}
    assert [card.product_id for card in held.search(Filters(), page=1).cards] == ["a"]
    assert folder.exists()
    del held
    assert not folder.parent.exists()
    assert reader.engine().folder.exists()


def test_threads_search_on_while_one_fetches_the_new_index(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.writer().rebuild([document("a")])
    reader = shelf.reader()
    assert set(shown(reader)) == {"a"}
    shelf.writer().apply(Batch((document("b"),)))
    shelf.later()
    is_fetching, may_finish = threading.Event(), threading.Event()
    fetch = reading.fetch

    def slow_fetch(*args: Any) -> Any:
        is_fetching.set()
        assert may_finish.wait(10)
        return fetch(*args)

    monkeypatch.setattr(reading, "fetch", slow_fetch)
    first = threading.Thread(target=reader.engine)
    first.start()
    assert is_fetching.wait(10)

    assert set(shown(reader)) == {"a"}
    may_finish.set()
    first.join(10)
    assert set(shown(reader)) == {"a", "b"}


# --- Trouble ----------------------------------------------------------------------------------------------------------


def test_without_any_index_there_is_one_exception(shelf: Shelf) -> None:
    with pytest.raises(IndexMissing, match="No index was published yet"):
        shelf.reader().engine()


def test_an_unreachable_bucket_is_no_index_or_the_last_one(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.writer().rebuild([document("a")])
    reader = shelf.reader()
    reader.engine()
    away = SnapshotReader(SnapshotStore(bucket=shelf.bucket, region="us-east-1", endpoint_url="http://127.0.0.1:9"))
    with pytest.raises(IndexMissing):
        away.engine()

    monkeypatch.setattr(reader, "_store", away._store)
    shelf.later()

    assert set(shown(reader)) == {"a"}


def _with_member(name: str, **fields: Any) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        with tarfile.open(fileobj=(out := io.BytesIO(content)), mode="a") as tar:
            member = tarfile.TarInfo(name)
            member.size = 4 if fields.get("type", tarfile.REGTYPE) == tarfile.REGTYPE else 0
            for field, value in fields.items():
                setattr(member, field, value)
            tar.addfile(member, io.BytesIO(b"evil"))
        return out.getvalue()

    return change


BAD_ARCHIVES: dict[str, Callable[[bytes], bytes]] = {
    "not an archive": lambda _: b"nonsense" * 500,
    "empty": lambda _: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut by little": lambda content: content[: len(content) // 2 // 512 * 512],
    "a path upwards": _with_member("../evil"),
    "an absolute path": _with_member("/tmp/evil"),  # noqa: S108 - a name in an archive
    "a folder": _with_member("folder", type=tarfile.DIRTYPE),
    "a path below": _with_member("folder/evil"),
    "a symbolic link": _with_member("link", type=tarfile.SYMTYPE, linkname="/etc/passwd"),
    "a hard link": _with_member("link", type=tarfile.LNKTYPE, linkname="meta.json"),
    "a device": _with_member("null", type=tarfile.CHRTYPE),
    "two of a name": _with_member("meta.json"),
    "an odd name": _with_member("a\nb"),
}


@pytest.mark.parametrize("kind", BAD_ARCHIVES)
@pytest.mark.parametrize("tell_pointer", [False, True])
def test_a_bad_archive_leaves_the_last_good_index(shelf: Shelf, kind: str, tell_pointer: bool) -> None:
    shelf.writer().rebuild([document("a")])
    reader = shelf.reader()
    good = reader.engine()
    shelf.replace_archive(BAD_ARCHIVES[kind], tell_pointer=tell_pointer)
    shelf.later()

    assert reader.engine() is good
    with pytest.raises(IndexMissing):
        shelf.reader().engine()

    shelf.writer().rebuild([document("b")])
    shelf.later()
    assert set(shown(reader)) == {"b"}


def test_an_archive_that_is_gone_leaves_the_last_good_index(shelf: Shelf) -> None:
    shelf.writer().rebuild([document("a")])
    reader = shelf.reader()
    good = reader.engine()
    shelf.writer().rebuild([document("b")])
    for key in shelf.keys("archives/"):
        shelf.client.delete_object(Bucket=shelf.bucket, Key=key)
    shelf.later()

    assert reader.engine() is good


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "meta.json").write_text("{}")
    pack_folder(tmp_path / "in", tmp_path / "archive.tar")
    content = (tmp_path / "archive.tar").read_bytes()
    (tmp_path / "archive.tar").write_bytes(_with_member("../evil")(content))

    with pytest.raises(CorruptArchive, match="evil"):
        unpack(tmp_path / "archive.tar", tmp_path / "out")

    assert not (tmp_path / "evil").exists()


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "big").write_bytes(b"x" * 2000)
    pack_folder(tmp_path / "in", tmp_path / "archive.tar")
    monkeypatch.setattr("catalog.search.archives.MAX_BYTES", 1000)

    with pytest.raises(CorruptArchive, match="more than"):
        unpack(tmp_path / "archive.tar", tmp_path / "out")

    assert list((tmp_path / "out").iterdir()) == []
