"""Mails about products."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from catalog.domain import Product
from catalog.seo import absolute


def send_back_in_stock(product: Product, *, email: str) -> None:
    """Tell somebody who asked that the product can be bought again. Raises what the mail backend raises."""
    context = {
        "product": product,
        "product_url": absolute(product.path),
        "shop_name": settings.SHOP_NAME,
        "site_origin": settings.SITE_ORIGIN,
    }
    mail = EmailMultiAlternatives(
        subject=f"{product.name} is back",
        body=render_to_string("catalog/emails/back_in_stock.txt", context),
        to=[email],
    )
    mail.attach_alternative(render_to_string("catalog/emails/back_in_stock.html", context), "text/html")
    mail.send()
