"""Tables in memory, as far as orders, carts and stock speak to them: quick enough for games of thousands of steps.

They stand in for botocore's `_make_api_call`, so the shop's own code and PynamoDB run whole above them. What they answer is held
against the local engine, call by call, in `tests/orders/test_machine.py`.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from shop.lib.tables import Row, table_definition

Item = dict[str, Any]
Reader = Callable[[Item, "_Placeholders"], Any]
_TOKEN = re.compile(r"\s*(<>|<=|>=|[#:]?[\w]+|[()\[\],.=<>+-])")
_CAPITAL = re.compile("(?=[A-Z])")
_REFUSED = "The conditional request failed"
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda one, other: bool(one == other),
    "<>": lambda one, other: bool(one != other),
    "<": lambda one, other: bool(one < other),
    "<=": lambda one, other: bool(one <= other),
    ">": lambda one, other: bool(one > other),
    ">=": lambda one, other: bool(one >= other),
}


class MemoryTables:
    """The tables of these rows, empty; `call` answers as a DynamoDB client's `_make_api_call` does.

    An item is never changed in place, so answers need no copies.
    """

    def __init__(self, *rows: type[Row]) -> None:
        definitions = [table_definition(row) for row in rows]
        self._tables: dict[str, dict[tuple[str, str], Item]] = {one["TableName"]: {} for one in definitions}
        self._indexes = {
            (one["TableName"], index["IndexName"]): index for one in definitions for index in one["GlobalSecondaryIndexes"]
        }
        self._tokens: set[str] = set()
        self.writes = 0
        """How often an item was written: as long as this is the same, so are the tables."""

    def clear(self) -> None:
        for table in self._tables.values():
            table.clear()
        self._tokens.clear()

    def call(self, operation: str, params: Item) -> Item:
        """Answer one call. What is not known here fails loudly."""
        answer: Item = getattr(self, _CAPITAL.sub("_", operation).lower())(params)
        return answer

    def _get_item(self, params: Item) -> Item:
        found = self._tables[params["TableName"]].get(_key(params["Key"]))
        return {} if found is None else {"Item": found}

    def _batch_get_item(self, params: Item) -> Item:
        answers = {
            name: [found for key in asked["Keys"] if (found := self._tables[name].get(_key(key))) is not None]
            for name, asked in params["RequestItems"].items()
        }
        return {"Responses": answers, "UnprocessedKeys": {}}

    def _put_item(self, params: Item) -> Item:
        self._alone("Put", params)
        return {}

    def _delete_item(self, params: Item) -> Item:
        self._alone("Delete", params)
        return {}

    def _update_item(self, params: Item) -> Item:
        self._alone("Update", params)
        return {"Attributes": self._tables[params["TableName"]][_key(params["Key"])]}

    def _transact_write_items(self, params: Item) -> Item:
        token = params["ClientRequestToken"]
        if token in self._tokens:
            return {}
        writes = [next(iter(write.items())) for write in params["TransactItems"]]
        holds = [self._holds(write) for _, write in writes]
        if not all(holds):
            reasons = [{"Code": "None"} if good else {"Code": "ConditionalCheckFailed", "Message": _REFUSED} for good in holds]
            told = ", ".join(reason["Code"] for reason in reasons)
            raise _error("TransactWriteItems", "TransactionCanceledException", f"Transaction cancelled [{told}]", reasons)
        after = [self._after(kind, write) for kind, write in writes]
        for (_, write), item in zip(writes, after, strict=True):
            self._store(write, item)
        self._tokens.add(token)
        return {}

    def _query(self, params: Item) -> Item:
        names = _Placeholders(params)
        index = self._indexes.get((params["TableName"], params.get("IndexName", "")))
        keys = [key["AttributeName"] for key in index["KeySchema"]] if index else ["PK", "SK"]
        is_asked = _condition(params["KeyConditionExpression"])
        found = [item for item in self._tables[params["TableName"]].values() if item.get(keys[0]) and is_asked(item, names)]
        found = [item for item in found if keys[1] in item]
        found.sort(key=lambda item: (item[keys[1]]["S"], item["PK"]["S"], item["SK"]["S"]))
        if not params.get("ScanIndexForward", True):
            found.reverse()
        if "ExclusiveStartKey" in params:
            start = [_key(item) for item in found].index(_key(params["ExclusiveStartKey"]))
            found = found[start + 1 :]
        answer: Item = {}
        if "Limit" in params and len(found) > params["Limit"]:
            found = found[: params["Limit"]]
            answer["LastEvaluatedKey"] = {name: found[-1][name] for name in dict.fromkeys(["PK", "SK", *keys])}
        answer["ScannedCount"] = len(found)
        if "FilterExpression" in params:
            fits = _condition(params["FilterExpression"])
            found = [item for item in found if fits(item, names)]
        wanted = _attributes(params, index, names)
        items = [item if wanted is None else {name: item[name] for name in wanted if name in item} for item in found]
        return answer | {"Items": items, "Count": len(items)}

    def _alone(self, kind: str, params: Item) -> None:
        if not self._holds(params):
            raise _error(f"{kind}Item", "ConditionalCheckFailedException", _REFUSED)
        self._store(params, self._after(kind, params))

    def _holds(self, write: Item) -> bool:
        condition = write.get("ConditionExpression")
        return not condition or bool(_condition(condition)(self._before(write) or {}, _Placeholders(write)))

    def _before(self, write: Item) -> Item | None:
        return self._tables[write["TableName"]].get(_key(write.get("Key") or write["Item"]))

    def _after(self, kind: str, write: Item) -> Item | None:
        """The item once this is written; None when there is none."""
        if kind == "Put":
            return dict(write["Item"])
        before = self._before(write)
        if kind == "ConditionCheck":
            return before
        if kind == "Delete":
            return None
        after: Item = dict(before or write["Key"])
        for change in _update(write["UpdateExpression"]):
            change(after, before or dict(write["Key"]), _Placeholders(write))
        return after

    def _store(self, write: Item, item: Item | None) -> None:
        self.writes += 1
        table, key = self._tables[write["TableName"]], _key(write.get("Key") or write["Item"])
        if item is None:
            table.pop(key, None)
        else:
            table[key] = item


class _Placeholders:
    """What `#0` and `:0` stand for in one call."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._names = params.get("ExpressionAttributeNames", {})
        self.values = params.get("ExpressionAttributeValues", {})

    def name(self, text: str) -> str:
        return str(self._names[text]) if text[0] == "#" else text


