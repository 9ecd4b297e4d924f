"""Several customers at once: who is meant, who is left alone, and what is told of each."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import queries as accounts
from accounts import sessions, staffing
from accounts.domain import Role, User, UserStatus
from accounts.models import UserRow, user_key
from accounts.sessions import Device
from orders import customer_bulk_views, leaving, staff_forms, sweeping
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from shop.lib.viewer import Permission, Viewer
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.accounts.people import make_user, trail_of
from tests.conftest import TABLES, counted_calls, items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
SEVERAL, ERASE = "/staff/customers/several/", "/staff/customers/several/erase/"
EVE = Viewer(user_id="user-eve", name="Eve", role="admin", permissions=frozenset(Permission))
SHUT_OUT = ("shut out", [("status", "May sign in", "Shut out")])


@pytest.fixture
def three(now: datetime) -> list[User]:
    """Customers, each signed in somewhere."""
    found = [make_user(now, email=f"{name.lower()}@mail.example", first_name=name) for name in ("Ada", "Bob", "Cy")]
    for user in found:
        device = Device(known_as="", user_agent="", source="", coarse_source="")
        sessions.start_session(user=user, is_long=True, device=device, now=now)
    return found


@pytest.fixture
def shut(now: datetime) -> list[User]:
    """Customers who are shut out."""
    names = ("Ada", "Bob", "Cy")
    return [make_user(now, email=f"{one.lower()}@mail.example", first_name=one, status=UserStatus.DISABLED) for one in names]


def _ids(users: list[User]) -> list[str]:
    return [user.user_id for user in users]


def _statuses(users: list[User]) -> list[str]:
    return [accounts.user(user_id=user.user_id).status for user in users]


def _there(users: list[User]) -> list[str]:
    return [user.first_name for user in accounts.people_by_ids(user_ids=_ids(users))]


def _everything() -> list[list[str]]:
    return [sorted(map(str, items_of(table))) for table in TABLES]


def _post(client: Client, url: str, users: list[User], **more: Any) -> str:
    """What the page says that the answer leads to."""
    answer = client.post(url, {"id": _ids(users), **more}, follow=True)
    assert answer.status_code == 200
    return words_of(answer.content.decode())


def test_several_are_shut_out_each_with_its_entry_and_let_in_again(client: Client, sign_in: SignIn, three: list[User]) -> None:
    sign_in(client, "customers.view", "customers.edit")
    before = _everything()

    asked = words_of(client.get(SEVERAL, {"id": _ids(three[:2]), "act": "shut-out"}).content.decode())

    assert "Shut out: 2 customers" in asked
    assert ["Ada Lovelace" in asked, "Bob Lovelace" in asked, "Cy Lovelace" in asked] == [True, True, False]
    assert _everything() == before

    told = _post(client, SEVERAL, three[:2], act="shut-out")

    assert "2 accounts were shut out." in told
    assert _statuses(three) == ["disabled", "disabled", "active"]
    assert [trail_of(user) for user in three] == [[SHUT_OUT], [SHUT_OUT], []]
    left = {item["PK"]["S"] for item in items_of("Users") if item["SK"]["S"].startswith("SESSION#")}
    assert left == {f"USER#{three[2].user_id}"}

    assert "2 accounts were let in again." in _post(client, SEVERAL, three[:2], act="let-in")
    assert _statuses(three) == ["active"] * 3
    assert sorted(action for action, _ in trail_of(three[0])) == ["let in again", "shut out"]


def test_pressed_twice_it_is_done_once(client: Client, sign_in: SignIn, three: list[User]) -> None:
    sign_in(client, "customers.view", "customers.edit")
    _post(client, SEVERAL, three[:1], act="shut-out")
    before = _everything()

    told = _post(client, SEVERAL, three[:1], act="shut-out")

    assert "1 account was left alone: Ada Lovelace (is shut out already)." in told
    assert _everything() == before


@pytest.mark.parametrize(("url", "act"), [(SEVERAL, "shut-out"), (SEVERAL, "let-in"), (ERASE, "")])
def test_staff_are_never_among_them(client: Client, sign_in: SignIn, now: datetime, url: str, act: str) -> None:
    status = UserStatus.ACTIVE if act == "shut-out" else UserStatus.DISABLED
    staff = [
        make_user(now, email="packer@example.com", role=Role.STAFF, granted=frozenset({"orders.view"}), status=status),
        make_user(now, email="boss@example.com", role=Role.ADMIN, status=status),
    ]
    viewer = sign_in(client, role="admin")
    staff.append(make_user(now, user_id=viewer.user_id, email="me@example.com", role=Role.ADMIN, status=status))
    before = _everything()

    asked = words_of(client.get(url, {"id": _ids(staff), "act": act}).content.decode())
    told = _post(client, url, staff, act=act, typed="3")

    assert asked.count(": is staff") == 3
    assert "Nobody of those ticked can be" in asked
    assert told.count("(is staff)") == 3
    assert _everything() == before


def test_nobody_does_it_to_themselves(now: datetime) -> None:
    me = make_user(now)
    editor = Viewer(user_id=me.user_id, role="customer", permissions=frozenset(Permission))
    before = _everything()

    swept = sweeping.sweep(act=sweeping.Act.SHUT_OUT, editor=editor, user_ids=[me.user_id], now=now)

    assert (swept.done, [why for _, why in swept.left]) == ((), ["not yours to change"])
    assert _everything() == before


def test_behind_the_page_each_is_refused_once_more(now: datetime) -> None:
    packer = make_user(now, role=Role.STAFF, granted=frozenset({"orders.view"}))
    customer = make_user(now, email="cy@mail.example")
    before = _everything()

    for user, status in ((packer, UserStatus.DISABLED), (customer, UserStatus.ACTIVE)):
        with pytest.raises(staffing.NotAllowed):
            staffing.change_customers_status(editor=EVE, user=user, status=status, now=now)
        with pytest.raises(staffing.NotAllowed):
            leaving.erase_unused(editor=EVE, user=user, now=now)

    assert _everything() == before


def test_who_is_changed_by_somebody_else_at_this_moment_is_told_and_the_others_go_on(
    client: Client, sign_in: SignIn, three: list[User], now: datetime
) -> None:
    sign_in(client, "customers.view", "customers.edit")

    def quicker() -> None:
        staffing.change_status(editor=EVE, user_id=three[0].user_id, status=UserStatus.DISABLED, now=now)

    with run_before("TransactWriteItems", quicker):
        told = _post(client, SEVERAL, three, act="shut-out")

    assert "2 accounts were shut out." in told
    assert "1 account was left alone: Ada Lovelace (changed by somebody else at this moment)." in told
    assert [trail_of(user) for user in three] == [[SHUT_OUT]] * 3
    assert [accounts.entries_about(user_id=user.user_id).items[0].actor_name for user in three[:2]] == ["Eve", "Ada Lovelace"]


def test_who_joins_the_team_or_leaves_at_this_moment_is_left_alone(client: Client, sign_in: SignIn, three: list[User]) -> None:
    sign_in(client, "customers.view", "customers.edit")

    def joins() -> None:
        user_key(three[0].user_id).update(actions=[UserRow.role.set(Role.STAFF)])
        user_key(three[1].user_id).delete()

    with run_before("TransactWriteItems", joins):
        told = _post(client, SEVERAL, [*three, replace(three[0], user_id="user-nobody")], act="shut-out")

    assert "1 account was shut out." in told
    assert "2 accounts were left alone: Ada Lovelace (changed by somebody else at this moment), Bob Lovelace (changed" in told
    assert "1 account was not there any more." in told
    assert _there(three) == ["Ada", "Cy"]
    assert _statuses([three[0], three[2]]) == ["active", "disabled"]
    assert [trail_of(user) for user in three] == [[], [], [SHUT_OUT]]


def test_those_who_never_ordered_are_erased_after_their_number_was_typed(
    client: Client, sign_in: SignIn, shut: list[User], now: datetime
) -> None:
    factories.make_order(Owner(shut[2].user_id, is_guest=False), {factories.make_product().product_id: 1}, now)
    active = make_user(now, email="dee@mail.example", first_name="Dee")
    everybody = [*shut, active]
    sign_in(client, "customers.view", "customers.data")
    before = _everything()

    asked = words_of(client.get(ERASE, {"id": _ids(everybody)}).content.decode())
    assert "Erase: 2 customers" in asked
    assert "Cy Lovelace, cy@mail.example: has ordered" in asked
    assert "Dee Lovelace, dee@mail.example: is not shut out" in asked
    for typed in ("", "3", "two"):
        refused = client.post(ERASE, {"id": _ids(shut[:2]), "typed": typed})
        assert refused.status_code == 422
        assert "You were asked about 2. Nothing was done." in words_of(refused.content.decode())
    assert _everything() == before

    told = _post(client, ERASE, everybody, typed=" 4 ")

    assert "2 accounts were erased." in told
    assert "2 accounts were left alone: Cy Lovelace (has ordered), Dee Lovelace (is not shut out)." in told
    assert _there(everybody) == ["Cy", "Dee"]
    assert [trail_of(user) for user in everybody] == [[("erased the account", [])]] * 2 + [[], []]
    assert make_user(now, email="ada@mail.example").email == "ada@mail.example"  # the address is free again
    assert "2 accounts were not there any more." in _post(client, ERASE, shut[:2], typed="2")


@pytest.mark.parametrize("change", [UserRow.status.set(UserStatus.ACTIVE), UserRow.role.set(Role.STAFF)], ids=["let in", "staff"])
def test_who_is_let_in_or_joins_the_team_at_this_moment_is_not_erased(
    client: Client, sign_in: SignIn, shut: list[User], change: Any
) -> None:
    sign_in(client, "customers.view", "customers.data")

    with run_before("TransactWriteItems", lambda: user_key(shut[0].user_id).update(actions=[change])):
        told = _post(client, ERASE, shut[:2], typed="2")

    assert "1 account was erased." in told
    assert "1 account was left alone: Ada Lovelace (changed by somebody else at this moment)." in told
    assert _there(shut) == ["Ada", "Cy"]
    assert trail_of(shut[0]) == []


def test_silence_of_stripe_keeps_an_account(client: Client, sign_in: SignIn, stripe: FakeStripe, shut: list[User]) -> None:
    user_key(shut[0].user_id).update(actions=[UserRow.stripe_customer_id.set("cus_1")])
    stripe.faults.api.append(ApiFault("error_before", method="DELETE", times=9))
    sign_in(client, "customers.view", "customers.data")

    told = _post(client, ERASE, shut[:2], typed="2")

    assert "1 account was erased." in told
    assert "Ada Lovelace (Stripe did not answer)" in told
    assert _there(shut) == ["Ada", "Cy"]


def test_what_the_tables_and_the_time_leave_undone_is_told(
    client: Client, sign_in: SignIn, three: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client, "customers.view", "customers.edit")
    left, real = iter([9.0, 9.0, 4.9]), staffing.change_customers_status
    monkeypatch.setattr(sweeping, "time_left", lambda: next(left))

    def busy(*, user: User, **more: Any) -> None:
        if user.first_name == "Ada":
            raise Busy
        real(user=user, **more)

    monkeypatch.setattr(staffing, "change_customers_status", busy)

    told = _post(client, SEVERAL, three, act="shut-out")

    assert "1 account was shut out." in told
    assert "1 account was left alone: Ada Lovelace (the tables were busy)." in told
    assert "1 account was not reached in time, so tick them once more: Cy Lovelace." in told
    assert _statuses(three) == ["active", "disabled", "active"]


def test_at_most_a_page_of_the_list_at_once(
    client: Client, sign_in: SignIn, three: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sweeping.MOST == accounts.LOOKED_THROUGH == 100
    monkeypatch.setattr(staff_forms, "MOST", 2)
    sign_in(client, "customers.view", "customers.edit")

    told = _post(client, SEVERAL, [three[0], three[0], *three], act="shut-out")

    assert "2 accounts were shut out." in told
    assert _statuses(three) == ["disabled", "disabled", "active"]


def test_a_look_and_a_change_cost_a_few_calls_each(client: Client, sign_in: SignIn, three: list[User]) -> None:
    sign_in(client, "customers.edit")

    with counted_calls() as look:
        client.get(SEVERAL, {"id": _ids(three), "act": "shut-out"})
    with counted_calls() as change:
        client.post(SEVERAL, {"id": _ids(three), "act": "shut-out"})

    assert look == ["BatchGetItem", "Query", "Query", "Query"]
    assert change == ["BatchGetItem", *["TransactWriteItems", "Query", "DeleteItem"] * 3]


def test_a_message_names_a_few_and_counts_the_rest(client: Client, sign_in: SignIn, now: datetime) -> None:
    many = [
        make_user(
            now + timedelta(seconds=number), email=f"n{number}@example.com", first_name="ü" * 50, status=UserStatus.DISABLED
        )
        for number in range(7)
    ]
    sign_in(client, "customers.view", "customers.edit")

    told = _post(client, SEVERAL, many, act="shut-out")

    assert f"7 accounts were left alone: {'ü' * customer_bulk_views._LONGEST_NAME} (is shut out already), " in told
    assert "(is shut out already) and 2 more." in told


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"act": "shut-out"}, "Tick the customers first"),
        ({"act": "shut-out", "id": "no id!"}, "Tick the customers first"),
        ({"act": "erase", "id": "user-1"}, "Choose what to do with those ticked."),
        ({"id": "user-1"}, "Choose what to do with those ticked."),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_cannot_be_asked_leads_back_to_the_list(
    client: Client, sign_in: SignIn, method: str, query: dict[str, str], said: str
) -> None:
    sign_in(client, role="admin")
    before = _everything()

    answer = getattr(client, method)(SEVERAL, {**query, "next": "https://evil.example/"}, follow=True)

    assert answer.redirect_chain == [("/staff/customers/", 303)]
    assert said in words_of(answer.content.decode())
    assert _everything() == before


def test_it_leads_back_to_the_list_as_it_was_narrowed(client: Client, sign_in: SignIn, three: list[User]) -> None:
    sign_in(client, "customers.view", "customers.edit")

    answer = client.post(SEVERAL, {"id": _ids(three), "act": "shut-out", "next": "/staff/customers/?tab=unused"})

    assert (answer.status_code, answer["Location"]) == (303, "/staff/customers/?tab=unused")
