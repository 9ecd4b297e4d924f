"""What a change of the Carts table tells."""

from typing import Any

from cart.models import CART_SK

Image = dict[str, Any] | None


def is_new_cart(new: Image) -> bool:
    """Whether somebody began a cart, by its row after the change. The terms of a discount code lie there too, with versions."""
    return new is not None and new["SK"] == {"S": CART_SK} and new.get("version") == {"N": "1"}
