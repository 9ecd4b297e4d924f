"""Noticing that a Python file was saved."""

import os
import time
from pathlib import Path

_NOT_OURS = ("__pycache__", "node_modules")


class Saves:
    """Looks at the Python files of a folder; folders whose names begin with a dot (environments, data, caches) are left out."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}

    def look(self) -> None:
        """Remember the files as they are."""
        self._seen = self._files()

    def any_since_last_look(self) -> bool:
        """Whether a file was changed, added or deleted since; this counts as a look."""
        before = self._seen
        self.look()
        return self._seen != before

    def any_after(self, moment: int) -> bool:
        """Whether a file was saved after a moment (ns since 1970) and until now: a time to come is no save, but a wrong clock."""
        return any(moment < saved <= time.time_ns() for saved in self._files().values())

    def _files(self) -> dict[str, int]:
        """When each file was last changed."""
        found = {}
        for folder, inner, names in os.walk(self._folder):
            inner[:] = [name for name in inner if not name.startswith(".") and name not in _NOT_OURS]
            for name in names:
                if name.endswith(".py"):
                    path = os.path.join(folder, name)  # a Path for each would cost more than the look itself
                    try:
                        found[path] = os.stat(path).st_mtime_ns
                    except FileNotFoundError:
                        # An editor that writes a new file and renames it was caught in between.
                        continue
        return found
