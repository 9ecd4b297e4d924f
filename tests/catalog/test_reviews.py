"""Reviews are written once, decided once, and the product's rating is at every moment that of the approved ones."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from catalog import index_queries, product_queries, queries, review_queries, services
from catalog.domain import Rating
from catalog.models import CatalogAuditRow, product_pk
from catalog.review_domain import Review, ReviewStatus, Words
from catalog.search.choice import forget_engines
from catalog.search.engine import Filters, Sort
from shop.lib.audit import entries_about
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.lib.transactions import Refused
from shop.lib.viewer import Viewer
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.test_races import at_once
from tests.rivals import conflict, fails, run_before
from tests.shop.entrypoints.test_stream import item, react, record

pytestmark = pytest.mark.usefixtures("tables")

PENDING, APPROVED, REJECTED = ReviewStatus.PENDING, ReviewStatus.APPROVED, ReviewStatus.REJECTED
MODERATOR = Viewer("user-mo", "Mo", "mo@example.com", "staff")
WORDS = Words(stars=5, title="Lovely", text="Keeps the tea warm.", author="Ada")


def review_of(product_id: str, now: datetime, number: int = 1, **overrides: Any) -> Review:
    """A review that waits, of a buyer of its own."""
    asked: dict[str, Any] = {
        "product_id": product_id,
        "product_name": "Mug",
        "order_id": f"ord-{number}",
        "owner": Owner(f"guest-{number}", is_guest=True),
        "words": WORDS,
        "now": now,
        "also": lambda _: None,
    }
    return services.submit_review(**asked | overrides)


def decide(review: Review, now: datetime, to: ReviewStatus = APPROVED, seen: ReviewStatus = PENDING) -> Review:
    service = services.approve_review if to is APPROVED else services.reject_review
    return service(product_id=review.product_id, review_id=review.review_id, seen=seen, actor=MODERATOR, now=now)


def rating(product_id: str) -> Rating | None:
    return queries.product(product_id=product_id, consistent=True).rating


def shown(product_id: str) -> list[str]:
    """The reviews on the product's own page."""
    return [review.review_id for review in product_queries.shown_product(product_id=product_id).reviews.latest]


def stars(number: int) -> Words:
    return Words(number, "", "So it is.", "Ada")


