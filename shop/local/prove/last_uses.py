"""The last uses of a discount code, wanted by many at once: so many orders have it, and unpaid ones give it back."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from unittest.mock import patch

from pynamodb.transactions import TransactWrite

from cart import discount_queries, discounts
from cart.discount_domain import Discount, DiscountKind
from orders import services
from orders.domain import HOLD, Order
from shop.lib.clock import utc_now
from shop.lib.ids import new_id
from shop.lib.tables import trouble_as_busy
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import STAFF, World, at_once

BUYERS, USES = 50, 5
_CONFLICTS = 0.2
_LOST_REPLIES = 0.05


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """The rush for a code, what becomes of its uses, and the rush without the limit as a condition."""
    claim = f"{BUYERS} buyers of a code's last {USES} uses, conflicts and lost replies injected: none more, none twice"
    yield from _rush(world, claim)
    with patch.object(discounts, "take_use", _take_without_asking):
        yield next(_rush(world, "the same without the limit as a condition", is_control=True))


def _rush(world: World, claim: str, *, is_control: bool = False) -> Iterator[Verdict]:
    now = utc_now()
    code = new_id("c", now).upper()[:30]
    terms = Discount(code, DiscountKind.PERCENT, percent=Decimal(10), most_uses=USES)
    discounts.create_discount(discount=terms, actor=STAFF, now=now)
    product = world.product(inventory=BUYERS)
    buyers = at_once([lambda: world.buyer({product.product_id: 1}, code=code)] * BUYERS, threads=8)
    with world.weather(conflicts=_CONFLICTS, lost_replies=_LOST_REPLIES):
        answers = at_once([partial(_place, buyer) for buyer in buyers])
    placed = [order for order in world.orders_of([buyer["owner"] for buyer in buyers]) if order.discount]
    counted = discount_queries.discount(code=code).uses
    told = Counter(type(answer).__name__ for answer in answers)
    holds = len(placed) == counted == told["Order"] == USES and set(told) <= {"Order", "TotalChanged", "Busy"}
    seen = ", ".join(f"{count} {name}" for name, count in told.most_common())
    yield Verdict(claim, f"{len(placed)} orders with it, {counted} uses counted ({seen})", holds, is_control)

    world.run_jobs(now + HOLD + timedelta(minutes=2))
    left = discount_queries.discount(code=code).uses
    yield Verdict("orders given up unpaid give every use back, once", f"{left} uses counted", left == 0)


def _place(buyer: dict[str, Any]) -> Order:
    with trouble_as_busy():  # as a page does
        return services.place_order(**buyer)


def _take_without_asking(txn: TransactWrite, *, discount: Discount, customers: Sequence[str], now: datetime) -> None:
    discounts.count_use(txn, code=discount.code, customers=customers, change=1, now=now)
