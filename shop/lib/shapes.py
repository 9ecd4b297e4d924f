"""Shapes of what other systems send: each says once what it takes; the check and the published description follow from it."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

ID = "[-a-zA-Z0-9_]{1,100}"
"""What stands in an address for an id (shop.lib.paths)."""
_MOST_DIGITS = 12
_NO_CHARACTERS = ("Cc", "Cs")
"""Control characters, and halves of characters, which no table and no mail can carry."""


class BadValue(Exception):
    """A value is not of its shape; the message says what it must be."""


class BadFields(Exception):
    """Fields of a body or a query are wrong: what is wrong, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = dict(errors)


class Shape(Protocol):
    """What one field takes."""

    @property
    def is_required(self) -> bool: ...

    def read(self, value: object) -> Any:
        """The value as our code wants it. Raises BadValue."""

    def schema(self) -> dict[str, Any]:
        """The same in JSON Schema's words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A line of text, or one of some words."""

    about: str
    is_required: bool = False
    most: int = 200
    least: int = 1
    one_of: tuple[str, ...] = ()

    def read(self, value: object) -> str:
        if self.one_of:
            if value not in self.one_of:
                raise BadValue(f"must be one of {', '.join(self.one_of)}")
            return str(value)
        if not isinstance(value, str) or not self.least <= len(value) <= self.most:
            raise BadValue(f"must be a text of {self.least} to {self.most} characters")
        if any(unicodedata.category(char) in _NO_CHARACTERS for char in value):
            raise BadValue("must not have control characters")
        return value

    def schema(self) -> dict[str, Any]:
        if self.one_of:
            return {"type": "string", "enum": list(self.one_of), "description": self.about}
        return {
            "type": "string",
            "minLength": self.least,
            "maxLength": self.most,
            "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
            "description": self.about,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number."""

    about: str
    least: int
    most: int
    is_required: bool = False

    def read(self, value: object) -> int:
        # JSON does not tell 7 from 7.0; a bool is no number, though Python says so.
        number = value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None
        if number is None or not self.least <= number <= self.most or number != int(number):
            raise BadValue(f"must be a whole number from {self.least} to {self.most}")
        return int(number)

    def schema(self) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most, "description": self.about}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment with its zone; what is finer than a second is left off, as the tables do."""

    about: str
    is_required: bool = False

    def read(self, value: object) -> datetime:
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
            zoned = moment.astimezone(UTC).replace(microsecond=0) if moment and moment.tzinfo else None
        except (ValueError, OverflowError):
            zoned = None
        if zoned is None:
            raise BadValue("must be a moment with its zone, such as 2026-01-31T09:30:00Z")
        return zoned

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time", "description": self.about}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of pieces by product id."""

    about: str
    most: int
    most_entries: int
    is_required: bool = False

    def read(self, value: object) -> dict[str, int]:
        if not isinstance(value, dict) or not 1 <= len(value) <= self.most_entries:
            raise BadValue(f"must be an object of 1 to {self.most_entries} numbers by product id")
        return {product_id: self._count.read(count) for product_id, count in value.items()}

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": self.most_entries,
            "additionalProperties": self._count.schema(),
            "description": self.about,
        }

    @property
    def _count(self) -> Whole:
        return Whole(about="Pieces", least=1, most=self.most)


def read_fields(shapes: Mapping[str, Shape], told: Mapping[str, object]) -> dict[str, Any]:
    """The fields that were told, read; an unknown, missing or wrong one is refused. Raises BadFields, with all that is wrong."""
    errors = {name: "is not known here" for name in told if name not in shapes}
    found = {}
    for name, shape in shapes.items():
        if name not in told:
            if shape.is_required:
                errors[name] = "is missing"
            continue
        try:
            found[name] = shape.read(told[name])
        except BadValue as bad:
            errors[name] = str(bad)
    if errors:
        raise BadFields(errors)
    return found


def read_query(shapes: Mapping[str, Shape], told: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The same of a query, where numbers come as their digits and a name may come several times, which is refused."""
    single: dict[str, object] = {}
    for name, values in told.items():
        value = values[0] if len(values) == 1 else None
        single[name] = _number(value) if value and isinstance(shapes.get(name), Whole) else value
    return read_fields(shapes, single)


def object_schema(shapes: Mapping[str, Shape]) -> dict[str, Any]:
    """A body of these fields in JSON Schema's words."""
    required = [name for name, shape in shapes.items() if shape.is_required]
    return {
        "type": "object",
        "properties": {name: shape.schema() for name, shape in shapes.items()},
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
