"""Orders that are paid, and looks at what has become of them."""

from datetime import datetime
from typing import Any

from catalog import queries as catalog
from orders import payments, queries, services
from orders.domain import Order
from orders.ledger_domain import Refund
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories

STAFF = "staff:eve"
EVE = Viewer("user-eve", "Eve", STAFF, "staff")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def stock(product_id: str) -> int:
    return catalog.product(product_id=product_id, consistent=True).inventory


def stored(order: Order) -> Order:
    return queries.order_by_id(order_id=order.order_id)


def history(order: Order) -> list[str]:
    """Its statuses, the first one first, as they are stored."""
    return [entry.status for entry in stored(order).history]


def paid_order(stripe: FakeStripe, owner: Owner, lines: dict[str, int], now: datetime) -> Order:
    """An order whose shopper has paid, settled."""
    order = factories.open_payment(factories.make_order(owner, lines, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    return services.settle(session_id=order.payment.session_id, now=now)


def three_mugs_and_a_lamp(stripe: FakeStripe, owner: Owner, now: datetime) -> Order:
    """A paid order at 24.00 a piece (96.00), tax 7.68, delivery 9.99: 113.67. Of each two more are in stock.

    What was said to Stripe until then is forgotten.
    """
    mug, lamp = factories.make_product(inventory=5, price=usd(2400)), factories.make_product(inventory=3, price=usd(2400))
    order = paid_order(stripe, owner, {mug.product_id: 3, lamp.product_id: 1}, now)
    stripe.state.requests.clear()
    return order


def made_at(stripe: FakeStripe) -> list[int]:
    """The amounts of all refunds at Stripe."""
    return [refund["amount"] for refund in stripe.state.tables["refunds"].values()]


def dashboard_refund(order: Order, amount: int | None = None) -> str:
    """Somebody presses "Refund" on Stripe's own pages; Stripe's id of it."""
    params: Any = {"payment_intent": order.payment.payment_intent_id} | ({"amount": amount} if amount else {})
    return payments.gateway()._client.v1.refunds.create(params).id


def ask(order: Order, now: datetime, **changes: Any) -> Refund:
    """A refund of nothing, but for the changes."""
    nothing: dict[str, Any] = {
        "number": order.refund_count + 1,
        "lines": {},
        "delivery": False,
        "extra": None,
        "restock": False,
        "note": "",
        "actor": STAFF,
    }
    return services.request_refund(order=order, now=now, **(nothing | changes))
