"""Mails about orders."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from orders.domain import Order
from orders.queries import key_of


def order_url(order_id: str) -> str:
    """The address that opens an order to whoever holds it; on the shop's fixed origin."""
    return f"{settings.SITE_ORIGIN}{reverse('orders:order', args=[order_id])}?key={key_of(order_id)}"


def send_confirmation(order: Order) -> None:
    """Mail the shopper that the order is paid. Raises what the mail backend raises."""
    context = {
        "order": order,
        "order_url": order_url(order.order_id),
        "shop_name": settings.SHOP_NAME,
        "site_origin": settings.SITE_ORIGIN,
    }
    mail = EmailMultiAlternatives(
        subject=render_to_string("orders/emails/confirmation_subject.txt", context).strip(),
        body=render_to_string("orders/emails/confirmation.txt", context),
        to=[order.email],
    )
    mail.attach_alternative(render_to_string("orders/emails/confirmation.html", context), "text/html")
    mail.send()
