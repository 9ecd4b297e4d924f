"""Staff's page of a customer: what they bought, notes, and all that is kept handed out or erased."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from accounts import queries as accounts
from accounts import staffing
from accounts.domain import Role, User
from accounts.models import UserRow, user_key
from accounts.queries import UserNotFound
from accounts.reactions import account_changed
from orders import queries, services
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.accounts.people import make_user
from tests.conftest import counted_calls, items_of, words_of
from tests.orders.paid import paid_order, usd
from tests.rivals import run_around

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


@pytest.fixture
def ada(now: datetime) -> User:
    return make_user(now)


def _page(client: Client, user: User) -> str:
    return words_of(client.get(f"/staff/customers/{user.user_id}/").content.decode())


def _entries(user: User) -> list[str]:
    """What the audit trail says was done; entries of one second come in any order."""
    return sorted(entry.action for entry in accounts.entries_about(user_id=user.user_id).items)


def _kept(user: User) -> list[str]:
    return sorted(item["SK"]["S"].split("#")[0] for item in items_of("Users") if item["PK"]["S"] == f"USER#{user.user_id}")


def test_what_somebody_spent_and_their_latest_orders(
    client: Client, sign_in: SignIn, stripe: FakeStripe, ada: User, now: datetime
) -> None:
    owner = Owner(ada.user_id, is_guest=False)
    mug = factories.make_product(price=usd(2400))
    for _ in range(2):
        order = paid_order(stripe, owner, {mug.product_id: 1}, now)
    services.request_refund(
        order=order, number=1, lines={mug.product_id: 1}, delivery=False, extra=None, restock=False, note="", actor="x", now=now
    )
    factories.make_order(owner, {mug.product_id: 3}, now)
    sign_in(client, "customers.view", "orders.view")

    page = _page(client, ada)

    assert "Spent $71.82 Paid orders 2 Average order $35.91 Refunded $25.92" in page
    assert page.count("ord-") == 3
    assert "Waiting for payment" in page

    sign_in(client, "customers.view")
    page = _page(client, ada)
    assert ("Spent" in page, "ord-" in page) == (False, False)


def test_the_page_costs_the_same_for_few_and_for_many_orders(client: Client, sign_in: SignIn, ada: User, now: datetime) -> None:
    sign_in(client, role="admin")
    owner = Owner(ada.user_id, is_guest=False)
    mug = factories.make_product(inventory=60)
    costs = []
    for most in (1, 14):
        for _ in range(most):
            factories.make_order(owner, {mug.product_id: 1}, now)
        with counted_calls() as calls:
            _page(client, ada)
        costs.append(calls)
    assert costs[0] == costs[1]
    assert len(costs[0]) <= 7


def test_a_note_says_who_and_when_and_is_in_the_audit_trail(client: Client, sign_in: SignIn, ada: User) -> None:
    sign_in(client, "customers.view")

    answer = client.post(f"/staff/customers/{ada.user_id}/notes/", {"text": "Calls <b>often</b>"}, follow=True)

    assert "Calls <b>often</b> Ada Lovelace," in words_of(answer.content.decode())
    assert "Calls &lt;b&gt;often" in answer.content.decode()
    (note,) = accounts.notes_about(user_id=ada.user_id)
    assert (note.text, note.actor) == ("Calls <b>often</b>", "Ada Lovelace")
    assert _entries(ada) == ["wrote a note"]

    client.post(f"/staff/customers/{ada.user_id}/notes/", {"text": "  "})
    assert client.post("/staff/customers/user-nobody/notes/", {"text": "Hello"}).status_code == 404
    assert len(accounts.notes_about(user_id=ada.user_id)) == 1
    assert [item for item in items_of("Users") if "user-nobody" in item["PK"]["S"]] == []


def test_what_is_kept_is_handed_out_after_the_address_was_typed(client: Client, sign_in: SignIn, ada: User) -> None:
    sign_in(client, "customers.view", "customers.data")
    client.post(f"/staff/customers/{ada.user_id}/notes/", {"text": "Calls often"})
    url = f"/staff/customers/{ada.user_id}/data/"
    for typed in ("", "eve@example.com", "nonsense"):
        refused = client.post(url, {"typed": typed})
        assert (refused.status_code, refused["Content-Type"]) == (422, "text/html; charset=utf-8")
    assert _entries(ada) == ["wrote a note"]

    answer = client.post(url, {"typed": "ADA@example.com"})

    assert answer["Content-Disposition"].startswith(f'attachment; filename="data-{ada.user_id}-')
    assert "no-store" in answer["Cache-Control"]
    kept = json.loads(answer.content)
    assert (kept["profile"]["email"], [note["text"] for note in kept["notes"]]) == ("ada@example.com", ["Calls often"])
    assert _entries(ada) == ["took out the data", "wrote a note"]


@pytest.mark.parametrize(("is_gone", "status"), [(False, 303), (True, 404)])
def test_nothing_is_handed_out_about_somebody_who_joins_the_team_or_leaves_at_this_moment(
    client: Client, sign_in: SignIn, ada: User, is_gone: bool, status: int
) -> None:
    sign_in(client, "customers.view", "customers.data")
    row = user_key(ada.user_id)

    def meanwhile() -> None:
        if is_gone:
            row.delete()
        else:
            row.update(actions=[UserRow.role.set(Role.ADMIN)])

    with run_around(staffing, "note_export", meanwhile, when="before"):
        answer = client.post(f"/staff/customers/{ada.user_id}/data/", {"typed": "ada@example.com"})

    assert (answer.status_code, answer.get("Content-Disposition"), _entries(ada)) == (status, None, [])


def test_an_account_is_erased_after_the_address_was_typed(
    client: Client, sign_in: SignIn, stripe: FakeStripe, ada: User, now: datetime, mailoutbox: list[Any]
) -> None:
    owner = Owner(ada.user_id, is_guest=False)
    mug = factories.make_product()
    paid = paid_order(stripe, owner, {mug.product_id: 1}, now)
    waiting = factories.make_order(owner, {mug.product_id: 1}, now)
    sign_in(client, "customers.view", "customers.data")
    client.post(f"/staff/customers/{ada.user_id}/notes/", {"text": "Calls often"})
    url = f"/staff/customers/{ada.user_id}/erase/"
    assert client.post(url, {"typed": "eve@example.com"}).status_code == 422
    assert "PROFILE" in _kept(ada)

    profile = next(item for item in items_of("Users") if item["SK"]["S"] == "PROFILE")
    answer = client.post(url, {"typed": "ada@example.com"})

    assert (answer.status_code, answer["Location"]) == (303, "/staff/customers/")
    with pytest.raises(UserNotFound):
        accounts.user(user_id=ada.user_id)
    assert _kept(ada) == ["AUDIT", "AUDIT"]
    assert _entries(ada) == ["erased the account", "wrote a note"]
    audited = json.dumps([item for item in items_of("Users") if item["SK"]["S"].startswith("AUDIT")])
    assert "ada@example.com" not in audited
    assert queries.order_by_id(order_id=paid.order_id).status == "processing"
    assert queries.order_by_id(order_id=waiting.order_id).status == "cancelled"
    account_changed(profile, None, now=now)
    assert [message.to for message in mailoutbox] == [["ada@example.com"]]


def test_silence_of_stripe_keeps_the_account(client: Client, sign_in: SignIn, stripe: FakeStripe, now: datetime) -> None:
    ada = make_user(now)
    owner = Owner(ada.user_id, is_guest=False)
    factories.open_payment(factories.make_order(owner, {factories.make_product().product_id: 1}, now))
    stripe.faults.api.append(ApiFault("error_before", method="DELETE", times=9))
    sign_in(client, "customers.view", "customers.data")

    answer = client.post(f"/staff/customers/{ada.user_id}/erase/", {"typed": "ada@example.com"}, follow=True)

    assert "Stripe does not answer just now" in words_of(answer.content.decode())
    assert "PROFILE" in _kept(ada)
    assert _entries(ada) == []


@pytest.mark.parametrize("what", ["data", "erase"])
def test_nobody_of_staff_is_handed_out_or_erased(client: Client, sign_in: SignIn, now: datetime, what: str) -> None:
    boss = make_user(now, role=Role.STAFF)
    sign_in(client, role="admin")
    before = _kept(boss)

    for answer in (
        client.get(f"/staff/customers/{boss.user_id}/{what}/"),
        client.post(f"/staff/customers/{boss.user_id}/{what}/", {"typed": "ada@example.com"}),
    ):
        assert (answer.status_code, answer["Location"]) == (303, f"/staff/customers/{boss.user_id}/")
    assert _kept(boss) == before
    assert "Erase the account" not in _page(client, boss)
