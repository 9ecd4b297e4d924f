"""Somebody guesses at a password, and somebody holds a stopwatch to the account pages: neither learns what they want."""

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from random import shuffle
from statistics import median
from unittest.mock import patch

import bcrypt
from django.conf import settings
from django.test import Client

from accounts import passwords, queries, services, sessions
from accounts.domain import Limit, Role, User, UserStatus
from accounts.limits import LIMITS, TooManyTries
from accounts.sessions import Device, WrongCredentials
from shop.lib.clock import utc_now
from shop.lib.ids import new_id
from shop.lib.tables import connection
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import World

_GUESSES, _HASHES = 1000, 10
_TRIES = 200
_CONTROL = 30
_APART = 0.005
_COST = 8
"""bcrypt's cost while the stopwatch runs: the hash is the same work for everybody, and at 12 its noise would hide all else."""
_OLD, _NEW = "quiet lamp, warm clay", "another lamp entirely"
_KNOWN, _OLDER, _UNKNOWN = "known", "known by an older hash", "unknown"
_FREE = Limit(10**9, timedelta(0), timedelta(0), timedelta(days=1))


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Guessing and timing, each once without its guard."""
    yield _guessing(_GUESSES, claim=f"{_GUESSES} guesses at one account in 15 minutes: {_HASHES} hashes at most, reset works")
    with patch.object(sessions, "count_tries", lambda *_, **__: None):
        yield _guessing(_CONTROL, claim=f"{_CONTROL} guesses that nobody counts", is_control=True)
    with _stopwatch():
        yield _timing("/accounts/login/", {"password": "a wrong guess"}, _TRIES)
        details = {"first_name": "Ada", "last_name": "Lovelace", "password": _OLD}
        yield _timing("/accounts/register/", details, _TRIES)
        yield _timing("/accounts/password-reset/", {}, _TRIES)
        with patch.object(passwords, "_spend", lambda *_: None):
            yield _timing("/accounts/login/", {"password": "a wrong guess"}, _CONTROL, is_control=True)


def _guessing(guesses: int, *, claim: str, is_control: bool = False) -> Verdict:
    now, email = utc_now(), _account()
    device = Device(known_as="", user_agent="", source="203.0.113.9", coarse_source="")
    refused, calls = 0, 0
    with _counted_hashes() as hashes:
        for number in range(guesses):
            at = now + timedelta(minutes=15) * number / guesses
            with _counted_calls() as made:
                try:
                    sessions.authenticate(email=email, password=f"guess {number}", device=device, now=at)
                except TooManyTries:
                    refused, calls = refused + 1, calls + len(made)
                except WrongCredentials:
                    pass
        tried = len(hashes)
    user = _reset(email)
    seen = f"{tried} hashed, {refused} refused" + (f", {calls / refused:.2f} table calls a refusal" if refused else "")
    return Verdict(claim, f"{seen}; the owner {'got in' if user else 'DID NOT GET IN'}", tried <= _HASHES and user, is_control)


def _reset(email: str) -> bool:
    """Whether the owner can set a new password at once, and sign in with it from where nobody guessed."""
    now = utc_now()
    services.request_password_reset(email=email, source="198.51.100.7", now=now)
    user = queries.user_by_email(email=email)
    secret = services.make_link(link=services.Link.RESET, email=email, expires_at=now + services.RESET_LIFETIME, user=user)
    services.reset_password(secret=secret, password=_NEW, source="198.51.100.7", now=now)
    device = Device(known_as="", user_agent="", source="198.51.100.7", coarse_source="")
    found = sessions.authenticate(email=email, password=_NEW, device=device, now=now)
    return found.user_id == user.user_id


def _timing(path: str, fields: dict[str, str], tries: int, *, is_control: bool = False) -> Verdict:
    """Post the form for addresses of each kind in turn, in changing order, and compare the middle times.

    It is the processor's time that counts: whatever else this machine is doing is not in it. What it leaves out, the table
    calls, are the same in number (tests/accounts/test_views.py).
    """
    emails = {_KNOWN: _account(), _OLDER: _account(cost=_COST - 4), _UNKNOWN: f"{new_id('nobody', utc_now())}@example.com"}
    taken: dict[str, list[float]] = {kind: [] for kind in emails}
    by_clock: dict[str, list[float]] = {kind: [] for kind in emails}
    client, kinds = Client(), list(emails)
    for _ in range(tries):
        shuffle(kinds)
        for kind in kinds:
            begun, begun_by_clock = time.thread_time(), time.perf_counter()
            client.post(path, {"email": emails[kind], **fields})
            taken[kind].append(time.thread_time() - begun)
            by_clock[kind].append(time.perf_counter() - begun_by_clock)
    middles = {kind: median(times) for kind, times in taken.items()}
    apart = max(middles.values()) - min(middles.values())
    claim = f"{path}: the middle times of {tries} tries for each kind of address are within {_APART * 1000:.0f} ms"
    seen = ", ".join(
        f"{kind} {middle * 1000:.1f} ms ({median(by_clock[kind]) * 1000:.0f} by the clock)" for kind, middle in middles.items()
    )
    claim += ", without the hash for nobody" if is_control else ""
    return Verdict(claim, f"{seen}; {apart * 1000:.1f} ms apart", apart < _APART, is_control)


def _account(*, cost: int = 0) -> str:
    """The address of a new account."""
    now = utc_now()
    email = f"{new_id('ada', now)}@example.com"
    kept = bcrypt.hashpw(_OLD.encode(), bcrypt.gensalt(cost or settings.PASSWORD_COST)).decode()
    user = User(
        user_id=new_id("user", now),
        email=email,
        first_name="Ada",
        last_name="Lovelace",
        role=Role.CUSTOMER,
        status=UserStatus.ACTIVE,
        created_at=now,
        password_hash=kept,
        credentials=1,
    )
    services.add_user(user=user, now=now)
    return email


@contextmanager
def _stopwatch() -> Iterator[None]:
    """Nobody is held up, and the hash leaves the rest of the work to be seen."""
    with ExitStack() as stack:
        stack.enter_context(patch.dict(LIMITS, dict.fromkeys(LIMITS, _FREE)))
        stack.enter_context(patch.object(settings, "PASSWORD_COST", _COST))
        logging.getLogger("django.request").setLevel(logging.CRITICAL)  # it tells of every wrong password
        yield


@contextmanager
def _counted_hashes() -> Iterator[list[bytes]]:
    """Every password that is put through bcrypt inside."""
    real, seen = bcrypt.checkpw, []

    def count(password: bytes, kept: bytes) -> bool:
        seen.append(password)
        return real(password, kept)

    with patch.object(bcrypt, "checkpw", count):
        yield seen


@contextmanager
def _counted_calls() -> Iterator[list[str]]:
    """The names of the table calls made inside."""
    calls: list[str] = []

    def note(model: object, **_: object) -> None:
        calls.append(str(model))

    events = connection().client.meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", note)
