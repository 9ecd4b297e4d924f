"""What buyers say of a product and what it amounts to: pure rules."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from catalog.domain import Product, Rating

STARS = (1, 2, 3, 4, 5)
LATEST = 5
"""So many reviews stand on a product's own page."""
EXCERPT = 300
"""So many characters of each; the page of all reviews has them whole."""
_HUNDREDTH = Decimal("0.01")


class ReviewStatus(StrEnum):
    """Whether shoppers see a review."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody says of a product, in the form our tables keep."""

    stars: int
    title: str
    text: str
    author: str
    """The name shown beside it, which the writer chooses."""


@dataclass(frozen=True, slots=True)
class Review:
    """A buyer's review whole. Its id sorts by the time it was written."""

    review_id: str
    product_id: str
    product_name: str
    order_id: str
    owner_key: str
    words: Words
    status: ReviewStatus
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""

    def shown(self) -> "ShownReview":
        """The review as shoppers see it."""
        return ShownReview(self.review_id, self.words, self.created_at)


@dataclass(frozen=True, slots=True)
class ShownReview:
    """An approved review as pages show it; `is_cut` where but the beginning of its text is at hand."""

    review_id: str
    words: Words
    created_at: datetime
    is_cut: bool = False

    def excerpt(self) -> "ShownReview":
        """The review with no more text than a product's own page has room for, cut between words."""
        text = self.words.text
        if len(text) <= EXCERPT:
            return self
        beginning = text[:EXCERPT]
        whole_words = beginning.rsplit(maxsplit=1)[0] if len(beginning.split()) > 1 else beginning
        return replace(self, words=replace(self.words, text=f"{whole_words.rstrip(' .,;:')} …"), is_cut=True)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many gave so many stars; `percent` of all."""

    stars: int
    count: int
    percent: int


@dataclass(frozen=True, slots=True)
class Tally:
    """All ratings of a product, exactly: how many gave 1, 2, 3, 4 and 5 stars, and what the product brought along from elsewhere.

    Of ratings from elsewhere we know but sum and number. `written` are those with words: so many reviews there are to read.
    """

    counts: tuple[int, ...] = (0, 0, 0, 0, 0)
    written: int = 0
    carried_sum: Decimal = Decimal(0)
    carried_count: int = 0

    @classmethod
    def carrying(cls, rating: Rating | None) -> "Tally":
        """The tally of a product that has a rating, but no reviews of ours."""
        return cls(carried_sum=rating.average * rating.count, carried_count=rating.count) if rating else cls()

    @property
    def count(self) -> int:
        return self.carried_count + sum(self.counts)

    @property
    def rating(self) -> Rating | None:
        """The average to a hundredth, from the exact sum; none without a rating."""
        if not self.count:
            return None
        total = self.carried_sum + sum(stars * count for stars, count in zip(STARS, self.counts, strict=True))
        return Rating((total / self.count).quantize(_HUNDREDTH, ROUND_HALF_UP), self.count)

    @property
    def bars(self) -> tuple[Bar, ...]:
        """From five stars to one; none while some ratings' stars are not known."""
        if self.carried_count or not self.count:
            return ()
        return tuple(
            Bar(stars, count, round(100 * count / self.count))
            for stars, count in zip(reversed(STARS), reversed(self.counts), strict=True)
        )

    def plus(self, stars: int) -> "Tally":
        """With one review more."""
        return self._moved(stars, 1)

    def minus(self, stars: int) -> "Tally":
        """With one review less. Raises ValueError when there is none of so many stars."""
        if not self.counts[stars - 1] or not self.written:
            raise ValueError(f"no review of {stars} stars to take back")
        return self._moved(stars, -1)

    def _moved(self, stars: int, by: int) -> "Tally":
        counts = tuple(count + by * (place == stars) for place, count in zip(STARS, self.counts, strict=True))
        return replace(self, counts=counts, written=self.written + by)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a product's own page says of its reviews."""

    tally: Tally = Tally()
    latest: tuple[ShownReview, ...] = ()

    @property
    def has_more(self) -> bool:
        """Whether there is more to read than the page of the product shows."""
        return self.tally.written > len(self.latest) or any(review.is_cut for review in self.latest)


@dataclass(frozen=True, slots=True)
class ShownProduct:
    """What a product's page shows of the product itself."""

    product: Product
    reviews: Summary


def latest_of(reviews: Iterable[ShownReview]) -> tuple[ShownReview, ...]:
    """The newest of these, as a product's page shows them."""
    newest: Sequence[ShownReview] = sorted(reviews, key=lambda review: (review.created_at, review.review_id), reverse=True)
    return tuple(review.excerpt() for review in newest[:LATEST])
