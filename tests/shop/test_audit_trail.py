"""The audit trail: what staff did, by month and table."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from tests.accounts.people import make_user
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


def test_each_change_is_told_with_before_and_after(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    note_finding(Finding(FindingKind.STOCK, "prod-1", now, "<script>alert(1)</script>"))
    sign_in(client, role="admin")
    client.post(f"/staff/team/{user.user_id}/", {"role": "staff", "permissions": ["orders.view"]})
    client.post("/staff/reconciliation/stock/prod-1/", {"way": "dismiss", "note": "Counted"})

    with counted_calls() as calls:
        people = client.get("/staff/audit/", {"of": "people"}).content.decode()
    orders = client.get("/staff/audit/", {"of": "orders"}).content.decode()

    assert calls == ["Query", "BatchGetItem"]
    assert f"Ada Lovelace changed the rights {user.user_id} Role: Customer → Staff May now: See orders" in words_of(people)
    assert f'href="/staff/customers/{user.user_id}/"' in people
    assert "dismissed" in orders
    assert "<script>alert" not in orders


def test_months_and_nonsense(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, role="admin")
    client.post(f"/staff/customers/{user.user_id}/sign-out/")
    client.post(f"/staff/customers/{user.user_id}/status/", {"status": "disabled"})

    assert "shut out" in client.get("/staff/audit/", {"of": "people", "month": f"{now:%Y-%m}"}).content.decode()
    assert "Nothing was changed here in March 2020" in client.get("/staff/audit/?of=people&month=2020-03").content.decode()
    for nonsense in ("month=2020-13", "month=x", "of=x", "cursor=x", "month=2099-12&of=people", "month=2000-01"):
        assert client.get(f"/staff/audit/?{nonsense}").status_code == 200
