"""What is answered to other systems, and JSON Schema's words for it."""

from collections.abc import Mapping
from typing import Any

from shop.lib.money import Money

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}
MONEY: Schema = {
    "type": "object",
    "properties": {
        "amount": {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["amount", "currency"],
    "additionalProperties": False,
}


def record(fields: Mapping[str, Schema]) -> Schema:
    """An object that has all of these, and nothing else."""
    return {"type": "object", "properties": dict(fields), "required": list(fields), "additionalProperties": False}


def list_of(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def maybe(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(words: type[Any]) -> Schema:
    """The values of a StrEnum."""
    return {"type": "string", "enum": [str(word) for word in words]}


def page_of(name: str) -> Schema:
    """A page of things of this schema."""
    return record({"items": list_of({"$ref": f"#/components/schemas/{name}"}), "next_cursor": maybe(TEXT)})


def money_content(money: Money) -> dict[str, str]:
    """An amount, exactly: a number would go through a float in many a reader."""
    return {"amount": f"{money.amount:f}", "currency": money.currency}
