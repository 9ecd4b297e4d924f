"""Tables that throttle, and a Stripe that is away while orders run out."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from pynamodb.transactions import TransactWrite

from catalog import services as catalog_services
from catalog.models import ProductRow, product_key
from orders import services
from orders.domain import HOLD, OrderStatus
from orders.payments import StripeGateway
from shop.lib.clock import utc_now
from shop.lib.money import Money
from shop.local.fake_stripe import ApiFault
from shop.local.prove.crashes import begin_late, without_asking
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
    with patch.object(StripeGateway, "expire_session", without_asking):
        yield _silent_stripe_over_expiry(world, is_control=True)
    yield _late(world, is_sold=False)
    yield _late(world, is_sold=True)
    with patch.object(catalog_services, "retake_stock", _retake_without_asking):
        yield _late(world, is_sold=True, is_control=True)


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


def _silent_stripe_over_expiry(world: World, *, is_control: bool = False) -> Verdict:
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
    claim = (
        "the same without asking Stripe before the release"
        if is_control
        else "Stripe fails for 10 minutes over expiry: nothing released, caught up in 2"
    )
    return Verdict(claim, seen, holds, is_control)


def _late(world: World, *, is_sold: bool, is_control: bool = False) -> Verdict:
    """Money that comes when the hold was over: the pieces if they are all there, else the money goes back, and never both."""
    product = world.product(inventory=_BOUGHT)
    order = begin_late(world, product.product_id)
    if is_sold:
        services.place_order(**world.buyer({product.product_id: 1}))
    services.settle(session_id=order.payment.session_id, now=utc_now())
    world.run_jobs(utc_now())
    (after,) = world.orders_of([order.owner])
    stock, back = world.stock(product.product_id), world.refunded(order)
    wanted = (OrderStatus.REFUNDED, 1, order.total.minor) if is_sold else (OrderStatus.PROCESSING, 0, 0)
    claim = (
        "the same taking pieces that are not there"
        if is_control
        else f"paid after the hold, {'a piece sold meanwhile: the money' if is_sold else 'all still there: the order'} goes"
        f"{' back' if is_sold else ' on'}"
    )
    seen = f"{after.status}, {stock} in stock, {Money(back, order.total.currency)} given back"
    return Verdict(claim, seen, (after.status, stock, back) == wanted, is_control)


def _retake_without_asking(txn: TransactWrite, *, product_id: str, quantity: int, **_: Any) -> None:
    txn.update(product_key(product_id), actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)])
