"""Everything a checkout leans on is bad at once: tables that throttle, and a Redis that takes connections and never answers."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from unittest.mock import patch

from django.http import HttpResponse
from django.test import Client
from django.test.utils import override_settings

from shop.lib import caches
from shop.lib.guests import GUEST_COOKIE, remember_guest
from shop.local import ports
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, at_once

_CHECKOUTS, _CHECKOUT_SECONDS = 100, 6.0
_THREADS = 4


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Checkouts as pages do them, with and without our own repeats."""
    yield _checkouts(world)
    with patch("shop.lib.tables._THROTTLED_TRIES", 0):
        yield _checkouts(world, is_control=True)


def _checkouts(world: World, *, is_control: bool = False) -> Verdict:
    product = world.product(inventory=_CHECKOUTS)
    buyers = at_once([lambda: world.buyer({product.product_id: 1})] * _CHECKOUTS, threads=_THREADS)

    def check_out(index: int) -> float | int:
        """The seconds from "Pay" to Stripe's page; the status of another answer."""
        buyer, response = buyers[index], HttpResponse()
        remember_guest(response, buyer["owner"])
        browser = Client(raise_request_exception=False)
        browser.cookies[GUEST_COOKIE] = response.cookies[GUEST_COOKIE].value
        agreed = {"cart_id": buyer["cart_id"], "total_seen": str(buyer["total_seen"]), "seen": buyer["seen"]}
        begun = time.monotonic()
        answer = browser.post("/checkout/place/", agreed)
        took = time.monotonic() - begun
        is_good = answer.status_code == HTTPStatus.SEE_OTHER and answer["Location"].startswith(world.stripe.base_url)
        return took if is_good else answer.status_code

    with _silent_redis() as asked, world.weather(throttled=0.3):
        took = at_once([partial(check_out, index) for index in range(_CHECKOUTS)], threads=_THREADS)
    good = [one for one in took if isinstance(one, float) and one <= _CHECKOUT_SECONDS]
    rest = Counter(str(one) if isinstance(one, int) else type(one).__name__ for one in took if not isinstance(one, float))
    slowest = f", the slowest {max(good):.1f} s" if good else ""
    seen = f"{len(good)} of {_CHECKOUTS}{slowest}; Redis was asked {asked['times']} times"
    seen += "".join(f", {count} x {name}" for name, count in rest.items())
    claim = (
        "the same with botocore's own repeats alone"
        if is_control
        else "30 % of table calls throttled and Redis silent: 99 % of checkouts within 6 s"
    )
    return Verdict(claim, seen, len(good) >= _CHECKOUTS * 0.99 and asked["times"] > 0, is_control)


@contextmanager
def _silent_redis() -> Iterator[Counter[str]]:
    """A Redis that takes connections and never says a word, as a hanging one does; how often it was asked."""
    asked: Counter[str] = Counter()
    held: list[socket.socket] = []
    with socket.create_server((ports.HOST, 0)) as listener:

        def take() -> None:
            while True:
                try:
                    held.append(listener.accept()[0])
                except OSError:  # the day is over
                    return
                asked["times"] += 1

        threading.Thread(target=take, name="silent-redis", daemon=True).start()
        url = f"redis://{ports.HOST}:{listener.getsockname()[1]}/0"
        backend = {"BACKEND": "shop.lib.caches.ForgivingRedisCache", "LOCATION": url}
        caches._rests_until = 0.0
        try:
            with override_settings(CACHES={"default": backend}, CACHE_URL=url, PRODUCT_CACHE_SECONDS=60):
                yield asked
        finally:
            caches._rests_until = 0.0
            for connection in held:
                connection.close()
