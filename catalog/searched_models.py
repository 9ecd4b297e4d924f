"""The row that counts a day's searches, and the only place where its key text is built."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from pynamodb.expressions.operand import Path

from catalog.models import ProductMeta
from catalog.searched_domain import Searched
from shop.lib.attributes import EpochAttribute
from shop.lib.tables import Row

_FOUND, _NOTHING = "found ", "nothing "
"""What the name of a term's attribute begins with. Terms are attributes of their own, since DynamoDB adds to those alone."""
REST = "rest"
"""Searches whose terms found no room."""


class SearchedRow(Row):
    """How often was searched for what on a day: an attribute a term."""

    class Meta(ProductMeta):
        pass

    expires_at = EpochAttribute(attr_name="expiresAt", null=True)

    counts: Mapping[str, int] = {}

    def deserialize(self, attribute_values: dict[str, Any]) -> None:
        super().deserialize(attribute_values)
        self._take_counts(attribute_values)

    def _take_counts(self, attribute_values: Mapping[str, Mapping[str, Any]]) -> None:
        """PynamoDB passes over attributes that no class names; here they are what it is about."""
        self.counts = counts_of(attribute_values)


def searched_pk(day: date) -> str:
    """The partition of the month a day is in."""
    return f"SEARCHED#{day:%Y-%m}"


def searched_sk(day: date) -> str:
    return f"DAY#{day.isoformat()}"


def counter(name: str) -> Path:
    """The attribute of this very name, whatever stands in it."""
    return Path([name])


def counter_name(term: str, *, found: bool) -> str:
    return f"{_FOUND if found else _NOTHING}{term}"


def counts_of(item: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """How often each term was searched for, by the names of their attributes; REST stands for those without room."""
    return {name: int(value["N"]) for name, value in item.items() if name == REST or name.startswith((_FOUND, _NOTHING))}


def to_searched(counts: Mapping[str, int]) -> tuple[Searched, ...]:
    """The terms of these attributes."""
    return tuple(
        Searched(name.partition(" ")[2], times, name.startswith(_FOUND)) for name, times in counts.items() if name != REST
    )
