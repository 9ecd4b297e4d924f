"""Sessions: renewed one token at a time, listed, ended; a stolen token betrays itself."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from accounts import queries, sessions, staffing, tokens
from accounts.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from accounts.domain import Role, User, UserStatus
from accounts.models import UserRow, user_key
from accounts.queries import SessionEnded, sessions_of
from accounts.reactions import account_changed
from accounts.sessions import Device, SignedIn
from shop.lib.viewer import Permission, Viewer
from tests.accounts.people import ADDRESS, PASSWORD, log_in, make_user
from tests.conftest import counted_calls, items_of, words_of
from tests.rivals import run_before

DEVICE = Device(
    known_as="", user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", source="", coarse_source=""
)
BOSS = Viewer(user_id="user-0", role="admin", permissions=frozenset(Permission))


def _start(user: User, now: datetime, *, is_long: bool = True) -> SignedIn:
    return sessions.start_session(user=user, is_long=is_long, device=DEVICE, now=now)


def _token_id(signed_in: SignedIn) -> str:
    return tokens.read_refresh(signed_in.refresh).token_id


def test_a_refresh_token_is_good_once_and_a_second_use_ends_the_family(tables: Any, now: datetime) -> None:
    now -= timedelta(hours=1)  # a token issued in the future is refused
    first = _start(make_user(now), now)
    second = sessions.refresh(token=first.refresh, now=now + timedelta(minutes=15))
    third = sessions.refresh(token=second.refresh, now=now + timedelta(minutes=30))

    with pytest.raises(SessionEnded):
        sessions.refresh(token=second.refresh, now=now + timedelta(minutes=31))

    with pytest.raises(SessionEnded):
        sessions.refresh(token=third.refresh, now=now + timedelta(minutes=31))
    with pytest.raises(SessionEnded):
        sessions.confirm(viewer=third.viewer, now=now + timedelta(minutes=31))


def test_requests_of_one_page_renew_at_once_and_get_the_same_token(tables: Any, now: datetime) -> None:
    later = now - timedelta(minutes=20)
    first = _start(make_user(now), later - timedelta(minutes=20))

    with ThreadPoolExecutor(8) as pool:
        renewed = list(pool.map(lambda _: sessions.refresh(token=first.refresh, now=later), range(8)))

    (token_id,) = {_token_id(signed_in) for signed_in in renewed}
    assert token_id != _token_id(first)
    assert sessions.refresh(token=renewed[0].refresh, now=now).viewer == first.viewer


def test_a_rival_between_reading_and_writing_changes_nothing(tables: Any, now: datetime) -> None:
    first = _start(make_user(now), now)
    others: list[SignedIn] = []

    with run_before("UpdateItem", lambda: others.append(sessions.refresh(token=first.refresh, now=now))):
        mine = sessions.refresh(token=first.refresh, now=now)

    assert _token_id(mine) == _token_id(others[0])


def test_a_renewal_that_was_overtaken_twice_signs_in_nobody(tables: Any, now: datetime) -> None:
    later = now - timedelta(minutes=20)
    first = _start(make_user(now), later - timedelta(minutes=20))
    others: list[SignedIn] = []

    def renew_twice() -> None:
        others.append(sessions.refresh(token=first.refresh, now=later))
        others.append(sessions.refresh(token=others[0].refresh, now=now))

    with run_before("UpdateItem", renew_twice), pytest.raises(SessionEnded):
        sessions.refresh(token=first.refresh, now=later)

    assert sessions.confirm(viewer=others[1].viewer, now=now).user_id == first.viewer.user_id
    [kept] = [item for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")]
    assert kept["current"] == {"S": _token_id(others[1])}


def test_a_renewal_whose_reply_was_lost_is_not_taken_for_theft(tables: Any, now: datetime, lost_reply: Any) -> None:
    first = _start(make_user(now), now)
    lost_reply("UpdateItem")

    renewed = sessions.refresh(token=first.refresh, now=now)

    assert sessions.refresh(token=renewed.refresh, now=now + timedelta(minutes=20)).viewer == first.viewer


@pytest.mark.parametrize(("is_long", "days"), [(True, 30), (False, 1)])
def test_an_unvisited_session_is_over_though_its_row_is_still_there(tables: Any, now: datetime, is_long: bool, days: int) -> None:
    user = make_user(now)
    signed_in = _start(user, now, is_long=is_long)

    assert len(sessions_of(user_id=user.user_id, now=now + timedelta(days=days, seconds=-1))) == 1
    assert sessions_of(user_id=user.user_id, now=now + timedelta(days=days)) == ()
    with pytest.raises(SessionEnded):
        sessions.confirm(viewer=signed_in.viewer, now=now + timedelta(days=days))


def test_an_expired_access_token_is_renewed_unseen_and_kept_for_the_browser(tables: Any, client: Client, now: datetime) -> None:
    signed_in = _start(make_user(now), now - timedelta(hours=1))
    Client().get("/cart/")  # the menu is kept from now on
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh

    with counted_calls() as calls:
        answer = client.get("/accounts/")

    assert (answer.status_code, calls) == (200, ["BatchGetItem", "UpdateItem"])
    assert answer["Cache-Control"] == "private, no-store"
    for name in (ACCESS_COOKIE, REFRESH_COOKIE):
        cookie = answer.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], bool(cookie["max-age"])) == (True, "Lax", "/", True)
    with counted_calls() as calls:
        assert client.get("/accounts/").status_code == 200
    assert calls == []


@pytest.mark.parametrize("path", ["/", "/products/", "/robots.txt", "/sitemap.xml"])
def test_shared_pages_neither_ask_nor_renew(tables: Any, client: Client, now: datetime, path: str) -> None:
    everybody = client.get(path)
    signed_in = _start(make_user(now), now - timedelta(hours=1))
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh

    mine = client.get(path)

    assert mine.content == everybody.content
    assert dict(mine.cookies) == {}
    assert mine["Cache-Control"] == everybody["Cache-Control"]


def test_without_stay_signed_in_the_browser_forgets(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)

    answer = log_in(client)

    assert [answer.cookies[name]["max-age"] for name in (ACCESS_COOKIE, REFRESH_COOKIE)] == ["", ""]
    answer = log_in(client, stay="on")
    assert answer.cookies[REFRESH_COOKIE]["max-age"] == 30 * 86400


def test_a_session_that_is_over_takes_its_cookies_back(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    signed_in = _start(user, now - timedelta(hours=1))
    sessions.end_session(user_id=user.user_id, session_id=signed_in.session.session_id)
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh

    answer = client.get("/accounts/")

    assert answer.status_code == 303
    assert [answer.cookies[name].value for name in (ACCESS_COOKIE, REFRESH_COOKIE)] == ["", ""]


def test_the_sessions_page_ends_one_or_all_others(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    others = [_start(user, now) for _ in range(3)]
    log_in(client)

    page = words_of(client.get("/accounts/sessions/").content.decode())
    assert page.count("Firefox on Linux") == 6  # each once seen and once in its button's name
    assert page.count("this browser") == 1

    client.post("/accounts/sessions/end/", {"session_id": others[0].session.session_id})
    assert len(sessions_of(user_id=user.user_id, now=now)) == 3

    client.post("/accounts/sessions/end-others/")
    (left,) = sessions_of(user_id=user.user_id, now=now)
    assert left.session_id not in {other.session.session_id for other in others}
    assert client.get("/accounts/sessions/").status_code == 200


@pytest.mark.parametrize("user_agent", ["", "a browser of its own kind"])
def test_a_browser_nobody_knows_is_called_so(tables: Any, now: datetime, user_agent: str) -> None:
    make_user(now)
    client = Client(headers={"User-Agent": user_agent})
    log_in(client)

    assert "an unknown browser" in words_of(client.get("/accounts/sessions/").text).lower()


def test_who_was_signed_out_elsewhere_signs_out_here_without_the_providers_pages(
    tables: Any, client: Client, now: datetime, settings: Settings
) -> None:
    settings.COGNITO_SIGNS_IN = True
    user = make_user(now)
    signed_in = sessions.start_session(user=user, is_long=True, is_provided=True, device=DEVICE, now=now)
    client.cookies[ACCESS_COOKIE], client.cookies[REFRESH_COOKIE] = signed_in.access, signed_in.refresh
    sessions.end_session(user_id=user.user_id, session_id=signed_in.session.session_id)

    answer = client.post("/accounts/logout/")

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert [client.cookies[name].value for name in (ACCESS_COOKIE, REFRESH_COOKIE)] == ["", ""]


def test_a_button_that_names_no_session_ends_none(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)

    answer = client.post("/accounts/sessions/end/", {})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/sessions/")
    assert len(sessions_of(user_id=user.user_id, now=now)) == 1


def test_nobody_ends_anothers_session(tables: Any, client: Client, now: datetime) -> None:
    make_user(now)
    other = make_user(now, email="grace@example.com")
    theirs = _start(other, now)
    log_in(client)

    client.post("/accounts/sessions/end/", {"session_id": theirs.session.session_id})

    assert len(sessions_of(user_id=other.user_id, now=now)) == 1


def test_changing_the_password_ends_every_other_session(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    other = _start(user, now)
    log_in(client)

    answer = client.post("/accounts/password/", {"password": PASSWORD, "new_password": "another lamp entirely"})

    assert answer.status_code == 303
    with pytest.raises(SessionEnded):
        sessions.confirm(viewer=other.viewer, now=now)
    with pytest.raises(SessionEnded):
        sessions.refresh(token=other.refresh, now=now)
    assert client.get("/accounts/sessions/").status_code == 200
    assert log_in(Client(), password="another lamp entirely").status_code == 303
    assert log_in(Client()).status_code == 422


def test_of_two_new_passwords_at_one_moment_the_later_is_told_by_being_signed_out(
    tables: Any, client: Client, now: datetime
) -> None:
    make_user(now)
    other = Client()
    for browser in (client, other):
        log_in(browser)

    def quicker() -> None:
        other.post("/accounts/password/", {"password": PASSWORD, "new_password": "the quicker lamp"})

    with run_before("TransactWriteItems", quicker):
        answer = client.post("/accounts/password/", {"password": PASSWORD, "new_password": "the slower lamp"})

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/")
    assert [log_in(Client(), password=f"the {one} lamp").status_code for one in ("slower", "quicker")] == [422, 303]


def test_a_disabled_account_is_out_at_the_next_look_at_its_row(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))
    log_in(client)
    assert client.get("/staff/").status_code == 200

    staffing.change_status(editor=BOSS, user_id=user.user_id, status=UserStatus.DISABLED, now=now)

    assert client.get("/staff/").status_code == 303
    assert log_in(Client()).status_code == 422


def test_an_account_another_system_disabled_is_out_at_once(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))
    log_in(client)
    refresh = client.cookies[REFRESH_COOKIE].value
    user_key(user.user_id).update(actions=[UserRow.status.set("disabled")])  # which ends no session

    assert client.get("/staff/").status_code == 303
    with pytest.raises(SessionEnded):
        sessions.refresh(token=refresh, now=now)


def test_a_lost_permission_is_lost_at_the_next_staff_page(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))
    log_in(client)
    assert client.get("/staff/").status_code == 200

    staffing.change_rights(editor=BOSS, user_id=user.user_id, role=Role.CUSTOMER, permissions=frozenset(), now=now)

    assert client.get("/staff/").status_code == 403


def test_who_was_signed_out_a_moment_ago_changes_nothing(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    client.post("/accounts/addresses/add/", ADDRESS | {"kind": "shipping"})
    [entry] = queries.user(user_id=user.user_id).addresses
    of_thief = {name: client.cookies[name].value for name in (ACCESS_COOKIE, REFRESH_COOKIE)}
    sessions.end_other_sessions(viewer=Viewer(user_id=user.user_id, session_id="ses-none"), now=now)
    mine = _start(user, now).session.session_id
    before = items_of("Users")

    for path, fields in {
        "profile/": {"first_name": "Eve", "last_name": "Evil", "phone": ""},
        "addresses/add/": ADDRESS | {"kind": "shipping", "street": "1 Thief Lane"},
        f"addresses/{entry.address_id}/": ADDRESS | {"kind": "shipping", "street": "1 Thief Lane", "seen": "1"},
        f"addresses/{entry.address_id}/default/": {},
        f"addresses/{entry.address_id}/remove/": {},
        "sessions/end/": {"session_id": mine},
        "sessions/end-others/": {},
    }.items():
        thief = Client()
        thief.cookies.load(of_thief)
        answer = thief.post(f"/accounts/{path}", fields)
        assert (path, answer["Location"].partition("?")[0]) == (path, "/accounts/login/")
        assert thief.cookies[ACCESS_COOKIE].value == ""

    assert items_of("Users") == before


def test_an_ended_session_cannot_place_an_order(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    sessions.end_other_sessions(viewer=Viewer(user_id=user.user_id, session_id="ses-none"), now=now)

    client.post("/checkout/place/", {"cart_id": "cart-00000000", "total_seen": "1", "seen": "0" * 20})

    assert items_of("Orders") == []
    assert client.cookies[ACCESS_COOKIE].value == ""


def test_the_second_browser_is_told_of_by_mail_and_the_first_is_not(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    log_in(client)  # known by now
    log_in(Client())

    marks = [item["isNewDevice"]["BOOL"] for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")]
    assert sorted(marks) == [False, False, True]
    assert replace(user, credentials=1) == user


def test_the_mail_about_another_browser_is_sent_once_and_none_when_it_leaves(tables: Any, client: Client, now: datetime) -> None:
    user = make_user(now)
    log_in(client)
    log_in(Client())
    news = [item for item in items_of("Users") if item.get("isNewDevice", {}).get("BOOL")]

    for old, new in [(None, *news), (None, *news), (*news, None)]:
        account_changed(old, new, now=now)

    assert [(message.to, message.subject) for message in mail.outbox] == [([user.email], "A new sign-in at Fernhollow")]


def test_who_comes_from_nowhere_known_is_counted_by_account_alone(tables: Any, now: datetime) -> None:
    user = make_user(now)
    with pytest.raises(sessions.WrongCredentials):
        sessions.authenticate(email=user.email, password="a guess", device=DEVICE, now=now)
    assert len(_limits()) == 1

    assert sessions.authenticate(email=user.email, password=PASSWORD, device=DEVICE, now=now).user_id == user.user_id

    assert _limits() == []


def _limits() -> list[dict[str, Any]]:
    return [item for item in items_of("Users") if item["SK"]["S"] == "LIMIT"]
