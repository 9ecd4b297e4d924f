"""What only the engine inside the process has: files, threads, and what it remembers."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.search import embedded
from catalog.search.embedded import TantivyEngine
from catalog.search.engine import Document, Filters, IndexMissing, Sort
from tests import factories


def document(product_id: str, **overrides: str) -> Document:
    return Document.of(factories.product(product_id=product_id, **overrides))


def test_a_folder_without_an_index_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        TantivyEngine(tmp_path)
    with pytest.raises(IndexMissing):
        TantivyEngine(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_no_index(tmp_path: Path) -> None:
    TantivyEngine.create(tmp_path).upsert([document("a")])
    for file in tmp_path.glob("*.*"):
        if file.suffix not in {".json", ".lock"}:
            file.write_bytes(file.read_bytes()[:10])

    with pytest.raises(IndexMissing):
        TantivyEngine(tmp_path)


def test_an_index_can_be_opened_again_and_written_on(tmp_path: Path) -> None:
    TantivyEngine.create(tmp_path).upsert([document("a"), document("b")])

    TantivyEngine(tmp_path).upsert([document("b", name="Bowl"), document("c")])

    again = TantivyEngine(tmp_path)
    assert again.size == 3
    assert {card.product_id: card.name for card in again.search(Filters()).cards}["b"] == "Bowl"


def test_what_fails_half_way_changes_nothing(tmp_path: Path) -> None:
    engine = TantivyEngine.create(tmp_path)
    engine.upsert([document("a")])

    def broken() -> Iterator[Document]:
        yield document("b")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        engine.upsert(broken())

    assert engine.size == 1
    engine.upsert([document("c")])
    assert {card.product_id for card in engine.search(Filters()).cards} == {"a", "c"}


def test_counts_are_remembered_until_the_index_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = TantivyEngine.create(tmp_path)
    engine.upsert([document("a", brand="A")])
    counted: list[Filters] = []
    count = embedded._count

    def noted_count(searcher: Any, question: Any, filters: Filters) -> Any:
        counted.append(filters)
        return count(searcher, question, filters)

    monkeypatch.setattr(embedded, "_count", noted_count)
    in_a = Filters(brands=frozenset({"A"}), attributes={"colour": frozenset()})

    engine.search(in_a)
    engine.search(Filters(brands=frozenset({"A"})), sort=Sort.NEWEST, page=2)
    assert len(counted) == 1
    engine.search(Filters(brands=frozenset({"B"})))
    assert len(counted) == 2
    engine.upsert([document("b", brand="A")])
    assert engine.search(in_a).total == 2

    for number in range(3 * embedded._REMEMBERED_COUNTS):
        engine.search(Filters(price_min=number))
    assert engine.search(in_a).total == 2


def test_threads_search_while_one_writes(tmp_path: Path) -> None:
    engine = TantivyEngine.create(tmp_path)
    engine.upsert([document("a0")])
    is_done = threading.Event()
    wrong: list[object] = []

    def search() -> None:
        while not is_done.is_set():
            results = engine.search(Filters(text="mug"), sort=Sort.RELEVANCE, size=100)
            if results.total != len(results.cards) or results.facets.in_stock != results.total:
                wrong.append(results)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 30):
        engine.upsert([document(f"a{number}")])
    is_done.set()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert engine.size == 30
