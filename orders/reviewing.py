"""Buyers review what they bought: the order vouches for them in the very transaction that writes the review."""

from datetime import datetime

from pynamodb.transactions import TransactWrite

from catalog import services as catalog_services
from catalog.review_domain import Review, Words
from orders.domain import REVIEWABLE, Order
from orders.models import OrderRow, order_sk
from shop.lib.transactions import Refused


class NotReviewable(Exception):
    """The order is not paid (yet, or any more), or the product is not in it."""


def submit_review(*, order: Order, product_id: str, words: Words, now: datetime) -> Review:
    """Write the review of a product by the order's buyer; it waits for moderation.

    Raises NotReviewable, and as the catalogue's `submit_review` does; then nothing was written.
    """
    line = order.line_of(product_id)
    if line is None or not order.can_be_reviewed:
        raise NotReviewable(order.order_id)
    pk = order.owner.key

    def bought(txn: TransactWrite) -> None:
        txn.condition_check(OrderRow, pk, order_sk(order.order_id), condition=OrderRow.status.is_in(*sorted(REVIEWABLE)))

    try:
        return catalog_services.submit_review(
            product_id=product_id,
            product_name=line.name,
            order_id=order.order_id,
            owner=order.owner,
            words=words,
            now=now,
            also=bought,
        )
    except Refused as refused:
        raise NotReviewable(order.order_id) from refused
