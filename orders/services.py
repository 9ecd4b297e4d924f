"""What changes an order: the door through which views, jobs and reactions come. The rooms behind it are the table's only writers.

Placing and paying happen in this order, each step safe to repeat: place (`orders/placing.py`, one transaction), open the payment
page, or release when no money comes in time (`orders/paying.py`), settle when it is there (`orders/settling.py`). A paid order is
shipped, delivered or cancelled (`orders/fulfilling.py`), its money goes back (`orders/refunding.py`), its documents get numbers
(`orders/issuing.py`), and all of it is compared with what Stripe and the stock say (`orders/reconciling.py`).
"""

from orders.auditing import audit_note, audit_order, audit_refund
from orders.checkout_details import adopt_details, remember_details, remember_typed
from orders.claiming import NotClaimable, claim_order
from orders.counting import count_carts, count_paid, count_placed, count_refund
from orders.desk import add_note, note_use_of_code, remember_number, remember_words
from orders.fulfilling import (
    MoneyIsThere,
    NoPayment,
    NotCancellable,
    NothingToShip,
    NotInReview,
    NotInStock,
    TooManyParcels,
    accept_review,
    cancel_order,
    deliver,
    drop_review,
    put_into_review,
    ship,
)
from orders.issuing import issue_credit_note, issue_invoice
from orders.looking_up import LOOKUP_LIFETIME, ask_for_link, order_asked_for
from orders.moving import CLOCK, SHOPPER, STRIPE, OrderMoved
from orders.paying import HoldOver, cancel_unpaid, extend_hold, note_failed_payment, open_payment, record_event, release
from orders.placing import CartChanged, DetailsMissing, OutOfStock, TotalChanged, place_order, review_mark
from orders.ranking import rank_sold
from orders.reconciling import reconcile, reconcile_stock, settle_unnoticed
from orders.refilling import buy_again, put_back_in_cart
from orders.refund_entries import NothingToRefund
from orders.refunding import NotRefundable, RefundTooLarge, refund_rest, request_refund, resume_refund, sync_refunds
from orders.resolving import StillWrong, dismiss_finding, put_right
from orders.reviewing import NotReviewable, submit_review
from orders.settling import UnknownOrder, settle

__all__ = [
    "CLOCK",
    "LOOKUP_LIFETIME",
    "SHOPPER",
    "STRIPE",
    "CartChanged",
    "DetailsMissing",
    "HoldOver",
    "MoneyIsThere",
    "NoPayment",
    "NotCancellable",
    "NotClaimable",
    "NotInReview",
    "NotInStock",
    "NotRefundable",
    "NotReviewable",
    "NothingToRefund",
    "NothingToShip",
    "OrderMoved",
    "OutOfStock",
    "RefundTooLarge",
    "StillWrong",
    "TooManyParcels",
    "TotalChanged",
    "UnknownOrder",
    "accept_review",
    "add_note",
    "adopt_details",
    "ask_for_link",
    "audit_note",
    "audit_order",
    "audit_refund",
    "buy_again",
    "cancel_order",
    "cancel_unpaid",
    "claim_order",
    "count_carts",
    "count_paid",
    "count_placed",
    "count_refund",
    "deliver",
    "dismiss_finding",
    "drop_review",
    "extend_hold",
    "issue_credit_note",
    "issue_invoice",
    "note_failed_payment",
    "note_use_of_code",
    "open_payment",
    "order_asked_for",
    "place_order",
    "put_back_in_cart",
    "put_into_review",
    "put_right",
    "rank_sold",
    "reconcile",
    "reconcile_stock",
    "record_event",
    "refund_rest",
    "release",
    "remember_details",
    "remember_number",
    "remember_typed",
    "remember_words",
    "request_refund",
    "resume_refund",
    "review_mark",
    "settle",
    "settle_unnoticed",
    "ship",
    "submit_review",
    "sync_refunds",
]
