"""Idempotency keys: the same call twice is done once (https://docs.stripe.com/api/idempotent_requests)."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus

from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State

KEPT_FOR = 24 * 3600
LONGEST_KEY = 255


def fingerprint(method: str, path: str, params: Json) -> str:
    """What makes two calls the same call."""
    return hashlib.sha256(json.dumps([method, path, params], sort_keys=True).encode()).hexdigest()


def begin(state: State, key: str, print_: str) -> Json | None:
    """Claim the key, or give the stored answer of the call that had it first.

    Raises ApiError when the key is too long, was used for another call, or is in use right now.
    """
    if len(key) > LONGEST_KEY:
        raise ApiError(f"Idempotency keys can be at most {LONGEST_KEY} characters.", kind="idempotency_error")
    kept = state.idempotency.get(key)
    if kept is not None and kept["at"] > state.now - KEPT_FOR:
        return _answered(key, kept, print_)
    state.idempotency[key] = {"print": print_, "at": state.now, "status": None, "body": None, "request": None}
    return None


def _answered(key: str, kept: Json, print_: str) -> Json:
    if kept["print"] != print_:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used "
            f"with. Try using a key other than '{key}' if you meant to execute a different request."
        )
        raise ApiError(message, kind="idempotency_error")
    if kept["status"] is None:
        message = f"There is currently another in-progress request using this Idempotency Key: {key}. Please try again later."
        raise ApiError(message, status=409, kind="idempotency_error", code="idempotency_key_in_use")
    return kept


def finish(state: State, key: str, request_id: str, status: int, body: Json) -> None:
    """Store the answer, or free the key where nothing was begun: refused parameters may be mended."""
    refused = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)
    if status not in refused:
        state.idempotency[key].update(status=status, request=request_id, body=json.loads(json.dumps(body)))
        state.touch()
    else:
        del state.idempotency[key]


def forget_old(state: State) -> None:
    """Drop the keys whose day is over."""
    for key in [key for key, kept in state.idempotency.items() if kept["at"] <= state.now - KEPT_FOR]:
        # A call still under way keeps its key.
        if state.idempotency[key]["status"] is not None:
            del state.idempotency[key]
