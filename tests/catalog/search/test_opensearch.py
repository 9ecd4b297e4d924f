"""What only the engine in a cluster has: rebuilding while changes come in, and a shop that searches there."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from catalog import services
from catalog.editing_domain import draft_of
from catalog.search import choice
from catalog.search.engine import Batch, Document, Filters, IndexMissing
from catalog.search.opensearch import OpenSearchEngine, connect
from tests import factories
from tests.catalog.staff.typing import EDITOR
from tests.conftest import counted_calls
from tests.environment import CLUSTER_URL
from tests.shop.entrypoints.test_stream import item, react, record

needs_cluster = pytest.mark.skipif(
    not CLUSTER_URL, reason="TEST_OPENSEARCH_URL names no cluster; nor were test_engines.py and test_questions.py tried with one"
)


@pytest.fixture
def engine() -> Iterator[OpenSearchEngine]:
    """An engine under a name that has no index yet."""
    client = connect(CLUSTER_URL, timeout=30)
    name = f"test-{uuid4().hex[:8]}"
    yield OpenSearchEngine(client, name=name, refresh=True)
    client.indices.delete(index=f"{name}-*")
    client.close()


def document(product_id: str, name: str = "Mug") -> Document:
    return Document.of(factories.product(product_id=product_id, name=name))


def shown(engine: OpenSearchEngine) -> dict[str, str]:
    return {card.product_id: card.name for card in engine.search(Filters(), size=1000).cards}


def _interrupted(documents: Iterable[Document], meanwhile: Callable[[], None]) -> Iterator[Document]:
    """The products as a rebuild reads them, while something else happens after the first."""
    for number, read in enumerate(documents):
        yield read
        if number == 0:
            meanwhile()


@needs_cluster
@pytest.mark.parametrize("is_first", [True, False])
def test_changes_during_a_rebuild_are_in_it(engine: OpenSearchEngine, is_first: bool) -> None:
    if not is_first:
        assert engine.rebuild([document("old"), document("a", "Older"), document("deleted")]) == 3

    def meanwhile() -> None:
        engine.apply(Batch((document("a", "Changed"), document("new"), document("brief"))))
        engine.apply(Batch((document("b", "Changed"),), ("brief", "deleted", "never-there")))
        if not is_first:
            assert shown(engine) == {"old": "Mug", "a": "Changed", "new": "Mug", "b": "Changed"}

    told: list[int] = []
    read = [document("a"), document("b"), document("deleted"), document("c")]
    engine.rebuild(_interrupted(read, meanwhile), told.append)

    assert shown(engine) == {"a": "Changed", "b": "Changed", "c": "Mug", "new": "Mug"}
    assert {line.path.split("/")[2] for line in engine.listed()} == {"a", "b", "c", "new"}
    assert told == [4]


@needs_cluster
def test_of_two_rebuilds_the_one_that_ends_first_wins(engine: OpenSearchEngine) -> None:
    engine.rebuild([document("a")])

    def meanwhile() -> None:
        engine.rebuild([document("b")])

    many = (document(f"c{number}") for number in range(600))
    with pytest.raises(Exception, match=r"failed|not_found"):
        engine.rebuild(_interrupted(many, meanwhile))

    assert shown(engine) == {"b": "Mug"}


@needs_cluster
def test_before_the_first_rebuild_there_is_no_index(engine: OpenSearchEngine) -> None:
    engine.apply(Batch((document("a"),), ("b",)))

    with pytest.raises(IndexMissing):
        engine.search(Filters())
    with pytest.raises(IndexMissing):
        engine.search(Filters(text="mugs"))
    with pytest.raises(IndexMissing):
        engine.listed()
    assert engine.rebuild([]) == 0
    assert shown(engine) == {}


@pytest.fixture
def shop(tables: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenSearchEngine]:
    """A shop that searches in the cluster, before its first index; its indexes have a name of their own."""
    settings.OPENSEARCH_URL = CLUSTER_URL
    choice.forget_engines()
    engine = choice.writer()
    assert isinstance(engine, OpenSearchEngine)
    monkeypatch.setattr(engine, "_name", f"test-{uuid4().hex[:8]}")
    monkeypatch.setattr(engine, "_refresh", True)
    yield engine
    engine._client.indices.delete(index=f"{engine._name}-*")
    choice.forget_engines()


@needs_cluster
def test_a_shop_in_a_cluster_from_its_first_index_to_a_new_name(
    shop: OpenSearchEngine, client: Client, tables: Any, now: datetime
) -> None:
    factories.make_category("Lighting", "lighting")
    lamp = factories.make_product(name="Orb Lamp", category="Lighting", brand="Ode", attributes={"colour": "Sand"})
    factories.make_product(name="Tide Mug", attributes={"colour": "Blue"})
    assert "Orb Lamp" in client.get("/products/").text  # from the table

    call_command("reindex", stdout=(said := StringIO()))

    assert said.getvalue() == "2 products …\nthe search index holds 2 products\n"

    def names(address: str) -> list[str]:
        with counted_calls() as calls:
            page = client.get(address).text
        assert set(calls) <= {"Query"}  # the menu
        return [name for name in ("Orb Lamp", "Tide Mug", "Moon Lamp") if name in page]

    assert names("/products/") == ["Orb Lamp", "Tide Mug"]
    assert names("/products/?brand=Ode") == names("/products/?attr.colour=Sand") == ["Orb Lamp"]
    assert names("/categories/lighting/") == names("/products/?q=lmap+ode") == ["Orb Lamp"]
    assert names("/products/suggestions/?q=orb") == ["Orb Lamp"]

    before = item(tables, "Products", f"PRODUCT#{lamp.product_id}", "METADATA")
    draft = replace(draft_of(lamp), name="Moon Lamp")
    services.save_product(product_id=lamp.product_id, draft=draft, version=lamp.version, actor=EDITOR, now=now)
    assert react(record("Products", item(tables, "Products", f"PRODUCT#{lamp.product_id}", "METADATA"), before)) == []

    assert names("/products/?q=moon") == names("/products/suggestions/?q=moon") == ["Moon Lamp"]
    assert names("/products/?q=orb") == []


def test_a_cluster_that_does_not_answer_is_no_index() -> None:
    engine = OpenSearchEngine(connect("http://127.0.0.1:9", timeout=1))

    for ask in (lambda: engine.search(Filters()), lambda: engine.suggest("mug"), engine.listed):
        with pytest.raises(IndexMissing):
            ask()
