"""What an order's rows say by a code, in the words of staff's pages."""

from dataclasses import dataclass

from orders.domain import OrderStatus
from orders.ledger_domain import FindingKind, RefundReason, RefundState

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


@dataclass(frozen=True, slots=True)
class FindingWords:
    """Something that does not add up, told to who has to put it right."""

    title: str
    meaning: str
    """What has happened, and to whom it matters."""
    button: str
    effect: str
    """What the button does, to money, stock and order, and which mail goes out."""
    done: str


FINDINGS: dict[FindingKind, FindingWords] = {
    FindingKind.PAYMENT_WITHOUT_ORDER: FindingWords(
        "A payment without an order",
        "Stripe has taken this payment for the shop, and the order it names is not here: somebody paid and gets nothing.",
        "Give the payment back",
        "All of it goes back to the card it came from. The shop knows no address, so no mail goes out: Stripe's page of the"
        " payment says who paid.",
        "The payment goes back to its card.",
    ),
    FindingKind.SECOND_PAYMENT: FindingWords(
        "A second payment of one order",
        "The customer has paid this order twice. The order has its first payment; this one stands for nothing.",
        "Give the second payment back",
        "This payment goes back to its card in full. The order and its first payment stay as they are. No mail goes out"
        " about it, so write a line to the customer.",
        "The second payment goes back to its card.",
    ),
    FindingKind.UNSETTLED: FindingWords(
        "Paid at Stripe, and the order does not know",
        "Stripe has taken the payment, and the order does not count as paid: the customer waits for something nobody packs.",
        "Let the order take its payment",
        "Stripe is asked once more. If sum and order fit, the order is to be shipped and the confirmation goes out; if its"
        " pieces were sold meanwhile, the money goes back at once and a mail says so. If they do not fit, it stands under"
        " “To check”.",
        "The order knows of its payment now: its page says what became of it.",
    ),
    FindingKind.AMOUNT: FindingWords(
        "Another sum was paid than the order says",
        "What Stripe has taken for this order is not what the order says was paid for it.",
        "Stop the order until somebody has judged it",
        "The order moves to “To check” and cannot be shipped. No money moves and no mail goes out: on its page you then"
        " accept the payment or give it back.",
        "The order is stopped: it stands under “To check”.",
    ),
    FindingKind.ORDER_WITHOUT_PAYMENT: FindingWords(
        "An order that counts as paid, without a payment",
        "The order counts as paid, and Stripe knows of no payment for it. If it is sent, it is sent for nothing.",
        "Stop the order",
        "The order moves to “To check” and cannot be shipped. No money moves and no mail goes out: on its page you then end it.",
        "The order is stopped: it stands under “To check”.",
    ),
    FindingKind.REFUNDS: FindingWords(
        "Stripe gave back another sum than the order says",
        "Money went back that the order does not tell of, as when somebody refunds on Stripe's own pages; or it tells of"
        " more than went back.",
        "Take over what Stripe says",
        "The order's refunds are read from Stripe and written down. No money moves; the customer gets the mail about a"
        " refund that is new to the shop.",
        "The order says what Stripe says.",
    ),
    FindingKind.STUCK_REFUND: FindingWords(
        "A refund that Stripe has not heard of",
        "This refund was asked for here, and Stripe has not taken it since: the customer waits for the money.",
        "Ask Stripe again, under the same key",
        "The same refund is asked for once more; it cannot go back twice. The customer gets the mail when it has gone back.",
        "Stripe has answered: the order's page says how the refund stands.",
    ),
    FindingKind.FAILED_REFUND: FindingWords(
        "A refund that failed at the bank",
        "The bank has not taken the money, for instance because the card is closed: the customer does not have it.",
        "Refund it once more",
        "The same sum is asked for again as a new refund. If the card is gone for good it fails again: then agree on another"
        " way with the customer, and dismiss this with a note.",
        "It was asked for once more: the order's page says how the refund stands.",
    ),
    FindingKind.STUCK_ORDER: FindingWords(
        "An unpaid order that still holds its pieces",
        "Nobody has paid in time, and yet the order keeps its pieces from everybody else.",
        "End the order and free its pieces",
        "Its payment page is closed at Stripe first, then its pieces go back into stock and a mail tells the customer. If it"
        " turns out to be paid, it counts as paid instead.",
        "The order is ended, or was paid after all: its page says which.",
    ),
    FindingKind.STOCK: FindingWords(
        "The stock is not what came in and went out",
        "The number in stock was changed without a record, or a record is missing. Shoppers buy by the number in stock, so"
        " count the shelf.",
        "Take the number in stock for right",
        "The number in stock stays as it is, and a movement of the difference is recorded, so that both fit again. If you"
        " counted another number, press this first and then change the stock on the product's stock page.",
        "The difference is recorded; the number in stock stayed as it was.",
    ),
}
"""Each kind of what does not add up, and its way out."""
