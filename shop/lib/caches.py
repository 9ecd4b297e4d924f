"""A Redis cache that the shop can lose at any moment without anybody noticing more than a slower page."""

import logging
import pickle
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_SECONDS = 0.1
READ_TIMEOUT_SECONDS = 0.2
REST_SECONDS = 10.0
"""After a failure Redis is left alone for so long: a hanging one would cost every request its timeout."""

# For the whole process: Django keeps a cache object a thread.
_rests_until = 0.0


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, but a Redis that is gone or hangs is an empty cache: reads miss, writes are dropped.

    A dropped deletion can leave an old value behind until its time is over, so what is kept here has a short life.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        timeouts = {"socket_connect_timeout": CONNECT_TIMEOUT_SECONDS, "socket_timeout": READ_TIMEOUT_SECONDS}
        super().__init__(server, params | {"OPTIONS": timeouts | params.get("OPTIONS", {})})
        self._class = _ForgivingClient


class _ForgivingClient(RedisCacheClient):
    """The calls the shop makes, each with the answer of an empty cache for when Redis gives none."""

    def get(self, key: Any, default: Any) -> Any:
        return _try(lambda: super(_ForgivingClient, self).get(key, default), default)

    def get_many(self, keys: Any) -> Any:
        return _try(lambda: super(_ForgivingClient, self).get_many(keys), {})

    def set(self, key: Any, value: Any, timeout: Any) -> None:
        _try(lambda: super(_ForgivingClient, self).set(key, value, timeout), None)

    def delete(self, key: Any) -> bool:
        return bool(_try(lambda: super(_ForgivingClient, self).delete(key), default=False))

    def delete_many(self, keys: Any) -> None:
        _try(lambda: super(_ForgivingClient, self).delete_many(keys), None)

    def clear(self) -> bool:
        return bool(_try(lambda: super(_ForgivingClient, self).clear(), default=False))


def _try(call: Callable[[], Any], default: Any) -> Any:
    global _rests_until  # noqa: PLW0603 - one state for the process is the point
    if time.monotonic() < _rests_until:
        return default
    import redis

    try:
        return call()
    except (redis.RedisError, OSError):
        _rests_until = time.monotonic() + REST_SECONDS
        logger.warning("the cache does not answer; going without it for %.0f s", REST_SECONDS, exc_info=True)
    except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, TypeError, IndexError):
        # Written by another release whose things had another shape.
        logger.warning("the cache held something unreadable", exc_info=True)
    return default
