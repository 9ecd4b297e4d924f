"""How often something may be tried: nobody guesses for long, and no guesser shuts the owner out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import limits, sessions
from accounts.domain import Tries, tried_once_more
from accounts.limits import LIMITS, Kind, TooManyTries, count_try, give_back_try
from tests.accounts.guessing import Figures, guess, guess_for_a_quarter_of_an_hour, owner_can_reset
from tests.accounts.people import PASSWORD, log_in, make_user
from tests.conftest import items_of, words_of
from tests.rivals import run_before_each


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


def test_where_so_many_try_at_once_that_no_count_can_be_written_nobody_gets_through(
    tables: Any, hashes: list[bytes], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(now)
    monkeypatch.setattr(limits, "_LONGEST_PAUSE_SECONDS", 0)
    device = sessions.Device(known_as="", user_agent="", source="203.0.113.9", coarse_source="")

    with (
        run_before_each("PutItem", lambda: count_try(Kind.LOGIN_SOURCE, device.source, now=now)) as calls,
        pytest.raises(TooManyTries) as refused,
    ):
        sessions.authenticate(email="ada@example.com", password=PASSWORD, device=device, now=now)

    # The account's count is written at the first attempt, the source's at none of six.
    assert (hashes, calls.count("PutItem"), refused.value.wait) == ([], 7, timedelta(seconds=10))
    assert sorted(item["tries"]["N"] for item in items_of("Users") if item["SK"]["S"] == "LIMIT") == ["1", "7"]


def test_a_try_that_is_forgotten_already_is_not_given_back(tables: Any, now: datetime) -> None:
    give_back_try(Kind.LOGIN_SOURCE, "203.0.113.9", now=now)

    assert items_of("Users") == []


@pytest.mark.parametrize(("waited", "words"), [([], "10 minutes"), ([10, 20, 40], "80 minutes"), ([10, 20, 40, 80], "3 hours")])
def test_how_long_to_wait_is_said_as_people_say_it(
    tables: Any, client: Client, now: datetime, waited: list[int], words: str
) -> None:
    at = now - timedelta(minutes=sum(waited))
    for minutes in (0, 0, 0, *waited):
        at += timedelta(minutes=minutes)
        count_try(Kind.RESET, "ada@example.com", now=at)
    before = items_of("Users")

    answer = client.post("/accounts/password-reset/", {"email": "ada@example.com"})

    assert answer.status_code == 429
    assert f"That was tried too often. Please wait {words} and try again." in words_of(answer.text)
    assert items_of("Users") == before
