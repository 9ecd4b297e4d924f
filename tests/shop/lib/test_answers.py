"""Answers kept for requests that may come twice."""

from datetime import datetime

import pytest
from pynamodb.exceptions import PutError

from catalog.models import CatalogAnswerRow
from shop.lib.answers import KEEP, Claim, KeyReused, claim_of
from tests.conftest import items_of
from tests.rivals import fails, refusal, run_before

pytestmark = pytest.mark.usefixtures("tables")


def claim(now: datetime, request: bytes = b"three mugs") -> Claim:
    return claim_of(CatalogAnswerRow, who="erp", key="key-1", request=request, now=now)


def test_an_answer_is_kept_for_a_day_for_the_same_request_of_the_same_caller(now: datetime) -> None:
    claim(now).keep("201")

    assert claim(now + KEEP / 2).kept() == "201"
    assert claim(now + KEEP).kept() is None
    assert claim_of(CatalogAnswerRow, who="crm", key="key-1", request=b"three mugs", now=now).kept() is None
    with pytest.raises(KeyReused):
        claim(now, b"four mugs").kept()


def test_an_answer_that_comes_late_is_not_written_over_another_requests(now: datetime) -> None:
    late, tomorrow = claim(now), now + KEEP
    claim(tomorrow, b"four mugs").keep("202")
    before = items_of("Products")

    late.keep("201")

    assert items_of("Products") == before
    assert claim(tomorrow, b"four mugs").kept() == "202"


def test_an_answer_is_not_taken_for_kept_when_it_is_not(now: datetime) -> None:
    with run_before("PutItem", fails(refusal("PutItem", "ThrottlingException"))), pytest.raises(PutError):
        claim(now).keep("201")

    assert claim(now).kept() is None