def test_a_review_waits_and_is_shown_and_counted_when_it_is_approved(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    review = review_of(mug.product_id, now)
    assert (rating(mug.product_id), shown(mug.product_id)) == (None, [])
    assert review_queries.approved_reviews(product_id=mug.product_id).items == ()
    assert review_queries.reviews_to_moderate(status=PENDING).items == (review,)

    later = now + timedelta(hours=1)
    decided = decide(review, later)

    assert (decided.status, decided.decided_at, decided.decided_by) == (APPROVED, later, "user-mo")
    assert review_queries.review(product_id=mug.product_id, review_id=review.review_id) == decided
    assert rating(mug.product_id) == Rating(Decimal(5), 1)
    assert shown(mug.product_id) == [review.review_id]
    assert review_queries.approved_reviews(product_id=mug.product_id).items == (review.shown(),)
    assert review_queries.reviews_to_moderate(status=PENDING).items == ()
    assert review_queries.reviews_to_moderate(status=APPROVED).items[0].review_id == review.review_id


def test_who_decided_is_in_the_audit_trail(now: datetime) -> None:
    mug = factories.make_product()
    review = review_of(mug.product_id, now)
    decide(review, now, REJECTED)

    (entry,) = entries_about(CatalogAuditRow, product_pk(mug.product_id)).items
    assert (entry.actor_id, entry.action) == ("user-mo", f"review {review.review_id} rejected")
    assert [(change.before, change.after) for change in entry.changes] == [("pending", "rejected")]


def test_a_rejected_review_is_neither_shown_nor_counted(now: datetime) -> None:
    mug = factories.make_product(rating=Rating(Decimal("4.5"), 2))
    review = review_of(mug.product_id, now)
    before = [found for found in items_of("Products") if found["SK"]["S"] in ("METADATA", "REVIEWS")]

    decide(review, now, REJECTED)

    assert [found for found in items_of("Products") if found["SK"]["S"] in ("METADATA", "REVIEWS")] == before
    assert review_queries.approved_reviews(product_id=mug.product_id).items == ()


def test_a_rating_brought_along_keeps_its_weight(now: datetime) -> None:
    mug = factories.make_product(rating=Rating(Decimal("4.5"), 128))
    one = decide(review_of(mug.product_id, now, words=stars(1)), now)

    assert rating(mug.product_id) == Rating(Decimal("4.47"), 129)  # (576 + 1) / 129 = 4.472...
    decide(one, now, REJECTED, seen=APPROVED)
    assert rating(mug.product_id) == Rating(Decimal("4.5"), 128)


def test_taking_back_the_only_review_leaves_no_rating(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    review = decide(review_of(mug.product_id, now), now)

    decide(review, now, REJECTED, seen=APPROVED)

    assert (rating(mug.product_id), shown(mug.product_id)) == (None, [])
    assert review_queries.approved_reviews(product_id=mug.product_id).items == ()


def test_whoever_writes_twice_is_told_and_nothing_is_written(now: datetime) -> None:
    mug, lamp = factories.make_product(), factories.make_product()
    first = review_of(mug.product_id, now, 1)
    before = items_of("Products")

    with pytest.raises(services.AlreadyReviewed):
        review_of(mug.product_id, now, 1)
    with pytest.raises(services.AlreadyReviewed):  # the same person's other order
        review_of(mug.product_id, now, 1, order_id="ord-2")
    with pytest.raises(services.AlreadyReviewed):  # the same order, adopted by an account
        review_of(mug.product_id, now, 1, owner=Owner("user-1", is_guest=False))

    assert items_of("Products") == before
    assert review_of(lamp.product_id, now, 1).product_id == lamp.product_id
    for owner, order_id in ((Owner("guest-1", is_guest=True), "ord-9"), (Owner("user-9", is_guest=False), "ord-1")):
        assert review_queries.review_by(product_id=mug.product_id, owner=owner, order_id=order_id) == first
    stranger = Owner("guest-9", is_guest=True)
    assert review_queries.review_by(product_id=mug.product_id, owner=stranger, order_id="ord-9") is None


def test_an_unknown_product_cannot_be_reviewed(now: datetime) -> None:
    with pytest.raises(queries.ProductNotFound):
        review_of("prod-none", now)

    assert items_of("Products") == []


def test_of_two_that_are_sent_at_once_one_is_written(now: datetime) -> None:
    mug = factories.make_product()

    answers = at_once([lambda: review_of(mug.product_id, now)] * 10)

    assert sorted(type(answer).__name__ for answer in answers) == ["AlreadyReviewed"] * 9 + ["Review"]
    assert len(review_queries.reviews_to_moderate(status=PENDING).items) == 1


def test_approvals_of_one_product_at_once_all_count(now: datetime) -> None:
    mug = factories.make_product(rating=Rating(Decimal("4.0"), 10))
    waiting = [review_of(mug.product_id, now, number, words=stars(number % 5 + 1)) for number in range(8)]

    answers = at_once([partial(decide, review, now) for review in waiting])

    assert [type(answer).__name__ for answer in answers] == ["Review"] * 8
    total = 40 + sum(number % 5 + 1 for number in range(8))
    assert rating(mug.product_id) == Rating(round(Decimal(total) / 18, 2), 18)
    assert len(shown(mug.product_id)) == 5
    assert product_queries.shown_product(product_id=mug.product_id).reviews.tally.written == 8


def test_approving_twice_counts_once(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    review = review_of(mug.product_id, now)
    first = decide(review, now)
    before = items_of("Products")

    assert decide(review, now + timedelta(hours=1)) == first
    answers = at_once([lambda: decide(review, now)] * 4)

    assert answers == [first] * 4
    assert items_of("Products") == before


def test_of_two_moderators_who_disagree_the_second_is_told_and_changes_nothing(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    review = review_of(mug.product_id, now)

    with run_before("TransactWriteItems", lambda: decide(review, now)), pytest.raises(services.ReviewMoved) as moved:
        decide(review, now, REJECTED)

    assert moved.value.review.status is APPROVED
    assert rating(mug.product_id) == Rating(Decimal(5), 1)
    assert shown(mug.product_id) == [review.review_id]


def test_another_approval_in_between_is_met_and_counted_with(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    one, other = review_of(mug.product_id, now, 1, words=stars(2)), review_of(mug.product_id, now, 2, words=stars(5))

    with run_before("TransactWriteItems", lambda: decide(other, now)) as calls:
        decide(one, now)

    assert calls == ["BatchGetItem", "TransactWriteItems"] * 2
    assert rating(mug.product_id) == Rating(Decimal("3.5"), 2)
    assert sorted(shown(mug.product_id)) == sorted([one.review_id, other.review_id])


@pytest.mark.parametrize("trouble", ["conflict", "lost reply"])
def test_trouble_on_the_way_counts_once(now: datetime, trouble: str, lost_reply: Callable[[str], list[str]]) -> None:
    mug = factories.make_product(rating=None)
    review = review_of(mug.product_id, now)

    if trouble == "conflict":
        with run_before("TransactWriteItems", fails(conflict())):
            decide(review, now)
    else:
        lost_reply("TransactWriteItems")
        decide(review, now)

    assert rating(mug.product_id) == Rating(Decimal(5), 1)


def test_taking_back_brings_an_older_one_onto_the_page_and_never_one_that_was_taken_back(now: datetime) -> None:
    mug = factories.make_product(rating=None)
    reviews = [review_of(mug.product_id, now + timedelta(minutes=number), number) for number in range(8)]
    for review in reviews:
        decide(review, now)
    ids = [review.review_id for review in reviews]
    assert shown(mug.product_id) == ids[:2:-1]

    decide(reviews[2], now, REJECTED, seen=APPROVED)
    assert shown(mug.product_id) == ids[:2:-1]  # it was not on the page
    decide(reviews[6], now, REJECTED, seen=APPROVED)
    assert shown(mug.product_id) == [ids[7], ids[5], ids[4], ids[3], ids[1]]
    decide(reviews[2], now, APPROVED, seen=REJECTED)
    assert shown(mug.product_id) == [ids[7], ids[5], ids[4], ids[3], ids[2]]


def test_a_decision_that_meets_another_each_time_is_busy_and_nothing_is_written(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = review_of(factories.make_product().product_id, now, 1)
    before = items_of("Products")

    def refuse(_: object) -> None:
        raise Refused(())

    monkeypatch.setattr("catalog.reviews.run_transaction", refuse)
    monkeypatch.setattr("catalog.reviews._LONGEST_PAUSE_SECONDS", 0)
    with pytest.raises(Busy):
        decide(waiting, now)

    assert items_of("Products") == before


def test_after_any_steps_everything_agrees(now: datetime) -> None:
    rng = random.Random(20261123)
    mug = factories.make_product(rating=Rating(Decimal("3.7"), 9))
    standing: dict[str, Review] = {}
    for number in range(60):
        at = now + timedelta(minutes=number)
        if len(standing) < 5 or rng.random() < 0.25:
            review = review_of(mug.product_id, at, number, words=stars(rng.randint(1, 5)))
        else:
            review = standing[rng.choice(sorted(standing))]
            review = decide(review, at, rng.choice([APPROVED, REJECTED]), seen=review.status)
        standing[review.review_id] = review

    approved = sorted((review for review in standing.values() if review.status is APPROVED), key=lambda review: review.created_at)
    assert len(approved) > 5
    exact = (Decimal("33.3") + sum(review.words.stars for review in approved)) / (9 + len(approved))
    assert rating(mug.product_id) == Rating(round(exact, 2), 9 + len(approved))
    assert shown(mug.product_id) == [review.review_id for review in approved[:-6:-1]]
    listed = review_queries.approved_reviews(product_id=mug.product_id, size=100).items
    assert listed == tuple(review.shown() for review in reversed(approved))
    for status in ReviewStatus:
        found = review_queries.reviews_to_moderate(status=status, size=100).items
        assert {review.review_id for review in found} == {key for key, kept in standing.items() if kept.status is status}


def test_a_deleted_product_s_review_can_be_rejected_but_not_shown(now: datetime) -> None:
    mug = factories.make_product()
    waiting, taken = review_of(mug.product_id, now, 1), decide(review_of(mug.product_id, now, 2), now)
    factories.delete_product(mug.product_id)

    with pytest.raises(queries.ProductNotFound):
        decide(waiting, now)
    assert decide(waiting, now, REJECTED).status is REJECTED
    assert decide(taken, now, REJECTED, seen=APPROVED).status is REJECTED
    with pytest.raises(review_queries.ReviewNotFound):
        services.approve_review(product_id=mug.product_id, review_id="rev-none", actor=MODERATOR, now=now)
    assert not [found for found in items_of("Products") if found["SK"]["S"] == "METADATA"]


def test_lists_are_one_query_each_and_paged(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product(rating=None)
    reviews = [review_of(mug.product_id, now + timedelta(minutes=number), number) for number in range(7)]
    for review in reviews[:4]:
        decide(review, now)

    with counted_calls() as calls:
        waiting = review_queries.reviews_to_moderate(status=PENDING, size=2)
        approved = review_queries.approved_reviews(product_id=mug.product_id, size=3)
    assert calls == ["Query", "Query"]
    assert list(waiting.items) == reviews[4:6]
    assert [found.review_id for found in approved.items] == [review.review_id for review in reviews[3:0:-1]]
    rest = review_queries.reviews_to_moderate(status=PENDING, size=2, cursor=waiting.next_cursor)
    assert (list(rest.items), rest.next_cursor) == (reviews[6:], "")
    last = review_queries.approved_reviews(product_id=mug.product_id, size=3, cursor=approved.next_cursor)
    assert [found.review_id for found in last.items] == [reviews[0].review_id]

    assert review_queries.reviews_waiting() == 3
    with counted_calls() as calls:
        assert review_queries.reviews_waiting() == 3  # kept for a minute,
    assert calls == []
    decide(reviews[6], now)
    assert review_queries.reviews_waiting() == 2  # but not over a decision
    monkeypatch.setattr(review_queries, "MOST_WAITING", 1)
    review_queries.forget_waiting()
    assert review_queries.reviews_waiting() == 1  # a flood costs no more


def test_a_change_of_rating_reaches_lists_and_a_repeated_record_changes_nothing(
    tables: Any, now: datetime, index: Callable[[], None]
) -> None:
    good, bad = factories.make_product(rating=None), factories.make_product(rating=None)
    index()
    records = []
    for product, given in ((good, 5), (bad, 1)):
        old = item(tables, "Products", product_pk(product.product_id), "METADATA")
        decide(review_of(product.product_id, now, words=stars(given)), now)
        records.append(record("Products", item(tables, "Products", product_pk(product.product_id), "METADATA"), old))
    beside = [record("Products", found) for found in items_of("Products") if found["SK"]["S"] != "METADATA"]
    before = items_of("Products")

    assert react(*records, *beside) == []
    assert react(*records, *beside) == []

    assert items_of("Products") == before
    forget_engines()
    found = index_queries.search(filters=Filters(), sort=Sort.RATING, page=1).cards
    assert [(card.product_id, card.rating) for card in found] == [
        (good.product_id, Rating(Decimal(5), 1)),
        (bad.product_id, Rating(Decimal(1), 1)),
    ]


def test_a_review_whose_reply_was_lost_is_written_once(now: datetime, lost_reply: Callable[[str], list[str]]) -> None:
    mug = factories.make_product()
    lost_reply("TransactWriteItems")

    review = review_of(mug.product_id, now)

    assert review_queries.reviews_to_moderate(status=PENDING).items == (review,)