class _Parser:
    """Reads DynamoDB's expressions into functions; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html"""

    def __init__(self, text: str) -> None:
        self._tokens = [*_TOKEN.findall(text), ""]
        self._at = 0

    @property
    def next(self) -> str:
        return str(self._tokens[self._at])

    def take(self, *expected: str) -> str:
        token = self.next
        if expected and token not in expected:
            raise ValueError(f"{token!r} instead of {expected}")
        self._at += 1
        return token

    def takes(self, *tokens: str) -> bool:
        """Whether one of these comes next; then it is read."""
        found = self.next in tokens
        self._at += found
        return found

    def condition(self) -> Reader:
        left = self._both()
        while self.takes("OR"):
            left = _either(left, self._both())
        return left

    def _both(self) -> Reader:
        left = self._one()
        while self.takes("AND"):
            left = _all_of(left, self._one())
        return left

    def _one(self) -> Reader:
        if self.takes("NOT"):
            inner = self._one()
            return lambda item, names: not inner(item, names)
        if self.takes("("):
            inner = self.condition()
            self.take(")")
            return inner
        if self.next in ("attribute_exists", "attribute_not_exists", "begins_with", "contains"):
            return self._function()
        left = self.operand()
        if self.takes("BETWEEN"):
            low = self.operand()
            self.take("AND")
            high = self.operand()
            at_least, at_most = _compared(left, ">=", low), _compared(left, "<=", high)
            return lambda item, names: at_least(item, names) and at_most(item, names)
        if self.takes("IN"):
            self.take("(")
            choices = [_compared(left, "=", self.operand())]
            while self.takes(","):
                choices.append(_compared(left, "=", self.operand()))
            self.take(")")
            return lambda item, names: any(choice(item, names) for choice in choices)
        return _compared(left, self.take(*_COMPARISONS), self.operand())

    def _function(self) -> Reader:
        name = self.take()
        self.take("(")
        path = self.path()
        other = self.operand() if self.takes(",") else None
        self.take(")")
        if name == "attribute_exists":
            return lambda item, names: _found(item, path, names) is not None
        if other is None:
            return lambda item, names: _found(item, path, names) is None

        def has(item: Item, names: _Placeholders) -> bool:
            found, wanted = _found(item, path, names), other(item, names)
            if found is None or "S" not in found:
                return False
            text, part = found["S"], wanted["S"]
            return bool(text.startswith(part) if name == "begins_with" else part in text)

        return has

    def operand(self) -> Reader:
        if self.next.startswith(":"):
            value = self.take()
            return lambda _item, names: names.values[value]
        if self.takes("if_not_exists"):
            self.take("(")
            path = self.path()
            self.take(",")
            default = self.operand()
            self.take(")")
            return lambda item, names: default(item, names) if (it := _found(item, path, names)) is None else it
        if self.takes("list_append"):
            self.take("(")
            first = self.operand()
            self.take(",")
            second = self.operand()
            self.take(")")
            return lambda item, names: {"L": [*first(item, names)["L"], *second(item, names)["L"]]}
        path = self.path()
        return lambda item, names: _found(item, path, names)

    def path(self) -> list[str | int]:
        steps: list[str | int] = [self.take()]
        while self.next in (".", "["):
            if self.takes("."):
                steps.append(self.take())
            else:
                self.take("[")
                steps.append(int(self.take()))
                self.take("]")
        return steps

    def changes(self) -> list[Callable[[Item, Item, _Placeholders], None]]:
        found: list[Callable[[Item, Item, _Placeholders], None]] = []
        while self.next:
            change = self._set if self.take("SET", "REMOVE") == "SET" else self._remove
            found.append(change())
            while self.takes(","):
                found.append(change())
        return found

    def _set(self) -> Callable[[Item, Item, _Placeholders], None]:
        path = self.path()
        self.take("=")
        value = self.operand()
        if self.next in ("+", "-"):
            sign, first, second = (1 if self.take() == "+" else -1), value, self.operand()

            def value(item: Item, names: _Placeholders) -> Item:
                total = Decimal(first(item, names)["N"]) + sign * Decimal(second(item, names)["N"])
                return {"N": _number(total)}

        return lambda after, before, names: _put(after, path, names, value(before, names))

    def _remove(self) -> Callable[[Item, Item, _Placeholders], None]:
        path = self.path()
        return lambda after, _before, names: _put(after, path, names, None)


