"""A Redis of a test's own, and the shop using it."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from django.core.cache import caches
from pytest_django import Settings

from shop.local.ports import listen

needs_redis = pytest.mark.skipif(not shutil.which("redis-server"), reason="redis-server is not installed on this machine")


def use_redis(settings: Settings, port: int) -> None:
    """Point the shop at a port, as CACHE_URL does."""
    settings.CACHE_URL = f"redis://127.0.0.1:{port}/0"
    settings.CACHES = {"default": {"BACKEND": "shop.lib.caches.ForgivingRedisCache", "LOCATION": settings.CACHE_URL}}
    settings.PRODUCT_CACHE_SECONDS = 60


@contextmanager
def running_redis(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """Start one, let the shop use it, and end it."""
    port = free_port()
    server = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        use_redis(settings, port)
        yield server
    finally:
        caches["default"].close()
        server.kill()
        server.wait()


def free_port() -> int:
    """A port where nobody listens."""
    with listen(0) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    client = redis.Redis(port=port)
    deadline = time.monotonic() + 10
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.02)
    client.close()
