"""Reviews: written by buyers, read by us, then shown. What is shown and the product's rating change together or not at all."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice

from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from catalog.domain import Product
from catalog.models import (
    PRODUCT_SK,
    CatalogAuditRow,
    ProductRow,
    RatingsMap,
    product_key,
    product_pk,
    to_product,
)
from catalog.product_queries import forget_products
from catalog.queries import ProductNotFound
from catalog.review_domain import LATEST, Review, ReviewStatus, ShownReview, Summary, Tally, Words, latest_of
from catalog.review_models import (
    REVIEW_SK,
    SUMMARY_SK,
    ReviewedRow,
    ReviewRow,
    SummaryRow,
    approved_partition,
    place_of,
    review_key,
    review_sk,
    reviewed_sk,
    status_partition,
    to_review,
    to_review_row,
    to_summary,
    to_summary_row,
)
from catalog.review_queries import ReviewNotFound, forget_waiting
from shop.lib.audit import Change, audit_row
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from shop.lib.tables import Busy, batch_items
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

_TRIES = 20
_LONGEST_PAUSE_SECONDS = 0.3
_ROWS_A_CALL = 25


class AlreadyReviewed(Exception):
    """The order, or its owner, has said what they think of the product."""


class ReviewMoved(Exception):
    """Somebody else has decided meanwhile; nothing was written. `review` is as it stands."""

    def __init__(self, review: Review) -> None:
        super().__init__(review.status)
        self.review = review


def submit_review(
    *,
    product_id: str,
    product_name: str,
    order_id: str,
    owner: Owner,
    words: Words,
    now: datetime,
    also: Callable[[TransactWrite], None],
) -> Review:
    """Write a review that waits for moderation: one a product and order, and one a product and owner.

    Whether this is a buyer is for the caller to know: `also` adds its conditions to the transaction, and where one of them does
    not hold its Refused comes through. Raises AlreadyReviewed, ProductNotFound, Refused, Busy; then nothing was written.
    """
    review = Review(
        review_id=new_id("rev", now),
        product_id=product_id,
        product_name=product_name,
        order_id=order_id,
        owner_key=owner.key,
        words=words,
        status=ReviewStatus.PENDING,
        created_at=now,
    )
    pk = product_pk(product_id)

    def build(txn: TransactWrite) -> None:
        txn.condition_check(ProductRow, pk, PRODUCT_SK, condition=ProductRow.pk.exists())
        txn.save(to_review_row(review), condition=ReviewRow.pk.does_not_exist())
        for by in (owner, order_id):
            row = ReviewedRow(pk, reviewed_sk(by), review_id=review.review_id)
            txn.save(row, condition=ReviewedRow.pk.does_not_exist())
        also(txn)

    try:
        run_transaction(build)
    except Refused as refused:
        ours = {refusal.sk for refusal in refused.refusals if refusal.pk == pk}
        if PRODUCT_SK in ours:
            raise ProductNotFound(product_id) from refused
        if ours:
            raise AlreadyReviewed from refused
        raise
    return review


def approve_review(
    *, product_id: str, review_id: str, actor: Viewer, now: datetime, seen: ReviewStatus = ReviewStatus.PENDING
) -> Review:
    """Show a review and count its stars. Approving what is approved changes nothing.

    `seen` is the status the decision was made on. Raises ReviewNotFound, ReviewMoved, ProductNotFound (deleted meanwhile), Busy.
    """
    return _decide(product_id, review_id, ReviewStatus.APPROVED, seen, actor, now)


def reject_review(
    *, product_id: str, review_id: str, actor: Viewer, now: datetime, seen: ReviewStatus = ReviewStatus.PENDING
) -> Review:
    """Keep a review from being shown; one that was approved (`seen` says so) is taken back, stars and all. Else as above."""
    return _decide(product_id, review_id, ReviewStatus.REJECTED, seen, actor, now)


def load_reviews(*, product_id: str, reviews: Iterable[Review], tally: Tally) -> None:
    """Write approved reviews of a new product and its ratings with them: for filling an empty shop."""
    loaded = tuple(reviews)
    with ReviewRow.batch_write() as batch:
        for review in loaded:
            batch.save(to_review_row(review))
    summary = Summary(tally, latest_of(review.shown() for review in loaded))

    def build(txn: TransactWrite) -> None:
        txn.save(to_summary_row(product_id, summary, version=1), condition=SummaryRow.pk.does_not_exist())
        _add_rating(txn, product_id, tally)

    run_transaction(build)
    forget_products([product_id])


@dataclass(frozen=True, slots=True)
class _Standing:
    """What a decision depends on, as it is now. Without a version there is no summary yet; without a product it was deleted."""

    review: Review
    product: Product | None
    summary: Summary
    version: int | None


def _decide(product_id: str, review_id: str, to: ReviewStatus, seen: ReviewStatus, actor: Viewer, now: datetime) -> Review:
    for attempt in range(_TRIES):
        if attempt:
            time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.02 * 2**attempt)))  # noqa: S311 - jitter
        standing = _standing(product_id, review_id)
        if standing.review.status is to:
            return standing.review
        if standing.review.status is not seen:
            raise ReviewMoved(standing.review)
        if to is ReviewStatus.APPROVED and standing.product is None:
            raise ProductNotFound(product_id)
        decided = replace(standing.review, status=to, decided_at=now, decided_by=actor.user_id)
        try:
            run_transaction(partial(_add_decision, standing=standing, decided=decided, actor=actor))
        except Refused:
            continue  # this review, or another of the product, was decided in between
        forget_products([product_id])
        forget_waiting()
        return decided
    raise Busy


def _standing(product_id: str, review_id: str) -> _Standing:
    pk = product_pk(product_id)
    keys = [(pk, PRODUCT_SK), (pk, SUMMARY_SK), (pk, review_sk(review_id))]
    items = {item["SK"]["S"]: item for item in batch_items(ReviewRow.Meta.table_name, keys, consistent=True)}
    if review_sk(review_id) not in items:
        raise ReviewNotFound(review_id)
    review = to_review(ReviewRow.from_raw_data(items[review_sk(review_id)]))
    product = to_product(ProductRow.from_raw_data(items[PRODUCT_SK])) if PRODUCT_SK in items else None
    if SUMMARY_SK in items:
        row = SummaryRow.from_raw_data(items[SUMMARY_SK])
        return _Standing(review, product, to_summary(row), row.version)
    return _Standing(review, product, Summary(Tally.carrying(product.rating if product else None)), None)


def _add_decision(txn: TransactWrite, *, standing: _Standing, decided: Review, actor: Viewer) -> None:
    review, at = standing.review, decided.decided_at or decided.created_at
    actions: list[Action] = [
        ReviewRow.status.set(decided.status),
        ReviewRow.gsi1_pk.set(status_partition(decided.status)),
        ReviewRow.decided_at.set(at),
        ReviewRow.decided_by.set(decided.decided_by),
    ]
    if decided.status is ReviewStatus.APPROVED:
        actions += [ReviewRow.gsi2_pk.set(approved_partition(review.product_id)), ReviewRow.gsi2_sk.set(place_of(review))]
    else:
        actions += [ReviewRow.gsi2_pk.remove(), ReviewRow.gsi2_sk.remove()]
    txn.update(review_key(review.product_id, review.review_id), actions=actions, condition=ReviewRow.status == review.status)
    change = Change("status", review.status, decided.status)
    action = f"review {review.review_id} {decided.status}"
    txn.save(audit_row(CatalogAuditRow, product_pk(review.product_id), actor=actor, action=action, now=at, changes=[change]))
    if ReviewStatus.APPROVED in (review.status, decided.status):
        _add_summary(txn, standing, decided)


def _add_summary(txn: TransactWrite, standing: _Standing, decided: Review) -> None:
    """What the product's page says after the decision. Whoever changes it at the same time meets the version."""
    product_id, before = decided.product_id, standing.summary
    if decided.status is ReviewStatus.APPROVED:
        after = Summary(before.tally.plus(decided.words.stars), latest_of([*before.latest, decided.shown()]))
    else:
        after = Summary(before.tally.minus(decided.words.stars), _latest_without(decided, before))
    is_as_read: Condition = SummaryRow.pk.does_not_exist()
    if standing.version is not None:
        is_as_read = SummaryRow.version == standing.version
    txn.save(to_summary_row(product_id, after, version=(standing.version or 0) + 1), condition=is_as_read)
    if standing.product is not None:
        _add_rating(txn, product_id, after.tally)


def _add_rating(txn: TransactWrite, product_id: str, tally: Tally) -> None:
    rating = tally.rating
    change = (
        ProductRow.ratings.set(RatingsMap(average=rating.average, count=rating.count)) if rating else ProductRow.ratings.remove()
    )
    txn.update(product_key(product_id), actions=[change], condition=ProductRow.pk.exists())


def _latest_without(taken: Review, summary: Summary) -> tuple[ShownReview, ...]:
    """The latest without one that is taken back: from the table, for the index may still have one that was taken back before."""
    if all(review.review_id != taken.review_id for review in summary.latest):
        return summary.latest
    rows = ReviewRow.query(
        product_pk(taken.product_id),
        ReviewRow.sk.startswith(REVIEW_SK),
        filter_condition=ReviewRow.status == ReviewStatus.APPROVED,
        scan_index_forward=False,
        consistent_read=True,
        page_size=_ROWS_A_CALL,
    )
    return latest_of(to_review(row).shown() for row in islice((row for row in rows if row.review_id != taken.review_id), LATEST))
