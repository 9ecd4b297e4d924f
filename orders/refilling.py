"""From an order back to a cart: the lines of one that was not paid, or of one that is wanted again."""

from datetime import datetime

from cart import services as cart_services
from cart.domain import Item
from orders.domain import Order
from shop.lib.owner import Owner


def put_back_in_cart(*, order: Order, owner: Owner, now: datetime) -> cart_services.Restored:
    """Put the lines of an order that was not paid into a cart, once a cart."""
    return cart_services.restore_lines(owner=owner, order_id=order.order_id, items=_items_of(order, now), now=now)


def buy_again(*, order: Order, owner: Owner, now: datetime) -> cart_services.BoughtAgain:
    """Put what was ordered into a cart once more, as far as it can be bought, at the prices of now."""
    return cart_services.buy_again(owner=owner, items=_items_of(order, now), now=now)


def _items_of(order: Order, now: datetime) -> tuple[Item, ...]:
    return tuple(Item(line.product_id, line.name, line.quantity, line.unit_price, line.image, now) for line in order.lines)
