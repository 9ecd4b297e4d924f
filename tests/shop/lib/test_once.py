from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pynamodb.exceptions import DeleteError, PutError

from orders.models import EffectRow
from shop.lib.once import KEEP, LEASE, InProgress, once
from tests.conftest import items_of
from tests.rivals import fails, refusal, run_before

pytestmark = pytest.mark.usefixtures("tables")


def test_an_effect_is_done_by_the_first_and_skipped_by_later_ones(now: datetime) -> None:
    answers = []
    for _ in range(3):
        with once(EffectRow, "mail", now=now) as is_ours:
            answers.append(is_ours)

    assert answers == [True, False, False]


def test_two_keys_know_nothing_of_each_other(now: datetime) -> None:
    with once(EffectRow, "mail-a", now=now) as first, once(EffectRow, "mail-b", now=now) as second:
        assert (first, second) == (True, True)


def test_a_failed_effect_is_given_back_at_once(now: datetime) -> None:
    with pytest.raises(RuntimeError, match="no mail today"), once(EffectRow, "mail", now=now):
        raise RuntimeError("no mail today")

    with once(EffectRow, "mail", now=now) as is_ours:
        assert is_ours is True


def test_while_somebody_is_at_it_others_are_told_to_come_back(now: datetime) -> None:
    with once(EffectRow, "mail", now=now), pytest.raises(InProgress), once(EffectRow, "mail", now=now):
        pass


def test_the_claim_of_who_died_can_be_taken_when_its_lease_is_over(now: datetime) -> None:
    # What a process leaves that was killed in the middle.
    EffectRow("EFFECT#mail", "ONCE", state="claimed", lease_until=now + LEASE, expires_at=now + KEEP).save()

    with pytest.raises(InProgress), once(EffectRow, "mail", now=now + LEASE - timedelta(seconds=1)):
        pass
    with once(EffectRow, "mail", now=now + LEASE) as is_ours:
        assert is_ours is True


def test_a_claim_whose_reply_was_lost_does_not_shut_itself_out(now: datetime, lost_reply: Callable[[str], list[str]]) -> None:
    wire = lost_reply("PutItem")

    with once(EffectRow, "mail", now=now) as is_ours:
        assert is_ours is True

    assert wire[:2] == ["PutItem", "PutItem"]
    with once(EffectRow, "mail", now=now) as is_ours:
        assert is_ours is False


def test_a_claim_given_back_at_this_moment_is_not_taken_for_done(now: datetime) -> None:
    EffectRow("EFFECT#mail", "ONCE", state="claimed", lease_until=now + LEASE, expires_at=now + KEEP).save()

    give_back = EffectRow("EFFECT#mail", "ONCE").delete
    with run_before("GetItem", give_back), pytest.raises(InProgress), once(EffectRow, "mail", now=now):
        pytest.fail("begun")

    with once(EffectRow, "mail", now=now) as is_ours:
        assert is_ours is True


def test_trouble_with_the_claim_is_neither_a_claim_nor_a_refusal(now: datetime) -> None:
    busy = fails(refusal("PutItem", "ThrottlingException"))
    with run_before("PutItem", busy), pytest.raises(PutError), once(EffectRow, "mail", now=now):
        pytest.fail("begun")

    assert items_of("Orders") == []
    with once(EffectRow, "mail", now=now) as is_ours:
        assert is_ours is True


def test_a_claim_that_could_not_be_given_back_is_told_and_runs_out(now: datetime) -> None:
    busy = fails(refusal("DeleteItem", "ThrottlingException"))
    with run_before("DeleteItem", busy), pytest.raises(DeleteError), once(EffectRow, "mail", now=now):
        raise RuntimeError("no mail today")

    with pytest.raises(InProgress), once(EffectRow, "mail", now=now):
        pytest.fail("begun")
    with once(EffectRow, "mail", now=now + LEASE) as is_ours:
        assert is_ours is True
