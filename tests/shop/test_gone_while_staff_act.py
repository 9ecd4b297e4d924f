"""What a form of staff's pages is about goes at any moment of sending it: an answer in words each time, never an error page.

A new address that takes a form is tried by its line in the table of `test_mass_assignment_staff`.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts import staffing
from accounts.domain import Role, UserStatus
from orders.ledger_domain import Finding, FindingKind
from orders.noting import note_finding
from shop.lib.tables import table_name
from shop.lib.viewer import Viewer
from tests import factories
from tests.accounts.people import make_user
from tests.catalog.test_reviews import review_of
from tests.rivals import at_each_instant
from tests.shop.forms_of_pages import forms_of
from tests.shop.test_mass_assignment_staff import FORMS, Form

FINDING = "/staff/reconciliation/stock/{mug}/"
OTHERS = {
    "a review is approved": Form("/staff/reviews/{mug}/{review}/", filled={"status": "approved", "seen": "pending"}),
    "a review is rejected": Form("/staff/reviews/{mug}/{review}/", filled={"status": "rejected", "seen": "pending"}),
    "a finding is put right": Form(FINDING, filled={"way": "put_right"}),
    "a finding is dismissed": Form(FINDING, filled={"way": "dismiss", "note": "Counted."}),
    "a customer gets rights": Form("/staff/team/{customer}/", filled={"role": "staff", "permissions": "orders.view"}),
}
"""Forms of things that `FORMS` has none of, or not in every way they can be sent."""
THINGS: dict[str, tuple[str, str, str, Callable[[Form], bool]]] = {
    "customer": ("Users", "USER#{customer}", "PROFILE", lambda form: "{customer}" in form.path),
    "member": ("Users", "USER#{member}", "PROFILE", lambda form: "{member}" in form.path),
    "one of several": ("Users", "USER#{idle}", "PROFILE", lambda form: "{idle}" in form.page),
    "one of several who are shut out": ("Users", "USER#{out}", "PROFILE", lambda form: "{out}" in form.page),
    "product": ("Products", "PRODUCT#{mug}", "METADATA", lambda form: "{mug}" in f"{form}" or "{sku}" in f"{form}"),
    "product never sold": ("Products", "PRODUCT#{spare}", "METADATA", lambda form: "{spare}" in form.path),
    "category": ("Products", "CATEGORIES", "CATEGORY#glass", lambda form: "/glass/" in form.path),
    "code": ("Carts", "DISCOUNTS", "SPRING", lambda form: "/SPRING/" in form.path),
    "review": ("Products", "PRODUCT#{mug}", "REVIEW#{review}", lambda form: "{review}" in form.path),
    "finding": ("Orders", "FINDINGS", "stock#{mug}", lambda form: form.path == FINDING),
}


@pytest.fixture
def ids(tables: Any, client: Client, now: datetime, sign_in: Callable[..., Viewer]) -> dict[str, str]:
    """What the forms are about."""
    sign_in(client, role="admin")
    factories.make_category()
    mug = factories.make_product()
    note_finding(Finding(FindingKind.STOCK, mug.product_id, now, "3 more than were moved."))
    client.post("/staff/new-category/", {"name": "Glass"})
    client.post("/staff/discounts/new/", {"code": "SPRING", "kind": "percent", "percent": "10"})
    return {
        "mug": mug.product_id,
        "sku": mug.sku,
        "spare": factories.make_product().product_id,
        "review": review_of(mug.product_id, now).review_id,
        "customer": make_user(now, email="grace@example.com").user_id,
        "idle": make_user(now, email="idle@example.com").user_id,
        "out": make_user(now, email="out@example.com", status=UserStatus.DISABLED).user_id,
        "member": make_user(now, email="boris@example.com", role=Role.STAFF, granted=frozenset({"orders.view"})).user_id,
    }


@pytest.mark.parametrize("thing", THINGS)
def test_what_goes_at_any_moment_is_told_in_words(
    client: Client, tables: Any, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch, thing: str
) -> None:
    name, pk, sk, is_about = THINGS[thing]
    table, key = table_name(name), {"PK": {"S": pk.format(**ids)}, "SK": {"S": sk.format(**ids)}}
    item = tables.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    client.raise_request_exception = False
    monkeypatch.setattr(staffing, "count_try", lambda *_, **__: None)
    copy = {"PK": {"S": f"SKU#{ids['sku']}-COPY"}, "SK": {"S": "SKU"}}
    tried: dict[str, list[int]] = {}

    def begin_anew() -> None:
        tables.put_item(TableName=table, Item=item)
        tables.delete_item(TableName=table_name("Products"), Key=copy)  # else each copy takes a call more to find its SKU

    def at_each(name: str, ask: Callable[[], Any]) -> None:
        def attempt() -> int:
            begin_anew()
            return int(ask().status_code)

        tried[name] = at_each_instant(lambda: tables.delete_item(TableName=table, Key=key), attempt)

    for name, form in {**FORMS, **OTHERS}.items():
        if is_about(form):
            begin_anew()
            path, page = form.path.format(**ids), (form.page or form.path).format(**ids)
            filled = {one.format(**ids): text.format(**ids) for one, text in form.filled.items()}
            fields = forms_of(client, page).get(path, {}) | filled
            at_each(name, partial(client.post, path, fields))
            if page not in tried:
                at_each(page, partial(client.get, page))
    assert {name: found for name, found in tried.items() if max(found) >= 500} == {}
    # A page of several goes on without the one who is gone.
    assert sum(404 in found for found in tried.values()) > 1 or thing.startswith("one of several")
