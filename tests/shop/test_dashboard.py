"""The dashboard: the figures of a period beside the one before, what waits, and what it costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from pynamodb.transactions import TransactWrite

from orders.ledger_domain import Finding, FindingKind
from orders.noting import count, note_finding
from shop.lib.owner import Owner
from shop.lib.transactions import run_transaction
from tests import factories
from tests.conftest import counted_calls, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., object]


def _happened(at: datetime, **figures: object) -> None:
    def build(txn: TransactWrite) -> None:
        count(txn, at, "USD", **figures)

    run_transaction(build)


def test_figures_of_a_week_beside_the_week_before(client: Client, sign_in: SignIn, now: datetime) -> None:
    _happened(now, orders=2, revenue=Decimal("30.00"), failed_payments=1)
    _happened(now - timedelta(days=6), orders=1, revenue=Decimal("15.50"), refunds=1, refunded=Decimal("5.00"))
    _happened(now - timedelta(days=7), orders=2, revenue=Decimal("91.00"))
    _happened(now - timedelta(days=14), orders=9, revenue=Decimal("900.00"))
    sign_in(client, "figures.view")

    page = words_of(client.get("/staff/").content.decode())

    assert "Sales $45.50 −50 % ($91.00)" in page
    assert "Orders 3 +50 % (2)" in page
    assert "Average order $15.16 −67 % ($45.50)" in page
    assert "Refunds $5.00 none before ($0.00)" in page
    assert "Failed payments 1 none before (0)" in page


def test_a_period_somebody_chose_and_one_that_is_none(client: Client, sign_in: SignIn, now: datetime) -> None:
    _happened(now - timedelta(days=40), orders=1, revenue=Decimal("12.00"))
    day = (now - timedelta(days=40)).date().isoformat()
    sign_in(client, "figures.view")

    assert "Sales $12.00 none before ($0.00)" in words_of(
        client.get("/staff/", {"period": "custom", "first": day, "last": day}).content.decode()
    )
    for first, last in (("nonsense", day), (now.date().isoformat(), day), ("0001-01-01", "0001-01-01")):
        answer = client.get("/staff/", {"period": "custom", "first": first, "last": last})
        assert answer.status_code == 200
        assert "These are the last seven days." in answer.content.decode()


def test_the_charts_are_pictures_without_script(client: Client, sign_in: SignIn, now: datetime) -> None:
    _happened(now, orders=2, revenue=Decimal("30.00"))
    sign_in(client, "figures.view")
    page = client.get("/staff/").content.decode()
    assert page.count('class="chart"') == 5
    assert "<style" not in page
    assert " style=" not in page

    for figure in ("sales", "orders", "average", "refunds", "failed"):
        answer = client.get(f"/staff/charts/{figure}.svg")
        assert answer["Content-Type"] == "image/svg+xml"
        assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
        picture = answer.content.decode()
        assert "<script" not in picture
        assert picture.count("<rect") > 7
    assert client.get("/staff/charts/nonsense.svg").status_code == 404


@pytest.mark.parametrize(
    ("permission", "seen", "unseen"),
    [
        ("figures.view", ["Figures"], ["To do", "Latest orders", "Orders to ship"]),
        ("orders.view", ["Orders to ship", "Latest orders", "Things that do not add up"], ["Figures", "Reviews to read"]),
        ("reviews.moderate", ["Reviews to read"], ["Figures", "Orders to ship", "Latest orders"]),
        ("products.view", ["Products low in stock"], ["Figures", "Orders to ship", "Latest orders"]),
        ("stock.edit", ["Your pages are in the menu"], ["Figures", "To do", "Latest orders"]),
    ],
)
def test_each_part_is_for_who_may_see_it(
    client: Client, sign_in: SignIn, guest: Owner, now: datetime, permission: str, seen: list[str], unseen: list[str]
) -> None:
    mug = factories.make_product()
    factories.make_order(guest, {mug.product_id: 1}, now)
    sign_in(client, permission)

    page = words_of(client.get("/staff/").content.decode())

    assert [part for part in seen if part not in page] == []
    assert [part for part in unseen if f" {part} " in page] == []


def test_what_waits_is_counted_so_far_and_costs_the_same(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, role="admin")
    costs = []
    for most in (1, 30):
        for number in range(most):
            note_finding(Finding(FindingKind.STOCK, f"prod-{number}", now, "Counted otherwise."))
        with counted_calls() as calls:
            page = words_of(client.get("/staff/").content.decode())
        costs.append(len(calls))

    assert "25+ Things that do not add up" in page
    assert costs[0] == costs[1] <= 12


def test_an_empty_shop_says_what_to_do_first(client: Client, sign_in: SignIn) -> None:
    sign_in(client, role="admin")
    assert "To do Put the first product into the shop" in words_of(client.get("/staff/").content.decode())
    factories.make_product()
    assert "Done Put the first product into the shop" in words_of(client.get("/staff/").content.decode())
