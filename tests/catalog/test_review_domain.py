"""What reviews amount to, by rules alone."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.domain import Rating
from catalog.review_domain import Bar, ShownReview, Summary, Tally, Words, latest_of

AT = datetime(2026, 11, 1, tzinfo=UTC)
STARS = st.integers(1, 5)


def shown(number: int, text: str = "Good.") -> ShownReview:
    return ShownReview(f"rev-{number:03d}", Words(5, "", text, "Ada"), AT + timedelta(days=number))


def tally_of(stars: list[int], start: Tally | None = None) -> Tally:
    tally = start or Tally()
    for given_stars in stars:
        tally = tally.plus(given_stars)
    return tally


@given(st.lists(STARS, min_size=1, max_size=300))
def test_the_average_is_that_of_all_stars_to_a_hundredth(stars: list[int]) -> None:
    exact = (Decimal(sum(stars)) / len(stars)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    assert tally_of(stars).rating == Rating(exact, len(stars))


@given(st.lists(STARS, max_size=50), st.lists(STARS, min_size=1, max_size=20))
def test_what_is_taken_back_leaves_no_trace(stays: list[int], goes: list[int]) -> None:
    tally = tally_of(stays + goes)
    for stars in goes:
        tally = tally.minus(stars)

    assert tally == tally_of(stays)


@given(st.integers(100, 500), st.integers(1, 5000), st.lists(STARS, max_size=30))
def test_ratings_brought_from_elsewhere_keep_their_weight(hundredths: int, count: int, stars: list[int]) -> None:
    brought = Rating(Decimal(hundredths) / 100, count)

    tally = tally_of(stars, Tally.carrying(brought))

    exact = (brought.average * count + sum(stars)) / (count + len(stars))
    assert tally.rating == Rating(exact.quantize(Decimal("0.01"), ROUND_HALF_UP), count + len(stars))
    assert Tally.carrying(brought).rating == brought


def test_nothing_is_taken_back_that_was_not_there() -> None:
    with pytest.raises(ValueError, match="no review of 4 stars"):
        tally_of([5, 3]).minus(4)


def test_without_a_rating_there_is_no_average() -> None:
    assert (Tally().rating, Tally().bars, Tally.carrying(None)) == (None, (), Tally())


def test_bars_tell_how_many_gave_how_many_stars_where_that_is_known() -> None:
    assert tally_of([5, 5, 5, 4, 4, 1]).bars == (Bar(5, 3, 50), Bar(4, 2, 33), Bar(3, 0, 0), Bar(2, 0, 0), Bar(1, 1, 17))
    assert tally_of([5], Tally.carrying(Rating(Decimal("4.5"), 2))).bars == ()


@pytest.mark.parametrize(("average", "shown"), [("4.85", "4.9"), ("4.84", "4.8"), ("5", "5.0"), ("4.5", "4.5")])
def test_shoppers_read_the_average_to_a_tenth(average: str, shown: str) -> None:
    assert Rating(Decimal(average), 3).shown == shown


def test_the_latest_are_the_newest_five_first_to_last() -> None:
    found = latest_of(shown(number) for number in (3, 1, 7, 2, 6, 5, 4))

    assert [review.review_id for review in found] == ["rev-007", "rev-006", "rev-005", "rev-004", "rev-003"]


@given(st.text(alphabet="ab \n", min_size=1, max_size=700))
def test_an_excerpt_is_short_and_a_beginning(text: str) -> None:
    cut = shown(1, text).excerpt()

    assert cut.is_cut == (len(text) > 300)
    assert len(cut.words.text) <= 302
    assert text.startswith(cut.words.text.removesuffix(" …")) if cut.is_cut else cut.words.text == text
    assert cut.excerpt() == cut


def test_a_page_leads_on_when_there_is_more_than_it_shows() -> None:
    one, long = shown(1), shown(2, "word " * 200).excerpt()

    assert not Summary(tally_of([5]), (one,)).has_more
    assert Summary(tally_of([5, 5]), (one,)).has_more
    assert Summary(tally_of([5]), (long,)).has_more
