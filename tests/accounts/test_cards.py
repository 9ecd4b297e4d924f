"""What an account keeps of its customer at Stripe: one number, and the cards of that number alone."""

from datetime import datetime
from typing import Any

import pytest

from accounts import cards, queries
from accounts.domain import SavedCard
from accounts.queries import UserNotFound
from tests.accounts.people import make_user, raw_user
from tests.conftest import items_of
from tests.rivals import run_before

VISA = SavedCard("pm_1", "card", "4242", "visa", 12, 2034, is_default=True)


def test_of_two_tabs_that_made_a_customer_the_first_ones_counts(tables: Any, now: datetime) -> None:
    ada = make_user(now)

    with run_before("UpdateItem", lambda: cards.keep_customer(user_id=ada.user_id, customer_id="cus_theirs")):
        kept = cards.keep_customer(user_id=ada.user_id, customer_id="cus_ours")

    assert kept == "cus_theirs"
    assert raw_user(tables, ada)["stripeCustomerId"] == {"S": "cus_theirs"}


def test_a_customer_of_an_account_that_is_gone_is_kept_nowhere(tables: Any) -> None:
    with pytest.raises(UserNotFound):
        cards.keep_customer(user_id="user-gone", customer_id="cus_1")

    assert items_of("Users") == []


def test_forgetting_an_earlier_customer_leaves_the_one_of_now_and_its_cards(tables: Any, now: datetime) -> None:
    ada = make_user(now)
    cards.keep_customer(user_id=ada.user_id, customer_id="cus_now")
    cards.keep_cards(user_id=ada.user_id, customer_id="cus_now", cards=(VISA,))

    cards.forget_customer(user_id=ada.user_id, customer_id="cus_before")

    after = queries.user(user_id=ada.user_id)
    assert (after.stripe_customer_id, after.cards) == ("cus_now", (VISA,))


def test_cards_of_an_earlier_customer_are_not_shown_as_those_of_now(tables: Any, now: datetime) -> None:
    ada = make_user(now)
    cards.keep_customer(user_id=ada.user_id, customer_id="cus_now")
    before = items_of("Users")

    cards.keep_cards(user_id=ada.user_id, customer_id="cus_before", cards=(VISA,))

    assert items_of("Users") == before
