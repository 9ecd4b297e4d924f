"""Writing the published index: batches of changes from the stream, and rebuilds from the tables, by any number of writers.

No change is lost, and none comes twice to harm:

1. The stream brings the changes of one product in their order, one batch at a time. So the last that arrives is right, and a
   batch applied twice, or one that is older than what the index holds and is followed by the newer, ends in the right state.
2. Of two writers that publish at once one is refused by the store, takes up what the other published, and applies its batch
   to that.
3. Every batch is noted in the journal before it is published. A rebuild remembers what was current before the first product
   was read; what it reads is at least as new as all that had been published by then. Before it publishes, it applies what was
   noted in the journal from then on, in order. If something is published meanwhile, it is refused like any writer and applies
   that too. A product that it read in a newer state than the journal's is for moments in the older: its newest change is still
   in the stream, or further on in the journal, and comes last. This needs no version numbers, which not every change of a
   product counts up (a sale that ends its stock does not).
4. Before the first rebuild there is nothing to apply a batch to, but it is noted all the same: that rebuild may be running.
"""

import logging
import random
import shutil
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from catalog.search.archives import pack_folder
from catalog.search.cards import document_from, document_parts
from catalog.search.embedded import TantivyEngine
from catalog.search.engine import Batch, Document
from catalog.search.reading import fetch
from catalog.search.store import CorruptArchive, Pointer, SeenPointer, SnapshotStore, StoreFailed, Superseded

ATTEMPTS = 10
"""How often a writer starts again before it gives up; each time somebody else has got ahead."""
_PAUSE_SECONDS = 0.2

logger = logging.getLogger(__name__)


class RebuildOvertaken(Exception):
    """A rebuild took so long that the journal of what happened meanwhile is gone; start it again."""


class SnapshotWriter:
    """Publishes changes; one of these a process, so that the next batch finds the index of the last one at hand."""

    def __init__(self, store: SnapshotStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._mine: tuple[str, TantivyEngine] | None = None

    def apply(self, batch: Batch) -> None:
        """Publish the changes. Raises StoreFailed and Superseded (many writers at once): the batch is to be sent again then."""
        if not batch:
            return
        with self._lock:
            self._until_not_superseded(lambda: self._apply(batch))

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """Publish a new index of these products, plus what happens to them meanwhile; their number.

        `documents` must be read from the tables while this runs (a generator), not before. `progress` is told the number of
        products so far, each thousand. Raises StoreFailed, Superseded and RebuildOvertaken, and what was published stays then.
        """
        started = self._store.current()
        applied = started.pointer.changes if started else None
        engine = _new_engine()
        engine.fill(documents, progress)

        def publish() -> None:
            nonlocal applied
            seen = self._store.current()
            last = seen.pointer.changes if seen else None
            for batch in self._journal(last, after=applied):
                engine.apply(batch)
            applied = last
            self._publish(engine, seen, changes=last)

        self._until_not_superseded(publish)
        return engine.size

    def _apply(self, batch: Batch) -> None:
        seen = self._store.current()
        sequence = seen.pointer.sequence + 1 if seen else 1
        noted = {
            "before": seen.pointer.changes if seen else None,
            "documents": [document_parts(document) for document in batch.documents],
            "gone": list(batch.gone),
        }
        changes = self._store.add_changes(noted, sequence)
        try:
            if seen is None or seen.pointer.archive is None:
                self._store.point(Pointer(sequence, changes=changes), instead_of=seen)
                return
            engine = self._engine_of(seen)
            engine.apply(batch)
            self._publish(engine, seen, changes=changes)
        except Superseded:
            self._store.delete(changes)
            raise

    def _engine_of(self, seen: SeenPointer) -> TantivyEngine:
        """The published index, to be changed: the one at hand if it is still current."""
        mine, self._mine = self._mine, None
        if mine and mine[0] == seen.pointer.archive:
            return mine[1]
        try:
            return fetch(self._store, seen.pointer)
        except CorruptArchive:
            now = self._store.current()
            if now and now.pointer != seen.pointer:
                # Others were so quick that what was current when we looked is tidied away by now.
                raise Superseded(seen.pointer.archive) from None
            raise

    def _publish(self, engine: TantivyEngine, seen: SeenPointer | None, *, changes: str | None) -> None:
        sequence = seen.pointer.sequence + 1 if seen else 1
        with tempfile.TemporaryDirectory(prefix="search-") as folder:
            archive = Path(folder) / "archive.tar"
            pack_folder(engine.folder, archive)
            key, checksum = self._store.add_archive(archive, sequence)
        try:
            self._store.point(Pointer(sequence, key, checksum, changes), instead_of=seen)
        except Superseded:
            self._store.delete(key)
            raise
        self._mine = (key, engine)
        try:
            self._store.tidy(sequence)
        except StoreFailed as error:
            # What is left over costs a little room until the next publication tidies up.
            logger.warning("Old search indexes were not deleted: %s", error)

    def _journal(self, last: str | None, *, after: str | None) -> list[Batch]:
        """The batches noted up to `last` and after `after`, the oldest first."""
        batches: list[Batch] = []
        key = last
        while key and key != after:
            noted = self._store.changes(key)
            if noted is None:
                raise RebuildOvertaken(f"{key} is not kept any more")
            batches.append(_batch(noted))
            key = noted["before"]
        return batches[::-1]

    def _until_not_superseded(self, publish: Callable[[], None]) -> None:
        for attempt in range(1, ATTEMPTS):
            try:
                return publish()
            except Superseded:
                # At random, so that writers in step fall out of it.
                time.sleep(random.uniform(0, _PAUSE_SECONDS * attempt))  # noqa: S311 - a pause, no secret
        return publish()


def _batch(noted: dict[str, Any]) -> Batch:
    return Batch(tuple(document_from(parts) for parts in noted["documents"]), tuple(noted["gone"]))


def _new_engine() -> TantivyEngine:
    folder = Path(tempfile.mkdtemp(prefix="search-"))
    engine = TantivyEngine.create(folder / "index")
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine
