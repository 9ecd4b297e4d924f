"""Ids that say when they were made."""

from datetime import UTC, datetime, timedelta

import pytest

from shop.lib.ids import id_bound, new_id, new_record_id, time_of

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ONE_OF_OURS = "ord-1ng8ap0x9fwvm894p"  # the names of tests are the same in every process


def test_ids_sort_by_the_second_they_were_made_in() -> None:
    first, second = new_id("ord", NOON), new_id("ord", NOON + timedelta(seconds=1))

    assert first < id_bound("ord", NOON + timedelta(seconds=1)) < second
    assert (time_of(first), time_of(second)) == (NOON, NOON + timedelta(seconds=1))
    assert len({new_id("ord", NOON) for _ in range(1_000)}) == 1_000


def test_one_of_ours_says_when_it_was_made() -> None:
    assert time_of(ONE_OF_OURS) == NOON


def test_what_is_written_down_in_one_second_sorts_as_it_was_made() -> None:
    made = [new_record_id("aud") for _ in range(1_000)]

    assert made == sorted(set(made))


@pytest.mark.parametrize("id_", ["", "prod-123", "ord-", f"{ONE_OF_OURS}0", f"{ONE_OF_OURS[:-1]}L", "x" * 200])
def test_an_id_of_another_system_does_not_say_when_it_was_made(id_: str) -> None:
    assert time_of(id_) is None
