"""What pages were drawn with, handed from the process that watches the shop to the floor."""

import pickle
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from django.forms.renderers import BaseRenderer


@dataclass(frozen=True)
class Drawing:
    """A template's name and everything it was given."""

    template: str
    context: dict[str, Any]


class _Pickler(pickle.Pickler):
    """Leaves out what a form keeps of the template engine that draws its fields: the reader has one of its own."""

    def reducer_override(self, thing: Any) -> Any:
        return (type(thing), ()) if isinstance(thing, BaseRenderer) else NotImplemented


def save(drawings: dict[str, Drawing], file: Path) -> None:
    """Hand the drawings to the floor."""
    file.write_bytes(_pickled(drawings))


@cache
def load(file: Path) -> dict[str, Drawing]:
    """The drawings by page, read once a process."""
    found: dict[str, Drawing] = pickle.loads(file.read_bytes())  # noqa: S301 - written by `save` a moment ago
    return found


def can_be_saved(drawing: Drawing) -> bool:
    """Whether the floor can have this one: a context may hold what no file can."""
    try:
        _pickled(drawing)
    except (pickle.PicklingError, TypeError, AttributeError):
        return False
    return True


def _pickled(thing: object) -> bytes:
    out = BytesIO()
    _Pickler(out).dump(thing)
    return out.getvalue()
