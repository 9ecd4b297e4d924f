"""The terms of a discount code in the words of staff's pages."""

from datetime import datetime

from cart.discount_domain import DiscountKind

KINDS = {
    DiscountKind.PERCENT: "A percentage off the goods",
    DiscountKind.AMOUNT: "An amount off the goods",
    DiscountKind.FREE_DELIVERY: "Free delivery (the cheapest there is)",
}
TERMS = {
    "kind": "What it gives",
    "percent": "Percentage",
    "amount": "Amount",
    "minimum": "Goods of at least",
    "starts_at": "Holds from",
    "ends_at": "Until",
    "most_uses": "Uses in all",
    "most_uses_each": "Uses by a customer",
    "is_active": "Holds",
}
"""What each term is called, by its name in `Discount`."""


def term_words(value: object) -> str:
    """What a term is set to; empty where it is not set."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} UTC"
    return KINDS[value] if isinstance(value, DiscountKind) else str(value)
