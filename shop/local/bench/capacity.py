"""Read capacity units by DynamoDB's own rule: the local AWS reckons every read alike, however much it brings.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

import math
from collections.abc import Iterable
from typing import Any

_READ_UNIT_BYTES = 4096
_CONTAINER_BYTES = 3
READS = frozenset({"GetItem", "BatchGetItem", "Query"})
WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"})


def read_units(operation: str, params: dict[str, Any], answer: dict[str, Any]) -> float:
    """What a read of READS takes: half a unit for each started 4 KB, or a whole one when it is consistent."""
    if operation == "BatchGetItem":
        return sum(
            _units([item], is_consistent=params["RequestItems"][table].get("ConsistentRead", False))
            for table, items in answer["Responses"].items()
            for item in items
        )
    items = answer["Items"] if operation == "Query" else [answer.get("Item", {})]
    return _units(items, is_consistent=params.get("ConsistentRead", False))


def _units(items: Iterable[dict[str, Any]], *, is_consistent: bool) -> float:
    started = max(1, math.ceil(sum(_map_bytes(item) for item in items) / _READ_UNIT_BYTES))
    return started if is_consistent else started / 2


def _map_bytes(content: dict[str, Any]) -> int:
    return sum(len(name.encode()) + _value_bytes(value) for name, value in content.items())


def _value_bytes(value: dict[str, Any]) -> int:
    [(kind, content)] = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return math.ceil(len(content.strip("-0.")) / 2) + 1
    if kind == "M":
        return _CONTAINER_BYTES + len(content) + _map_bytes(content)
    if kind == "L":
        return _CONTAINER_BYTES + len(content) + sum(_value_bytes(part) for part in content)
    return len(content) if kind in ("B", "SS", "NS", "BS") else 1
