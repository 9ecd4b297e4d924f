"""Calls of the interface for other systems, as API Gateway hands them on."""

import itertools
import json
from typing import Any

from shop.entrypoints.web import handler
from tests.shop.entrypoints.test_web import event, text_of

_keys = itertools.count(1)
ERP = "arn:aws:iam::123456789012:role/erp"


def by_token(*permissions: str, client_id: str = "erp", **claims: Any) -> dict[str, Any]:
    """What the JWT authorizer leaves behind for an access token with these scopes."""
    scope = " ".join(f"shop/{permission}" for permission in permissions)
    told = {"token_use": "access", "client_id": client_id, "scope": scope, "sub": client_id} | claims
    return {"jwt": {"claims": {name: value for name, value in told.items() if value is not None}, "scopes": None}}


def by_signature(arn: str) -> dict[str, Any]:
    """What the IAM authorizer leaves behind."""
    return {"iam": {"userArn": arn, "accountId": "123456789012", "accessKey": "AKIA", "callerId": "x", "userId": "x"}}


def call(
    method: str,
    path: str,
    body: Any = None,
    *,
    authorizer: dict[str, Any] | None,
    raw: str | None = None,
    key: str | None = None,
    headers: dict[str, str] | None = None,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and content of the answer. A write gets a key of its own unless one is given; an empty one sends none."""
    sent = event(f"/api/v1{path}", method=method)
    sent["headers"] |= headers or {}
    if authorizer is not None:
        sent["requestContext"]["authorizer"] = authorizer
    if raw is not None or body is not None:
        sent["headers"].setdefault("content-type", "application/json")
        sent["body"] = raw if raw is not None else json.dumps(body)
    if method != "GET" and key != "":
        sent["headers"].setdefault("idempotency-key", key or f"key-{next(_keys)}")
    answer = handler(sent, None)
    text = text_of(answer)
    told = {name.lower(): value for name, value in answer["headers"].items()}
    return answer["statusCode"], told, json.loads(text) if text else None
