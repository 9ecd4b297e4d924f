"""Stripe's webhooks as they really come: several times, in any order, some never. And the stream's records, each twice."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.core import mail
from django.test import Client

from orders import reactions
from orders.domain import HOLD, Order, OrderStatus
from shop.lib.clock import utc_now
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, at_once

ORDERS = 100
_MOST_TIMES = 5
_DROPPED = 0.1
_THREADS = 8


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """The storm with every guard, and without remembering which effect was done."""
    yield _storm(
        world, f"{ORDERS} orders, webhooks 1-{_MOST_TIMES} times, shuffled, 10 % lost, records twice: all paid, one mail each"
    )
    with patch.object(reactions, "once", _never_done):
        yield _storm(world, "the same without claiming each mail", is_control=True)


def _storm(world: World, claim: str, *, is_control: bool = False) -> Verdict:
    from orders import services

    product = world.product(inventory=ORDERS)
    buyers = at_once([lambda: world.buyer({product.product_id: 1})] * ORDERS, threads=_THREADS)
    orders = [world.open_payment(services.place_order(**buyer)) for buyer in buyers]
    for order in orders:
        world.stripe.pay(order.payment.session_id)
    mail.outbox.clear()
    statuses = _deliver(world, orders)
    world.run_jobs(utc_now() + HOLD + timedelta(minutes=1))
    world.read_stream(_twice)
    ended = Counter(order.status for order in world.orders_of([order.owner for order in orders]))
    mails = Counter(order.order_id for order in orders for sent in mail.outbox if order.order_id in str(sent.subject))
    holds = (
        ended == {OrderStatus.PROCESSING: ORDERS}
        and mails == Counter({order.order_id: 1 for order in orders})
        and set(statuses) == {200}
        and world.stock(product.product_id) == 0
    )
    seen = f"{statuses.total()} webhooks, {ended[OrderStatus.PROCESSING]} paid, {mails.total()} mails to {len(mails)} shoppers"
    return Verdict(claim, seen, holds, is_control)


def _deliver(world: World, orders: list[Order]) -> Counter[int]:
    """The events of these orders to the shop's door; how it answered."""
    wanted = {order.payment.session_id for order in orders}
    with world.stripe.state.lock:
        events = [
            json.dumps(event) for event in world.stripe.state.tables["events"].values() if event["data"]["object"]["id"] in wanted
        ]
    chance = random.Random(7)  # noqa: S311 - the same storm each time
    kept = [event for event in events if chance.random() >= _DROPPED]
    storm = [event.encode() for event in kept for _ in range(chance.randint(1, _MOST_TIMES))]
    chance.shuffle(storm)
    return Counter(at_once([partial(_knock, body) for body in storm], threads=_THREADS))


def _knock(body: bytes) -> int:
    import stripe

    stamp = int(time.time())
    mac = stripe.WebhookSignature._compute_signature(f"{stamp}.{body.decode()}", settings.STRIPE_WEBHOOK_SECRET)
    signed = {"Stripe-Signature": f"t={stamp},v1={mac}"}
    answer = Client().post("/webhooks/stripe/", body, content_type="application/json", headers=signed)
    return int(answer.status_code)


def _twice(event: dict[str, Any], context: object) -> Mapping[str, Any]:
    from shop.entrypoints import stream  # needs Django set up

    stream.handler(event, context)
    return stream.handler(event, context)


@contextmanager
def _never_done(*_: object, **__: object) -> Iterator[bool]:
    yield True
