"""Guessing at Ada's password, and what it costs whom."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.test import Client

from accounts import sessions
from accounts.limits import TooManyTries
from tests.accounts.people import deliver, link_in, log_in
from tests.conftest import counted_calls


@dataclass
class Figures:
    """How many guesses were refused unread, and the table calls that took."""

    refused: int = 0
    calls_of_refusals: int = 0


def guess(number: int, at: datetime, *, source: str = "") -> bool:
    """Try a wrong password; whether it was refused unread."""
    device = sessions.Device(known_as="", user_agent="", source=source, coarse_source="")
    try:
        sessions.authenticate(email="Ada@example.com", password=f"guess {number}", device=device, now=at)
    except sessions.WrongCredentials:
        return False
    except TooManyTries:
        return True
    raise AssertionError("guessed")


def guess_for_a_quarter_of_an_hour(
    times: int, now: datetime, *, sources: int = 1, half_way: Callable[[], None] = lambda: None
) -> Figures:
    """Guess so often, evenly spread, from so many addresses in turn."""
    figures = Figures()
    for number in range(times):
        if number == times // 2:
            half_way()
        with counted_calls() as calls:
            is_refused = guess(number, now + timedelta(minutes=15) * number / times, source=f"2001:db8:{number % sources:x}::/64")
        if is_refused:
            figures.refused += 1
            figures.calls_of_refusals += len(calls)
    return figures


def owner_can_reset(client: Client, now: datetime) -> bool:
    """Whether the owner gets in by a new password, right now."""
    client.post("/accounts/password-reset/", {"email": "ada@example.com"})
    client.post(link_in(deliver(now)[-1]), {"password": "another lamp entirely"})
    return bool(log_in(client, password="another lamp entirely").status_code == 303)
