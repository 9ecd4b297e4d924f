"""The audit trail: what staff did, by month and table."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from shop.lib.money import Money
from tests import factories
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

    assert calls == ["Query", "BatchGetItem", "BatchGetItem"]  # the keys, the entries, the names
    assert "Ada Lovelace changed the rights Ada Lovelace Role: Customer → Staff May now: See orders" in words_of(people)
    assert f'href="/staff/customers/{user.user_id}/"' in people
    assert "dismissed" in orders
    assert "<script>alert" not in orders


def test_what_was_changed_goes_by_its_name_and_by_its_number_once_it_is_gone(
    client: Client, sign_in: SignIn, now: datetime
) -> None:
    sign_in(client, "audit.view", "products.view", "products.edit", "stock.edit")
    mugs = [factories.make_product(name=f"Mug {number}", sku=f"MUG-{number}", inventory=5) for number in (1, 2)]
    for mug in mugs:
        assert client.post("/staff/stock/change/", {"reason": "received", f"stock.{mug.product_id}.5": "+2"}).status_code == 303
    factories.delete_product(mugs[1].product_id)

    page = client.get("/staff/audit/").text

    assert f'<a href="/staff/products/{mugs[0].product_id}/">Mug 1 (MUG-1)</a>' in page
    assert f'<a href="/staff/products/{mugs[1].product_id}/">{mugs[1].product_id}</a>' in page


def test_fields_are_called_as_the_editor_calls_them(client: Client, sign_in: SignIn) -> None:
    sign_in(client, "audit.view", "products.view", "products.edit")
    mug = factories.make_product(name="Mug", sku="MUG", slug="mug", compare_at_price=Money(3000, "USD"))
    assert client.post(f"/staff/products/{mug.product_id}/duplicate/").status_code == 303

    page = words_of(client.get("/staff/audit/").text)

    assert "Address: mug-copy" in page
    assert "Old price: 30.00 USD" in page
    assert "SKU: MUG-COPY" in page
    assert "Compare_at" not in page


def test_who_may_not_open_a_page_is_not_led_there(client: Client, sign_in: SignIn, now: datetime) -> None:
    user, mug = make_user(now), factories.make_product(name="Mug", sku="MUG", inventory=5)
    sign_in(client, role="admin")
    client.post(f"/staff/team/{user.user_id}/", {"role": "staff", "permissions": ["orders.view"]})
    client.post("/staff/stock/change/", {"reason": "received", f"stock.{mug.product_id}.5": "+2"})
    sign_in(client, "audit.view")

    pages = {of: client.get("/staff/audit/", {"of": of}).text for of in ("products", "people")}

    assert ("Mug (MUG)" in pages["products"], f"/staff/products/{mug.product_id}/" in pages["products"]) == (True, False)
    assert ("See orders" in pages["people"], f"/staff/customers/{user.user_id}/" in pages["people"]) == (True, False)


def test_months_and_nonsense(client: Client, sign_in: SignIn, now: datetime) -> None:
    user = make_user(now)
    sign_in(client, role="admin")
    client.post(f"/staff/customers/{user.user_id}/sign-out/")
    client.post(f"/staff/customers/{user.user_id}/status/", {"status": "disabled"})

    people = words_of(client.get("/staff/audit/", {"of": "people"}).text)
    assert "Status: May sign in → Shut out" in people
    assert "shut out" in client.get("/staff/audit/", {"of": "people", "month": f"{now:%Y-%m}"}).content.decode()
    assert "Nothing was changed here in March 2020" in client.get("/staff/audit/?of=people&month=2020-03").content.decode()
    for nonsense in ("month=2020-13", "month=x", "of=x", "cursor=x", "month=2099-12&of=people", "month=2000-01"):
        assert client.get(f"/staff/audit/?{nonsense}").status_code == 200
