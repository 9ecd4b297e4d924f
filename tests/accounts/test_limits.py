"""How often something may be tried: nobody guesses for long, and no guesser shuts the owner out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import sessions
from accounts.domain import Tries, tried_once_more
from accounts.limits import LIMITS, Kind, TooManyTries, count_try
from tests.accounts.guessing import Figures, guess, guess_for_a_quarter_of_an_hour, owner_can_reset
from tests.accounts.people import log_in, make_user


def test_the_rule_lets_nine_of_a_thousand_passwords_through_in_a_quarter_of_an_hour(now: datetime) -> None:
    tries, passed = Tries(), 0
    for tenths in range(0, 9000, 9):
        after = tried_once_more(tries, LIMITS[Kind.LOGIN], now + timedelta(seconds=tenths / 10))
        if after:
            tries, passed = after, passed + 1

    assert passed == 9


@pytest.mark.parametrize(
    ("guesses", "sources"), [(1000, 1), (200, 200)], ids=["a thousand from one address", "each from another address"]
)
def test_guesses_at_one_account_in_a_quarter_of_an_hour_are_nine_hashes_and_the_owner_can_still_reset(
    tables: Any, hashes: list[bytes], client: Client, now: datetime, guesses: int, sources: int
) -> None:
    make_user(now)

    figures = guess_for_a_quarter_of_an_hour(guesses, now, sources=sources)

    # What is refused costs one call: the table is the only one to ask.
    assert (len(hashes), figures) == (9, Figures(refused=guesses - 9, calls_of_refusals=guesses - 9))
    assert owner_can_reset(client, now)


def test_guesses_from_one_source_at_many_accounts_are_slowed_down(tables: Any, hashes: list[bytes], now: datetime) -> None:
    device = sessions.Device(known_as="", user_agent="", source="203.0.113.9", coarse_source="")
    for number in range(150):
        with pytest.raises((sessions.WrongCredentials, TooManyTries)):
            sessions.authenticate(
                email=f"user{number}@example.com", password="guess", device=device, now=now + timedelta(seconds=number * 6)
            )

    assert len(hashes) == 36


def test_a_hundred_guesses_at_once_are_counted_one_by_one(tables: Any, hashes: list[bytes], now: datetime) -> None:
    make_user(now)

    with ThreadPoolExecutor(20) as pool:
        refused = list(pool.map(lambda number: guess(number, now), range(100)))

    assert (len(hashes), sum(refused)) == (5, 95)


def test_who_knows_the_password_begins_anew_and_a_known_browser_has_a_count_of_its_own(
    tables: Any, client: Client, now: datetime
) -> None:
    make_user(now)
    assert log_in(client).status_code == 303
    stranger = Client()
    assert [log_in(stranger, password=f"guess {number}").status_code for number in range(6)] == [422] * 5 + [429]
    assert log_in(stranger).status_code == 429

    assert log_in(client, password="a slip").status_code == 422
    assert log_in(client).status_code == 303


def test_the_address_a_browser_claims_to_forward_counts_for_nothing(tables: Any, client: Client) -> None:
    for number in range(30):
        form = {"email": f"user{number}@example.com", "password": "guess"}
        client.post("/accounts/login/", form, headers={"X-Forwarded-For": f"198.51.100.{number}"})

    answer = client.post(
        "/accounts/login/", {"email": "other@example.com", "password": "guess"}, headers={"X-Forwarded-For": "192.0.2.1"}
    )

    assert answer.status_code == 429


@pytest.mark.parametrize("kind", Kind)
def test_pauses_grow_and_end(tables: Any, now: datetime, kind: Kind) -> None:
    limit = LIMITS[kind]
    for _ in range(limit.free):
        count_try(kind, "ada", now=now)

    waits = []
    for _ in range(3):
        with pytest.raises(TooManyTries) as refusal:
            count_try(kind, "ada", now=now)
        waits.append(refusal.value.wait)
        now += refusal.value.wait
        count_try(kind, "ada", now=now)

    assert waits == [limit.first_pause, limit.first_pause * 2, limit.first_pause * 4]
    count_try(kind, "somebody else", now=now)
