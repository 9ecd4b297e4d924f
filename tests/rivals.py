"""Rivals: what somebody else does at one exact instant of the code under test. No threads, no sleeping, no luck.

    with run_before("TransactWriteItems", lambda: services.cancel_unpaid(order=order, now=now)):
        release_unpaid_orders(now=later)

The rival acts once, just before (or after) the n-th call of a DynamoDB operation or of a named function (`run_before_each`: each
time), and its own calls are neither counted nor disturbed. An instant that never came fails the test: it would have proved
nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Literal, NoReturn, TypeVar
from unittest.mock import patch

from botocore.exceptions import ClientError

from shop.lib.tables import connection

Action = Callable[[], object]
When = Literal["before", "after"]
T = TypeVar("T")
_ANY = "any call"
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")


class NeverCame(AssertionError):
    """The instant at which the rival was to act did not come."""


class Killed(BaseException):
    """The process ends at this instant, as when Lambda's time is over: nothing catches it, nothing is cleaned up."""


def killed() -> NoReturn:
    """The rival that is the end of the process."""
    raise Killed


def fails(error: Exception) -> Callable[[], NoReturn]:
    """The rival that is trouble: before a call it is not done, after a call it is done and its reply is lost."""

    def fail() -> NoReturn:
        raise error

    return fail


def refusal(operation: str, code: str) -> ClientError:
    """DynamoDB's refusal of a single call, by its code."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


def conflict() -> ClientError:
    """DynamoDB's refusal of a transaction that met another on one of its items."""
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
            "CancellationReasons": [{"Code": "TransactionConflict"}],
        },
        "TransactWriteItems",
    )


@contextmanager
def run_before(operation: str, action: Action, *, nth: int = 1) -> Iterator[list[str]]:
    """Let `action` happen just before the n-th call of a DynamoDB operation; gives the names of the calls made inside."""
    with _at(operation, action, "before", nth) as calls:
        yield calls


@contextmanager
def run_before_each(operation: str, action: Action) -> Iterator[list[str]]:
    """Let `action` happen just before every call of a DynamoDB operation: somebody who is always quicker."""
    with _at(operation, action, "before", None) as calls:
        yield calls


def at_each_instant(rival: Action, attempt: Callable[[], T]) -> list[T]:
    """What comes of `attempt` with `rival` acting before its first call of DynamoDB, then before its second, and so on.

    It ends with the attempt that has no further call, whose outcome, that of nobody acting, is the last.
    """
    found: list[T] = []
    for nth in count(1):
        try:
            with _rival(connection().client, "_make_api_call", rival, "before", nth, lambda *_: _ANY, _ANY):
                found.append(attempt())
        except NeverCame:
            break
    return found


@contextmanager
def run_after(operation: str, action: Action, *, nth: int = 1) -> Iterator[list[str]]:
    """Let `action` happen when DynamoDB has done the n-th call of an operation and its reply is not yet known."""
    with _at(operation, action, "after", nth) as calls:
        yield calls


@contextmanager
def run_around(owner: object, name: str, action: Action, *, when: When, nth: int = 1) -> Iterator[list[str]]:
    """Let `action` happen just before or after the n-th call of the function `name` of a module or object."""
    with _rival(owner, name, action, when, nth, lambda *_args, **_kwargs: name) as calls:
        yield calls


@contextmanager
def _at(operation: str, action: Action, when: When, nth: int | None) -> Iterator[list[str]]:
    def called(name: str, _params: dict[str, Any]) -> str:
        return name

    with _rival(connection().client, "_make_api_call", action, when, nth, called, operation) as calls:
        yield calls


@contextmanager
def _rival(
    owner: object, name: str, action: Action, when: When, nth: int | None, called: Callable[..., str], wanted: str | None = None
) -> Iterator[list[str]]:
    """Wrap a function; `called` gives the name of what a call of it is, which is counted against `wanted`.

    Without `nth` every call of it is the instant.
    """
    real = getattr(owner, name)
    wanted = wanted or name
    calls: list[str] = []
    is_acting = has_acted = False

    def act() -> None:
        nonlocal is_acting, has_acted
        is_acting = has_acted = True
        try:
            action()
        finally:
            is_acting = False

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if is_acting:
            return real(*args, **kwargs)
        calls.append(called(*args, **kwargs))
        is_the_instant = calls[-1] == wanted and (nth is None or (not has_acted and calls.count(wanted) == nth))
        if is_the_instant and when == "before":
            act()
        answer = real(*args, **kwargs)
        if is_the_instant and when == "after":
            act()
        return answer

    with patch.object(owner, name, wrapped):
        try:
            yield calls
        except Exception as error:
            if not has_acted:
                raise NeverCame(f"call {nth or 1} of {wanted} never came, only {calls}") from error
            raise
    if not has_acted:
        raise NeverCame(f"call {nth or 1} of {wanted} never came, only {calls}")


@contextmanager
def dying(at: tuple[int, str] | None) -> Iterator[None]:
    """The process dies before or after its n-th write, if there are so many."""
    if at is None:
        yield
        return
    nth, when = at
    client = connection().client
    real, count = client._make_api_call, 0

    def call(name: str, params: dict[str, Any]) -> Any:
        nonlocal count
        count += name in WRITES
        is_the_one = name in WRITES and count == nth
        if is_the_one and when == "before":
            raise Killed
        answer = real(name, params)
        if is_the_one:
            raise Killed
        return answer

    with patch.object(client, "_make_api_call", call):
        yield
