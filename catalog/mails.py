"""Mails about products."""

from catalog.domain import Product
from catalog.seo import absolute
from shop.lib import mails


def send_back_in_stock(product: Product, *, email: str) -> None:
    """Tell somebody who asked that the product can be bought again. Raises what the mail backend raises."""
    context = {"product": product, "product_url": absolute(product.path)}
    mails.send("catalog/emails/back_in_stock", to=email, context=context)
