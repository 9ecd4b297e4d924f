"""Staff narrow the list of customers down: by what was done with an account, by days, by the end of addresses."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import address_book, queries, sessions
from accounts.domain import Role, SavedAddress, User, UserStatus
from accounts.models import UserRow, user_key
from accounts.saved_filters import filters_of
from accounts.sessions import Device
from shop.lib.viewer import Viewer
from tests.accounts.people import PASSWORD, deliver, link_in, make_user
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
LIST = "/staff/customers/"
HOME = SavedAddress("", "shipping", "1 Hill Rd", "Boston", "MA", "02108", "US", is_default=True, name="Ada King")


def _seen(user: User, at: datetime) -> User:
    """The same person, who signed in at a time."""
    device = Device(known_as="", user_agent="", source="", coarse_source="")
    sessions.start_session(user=user, is_long=False, device=device, now=at)
    return user


def _listed(page: str) -> list[str]:
    """Whose addresses stand in the list, without their domain, from the top."""
    return re.findall(r'data-label="E-mail">([^@<]+)@', page)


def _get(client: Client, **query: str) -> str:
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return answer.content.decode()


def _url_of(rel: str, page: str) -> str:
    found = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else ""


def test_an_account_that_was_just_opened_is_unused_until_somebody_comes_back(now: datetime, client: Client) -> None:
    typed = {"email": "eve@example.com", "first_name": "Eve", "last_name": "Stone", "password": PASSWORD}
    client.post("/accounts/register/", typed)
    client.post(link_in(deliver(now)[0]), {"password": PASSWORD})

    (eve,) = queries.customers(asked=queries.CustomersAsked(tab=queries.Tab.UNUSED)).items
    assert (eve.email, eve.last_login is not None) == ("eve@example.com", True)
    _seen(eve, eve.created_at + timedelta(minutes=2))

    assert queries.customers(asked=queries.CustomersAsked(tab=queries.Tab.UNUSED)).items == ()


def test_each_tab_lists_who_belongs_there(client: Client, sign_in: SignIn, now: datetime) -> None:
    _seen(make_user(now, email="unused@example.com"), now)
    make_user(now, email="never@example.com")
    _seen(make_user(now, email="back@example.com"), now + timedelta(hours=1))
    address_book.add_address(user_id=make_user(now, email="settled@example.com").user_id, entry=HOME, now=now)
    payer = make_user(now, email="payer@example.com")
    user_key(payer.user_id).update(actions=[UserRow.stripe_customer_id.set("cus_1")])
    make_user(now, email="caller@example.com", phone="+1 555 0100")
    make_user(now, email="out@example.com", status=UserStatus.DISABLED)
    make_user(now, email="packer@example.com", role=Role.STAFF, granted=frozenset({"orders.view"}))
    sign_in(client, "customers.view")

    assert sorted(_listed(_get(client))) == ["back", "caller", "never", "out", "payer", "settled", "unused"]
    assert sorted(_listed(_get(client, tab="unused"))) == ["never", "unused"]
    assert _listed(_get(client, tab="out")) == ["out"]
    assert len(_listed(_get(client, tab="nonsense"))) == 7


def test_a_narrowed_list_is_looked_through_page_by_page_and_misses_nobody(
    client: Client, sign_in: SignIn, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "LOOKED_THROUGH", 3)
    for number in range(8):
        user = make_user(now + timedelta(seconds=number), email=f"n{number}@example.com")
        if number in (4, 5, 6, 7):
            _seen(user, now + timedelta(hours=1))
    sign_in(client, "customers.view")

    with counted_calls() as calls:
        first = _get(client, tab="unused")
    second = client.get(_url_of("next", first)).content.decode()
    third = client.get(_url_of("next", second)).content.decode()

    assert calls == ["Query", "BatchGetItem", "GetItem"]  # the last for the filters that are kept
    assert [_listed(page) for page in (first, second, third)] == [[], ["n3", "n2"], ["n1", "n0"]]
    assert "Nobody among the 3 looked through. “Further” looks through the next." in words_of(first)
    assert "2 of up to 3 looked through; “Further” looks at the next" in words_of(second)
    assert _url_of("next", third) == ""
    assert "Nobody is in this list." in words_of(_get(client, tab="unused", until="2001-01-31"))
    assert _listed(client.get(_url_of("prev", third)).content.decode()) == ["n3", "n2"]
    # A cursor is of one question: in another tab it is page one.
    cursor = _url_of("next", second).partition("cursor=")[2]
    assert _listed(client.get(f"{LIST}?tab=&cursor={cursor}").content.decode())[0] == "n7"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("@MAIL.example", ["b", "a"]),
        ("@mail.example.", ["b", "a"]),
        ("@bücher.example", ["c"]),
        ("@xn--bcher-kva.example", ["c"]),
        ("@ail.example", []),
        ("@", []),
        ("@@mail.example", []),
    ],
)
def test_all_addresses_of_a_domain(client: Client, sign_in: SignIn, now: datetime, typed: str, found: list[str]) -> None:
    for number, email in enumerate(("a@mail.example", "b@mail.example", "c@bücher.example", "d@sub.mail.example")):
        make_user(now + timedelta(seconds=number), email=email)
    sign_in(client, "customers.view")

    assert _listed(_get(client, q=typed)) == found


def test_a_domain_goes_with_tabs_and_days_and_somebodys_name_does_not(client: Client, sign_in: SignIn, now: datetime) -> None:
    make_user(now, email="a@mail.example")
    make_user(now, email="b@mail.example", status=UserStatus.DISABLED)
    sign_in(client, "customers.view")

    page = _get(client, q="@mail.example", tab="out", since=f"{now:%Y-%m-%d}")
    assert _listed(page) == ["b"]
    assert f'<a href="/staff/customers/?q=%40mail.example&amp;tab=unused&amp;since={now:%Y-%m-%d}">Never used</a>' in page
    assert '<a href="/staff/customers/?tab=unused">Never used</a>' in _get(client, q="a@mail.example")


def test_days_are_from_midnight_to_midnight(client: Client, sign_in: SignIn) -> None:
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    day = 24 * 60 * 60
    for name, seconds in (("before", -1), ("first", 0), ("late", day - 1), ("last", day - 0.5), ("after", day)):
        make_user(midnight + timedelta(seconds=seconds), email=f"{name}@example.com")
    sign_in(client, "customers.view")

    assert sorted(_listed(_get(client, since="2026-03-02", until="2026-03-02"))) == ["first", "last", "late"]
    assert _listed(_get(client, since="2026-03-03")) == ["after"]
    assert _listed(_get(client, until="2026-03-01", tab="unused")) == ["before"]
    assert len(_listed(_get(client, since="yesterday", until="2026-13-01"))) == 5
    assert "Nobody came on these days." in _get(client, since="2026-03-03", until="2026-03-02")


@pytest.mark.parametrize(
    ("permissions", "tab", "offered"),
    [
        ([], "", []),
        (["customers.edit"], "unused", ["Shut out …"]),
        (["customers.edit"], "out", ["Let in again …"]),
        (["customers.data"], "out", ["Erase …"]),
        (["customers.data"], "unused", []),
        (["customers.edit", "customers.data"], "", ["Shut out …", "Let in again …", "Erase …"]),
    ],
)
def test_what_is_offered_for_those_ticked(
    client: Client, sign_in: SignIn, now: datetime, permissions: list[str], tab: str, offered: list[str]
) -> None:
    make_user(now)
    make_user(now, email="out@example.com", status=UserStatus.DISABLED)
    sign_in(client, "customers.view", *permissions)

    page = _get(client, tab=tab)

    assert [words for words in ("Shut out …", "Let in again …", "Erase …") if f">{words}</button>" in page] == offered
    assert page.count('name="id"') == (len(_listed(page)) if offered else 0)


def test_staff_are_not_ticked_and_all_can_be_without_a_script(client: Client, sign_in: SignIn, now: datetime) -> None:
    make_user(now)
    make_user(now, email="packer@example.com", role=Role.STAFF, granted=frozenset({"orders.view"}))
    deliver(now)
    sign_in(client, "customers.view", "customers.edit")

    page = _get(client, q="lovelace")
    assert (sorted(_listed(page)), page.count('name="id"'), page.count(" checked")) == (["ada", "packer"], 1, 0)
    all_ticked = re.search(r'<a class="more" href="([^"]+)">Tick all', page)
    assert all_ticked
    assert client.get(all_ticked[1].replace("&amp;", "&")).content.decode().count(" checked") == 1


def test_a_filter_of_customers_is_kept(client: Client, sign_in: SignIn) -> None:
    viewer = sign_in(client, "customers.view")
    kept: dict[str, Any] = {"name": "Robots", "query": "tab=unused&q=%40mail.example&cursor=x&ticked=all"}

    client.post("/staff/filters/customers/", kept)

    assert [(one.listed, one.query) for one in filters_of(user_id=viewer.user_id)] == [
        ("customers", "q=%40mail.example&tab=unused")
    ]
    assert "Robots" in words_of(_get(client))
