"""Mails about products."""

from catalog.domain import Availability, Product
from catalog.seo import absolute
from shop.lib import mails


def send_back_in_stock(product: Product, *, email: str) -> None:
    """Tell somebody who asked that the product can be bought again. Raises what the mail backend raises."""
    context = {"product": product, "product_url": absolute(product.path)}
    mails.send("catalog/emails/back_in_stock", to=email, context=context)


def send_low_stock(product: Product, *, to: str) -> None:
    """Tell staff that a product became low or sold out. Raises what the mail backend raises."""
    context = {
        "product": product,
        "is_out": product.shortage is Availability.OUT,
        "stock_url": absolute(f"/staff/stock/{product.product_id}/"),
    }
    mails.send("catalog/emails/low_stock", to=to, context=context)
