"""Mails about orders."""

from django.conf import settings
from django.urls import reverse

from orders.domain import Order
from orders.queries import delivery_name, key_of
from shop.lib import mails


def order_url(order_id: str) -> str:
    """The address that opens an order to whoever holds it; on the shop's fixed origin."""
    return f"{settings.SITE_ORIGIN}{reverse('orders:order', args=[order_id])}?key={key_of(order_id)}"


def send_confirmation(order: Order) -> None:
    """Mail the shopper that the order is paid. Raises what the mail backend raises."""
    context = {"order": order, "order_url": order_url(order.order_id), "delivery_name": delivery_name(order.delivery_method)}
    mails.send("orders/emails/confirmation", to=order.email, context=context)
