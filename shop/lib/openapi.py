"""The description of the interface, OpenAPI 3.1, made from its operations."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shop.lib.api import JSON, PROBLEM, Operation
from shop.lib.shapes import ID, Shape, object_schema

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
PROBLEM_SCHEMA: Schema = {
    "type": "object",
    "description": "What went wrong (RFC 9457)",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"field": _TEXT, "detail": _TEXT}, "required": ["field", "detail"]},
        },
    },
    "required": ["type", "title", "status", "detail"],
}
_REFUSALS = {
    400: "Something that was sent is not right; `errors` tells which fields",
    401: "Nobody known sent it",
    403: "Whoever sent it may not do this",
    404: "There is no such thing",
    409: "It cannot be done as things stand",
    412: "It is not what `If-Match` says any more",
    413: "The request is too large",
    415: "The body is not JSON",
    422: "The `Idempotency-Key` was used for something else",
    503: "Busy; send it again, with the same key",
}


def document(*, title: str, origin: str, operations: Iterable[Operation], schemas: Mapping[str, Schema], extra: Schema) -> Schema:
    """The description; `extra` are paths described by hand."""
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1", "description": _ABOUT},
        "servers": [{"url": f"{origin}/api/v1"}],
        "security": [{"token": []}, {"signature": []}],
        "paths": paths | extra,
        "components": {
            "schemas": {**schemas, "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "signature": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "description": "AWS Signature Version 4 for execute-api, at the gateway for AWS identities",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                },
            },
        },
    }


_ABOUT = (
    "Stock, products and orders for other systems. Lists come in pages: send `next_cursor` back as `cursor` until it is null. "
    "Every write needs an `Idempotency-Key`; sent again within a day it is not done again but answered again. "
    "`If-Match` with the `ETag` of what was read binds a write to it. Amounts are decimal texts with their currency."
)


def answers(statuses: Iterable[int]) -> Schema:
    """The refusals of these statuses."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {str(status): {"description": _REFUSALS[status], "content": content} for status in statuses}


def content_of(schema: str) -> Schema:
    """JSON of this schema."""
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _operation(operation: Operation) -> Schema:
    ids = re.findall(r"{(\w+)}", operation.path)
    parameters = [
        *({"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": f"^{ID}$"}} for name in ids),
        *(_query(name, shape) for name, shape in operation.query.items()),
        *(_WRITE_HEADERS if operation.writes else [_IF_NONE_MATCH]),
    ]
    made: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the permission `{operation.permission}`.",
        "parameters": parameters,
        "responses": {
            "200": {
                "description": "Done" if operation.writes else "Here it is",
                "headers": _ETAG,
                "content": content_of(operation.answer),
            },
            **({} if operation.writes else {"304": {"description": "As `If-None-Match` says", "headers": _ETAG}}),
            **answers(_statuses(operation, has_ids=bool(ids))),
        },
    }
    if operation.body is not None:
        schema = object_schema(operation.body)
        made["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return made


def _query(name: str, shape: Shape) -> Schema:
    return {"name": name, "in": "query", "required": shape.is_required, "schema": shape.schema()}


def _statuses(operation: Operation, *, has_ids: bool) -> list[int]:
    return [
        400,
        401,
        403,
        *([404] if has_ids else []),
        *([409, 412, 413, 415, 422] if operation.writes else []),
        503,
    ]


_ETAG = {"ETag": {"description": "Its version", "schema": _TEXT}}
_IF_NONE_MATCH = {"name": "If-None-Match", "in": "header", "required": False, "schema": _TEXT}
_WRITE_HEADERS = [
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "New for each thing to be done, the same when it is sent again",
        "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    },
    {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "Do it only if it is still as it was read: the `ETag` of its address",
        "schema": _TEXT,
    },
]
