"""Which engine the shop searches and keeps in step: the embedded one, or the cluster that OPENSEARCH_URL names.

Nothing else asks for the setting, and nothing else makes an engine for the shop. What pages ask it stands in
`catalog/index_queries.py`, what the stream and `manage.py reindex` make of it in `catalog/services.py`.
"""

from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from catalog.search.embedded import FORMAT
from catalog.search.engine import Engine, Writer
from catalog.search.reading import SnapshotReader
from catalog.search.store import SnapshotStore

if TYPE_CHECKING:
    from catalog.search.opensearch import OpenSearchEngine


def engine() -> Engine:
    """The engine to search with now. Raises IndexMissing."""
    return _cluster() if settings.OPENSEARCH_URL else _reader().engine()


@cache
def writer() -> Writer:
    """What keeps the index; one a process, so that a batch finds the embedded index of the last one at hand."""
    if settings.OPENSEARCH_URL:
        return _cluster()
    from catalog.search.publishing import SnapshotWriter

    return SnapshotWriter(_store())


def forget_engines() -> None:
    """Drop what the process holds, as one that starts has nothing; for tests and proofs."""
    for made in (writer, _reader, _cluster):
        made.cache_clear()


@cache
def _reader() -> SnapshotReader:
    return SnapshotReader(_store(), look_seconds=settings.SEARCH_LOOK_SECONDS)


@cache
def _cluster() -> "OpenSearchEngine":
    # Half a cold start's imports, for shops that have a cluster alone.
    from catalog.search.opensearch import OpenSearchEngine, connect

    # As with snapshots, code that writes another kind of index finds none until a rebuild, and the code before it keeps its own.
    return OpenSearchEngine(connect(settings.OPENSEARCH_URL), name=f"{settings.TABLE_PREFIX}products-{FORMAT}".lower())


def _store() -> SnapshotStore:
    return SnapshotStore(
        bucket=settings.MEDIA_BUCKET, region=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL, prefix="search"
    )
