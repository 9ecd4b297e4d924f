"""Somebody the shop depends on throttles, or takes calls and never answers: an honest page in time, and no damage."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from django.http import HttpResponse
from django.test import Client

from orders import services
from orders.domain import HOLD, OrderStatus
from shop.lib.clock import utc_now
from shop.lib.guests import GUEST_COOKIE, remember_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import ApiFault
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, at_once

_HONEST_SECONDS = 10.0
_CHECKOUTS, _CHECKOUT_SECONDS = 100, 6.0
_PIECES, _BOUGHT = 5, 2


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Throttled tables, silent tables, a silent Stripe."""
    yield _throttled(world)
    with patch("shop.lib.tables._THROTTLED_TRIES", 0):
        yield _throttled(world, is_control=True)
    yield _silent_tables(world)
    yield _silent_stripe(world)
    yield _silent_stripe_over_expiry(world)


def _throttled(world: World, *, is_control: bool = False) -> Verdict:
    product = world.product(inventory=_CHECKOUTS)
    buyers = at_once([lambda: world.buyer({product.product_id: 1})] * _CHECKOUTS, threads=8)

    def check_out(index: int) -> float:
        begun = time.monotonic()
        world.open_payment(services.place_order(**buyers[index]))
        return time.monotonic() - begun

    with world.weather(throttled=0.3):
        took = at_once([partial(check_out, index) for index in range(_CHECKOUTS)], threads=4)
    good = sum(isinstance(one, float) and one <= _CHECKOUT_SECONDS for one in took)
    rest = Counter(type(one).__name__ for one in took if not isinstance(one, float))
    seen = f"{good} of {_CHECKOUTS}" + "".join(f", {count} {name}" for name, count in rest.items())
    claim = (
        "the same with botocore's own repeats alone"
        if is_control
        else "30 % of table calls throttled: 99 % of checkouts within 6 s"
    )
    return Verdict(claim, seen, good >= _CHECKOUTS * 0.99, is_control)


def _silent_tables(world: World) -> Verdict:
    product = world.product(inventory=_PIECES)
    buyer = world.buyer({product.product_id: 1})
    browser = _browser(buyer["owner"])
    agreed = {"cart_id": buyer["cart_id"], "total_minor": str(buyer["total_seen"]), "seen": buyer["seen"]}
    with world.weather(is_silent=True):
        answers = [
            _timed(lambda: browser.get("/cart/")),
            _timed(lambda: browser.post("/cart/add/", {"product_id": product.product_id, "quantity": "1"})),
            _timed(lambda: browser.post("/checkout/place/", agreed)),
        ]
    is_whole = world.stock(product.product_id) == _PIECES and not world.orders_of([buyer["owner"]])
    return _honest("silent tables: cart, add and place say so", answers, {HTTPStatus.SERVICE_UNAVAILABLE}, is_whole=is_whole)


def _silent_stripe(world: World) -> Verdict:
    product = world.product(inventory=_PIECES)
    order = services.place_order(**world.buyer({product.product_id: 1}))
    browser = _browser(order.owner)
    world.stripe.faults.api.append(ApiFault(kind="silence_before", times=20))
    try:
        answers = [_timed(lambda: browser.post(f"/checkout/{order.order_id}/pay/"))]
    finally:
        world.stripe.faults.clear()
    (after,) = world.orders_of([order.owner])
    paid = _timed(lambda: browser.post(f"/checkout/{order.order_id}/pay/"))
    is_whole = after.status is OrderStatus.PENDING and not after.payment.session_id and paid[0] == HTTPStatus.SEE_OTHER
    return _honest(
        "silent Stripe: the shopper is told, and pays a moment later",
        answers,
        {HTTPStatus.SERVICE_UNAVAILABLE},
        is_whole=is_whole,
    )


def _silent_stripe_over_expiry(world: World) -> Verdict:
    product = world.product(inventory=_PIECES)
    order = world.open_payment(services.place_order(**world.buyer({product.product_id: _BOUGHT})))
    later = utc_now() + HOLD
    world.stripe.faults.api.append(ApiFault(kind="error_before", times=1000))
    try:
        for minute in range(1, 11):
            world.run_jobs(later + timedelta(minutes=minute))
        while_silent = world.stock(product.product_id)
    finally:
        world.stripe.faults.clear()
    for minute in (11, 12):
        world.run_jobs(later + timedelta(minutes=minute))
    (after,) = world.orders_of([order.owner])
    holds = (
        while_silent == _PIECES - _BOUGHT and after.status is OrderStatus.EXPIRED and world.stock(product.product_id) == _PIECES
    )
    seen = f"{_PIECES - while_silent} held while silent, then {after.status}, stock {world.stock(product.product_id)}"
    return Verdict("Stripe fails for 10 minutes over expiry: nothing released, caught up in 2", seen, holds)


def _browser(owner: Owner) -> Client:
    response = HttpResponse()
    remember_guest(response, owner)
    client = Client(raise_request_exception=False)
    client.cookies[GUEST_COOKIE] = response.cookies[GUEST_COOKIE].value
    return client


def _timed(ask: Callable[[], Any]) -> tuple[int, float]:
    begun = time.monotonic()
    status = ask().status_code
    return status, time.monotonic() - begun


def _honest(claim: str, answers: list[tuple[int, float]], statuses: set[int], *, is_whole: bool) -> Verdict:
    holds = is_whole and all(status in statuses and seconds <= _HONEST_SECONDS for status, seconds in answers)
    seen = ", ".join(f"{status} after {seconds:.1f} s" for status, seconds in answers)
    return Verdict(claim, seen + ("" if is_whole else ", AND SOMETHING WAS WRITTEN"), holds)
