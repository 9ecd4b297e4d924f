"""An empty engine of each kind there is, and a bucket for what is published."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from catalog.search.embedded import TantivyEngine
from catalog.search.engine import Engine
from catalog.search.opensearch import OpenSearchEngine, connect
from shop.local.ministack import Ministack
from tests.catalog.search.shelf import Shelf
from tests.environment import CLUSTER_URL

_ENGINES = ["tantivy", *(["opensearch"] if CLUSTER_URL else [])]  # test_opensearch.py reports what is skipped without


@pytest.fixture(scope="module", params=_ENGINES)
def new_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Engine]]:
    """Makes empty engines of one kind."""
    if request.param == "tantivy":
        yield lambda: TantivyEngine.create(tmp_path_factory.mktemp("index"))
        return
    client = connect(CLUSTER_URL, timeout=30)
    family = f"test-{uuid4().hex[:8]}"

    def new() -> Engine:
        engine = OpenSearchEngine(client, name=f"{family}-{uuid4().hex[:8]}", refresh=True)
        engine.rebuild([])
        return engine

    yield new
    client.indices.delete(index=f"{family}-*")
    client.close()


@pytest.fixture
def engine(new_engine: Callable[[], Engine]) -> Engine:
    return new_engine()


@pytest.fixture
def shelf(cloud: Ministack) -> Shelf:
    return Shelf(cloud)
