"""What an order's rows say by a code, in the words of staff's pages."""

from orders.domain import OrderStatus
from orders.ledger_domain import RefundReason, RefundState

STATUS_LABELS = {
    OrderStatus.PENDING: "Waiting for payment",
    OrderStatus.PROCESSING: "To ship",
    OrderStatus.SHIPPED: "Shipped",
    OrderStatus.DELIVERED: "Delivered",
    OrderStatus.REVIEW: "To check",
    OrderStatus.REFUND_PENDING: "Refund on its way",
    OrderStatus.REFUNDED: "Refunded",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.EXPIRED: "Not paid in time",
}
"""Where an order stands, in the order of the tabs."""
REFUND_STATES = {
    RefundState.ASKED: "Not at Stripe yet",
    RefundState.SENT: "On its way",
    RefundState.SUCCEEDED: "Refunded",
    RefundState.FAILED: "Failed",
}
REFUND_REASONS = {
    RefundReason.REQUESTED: "Asked for",
    RefundReason.CANCELLED: "Order cancelled",
    RefundReason.LATE: "Paid too late, the pieces were gone",
    RefundReason.ELSEWHERE: "Made at Stripe",
}
MAILS = {
    "confirmation": "Order paid",
    "shipped": "Parcel on its way",
    "delivered": "Order arrived",
    "expired": "Not paid in time",
    "cancelled": "Order cancelled",
    "refunded": "Money went back",
    "late": "Payment came too late",
    "link": "Link to the order",
}
"""What each kind of mail tells."""
_PAYMENTS = {
    "pending": "Not paid",
    "completed": "Paid",
    "partially_refunded": "Refunded in part",
    "refunded": "Refunded",
    "review": "To check",
    "void": "Nothing was taken",
}


def payment_words(status: str) -> str:
    """Where a payment stands; a word from elsewhere as it came."""
    return _PAYMENTS.get(status, status)
