"""Many buyers of few pieces, on a bad day: exactly what is there is sold, and nobody is refused without reason."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from typing import Any
from unittest.mock import patch

from pynamodb.transactions import TransactWrite

from catalog import services as catalog_services
from catalog.models import ProductRow, product_key
from orders import services
from orders.domain import Order, OrderStatus
from shop.lib.clock import utc_now
from shop.lib.tables import trouble_as_busy
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World, at_once

BUYERS, PIECES = 200, 50
_CONFLICTS = 0.2
_GIVE_UPS = 1
"""How many of a round may be told "busy, try again": the bound of requirement R02."""


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """The rush with every guard, and twice without one."""
    yield _rounds(
        world, rounds, claim=f"{BUYERS} buyers of {PIECES} pieces, conflicts injected, {rounds} rounds: all sold, none twice"
    )
    yield _charges(world)
    with patch.object(catalog_services, "take_stock", _take_without_asking):
        yield _rounds(world, 1, claim="the same without the condition on the stock", is_control=True)
    with patch("shop.lib.transactions.TRIES", 1):
        yield _rounds(world, 1, claim="the same without repeating after a conflict", is_control=True)


def _rounds(world: World, rounds: int, *, claim: str, is_control: bool = False) -> Verdict:
    told: Counter[str] = Counter()
    give_ups = 0
    are_right = True
    for _ in range(rounds):
        product, answers = _rush(world, PIECES, conflicts=_CONFLICTS)
        kinds = Counter(type(answer).__name__ for answer in answers)
        told += kinds
        give_ups = max(give_ups, kinds["Busy"])
        are_right &= kinds["Order"] == PIECES and kinds["OutOfStock"] >= BUYERS - PIECES - _GIVE_UPS
        are_right &= set(kinds) <= {"Order", "OutOfStock", "Busy"} and kinds["Busy"] <= _GIVE_UPS
        are_right &= world.stock(product) == 0
    seen = ", ".join(f"{count} {name}" for name, count in told.most_common())
    return Verdict(claim, f"{seen}; at most {give_ups} gave up in a round", are_right, is_control)


def _charges(world: World) -> Verdict:
    """Everybody who got an order pays; everybody who paid has an order that says so."""
    _, answers = _rush(world, PIECES, conflicts=_CONFLICTS)
    placed = [answer for answer in answers if isinstance(answer, Order)]
    opened = [world.open_payment(order) for order in placed]
    for order in opened:
        world.stripe.pay(order.payment.session_id)
    at_once([partial(services.settle, session_id=order.payment.session_id, now=utc_now()) for order in opened])
    paid = {
        order.order_id for order in world.orders_of([order.owner for order in opened]) if order.status is OrderStatus.PROCESSING
    }
    charged = Counter({order.order_id: world.paid_sessions()[order.order_id] for order in opened})
    holds = len(paid) == PIECES and charged == Counter(dict.fromkeys(paid, 1))
    return Verdict(
        "who got a piece is charged once, and has an order", f"{charged.total()} charges, {len(paid)} paid orders", holds
    )


def _rush(world: World, pieces: int, **faults: Any) -> tuple[str, list[Any]]:
    product = world.product(inventory=pieces)
    buyers = at_once([lambda: world.buyer({product.product_id: 1})] * BUYERS, threads=8)
    for trouble in buyers:
        if isinstance(trouble, Exception):
            raise trouble
    with world.weather(**faults) if faults else nullcontext():
        answers = at_once([partial(_place, buyer) for buyer in buyers])
    return product.product_id, answers


def _place(buyer: dict[str, Any]) -> Order:
    with trouble_as_busy():  # as the page does, which then says "busy, nothing was charged"
        return services.place_order(**buyer)


def _take_without_asking(txn: TransactWrite, *, product_id: str, quantity: int, **_: Any) -> None:
    txn.update(product_key(product_id), actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)])
