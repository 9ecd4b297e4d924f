"""What the cart page says of the order its last cart became: the cart knows nothing of orders."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import template

from shop.lib.access import owner_of
from shop.lib.clock import utc_now

if TYPE_CHECKING:
    from cart.domain import Cart

register = template.Library()


@register.inclusion_tag("orders/waiting.html", takes_context=True)
def waiting_order(context: Any, cart: "Cart") -> dict[str, Any]:
    """The visitor's last order and the ways on, while it may be waiting to be paid: one call, for half an hour after an order."""
    from orders import queries  # Django imports every module of tags at its start

    now = utc_now()
    order = queries.order_that_may_wait(owner=owner_of(context.request), cart=cart, now=now)
    return {
        "cart": cart,
        "order": order,
        # What a guest placed opens to them by its key alone, now that they have signed in.
        "query": f"?{urlencode({'key': queries.key_of(cart.order_id)})}" if cart.order_owner else "",
        "is_in_time": order is not None and now < order.kept_until,
        "csrf_token": context.get("csrf_token"),
    }
