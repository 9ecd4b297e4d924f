"""Limits where there is a Redis: it makes refusals cheap, and whatever becomes of it, nobody may guess more often."""

import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.cache.backends.redis import RedisCacheClient
from django.test import Client
from pytest_django import Settings

from accounts.limits import Kind, TooManyTries, count_try, forget_tries
from shop.lib import caches as forgiving
from shop.local.ports import listen
from tests.accounts.guessing import Figures, guess_for_a_quarter_of_an_hour, owner_can_reset
from tests.accounts.people import make_user
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


def _refused(now: datetime) -> tuple[timedelta, list[str]]:
    """How long a try is put off, and the table calls it took to say so."""
    with counted_calls() as calls, pytest.raises(TooManyTries) as refusal:
        count_try(Kind.LOGIN, "ada", now=now)
    return refusal.value.wait, calls


def _use_up(now: datetime) -> datetime:
    """Try as often as one may; until when it is refused from then on."""
    for _ in range(5):
        count_try(Kind.LOGIN, "ada", now=now)
    return now + timedelta(seconds=30)


@needs_redis
def test_a_thousand_guesses_are_nine_hashes_and_hardly_a_table_call(
    redis_server: Any, hashes: list[bytes], client: Client, now: datetime
) -> None:
    make_user(now)

    figures = guess_for_a_quarter_of_an_hour(1000, now, sources=1000)

    # Each of the five pauses is read from the table once; Redis repeats it.
    assert (len(hashes), figures) == (9, Figures(refused=991, calls_of_refusals=5))
    assert owner_can_reset(client, now)


@needs_redis
def test_a_redis_that_dies_half_way_lets_nobody_guess_more_often(
    redis_server: "subprocess.Popen[bytes]", hashes: list[bytes], client: Client, now: datetime
) -> None:
    make_user(now)

    def die() -> None:
        redis_server.kill()
        redis_server.wait()

    figures = guess_for_a_quarter_of_an_hour(1000, now, half_way=die)

    assert (len(hashes), figures.refused) == (9, 991)
    assert 450 < figures.calls_of_refusals < 550
    assert owner_can_reset(client, now)


@needs_redis
def test_a_redis_that_lost_everything_is_told_again(redis_server: Any, now: datetime) -> None:
    until = _use_up(now)
    assert _refused(now) == (until - now, ["BatchGetItem"])
    assert _refused(now) == (until - now, [])

    cache.clear()

    assert _refused(now) == (until - now, ["BatchGetItem"])
    assert _refused(now) == (until - now, [])
    count_try(Kind.LOGIN, "ada", now=until)


@needs_redis
def test_who_proved_the_password_is_let_in_at_once(redis_server: Any, now: datetime) -> None:
    _use_up(now)
    assert _refused(now)[1] == ["BatchGetItem"]
    assert _refused(now)[1] == []

    forget_tries(Kind.LOGIN, "ada")

    count_try(Kind.LOGIN, "ada", now=now)


@needs_redis
def test_redis_repeats_a_refusal_for_a_minute_at_the_most(redis_server: Any, now: datetime) -> None:
    until = _use_up(now)
    for _ in range(3):
        count_try(Kind.LOGIN, "ada", now=until)
        until += _refused(until)[0]
    raw = caches["default"]._cache.get_client(write=True)  # type: ignore[attr-defined]  # Django's wrapper shows no client

    (key,) = raw.keys("*LIMIT#login#*")

    assert 0 < raw.ttl(key) <= 60


def test_a_redis_that_hangs_is_asked_once(settings: Settings, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = RedisCacheClient.get_many

    def get_many(self: Any, keys: Any) -> Any:
        asked.append(keys)
        return real(self, keys)

    monkeypatch.setattr(RedisCacheClient, "get_many", get_many)
    with listen(0) as listener:
        use_redis(settings, listener.getsockname()[1])
        until = _use_up(now)
        assert [_refused(now) for _ in range(3)] == [(until - now, ["BatchGetItem"])] * 3
        caches["default"].close()

    assert len(asked) == 1


def test_where_no_redis_is_at_its_address_the_table_alone_counts(settings: Settings, now: datetime) -> None:
    use_redis(settings, free_port())

    until = _use_up(now)

    assert [_refused(now) for _ in range(3)] == [(until - now, ["BatchGetItem"])] * 3
    count_try(Kind.LOGIN, "ada", now=until)
