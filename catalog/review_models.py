"""Rows of reviews in the Products table, all under their product, and the only place where their key text is built."""

from decimal import Decimal

from pynamodb.attributes import ListAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex

from catalog.models import PROJECTION, ProductMeta, product_pk
from catalog.review_domain import Review, ReviewStatus, ShownReview, Summary, Tally, Words
from shop.lib.attributes import DecimalAttribute, Document, DocumentListAttribute, IntegerAttribute, TimeAttribute, time_text
from shop.lib.owner import Owner
from shop.lib.tables import Row

SUMMARY_SK = "REVIEWS"
REVIEW_SK = "REVIEW#"
"""What the sort keys of reviews begin with."""
STATUS_KEYS = ("PK", "SK", "GSI1PK", "GSI1SK")
PRODUCT_KEYS = ("PK", "SK", "GSI2PK", "GSI2SK")


class StatusIndex(GlobalSecondaryIndex["ReviewRow"]):
    """Reviews of a status by the time they were written, for moderation."""

    class Meta:
        index_name = "GSI1"
        projection = PROJECTION

    gsi1_pk = UnicodeAttribute(hash_key=True, attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(range_key=True, attr_name="GSI1SK")


class ProductIndex(GlobalSecondaryIndex["ReviewRow"]):
    """A product's approved reviews by the time they were written."""

    class Meta:
        index_name = "GSI2"
        projection = PROJECTION

    gsi2_pk = UnicodeAttribute(hash_key=True, attr_name="GSI2PK")
    gsi2_sk = UnicodeAttribute(range_key=True, attr_name="GSI2SK")


class ReviewRow(Row):
    """A review. Written once; afterwards only its status changes, with the old status as the condition."""

    class Meta(ProductMeta):
        pass

    review_id = UnicodeAttribute(attr_name="reviewId")
    product_id = UnicodeAttribute(attr_name="productId")
    product_name = UnicodeAttribute(attr_name="productName")
    order_id = UnicodeAttribute(attr_name="orderId")
    owner = UnicodeAttribute(null=True)
    stars = IntegerAttribute()
    title = UnicodeAttribute(null=True)
    text = UnicodeAttribute()
    author = UnicodeAttribute()
    status = UnicodeAttribute()
    created_at = TimeAttribute(attr_name="createdAt")
    decided_at = TimeAttribute(attr_name="decidedAt", null=True)
    decided_by = UnicodeAttribute(attr_name="decidedBy", null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK")
    gsi2_pk = UnicodeAttribute(attr_name="GSI2PK", null=True)
    gsi2_sk = UnicodeAttribute(attr_name="GSI2SK", null=True)

    by_status = StatusIndex()
    by_product = ProductIndex()


class ReviewedRow(Row):
    """Makes a review the only one of its order, or of its writer, for the product: written with "does not exist" beside it."""

    class Meta(ProductMeta):
        pass

    review_id = UnicodeAttribute(attr_name="reviewId")


class LatestMap(Document):
    review_id = UnicodeAttribute(attr_name="reviewId")
    stars = IntegerAttribute()
    title = UnicodeAttribute(null=True)
    text = UnicodeAttribute()
    is_cut = IntegerAttribute(attr_name="isCut", null=True)
    author = UnicodeAttribute()
    created_at = TimeAttribute(attr_name="createdAt")


class SummaryRow(Row):
    """What a product's page says of its reviews; `version` is the condition of every change."""

    class Meta(ProductMeta):
        pass

    counts: ListAttribute[int] = ListAttribute(of=IntegerAttribute)  # type: ignore[arg-type]  # its type names items, not attributes
    written = IntegerAttribute()
    carried_sum = DecimalAttribute(attr_name="carriedSum", null=True)
    carried_count = IntegerAttribute(attr_name="carriedCount", null=True)
    latest = DocumentListAttribute(LatestMap)
    version = IntegerAttribute()


def review_sk(review_id: str) -> str:
    return f"{REVIEW_SK}{review_id}"


def review_key(product_id: str, review_id: str) -> ReviewRow:
    """A row that carries nothing but its key, for updates by condition."""
    return ReviewRow(product_pk(product_id), review_sk(review_id))


def reviewed_sk(by: Owner | str) -> str:
    """The key of the claim of a writer, or of an order by its number."""
    return f"REVIEWED#{by.key if isinstance(by, Owner) else f'ORDER#{by}'}"


def status_partition(status: ReviewStatus) -> str:
    return f"REVIEWS#{status}"


def approved_partition(product_id: str) -> str:
    return f"REVIEWS#{product_id}"


def place_of(review: Review) -> str:
    """The sort key of a review in both indexes."""
    return f"{time_text(review.created_at)}#{review.review_id}"


def to_review_row(review: Review) -> ReviewRow:
    is_approved = review.status is ReviewStatus.APPROVED
    return ReviewRow(
        product_pk(review.product_id),
        review_sk(review.review_id),
        review_id=review.review_id,
        product_id=review.product_id,
        product_name=review.product_name,
        order_id=review.order_id,
        owner=review.owner_key or None,
        stars=review.words.stars,
        title=review.words.title or None,
        text=review.words.text,
        author=review.words.author,
        status=review.status,
        created_at=review.created_at,
        decided_at=review.decided_at,
        decided_by=review.decided_by or None,
        gsi1_pk=status_partition(review.status),
        gsi1_sk=place_of(review),
        gsi2_pk=approved_partition(review.product_id) if is_approved else None,
        gsi2_sk=place_of(review) if is_approved else None,
    )


def to_review(row: ReviewRow) -> Review:
    return Review(
        review_id=row.review_id,
        product_id=row.product_id,
        product_name=row.product_name,
        order_id=row.order_id,
        owner_key=row.owner or "",
        words=_to_words(row),
        status=ReviewStatus(row.status),
        created_at=row.created_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by or "",
    )


def to_summary_row(product_id: str, summary: Summary, *, version: int) -> SummaryRow:
    tally = summary.tally
    return SummaryRow(
        product_pk(product_id),
        SUMMARY_SK,
        counts=list(tally.counts),
        written=tally.written,
        carried_sum=tally.carried_sum if tally.carried_count else None,
        carried_count=tally.carried_count or None,
        latest=[
            LatestMap(
                review_id=review.review_id,
                stars=review.words.stars,
                title=review.words.title or None,
                text=review.words.text,
                is_cut=1 if review.is_cut else None,
                author=review.words.author,
                created_at=review.created_at,
            )
            for review in summary.latest
        ],
        version=version,
    )


def to_summary(row: SummaryRow) -> Summary:
    tally = Tally(tuple(row.counts), row.written, row.carried_sum or Decimal(0), row.carried_count or 0)
    latest = tuple(ShownReview(kept.review_id, _to_words(kept), kept.created_at, bool(kept.is_cut)) for kept in row.latest)
    return Summary(tally, latest)


def _to_words(row: ReviewRow | LatestMap) -> Words:
    return Words(stars=row.stars, title=row.title or "", text=row.text, author=row.author)
