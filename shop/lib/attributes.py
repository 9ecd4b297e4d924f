"""PynamoDB attributes that keep exactly what they are given: numbers never go through float, times keep the tables' text form."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from pynamodb.attributes import Attribute, ListAttribute, MapAttribute, UnicodeAttribute
from pynamodb.constants import MAP, NUMBER, STRING


class DecimalAttribute(Attribute[Decimal]):
    """An exact decimal number: prices, ratings. DynamoDB keeps up to 38 digits."""

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        text = format(value, "f")  # not normalize(): that rounds to the context's 28 digits
        return text.rstrip("0").rstrip(".") if "." in text else text

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class IntegerAttribute(Attribute[int]):
    """A whole number: stock, quantities, versions, epoch seconds. Raises ValueError for a stored fraction."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        return str(int(value))

    def deserialize(self, value: str) -> int:
        number = Decimal(value)
        if number != int(number):
            raise ValueError(f"{value} is no whole number")
        return int(number)


class TimeAttribute(Attribute[datetime]):
    """An instant as the tables write it, `2025-01-15T10:30:00Z`: UTC, so that the order of the texts is the order of time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return time_text(value)

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class EpochAttribute(Attribute[datetime]):
    """An instant in whole epoch seconds, the form DynamoDB's TTL reads."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        return str(int(value.timestamp()))

    def deserialize(self, value: str) -> datetime:
        return datetime.fromtimestamp(int(Decimal(value)), UTC)


class TextMapAttribute(Attribute[Mapping[str, str]]):
    """A map of texts to texts whose keys are data, such as a product's `attributes`."""

    attr_type = MAP

    def serialize(self, value: Mapping[str, str]) -> dict[str, dict[str, str]]:
        return {key: {STRING: text} for key, text in value.items()}

    def deserialize(self, value: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
        return {key: str(next(iter(typed.values()))) for key, typed in value.items()}


class TextListAttribute(ListAttribute[str]):
    """A list of texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(of=UnicodeAttribute, **options)  # type: ignore[arg-type]  # its type names the items, not their attribute


class Document(MapAttribute[str, Any]):
    """A map with named attributes, such as an address within a row."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)  # type: ignore[no-untyped-call]  # PynamoDB's own has no types


D = TypeVar("D", bound=Document)


class DocumentListAttribute(ListAttribute[D]):
    """A list of documents, such as an order's lines.

    Read without PynamoDB's copy of all attributes of the document for every list (0.1 ms for an order's lines): that is for
    the path an error would name.
    """

    def __init__(self, of: type[D], **options: Any) -> None:
        super().__init__(of=of, **options)
        self._one = of()

    def deserialize(self, values: Iterable[Mapping[str, Any]]) -> list[D]:
        return [self._one.deserialize(value[MAP]) for value in values]  # type: ignore[no-untyped-call]  # as above


def time_text(value: datetime) -> str:
    """The instant in UTC as the tables write it. Raises ValueError for a time without a zone: it could mean any instant."""
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
