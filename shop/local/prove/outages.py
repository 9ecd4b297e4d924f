"""Tables that throttle, and a Stripe that is away while orders run out."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from orders import services
from orders.domain import HOLD, OrderStatus
from shop.lib.clock import utc_now
from shop.local.fake_stripe import ApiFault
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, at_once

_CHECKOUTS, _CHECKOUT_SECONDS = 100, 6.0
_PIECES, _BOUGHT = 5, 2


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Throttled tables, with and without our own repeats, and a Stripe that fails over the end of a hold."""
    yield _throttled(world)
    with patch("shop.lib.tables._THROTTLED_TRIES", 0):
        yield _throttled(world, is_control=True)
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