@cache
def _condition(text: str) -> Reader:
    return _Parser(text).condition()


@cache
def _update(text: str) -> list[Callable[[Item, Item, _Placeholders], None]]:
    return _Parser(text).changes()


def _either(one: Reader, other: Reader) -> Reader:
    return lambda item, names: one(item, names) or other(item, names)


def _all_of(one: Reader, other: Reader) -> Reader:
    return lambda item, names: one(item, names) and other(item, names)


def _compared(left: Reader, sign: str, right: Reader) -> Reader:
    compare = _COMPARISONS[sign]

    def holds(item: Item, names: _Placeholders) -> bool:
        one, other = left(item, names), right(item, names)
        if one is None or other is None:
            return sign == "<>"
        [(kind, value)], [(other_kind, other_value)] = one.items(), other.items()
        if kind != other_kind:
            return sign == "<>"
        return compare(Decimal(value), Decimal(other_value)) if kind == "N" else compare(value, other_value)

    return holds


def _found(item: Item, path: list[str | int], names: _Placeholders) -> Any:
    """What lies at a path; None for nothing."""
    value: Any = {"M": item}
    for step in path:
        if isinstance(step, int):
            entries = value.get("L", [])
            value = entries[step] if 0 <= step < len(entries) else None
        else:
            value = value.get("M", {}).get(names.name(step))
        if value is None:
            return None
    return value


def _put(item: Item, path: list[str | int], names: _Placeholders, value: Any) -> None:
    """Write a value to a path of names, or remove what is there; the maps on the way are the item's own from then on."""
    *way, last = [names.name(str(step)) for step in path]
    for step in way:
        if step not in item:
            raise _error("UpdateItem", "ValidationException", "The document path provided in the update expression is invalid")
        inner = dict(item[step]["M"])
        item[step] = {"M": inner}
        item = inner
    if value is None:
        item.pop(last, None)
    else:
        item[last] = value


def _number(value: Decimal) -> str:
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _key(item: Item) -> tuple[str, str]:
    return item["PK"]["S"], item["SK"]["S"]


def _attributes(params: Item, index: Item | None, names: _Placeholders) -> set[str] | None:
    """The attributes a query answers with; None for all."""
    if "ProjectionExpression" in params:
        return {names.name(one.strip()) for one in params["ProjectionExpression"].split(",")}
    if index is None or index["Projection"]["ProjectionType"] == "ALL":
        return None
    keys = {"PK", "SK", *(key["AttributeName"] for key in index["KeySchema"])}
    return keys | set(index["Projection"].get("NonKeyAttributes", ()))


def _error(operation: str, code: str, message: str, reasons: list[dict[str, str]] | None = None) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": message}}
    return ClientError(answer | ({"CancellationReasons": reasons} if reasons else {}), operation)
