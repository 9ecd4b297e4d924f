"""A second proof beside the password."""

import re
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts import queries, second_factor, sessions, tokens
from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from accounts.domain import Role, User
from accounts.models import UserRow, user_key
from accounts.reactions import account_changed
from accounts.second_factor import SetupOver, WrongCode
from accounts.sessions import Device
from tests.accounts.people import PASSWORD, log_in, make_user, raw_user, session_of
from tests.conftest import items_of, words_of
from tests.rivals import run_before

PAGE = "/accounts/second-factor/"


@pytest.fixture
def staff(tables: Any, now: datetime) -> User:
    return make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))


def _turn_on(user: User, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The authenticator's secret and the recovery codes; its first code was used a minute ago."""
    secret, setup = second_factor.new_setup(user=user)
    before = now - timedelta(minutes=2)
    code = pyotp.TOTP(secret).at(before)
    _user, codes = second_factor.turn_on(user=user, session=session_of(user, before), setup=setup, code=code, now=before)
    return secret, codes


def _set_up(client: Client, **more: str) -> tuple[str, Any]:
    """Set it up in a browser; its secret and the page with the recovery codes."""
    page = client.get(PAGE).content.decode()
    secret = re.findall(r"<code>([A-Z2-7 ]+)</code>", page)[0].replace(" ", "")
    setup = re.findall(r'name="setup" value="([^"]+)"', page)[0]
    return secret, client.post(PAGE, {"setup": setup, "code": pyotp.TOTP(secret).now(), "next": "/staff/", **more})


def _is_on(user: User) -> bool:
    return queries.user(user_id=user.user_id).has_second_factor


def _browser(user: User, began: datetime) -> Client:
    """A browser in which somebody is signed in since then."""
    device = Device(known_as="", user_agent="", source="", coarse_source="")
    signed_in = sessions.start_session(user=user, is_long=True, device=device, now=began)
    client = Client()
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh
    return client


def _session_of(client: Client) -> str:
    return f"SESSION#{tokens.read_access(client.cookies[ACCESS_COOKIE].value).session_id}"


def test_where_it_is_required_staff_set_it_up_before_they_see_anything(staff: User, client: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    log_in(client)
    answer = client.get("/staff/")
    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}?next=%2Fstaff%2F")

    _secret, answer = _set_up(client)

    codes = re.findall(r"<code>([a-z2-7-]+)</code>", answer.content.decode())
    assert len(set(codes)) == 10
    assert client.get("/staff/").status_code == 200
    assert not any(code in str(items_of("Users")) for code in codes)


def test_the_password_alone_signs_nobody_in_any_more(staff: User, client: Client, now: datetime) -> None:
    secret, _codes = _turn_on(staff, now)

    answer = log_in(client, next="/staff/")

    assert (answer.status_code, answer["Location"]) == (303, f"{PAGE}?next=%2Fstaff%2F")
    assert client.get("/staff/").status_code == 303
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []
    assert client.post(PAGE, {"code": "000000"}).status_code == 422

    answer = client.post(PAGE, {"code": pyotp.TOTP(secret).now(), "next": "/staff/"})
    assert (answer.status_code, answer["Location"]) == (303, "/staff/")
    assert client.get("/staff/").status_code == 200


def test_a_program_gets_no_tokens_for_the_password_alone(staff: User, client: Client, now: datetime) -> None:
    secret, _codes = _turn_on(staff, now - timedelta(minutes=10))
    known = {"email": staff.email, "password": PASSWORD}

    answers = [
        client.post("/api/v1/token", known | more, content_type="application/json")
        for more in ({}, {"code": "000000"}, {"code": pyotp.TOTP(secret).now()})
    ]

    assert [("access_token" in answer.text, answer.status_code) for answer in answers] == [
        (False, 401),
        (False, 401),
        (True, 200),
    ]


def test_a_code_works_once(staff: User, now: datetime) -> None:
    secret, codes = _turn_on(staff, now)
    code = pyotp.TOTP(secret).at(now)
    used = second_factor.use_code(user_id=staff.user_id, code=code, now=now)
    assert used.user_id == staff.user_id

    for again in (code, pyotp.TOTP(secret).at(now - timedelta(seconds=30))):
        with pytest.raises(WrongCode):
            second_factor.use_code(user_id=staff.user_id, code=again, now=now)

    second_factor.use_code(user_id=staff.user_id, code=codes[3].upper().replace("-", " "), now=now)
    with pytest.raises(WrongCode):
        second_factor.use_code(user_id=staff.user_id, code=codes[3], now=now)
    assert second_factor.recovery_codes_left(user_id=staff.user_id) == 9


def test_of_two_uses_of_a_code_at_one_moment_one_counts(staff: User, now: datetime) -> None:
    secret, codes = _turn_on(staff, now)

    for code in (pyotp.TOTP(secret).at(now), codes[0]):

        def use(code: str = code) -> User:
            return second_factor.use_code(user_id=staff.user_id, code=code, now=now)

        with run_before("UpdateItem", use), pytest.raises(WrongCode):
            use()

    assert second_factor.recovery_codes_left(user_id=staff.user_id) == 9


@pytest.mark.parametrize("minutes", [-2, 2])
def test_a_code_of_another_time_is_refused(staff: User, now: datetime, minutes: int) -> None:
    secret, _codes = _turn_on(staff, now - timedelta(minutes=10))

    with pytest.raises(WrongCode):
        second_factor.use_code(user_id=staff.user_id, code=pyotp.TOTP(secret).at(now + timedelta(minutes=minutes)), now=now)


def test_guessing_codes_is_slowed_down(staff: User, client: Client, now: datetime) -> None:
    _turn_on(staff, now)
    log_in(client)

    answers = [client.post(PAGE, {"code": f"{number:06}"}).status_code for number in range(8)]

    assert answers == [422] * 5 + [429] * 3


def test_what_is_kept_of_the_authenticator_is_encrypted(staff: User, now: datetime) -> None:
    secret, _codes = _turn_on(staff, now)

    assert secret not in str(items_of("Users"))


def test_a_setup_of_somebody_else_or_of_another_tab_sets_nothing_up(staff: User, now: datetime) -> None:
    other = make_user(now, email="grace@example.com")
    secret, setup = second_factor.new_setup(user=other)
    with pytest.raises(SetupOver):
        second_factor.turn_on(user=staff, session=session_of(staff, now), setup=setup, code=pyotp.TOTP(secret).at(now), now=now)

    _turn_on(staff, now)
    secret, setup = second_factor.new_setup(user=staff)
    with pytest.raises(SetupOver):
        second_factor.turn_on(user=staff, session=session_of(staff, now), setup=setup, code=pyotp.TOTP(secret).at(now), now=now)


@pytest.mark.parametrize("setup", ["", "forged", "of another"])
def test_a_setup_that_is_over_gives_way_to_a_new_one(staff: User, client: Client, now: datetime, setup: str) -> None:
    log_in(client)
    if setup == "of another":
        setup = second_factor.new_setup(user=make_user(now, email="grace@example.com"))[1]

    answer = client.post(f"{PAGE}?next=/staff/", {"setup": setup, "code": "123456"}, follow=True)

    assert answer.redirect_chain == [(f"{PAGE}?next=/staff/", 303)]
    assert "That took a while, so here is a new code to scan." in words_of(answer.text)
    assert not _is_on(staff)


def test_a_browser_from_before_is_asked_for_a_code_and_then_goes_on(staff: User, now: datetime, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    client = _browser(staff, now)
    secret, _codes = _turn_on(staff, now)
    asked = client.get(f"{PAGE}?next=/staff/")
    assert (asked.status_code, 'name="setup"' in asked.text, 'name="code"' in asked.text) == (200, False, True)
    before = [item for item in items_of("Users") if item["SK"]["S"] != "LIMIT"]

    assert [client.post(PAGE, {"code": code}).status_code for code in ("", "000000")] == [422, 422]
    assert [item for item in items_of("Users") if item["SK"]["S"] != "LIMIT"] == before
    assert client.get("/staff/").status_code == 303

    answer = client.post(PAGE, {"code": pyotp.TOTP(secret).now(), "next": "/staff/"})
    assert (answer.status_code, answer["Location"]) == (303, "/staff/")
    assert client.get("/staff/").status_code == 200


def test_a_browser_signed_out_while_its_code_is_looked_at_stays_out(staff: User, now: datetime) -> None:
    client = _browser(staff, now)
    secret, _codes = _turn_on(staff, now)
    viewer = tokens.read_access(client.cookies[ACCESS_COOKIE].value)

    def sign_out() -> None:
        sessions.end_session(user_id=staff.user_id, session_id=viewer.session_id)

    with run_before("UpdateItem", sign_out, nth=2):
        answer = client.post(PAGE, {"code": pyotp.TOTP(secret).now()})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert client.cookies[REFRESH_COOKIE].value == ""
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


def test_its_page_says_how_many_recovery_codes_are_left(staff: User, client: Client, now: datetime) -> None:
    secret, codes = _turn_on(staff, now)
    second_factor.use_code(user_id=staff.user_id, code=codes[0], now=now)
    log_in(client)
    assert client.get(PAGE).status_code == 200
    client.post(PAGE, {"code": pyotp.TOTP(secret).now()})

    page = client.get(PAGE)

    assert "9 recovery codes" in words_of(page.text)
    assert secret not in page.text


def test_a_password_changed_in_between_ends_the_half_login(staff: User, client: Client, now: datetime) -> None:
    secret, _codes = _turn_on(staff, now)
    log_in(client)
    other = Client()
    log_in(other)
    other.post(PAGE, {"code": pyotp.TOTP(secret).now()})
    other.post("/accounts/password/", {"password": PASSWORD, "new_password": "another clay lamp"})

    answer = client.post(PAGE, {"code": pyotp.TOTP(secret).at(datetime.now(now.tzinfo) + timedelta(seconds=30))})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert REFRESH_COOKIE not in answer.cookies


def test_an_account_disabled_in_between_ends_the_half_login(staff: User, client: Client, now: datetime) -> None:
    secret, _codes = _turn_on(staff, now)
    log_in(client)
    user_key(staff.user_id).update(actions=[UserRow.status.set("disabled")])

    answer = client.post(PAGE, {"code": pyotp.TOTP(secret).now()})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert REFRESH_COOKIE not in answer.cookies
    assert [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == []


def test_turning_it_on_signs_every_other_browser_out(staff: User, now: datetime) -> None:
    client, others = _browser(staff, now), [_browser(staff, now), _browser(staff, now)]
    assert [other.get("/staff/").status_code for other in others] == [200, 200]

    _secret, page = _set_up(client)

    assert "You are signed out everywhere else, of 2 browsers" in words_of(page.text)
    assert [other.get("/staff/").status_code for other in (client, *others)] == [200, 303, 303]
    assert [item["SK"]["S"] for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")] == [_session_of(client)]


def test_a_wrong_code_signs_nobody_out(staff: User, now: datetime) -> None:
    client, other = _browser(staff, now), _browser(staff, now)
    setup = re.findall(r'name="setup" value="([^"]+)"', client.get(PAGE).text)[0]

    assert client.post(PAGE, {"setup": setup, "code": "000000"}).status_code == 422

    assert other.get("/staff/").status_code == 200


def test_who_signed_in_a_while_ago_gives_the_password_to_set_it_up(staff: User, now: datetime) -> None:
    client = _browser(staff, now - timedelta(minutes=11))
    assert 'name="password"' in client.get(PAGE).text
    before = items_of("Users")

    _secret, without = _set_up(client)

    assert (without.status_code, items_of("Users")) == (422, before)
    assert _set_up(client, password="a guess")[1].status_code == 422
    assert not _is_on(staff)
    assert _set_up(client, password=PASSWORD)[1].status_code == 200
    assert _is_on(staff)


def test_who_signed_in_a_moment_ago_need_not(staff: User, now: datetime) -> None:
    client = _browser(staff, now - timedelta(minutes=9))
    assert 'name="password"' not in client.get(PAGE).text

    assert _set_up(client)[1].status_code == 200
    assert _is_on(staff)


def test_guesses_at_the_password_of_a_set_up_are_slowed_down(staff: User, now: datetime) -> None:
    client = _browser(staff, now - timedelta(minutes=11))

    answers = [_set_up(client, password=f"guess {number}")[1].status_code for number in range(7)]

    assert answers == [422] * 5 + [429] * 2
    assert not _is_on(staff)


def test_turning_it_off_asks_for_the_password(staff: User, client: Client, now: datetime) -> None:
    log_in(client)
    _set_up(client)

    assert client.post(f"{PAGE}off/", {"password": "a guess"}).status_code == 422
    assert _is_on(staff)
    answer = client.post(f"{PAGE}off/", {"password": PASSWORD})
    assert answer.status_code == 303
    assert not _is_on(staff)
    assert log_in(Client())["Location"] == "/staff/"
    assert not tokens.read_access(answer.cookies[ACCESS_COOKIE].value).has_second_factor


def test_what_was_proven_with_an_authenticator_ends_with_it(
    staff: User, client: Client, now: datetime, settings: Settings
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    secret, codes = _turn_on(staff, now)
    other = Client()
    for browser, code in ((client, pyotp.TOTP(secret).now()), (other, codes[0])):
        log_in(browser)
        browser.post(PAGE, {"code": code})
        assert browser.get("/staff/").status_code == 200

    client.post(f"{PAGE}off/", {"password": PASSWORD})

    for browser in (client, other):
        assert (browser.get("/staff/").status_code, browser.get("/staff/")["Location"]) == (303, f"{PAGE}?next=%2Fstaff%2F")
    # A new one gives nothing back to a browser that proved the old one.
    assert _set_up(client)[1].status_code == 200
    assert client.get("/staff/").status_code == 200
    assert other.get("/staff/").status_code == 303


def test_a_click_on_an_older_page_does_not_turn_a_new_one_off(staff: User, now: datetime) -> None:
    _turn_on(staff, now)
    old = queries.user(user_id=staff.user_id)
    second_factor.turn_off(user=old)
    _turn_on(staff, now)

    second_factor.turn_off(user=old)

    assert _is_on(staff)


def test_its_owner_is_told_when_it_comes_and_when_it_goes(staff: User, tables: Any, now: datetime) -> None:
    states = [raw_user(tables, staff)]
    _turn_on(staff, now)
    states.append(raw_user(tables, staff))
    second_factor.turn_off(user=queries.user(user_id=staff.user_id))
    states.append(raw_user(tables, staff))

    for _ in range(2):
        for old, new in pairwise(states):
            account_changed(old, new, now=now)

    assert [(message.to, message.subject) for message in mail.outbox] == [
        ([staff.email], "Your Fernhollow account has an authenticator now"),
        ([staff.email], "Your Fernhollow account has no authenticator any more"),
    ]


def test_who_never_gave_the_password_is_not_asked_for_a_code(client: Client) -> None:
    answer = client.get(PAGE)

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
