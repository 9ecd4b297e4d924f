"""What Stripe is told of an order: its lines, who pays, and the mark by which it is known again."""

import hashlib
from typing import Any

from django.conf import settings

from cart.delivery_domain import name_of
from orders.domain import Order


def line_items(order: Order) -> list[dict[str, Any]]:
    """The order's lines, tax and delivery as Stripe shows them; less the coupon they add up to the order's total to the cent."""
    lines = [(line.name, line.unit_price, line.quantity) for line in order.lines]
    delivery = (name_of(settings.DELIVERY_METHODS, order.delivery_method), order.shipping, 1)
    extras = [delivery] if order.tax_included else [("Tax", order.tax, 1), delivery]
    return [
        {
            "price_data": {
                "currency": price.currency.lower(),
                "unit_amount": price.minor,
                "product_data": {"name": name},
            },
            "quantity": quantity,
        }
        for name, price, quantity in [*lines, *(extra for extra in extras if extra[1])]
    ]


def payer(order: Order, customer: str) -> dict[str, Any]:
    """Who pays: a customer with saved cards, or just an address. https://docs.stripe.com/payments/checkout/save-during-payment"""
    if not customer:
        return {"customer_email": order.email}
    return {"customer": customer, "saved_payment_method_options": {"payment_method_save": "enabled"}}


def metadata_of(order: Order) -> dict[str, str]:
    """The mark on everything of an order at Stripe: which order, and of which shop."""
    return {"order_id": order.order_id, "deployment": deployment()}


def deployment() -> str:
    """Tells this shop's payments from those of another that shares the Stripe account, such as its own test deployment."""
    return hashlib.sha256(f"{settings.SITE_ORIGIN} {settings.TABLE_PREFIX}".encode()).hexdigest()[:16]
