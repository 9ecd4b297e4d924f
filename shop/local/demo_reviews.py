"""What buyers say in the demo shop, and ratings without words around it, so that the stars add up to the catalogue's figures."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from catalog.domain import Product, Rating
from catalog.review_domain import STARS, Review, ReviewStatus, Tally, Words

_FILE = Path(__file__).parent / "demo" / "reviews.json"
_NEWEST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
# Of the points a perfect product would have more, so many go to a rating of 1, 2 and 3 stars; the rest are 4 stars.
_POINTS_FOR = {1: 30, 2: 20, 3: 8}


def demo_reviews(product: Product, *, slug: str) -> tuple[tuple[Review, ...], Tally] | None:
    """The product's reviews and the tally with all its ratings; None for a product without a rating."""
    if product.rating is None:
        return None
    reviews = tuple(_reviews(product, slug))
    return reviews, tally_around(product.rating, Counter(review.words.stars for review in reviews))


def tally_around(rating: Rating, written: Counter[int]) -> Tally:
    """A tally of this rating (to a tenth) that has these reviews in it. Raises ValueError when they do not fit into it."""
    total = int((rating.average * rating.count).quantize(Decimal(1), ROUND_HALF_UP))
    missing = 5 * rating.count - total - sum((5 - stars) * count for stars, count in written.items())
    counts = Counter(written)
    for stars, points in _POINTS_FOR.items():
        more = max(missing, 0) // points
        counts[stars] += more
        missing -= more * (5 - stars)
    counts[4] += missing
    counts[5] = rating.count - sum(counts[stars] for stars in (1, 2, 3, 4))
    if missing < 0 or counts[5] < written[5]:
        raise ValueError(f"reviews {dict(written)} do not fit into {rating}")
    return Tally(counts=tuple(counts[stars] for stars in STARS), written=sum(written.values()))


def _reviews(product: Product, slug: str) -> Iterator[Review]:
    for entry in _entries().get(slug, ()):
        at = _NEWEST - timedelta(days=entry["days"], minutes=37 * entry["days"] % 600)
        mark = hashlib.sha256(f"{slug} {entry['name']}".encode()).hexdigest()[:10]
        yield Review(
            review_id=f"rev-{int(at.timestamp()):010d}{mark}",
            product_id=product.product_id,
            product_name=product.name,
            order_id="ord-demo",
            owner_key="",
            words=Words(entry["stars"], entry["title"], entry["text"], entry["name"]),
            status=ReviewStatus.APPROVED,
            created_at=at,
            decided_at=at,
            decided_by="shop",
        )


@cache
def _entries() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return found
