"""Answers that are kept for a minute: what the whole team asks for all day and few acts change."""

from collections.abc import Callable
from typing import TypeVar

from django.core.cache import cache

KEPT_SECONDS = 60
MOST_WAITING = 26
"""What waits for somebody is counted so far: who has more than a couple of dozen needs no number."""
T = TypeVar("T")


def kept(name: str, read: Callable[[], T]) -> T:
    """What was read, a minute ago at the most. What is forgotten, or was None, is read again."""
    found: T | None = cache.get(_key(name))
    if found is None:
        found = read()
        cache.set(_key(name), found, KEPT_SECONDS)
    return found


def forget(name: str) -> None:
    """Have it read again by the next who asks: whoever has just changed it must not be shown what it was.

    Without a shared cache (`CACHE_URL`) other processes know of it within the minute.
    """
    cache.delete(_key(name))


def _key(name: str) -> str:
    return f"kept-{name}"
