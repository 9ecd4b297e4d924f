"""The index a web process searches: the newest published one, fetched, opened and swapped in while others go on searching."""

import logging
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

from catalog.search.archives import unpack
from catalog.search.embedded import TantivyEngine
from catalog.search.engine import IndexMissing
from catalog.search.store import CorruptArchive, Pointer, SnapshotStore, StoreFailed

LOOK_SECONDS = 30.0
"""The pointer is looked at no more often than this, also while there is nothing or the bucket does not answer."""

logger = logging.getLogger(__name__)


class SnapshotReader:
    """Gives the engine of the newest published index; one of these a process.

    One thread at a time looks and fetches, inside the request it serves (a function is frozen between requests, so there is no
    background to do it in); the others are given the engine of before. Whatever goes wrong, the last good index stays in use.
    """

    def __init__(
        self, store: SnapshotStore, *, look_seconds: float = LOOK_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._look_seconds = look_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._next_look = float("-inf")
        self._engine: TantivyEngine | None = None
        self._archive: str | None = None
        self._trouble = "Nobody has looked yet."

    def engine(self) -> TantivyEngine:
        """The engine to search with now; whoever holds it may go on using it. Raises IndexMissing."""
        # While there is no engine at all, all wait for the one that looks.
        if self._is_due() and self._lock.acquire(blocking=self._engine is None):
            try:
                if self._is_due():
                    self._look()
            finally:
                self._lock.release()
        if self._engine is None:
            raise IndexMissing(self._trouble)
        return self._engine

    def _is_due(self) -> bool:
        return self._clock() >= self._next_look

    def _look(self) -> None:
        try:
            seen = self._store.current()
            if seen is None or seen.pointer.archive is None:
                self._trouble = "No index was published yet."
            elif seen.pointer.archive != self._archive:
                self._engine = fetch(self._store, seen.pointer)
                self._archive = seen.pointer.archive
        except (StoreFailed, CorruptArchive, IndexMissing, OSError) as error:
            self._trouble = str(error)
            logger.warning("The search index was not renewed: %s", error)
        finally:
            self._next_look = self._clock() + self._look_seconds


def fetch(store: SnapshotStore, pointer: Pointer) -> TantivyEngine:
    """The engine of a published index, in a folder of its own that goes when nobody holds the engine any more.

    Raises StoreFailed, CorruptArchive, IndexMissing, OSError.
    """
    folder = Path(tempfile.mkdtemp(prefix="search-"))
    try:
        archive = folder / "archive.tar"
        store.fetch_archive(pointer, archive)
        unpack(archive, folder / "index")
        archive.unlink()
        engine = TantivyEngine(folder / "index")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine
