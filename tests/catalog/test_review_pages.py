"""Reviews as shoppers and moderators meet them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from catalog import review_queries
from catalog.domain import Product, Rating
from catalog.review_domain import Review, Words
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.test_reviews import PENDING, REJECTED, decide, rating, review_of, stars
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


def approved(product: Product, count: int, now: datetime) -> list[Review]:
    """Approved reviews of a product, oldest first."""
    written = [
        review_of(product.product_id, now + timedelta(minutes=n), n, words=Words(5 - n % 2, f"Title {n}", f"Text {n}.", "Ada"))
        for n in range(count)
    ]
    return [decide(review, now) for review in written]


def test_a_product_page_shows_the_latest_five_the_spread_and_the_way_to_all_without_a_further_call(
    client: Client, now: datetime
) -> None:
    mug = factories.make_product(rating=None)
    client.get(mug.path)
    with counted_calls() as before:
        client.get(mug.path)
    approved(mug, 7, now)

    with counted_calls() as after:
        page = client.get(mug.path).text

    assert after == before
    assert re.findall(r"Title \d", page[page.index("<h2 id=") :])[:5] == [f"Title {n}" for n in (6, 5, 4, 3, 2)]
    words = words_of(page)
    assert "4.6" in words  # 32 stars of 7
    assert "7 ratings" in words
    assert re.search(r"5 stars\s+4 4 stars\s+3", words)
    assert f'href="{mug.path}reviews/">Read all 7 reviews</a>' in page


def test_all_reviews_are_paged_latest_first_for_everybody_alike(client: Client, now: datetime) -> None:
    mug = factories.make_product(rating=None)
    approved(mug, 12, now)

    with counted_calls() as calls:
        first = client.get(f"{mug.path}reviews/")
    assert [name for name in calls if name != "Query"] == ["BatchGetItem"]
    assert "public" in first["Cache-Control"]
    assert re.findall(r"Title \d+", first.text) == [f"Title {n}" for n in range(11, 1, -1)]
    following = re.search(r'rel="next" href="([^"]+)" hx-get', first.text)
    assert following
    second = client.get(following[1])
    assert re.findall(r"Title \d+", second.text) == ["Title 1", "Title 0"]
    fragment = client.get(following[1], headers={"HX-Request": "true"}).text
    assert fragment.lstrip().startswith('<div class="reviews-grid" id="results"')
    for cursor in ("x", "x" * 5000, "\x00", "<script>"):
        forged = client.get(f"{mug.path}reviews/", {"cursor": cursor})
        assert forged.status_code == 200
        assert re.findall(r"Title \d+", forged.text) == re.findall(r"Title \d+", first.text)


def test_the_page_of_all_reviews_follows_its_product(client: Client) -> None:
    mug = factories.make_product()
    moved = client.get(f"/products/{mug.product_id}/old-name/reviews/")
    assert (moved.status_code, moved["Location"]) == (301, f"{mug.path}reviews/")
    assert client.get("/products/prod-none/x/reviews/").status_code == 404
    factories.delete_product(mug.product_id)
    assert client.get(f"{mug.path}reviews/").status_code == 410


def test_a_product_nobody_reviewed_says_so(client: Client) -> None:
    mug, rated = factories.make_product(rating=None), factories.make_product(rating=Rating(Decimal("4.5"), 128))

    assert "Nobody has reviewed it yet." in client.get(mug.path).text
    assert "Nobody has put it into words yet." in client.get(rated.path).text
    assert "128 ratings" in words_of(client.get(rated.path).text)


def test_search_engines_are_told_the_rating_and_the_latest_reviews(client: Client) -> None:
    at = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
    mug = factories.make_product(rating=None)
    decide(review_of(mug.product_id, at, 1, words=Words(4, "Fine", "Warm </script> tea.", "Ada")), at)
    decide(review_of(mug.product_id, at, 2, words=Words(5, "", "word " * 100, "Bo")), at)

    page = client.get(mug.path).text

    data = json.loads(re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[0])
    assert data["aggregateRating"] == {"@type": "AggregateRating", "ratingValue": "4.5", "ratingCount": 2}
    told = {review["author"]["name"]: review for review in data["review"]}
    assert told["Ada"] == {
        "@type": "Review",
        "name": "Fine",
        "author": {"@type": "Person", "name": "Ada"},
        "datePublished": "2026-11-03",
        "reviewBody": "Warm </script> tea.",
        "reviewRating": {"@type": "Rating", "ratingValue": 4, "bestRating": 5, "worstRating": 1},
    }
    assert told["Bo"]["reviewBody"] == "word " * 58 + "word …"
    assert "name" not in told["Bo"]


def test_moderation_is_for_those_who_may(client: Client, sign_in: SignIn, now: datetime) -> None:
    review = review_of(factories.make_product().product_id, now)
    path = f"/staff/reviews/{review.product_id}/{review.review_id}/"
    before = items_of("Products")

    guest = client.post(path, {"status": "approved", "seen": "pending"})
    assert (guest.status_code, guest["Location"][:16]) == (303, "/accounts/login/")
    for permissions in ((), ("products.edit", "orders.view")):
        sign_in(client, *permissions)
        assert client.get("/staff/reviews/").status_code == 403
        assert client.post(path, {"status": "approved", "seen": "pending"}).status_code == 403
    assert items_of("Products") == before


def test_a_moderator_shows_one_rejects_another_and_takes_one_back(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = factories.make_product(name="Tide Mug", rating=None)
    good, bad = review_of(mug.product_id, now, 1, words=stars(5)), review_of(mug.product_id, now, 2, words=stars(1))
    sign_in(client, "reviews.moderate")

    def send(review: Review, status: str, seen: str) -> str:
        path = f"/staff/reviews/{review.product_id}/{review.review_id}/"
        assert f'action="{path}"' in client.get("/staff/reviews/", {"status": seen}).text
        answer = client.post(path, {"status": status, "seen": seen}, follow=True)
        assert answer.redirect_chain[0][1] == 303
        return words_of(answer.text)

    assert "Ada’s review of Mug is in the shop now." in send(good, "approved", "pending")
    assert "Ada’s review of Mug is not shown." in send(bad, "rejected", "pending")
    assert rating(mug.product_id) == Rating(Decimal(5), 1)
    assert "Ada’s review of Mug is not shown." in send(good, "rejected", "approved")
    assert rating(mug.product_id) is None
    assert "Ada’s review of Mug is in the shop now." in send(bad, "approved", "rejected")
    assert rating(mug.product_id) == Rating(Decimal(1), 1)
    assert "Nothing waits." in client.get("/staff/reviews/").text


def test_a_moderator_who_comes_late_is_told_what_was_decided(client: Client, sign_in: SignIn, now: datetime) -> None:
    review = decide(review_of(factories.make_product().product_id, now), now, REJECTED)
    sign_in(client, "reviews.moderate")
    before = items_of("Products")

    answer = client.post(
        f"/staff/reviews/{review.product_id}/{review.review_id}/", {"status": "approved", "seen": "pending"}, follow=True
    )

    assert "Somebody else has decided meanwhile, so nothing was changed" in words_of(answer.text)
    assert items_of("Products") == before


def test_a_deleted_product_s_review_says_so(client: Client, sign_in: SignIn, now: datetime) -> None:
    review = review_of(factories.make_product().product_id, now)
    factories.delete_product(review.product_id)
    sign_in(client, "reviews.moderate")

    answer = client.post(
        f"/staff/reviews/{review.product_id}/{review.review_id}/", {"status": "approved", "seen": "pending"}, follow=True
    )

    assert "The product was deleted" in words_of(answer.text)
    assert review_queries.review(product_id=review.product_id, review_id=review.review_id).status is PENDING


@pytest.mark.parametrize(
    "fields", [{}, {"status": "approved"}, {"status": "pending", "seen": "pending"}, {"status": "x", "seen": "y"}]
)
def test_a_decision_that_is_none_is_refused(client: Client, sign_in: SignIn, now: datetime, fields: dict[str, str]) -> None:
    review = review_of(factories.make_product().product_id, now)
    sign_in(client, "reviews.moderate")

    assert client.post(f"/staff/reviews/{review.product_id}/{review.review_id}/", fields).status_code == 400
    assert (
        client.post(f"/staff/reviews/{review.product_id}/rev-none/", {"status": "approved", "seen": "pending"}).status_code == 404
    )
    assert review_queries.review(product_id=review.product_id, review_id=review.review_id).status is PENDING


def test_the_moderation_page_is_one_query_and_pages(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = factories.make_product()
    for number in range(12):
        review_of(mug.product_id, now + timedelta(minutes=number), number, words=Words(3, f"Title {number}", "So.", "Ada"))
    sign_in(client, "reviews.moderate")

    with counted_calls() as calls:
        first = client.get("/staff/reviews/")
    assert calls == ["Query"]
    assert re.findall(r"Title \d+", first.text) == [f"Title {number}" for number in range(10)]
    further = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert further
    assert re.findall(r"Title \d+", client.get(further[1]).text) == ["Title 10", "Title 11"]
    assert client.get("/staff/reviews/", {"status": "odd"}).status_code == 200
