"""The product cache: pages are right with no Redis, with a real one, and with one that hangs or dies."""

import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCacheClient
from django.test import Client
from pytest_django import Settings

from catalog.models import ProductRow, product_key
from catalog.reactions import product_changed
from catalog.services import set_stock
from shop.lib import caches as forgiving
from shop.local.ports import listen
from tests import factories
from tests.caches import free_port, needs_redis, running_redis, use_redis
from tests.conftest import counted_calls

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture(autouse=True)
def _awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgiving, "_rests_until", 0.0)


@pytest.fixture
def redis_server(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """A Redis of this test's own, and the shop using it."""
    with running_redis(settings) as server:
        yield server


@pytest.fixture
def hanging_redis(settings: Settings) -> Iterator[socket.socket]:
    """A port that takes connections and never says a word."""
    with listen(0) as listener:
        use_redis(settings, listener.getsockname()[1])
        yield listener
        caches["default"].close()


def price_on_page(client: Client, path: str) -> str:
    page = client.get(path)
    assert page.status_code == 200
    return next(price for price in ("$24.00", "$30.00") if price in page.text)


def change_price(product_id: str, price: str) -> None:
    """A change made in the table by somebody else; the stream tells of it."""
    product_key(product_id).update(actions=[ProductRow.price.set(Decimal(price))])
    row = ProductRow.get(f"PRODUCT#{product_id}", "METADATA")
    product_changed(None, dict(row.serialize()))


def test_without_redis_a_product_page_reads_the_table_every_time(client: Client) -> None:
    mug = factories.make_product()
    client.get(mug.path)

    with counted_calls() as calls:
        client.get(mug.path)

    assert calls == ["BatchGetItem", "Query", "Query"]


@needs_redis
def test_with_redis_the_product_is_read_once_and_a_change_is_on_the_page_at_once(
    client: Client, redis_server: Any, now: datetime
) -> None:
    mug = factories.make_product(inventory=20)
    client.get(mug.path)

    with counted_calls() as calls:
        assert price_on_page(client, mug.path) == "$24.00"
    assert "BatchGetItem" not in calls

    change_price(mug.product_id, "30")
    assert price_on_page(client, mug.path) == "$30.00"
    set_stock(product_id=mug.product_id, inventory=2, now=now)
    assert "Only 2 left" in client.get(mug.path).text


@needs_redis
def test_a_redis_that_dies_is_not_noticed(client: Client, redis_server: "subprocess.Popen[bytes]") -> None:
    mug = factories.make_product()
    assert price_on_page(client, mug.path) == "$24.00"

    redis_server.kill()
    redis_server.wait()
    change_price(mug.product_id, "30")

    assert price_on_page(client, mug.path) == "$30.00"
    assert client.get("/").status_code == client.get("/cart/").status_code == 200


def test_a_redis_that_hangs_is_asked_once_and_then_left_alone(
    client: Client, hanging_redis: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = RedisCacheClient.get

    def count(self: Any, key: str, default: Any) -> Any:
        asked.append(key)
        return real(self, key, default)

    monkeypatch.setattr(RedisCacheClient, "get", count)
    mug = factories.make_product()

    assert [price_on_page(client, mug.path) for _ in range(3)] == ["$24.00"] * 3

    assert len(asked) == 1


def test_no_redis_at_the_address_is_an_empty_cache(client: Client, settings: Settings) -> None:
    use_redis(settings, free_port())
    mug = factories.make_product()

    assert price_on_page(client, mug.path) == "$24.00"


@needs_redis
def test_what_another_release_left_unreadable_is_a_miss(client: Client, redis_server: Any) -> None:
    mug = factories.make_product()
    client.get(mug.path)
    raw = caches["default"]._cache.get_client(write=True)  # type: ignore[attr-defined]  # Django's wrapper shows no client
    (key,) = [key for key in raw.keys("*") if mug.product_id.encode() in key]
    raw.set(key, b"\x80\x05cnowhere\nNothing\n.")

    assert price_on_page(client, mug.path) == "$24.00"
