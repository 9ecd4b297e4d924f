"""Refusals, in the shape Stripe gives them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """One refused API call: an HTTP status and the fields of Stripe's error object."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.extra = extra or {}

    def body(self) -> Json:
        """The JSON answer; absent fields are left out, as Stripe does."""
        error: Json = {"type": self.kind, "message": self.message, **self.extra}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        return {"error": error}


def missing_object(kind: str, object_id: str, *, param: str = "id") -> ApiError:
    """Stripe's 404 for an id it does not know."""
    message = f"No such {kind}: '{object_id}'"
    return ApiError(message, status=404, code="resource_missing", param=param)


def server_error() -> ApiError:
    """Stripe's own failure, as the fault kit plays it."""
    return ApiError("An unknown error occurred", status=500, kind="api_error")
