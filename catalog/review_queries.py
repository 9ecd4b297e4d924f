"""Reads of reviews. docs/tables.md has a row for each."""

from collections.abc import Iterable
from functools import partial
from typing import TypeVar

from pynamodb.exceptions import DoesNotExist

from catalog.models import product_pk
from catalog.review_domain import Review, ReviewStatus, ShownReview
from catalog.review_models import (
    PRODUCT_KEYS,
    STATUS_KEYS,
    ReviewedRow,
    ReviewRow,
    approved_partition,
    review_sk,
    reviewed_sk,
    status_partition,
    to_review,
)
from shop.lib.cursors import Page, read_page
from shop.lib.kept import MOST_WAITING, forget, kept
from shop.lib.owner import Owner
from shop.lib.tables import Row, batch_get, count_up_to

PAGE_SIZE = 10
_BATCH = 100
"""The most keys DynamoDB reads in one call."""
_WAITING = "reviews-waiting"
R = TypeVar("R", bound=Row)


class ReviewNotFound(Exception):
    """There is no such review."""


def review(*, product_id: str, review_id: str) -> Review:
    """A review as last written. Raises ReviewNotFound."""
    try:
        return to_review(ReviewRow.get(product_pk(product_id), review_sk(review_id), consistent_read=True))
    except DoesNotExist:
        raise ReviewNotFound(review_id) from None


def review_by(*, product_id: str, owner: Owner, order_id: str) -> Review | None:
    """What the owner, or somebody for this order, has said of the product; None when nothing yet."""
    pk = product_pk(product_id)
    claims = batch_get(ReviewedRow, [(pk, reviewed_sk(owner)), (pk, reviewed_sk(order_id))], consistent=True)
    return review(product_id=product_id, review_id=claims[0].review_id) if claims else None


def reviews_of_orders(*, bought: Iterable[tuple[str, str]]) -> list[Review]:
    """The reviews written for these products of these orders, each a product's id and an order's number. Two calls a hundred."""
    claims = _batches(ReviewedRow, {(product_pk(product_id), reviewed_sk(order_id)) for product_id, order_id in bought})
    rows = _batches(ReviewRow, {(claim.pk, review_sk(claim.review_id)) for claim in claims})
    return sorted(map(to_review, rows), key=lambda one: one.created_at)


def _batches(row: type[R], keys: set[tuple[str, str]]) -> list[R]:
    ordered = sorted(keys)
    batches = [ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH)]
    return [found for batch in batches for found in batch_get(row, batch, consistent=False)]


def approved_reviews(*, product_id: str, cursor: str = "", size: int = PAGE_SIZE) -> Page[ShownReview]:
    """What shoppers may read of a product, latest first."""
    return read_page(
        partial(ReviewRow.by_product.query, approved_partition(product_id)),
        lambda row: to_review(row).shown(),
        key_names=PRODUCT_KEYS,
        question=f"reviews:{product_id}",
        cursor=cursor,
        size=size,
        forward=False,
    )


def reviews_to_moderate(*, status: ReviewStatus, cursor: str = "", size: int = PAGE_SIZE) -> Page[Review]:
    """Reviews of a status: those that wait, oldest first, for their turn; decided ones latest first, to think again."""
    return read_page(
        partial(ReviewRow.by_status.query, status_partition(status)),
        to_review,
        key_names=STATUS_KEYS,
        question=f"moderate:{status}",
        cursor=cursor,
        size=size,
        forward=status is ReviewStatus.PENDING,
    )


def reviews_waiting() -> int:
    """How many reviews wait to be read, a minute ago at the most, counted up to MOST_WAITING so that a flood costs no more."""
    index = ReviewRow.by_status.Meta.index_name
    pending = status_partition(ReviewStatus.PENDING)
    return kept(_WAITING, partial(count_up_to, ReviewRow, pending, index=index, at_most=MOST_WAITING))


def forget_waiting() -> None:
    """Have those that wait counted anew: after one was decided."""
    forget(_WAITING)
