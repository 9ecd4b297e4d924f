"""What changes an order: the door through which views, jobs and reactions come. The rooms behind it are the table's only writers.

Placing and paying happen in this order, each step safe to repeat: place (`orders/placing.py`, one transaction), open the payment
page, settle when the money is there, or release when it is not there in time (`orders/paying.py`).
"""

from orders.moving import CLOCK, SHOPPER, STRIPE, OrderMoved
from orders.paying import UnknownOrder, cancel_unpaid, open_payment, record_event, release, settle
from orders.placing import (
    CartChanged,
    DetailsMissing,
    OutOfStock,
    TotalChanged,
    adopt_details,
    place_order,
    put_back_in_cart,
    remember_details,
    remember_typed,
    review_mark,
)
from orders.reviewing import NotReviewable, submit_review

__all__ = [
    "CLOCK",
    "SHOPPER",
    "STRIPE",
    "CartChanged",
    "DetailsMissing",
    "NotReviewable",
    "OrderMoved",
    "OutOfStock",
    "TotalChanged",
    "UnknownOrder",
    "adopt_details",
    "cancel_unpaid",
    "open_payment",
    "place_order",
    "put_back_in_cart",
    "record_event",
    "release",
    "remember_details",
    "remember_typed",
    "review_mark",
    "settle",
    "submit_review",
]
