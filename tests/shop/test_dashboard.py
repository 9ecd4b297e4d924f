"""The dashboard: the figures of a period beside the one before, what waits, and what it costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.test import Client
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from accounts.mail_models import AccountMailRow
from accounts.models import RegisteredRow, registered_pk, registered_sk
from catalog.searched_models import SearchedRow, counter, searched_pk, searched_sk
from orders.counting import count
from orders.desk_models import OrderMailRow
from orders.ledger_domain import Finding, FindingKind, Sold
from orders.noting import note_finding
from orders.sold_models import to_best_row
from shop import doctor
from shop.figures import FIGURES
from shop.lib.mail_log import note, noting
from shop.lib.money import Money
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


def _registered(at: datetime, number: int) -> None:
    RegisteredRow(registered_pk(at.date()), registered_sk(at.date()), number=number).save()


def _sold(at: datetime, *best: Sold) -> None:
    to_best_row(at.date(), "USD", orders=1, best=list(best)).save()


def _searched(at: datetime, **times: int) -> None:
    actions: list[Action] = [counter(name.replace("_", " ")).add(number) for name, number in times.items()]
    SearchedRow(searched_pk(at.date()), searched_sk(at.date())).update(actions=actions)


def test_figures_of_a_week_beside_the_week_before(client: Client, sign_in: SignIn, now: datetime) -> None:
    _happened(now, orders=2, placed=5, carts=30, revenue=Decimal("30.00"), failed_payments=1)
    _registered(now, 3)
    _registered(now - timedelta(days=7), 1)
    _happened(
        now - timedelta(days=6), orders=1, placed=1, carts=10, revenue=Decimal("15.50"), refunds=1, refunded=Decimal("5.00")
    )
    _happened(now - timedelta(days=7), orders=2, carts=50, revenue=Decimal("91.00"))
    _happened(now - timedelta(days=14), orders=9, revenue=Decimal("900.00"))
    sign_in(client, "figures.view")

    page = words_of(client.get("/staff/").content.decode())

    assert "Sales $45.50 −50 % ($91.00)" in page
    assert "Orders 3 +50 % (2)" in page
    assert "Cart to order 7.5 % +88 % (4.0 %) 40 carts, 6 orders, 3 paid" in page
    assert "New customers 3 +200 % (1)" in page
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
    assert page.count('class="chart"') == 6
    assert "<style" not in page
    assert " style=" not in page

    for figure in FIGURES:
        answer = client.get(f"/staff/charts/{figure}.svg")
        assert answer["Content-Type"] == "image/svg+xml"
        assert answer["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'"
        picture = answer.content.decode()
        assert "<script" not in picture
        assert picture.count("<rect") > 7
    for size in ("wide", "phone"):
        picture = client.get(f"/staff/charts/sales.svg?size={size}").content.decode()
        assert "<script" not in picture
        assert picture.count("<path") > 2
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


def test_what_sold_best_by_money_and_by_pieces(client: Client, sign_in: SignIn, now: datetime) -> None:
    lamp, mug = Sold("prod-1", "Reed lamp", 1, Money(9900, "USD")), Sold("prod-2", "Tide mug", 3, Money(7200, "USD"))
    _sold(now, lamp, mug)
    _sold(now - timedelta(days=1), Sold("prod-2", "Tide mug", 1, Money(2400, "USD")))
    _sold(now - timedelta(days=9), Sold("prod-3", "Last week's", 9, Money(90000, "USD")))
    sign_in(client, "figures.view")

    page = client.get("/staff/").content.decode()

    words = words_of(page)
    assert "Best sold, by money Product Pieces Money Reed lamp 1 × $99.00 Tide mug 4 × $96.00 Best" in words
    assert "Best sold, by pieces Product Pieces Money Tide mug 4 × $96.00 Reed lamp 1 × $99.00 Searched" in words
    assert "/staff/products/prod-1/" not in page
    sign_in(client, "figures.view", "products.view")
    assert "/staff/products/prod-1/" in client.get("/staff/").content.decode()


def test_what_was_searched_for_and_what_in_vain(client: Client, sign_in: SignIn, now: datetime) -> None:
    _searched(now, found_lamp=2, nothing_yacht=1, nothing_rug=1, rest=7)
    _searched(now - timedelta(days=1), found_lamp=3, found_mug=4, nothing_yacht=1)
    sign_in(client, "figures.view")

    page = words_of(client.get("/staff/").content.decode())

    assert "Searched for Words Times lamp 5 × mug 4 × Searched for in vain Words Times yacht 2 ×" in page
    assert "rug" not in page


def test_the_page_costs_the_same_with_little_and_with_much(client: Client, sign_in: SignIn, guest: Owner, now: datetime) -> None:
    sign_in(client, role="admin")
    mug = factories.make_product(inventory=40)
    factories.make_order(guest, {mug.product_id: 1}, now)
    costs = []
    for most in (1, 30):
        for number in range(most):
            note_finding(Finding(FindingKind.STOCK, f"prod-{number}", now, "Counted otherwise."))
            at = now - timedelta(days=number)
            _happened(at, orders=1, carts=3, revenue=Decimal(number))
            _registered(at, number)
            _sold(at, *(Sold(f"prod-{one}", f"Thing {one}", one, Money(one, "USD")) for one in range(most)))
            _searched(at, **{f"found_term {one}": 1 for one in range(most)})
        cache.clear()
        with counted_calls() as calls:
            page = words_of(client.get("/staff/?period=30").content.decode())
        costs.append(sorted(calls))

    assert "25+ Things that do not add up" in page
    assert costs[0] == costs[1]
    assert set(costs[0]) == {"Query"}
    # Three questions of two months (or three), one of one month or two, and ten of what waits.
    assert len(costs[0]) <= 3 + 3 + 2 + 2 + 10
    with counted_calls() as again:
        client.get("/staff/?period=30")
    # Kept for a minute: figures, findings, reviews, what is short or failed. Asked anew: orders to ship, to check, the latest.
    assert again == ["Query"] * 3
    first, last = (now - timedelta(days=29)).date().isoformat(), now.date().isoformat()
    with counted_calls() as drawn:
        client.get("/staff/charts/sales.svg", {"period": "custom", "first": first, "last": last})
    assert drawn == []


def test_mails_that_failed_are_among_what_waits(client: Client, sign_in: SignIn, now: datetime) -> None:
    sign_in(client, "mails.view")
    assert "To do 0 Mails that failed" in words_of(client.get("/staff/").content.decode())
    for rows, subject in ((OrderMailRow, "ORDER#ord-1"), (OrderMailRow, "ORDER#ord-2"), (AccountMailRow, "USER#user-1")):
        with noting(rows, subject=subject, origin="o", now=now):
            note(kind="confirmation", to="ada@example.com", trouble=OSError("no way"))

    cache.clear()
    page = client.get("/staff/").content.decode()

    assert "To do 2 Mails about orders that failed 1 Mails about accounts that failed" in words_of(page)
    assert "Mails that failed" not in page
    for of in ("orders", "accounts"):
        assert f'href="/staff/mails/?of={of}&amp;state=failed"' in page
    assert "Could not be sent" in client.get("/staff/mails/?of=accounts&state=failed").content.decode()
    sign_in(client, "orders.view")
    assert "that failed" not in client.get("/staff/").content.decode()


def test_the_health_of_the_shop_is_looked_at_once_a_minute_and_not_by_the_page(
    client: Client, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def examine(*, host: str, now: datetime) -> list[doctor.Check]:
        looked.append(host)
        return [
            doctor.Check("Mail", doctor.State.BAD, "No sender.", "Set one."),
            doctor.Check("Webhook", doctor.State.UNKNOWN, "?", "Wait."),
            doctor.Check("Cache", doctor.State.GOOD, "There."),
        ]

    monkeypatch.setattr(doctor, "examine", examine)
    sign_in(client, role="admin")
    assert "/staff/doctor/" in client.get("/staff/").content.decode()
    assert looked == []

    answers = [client.get("/staff/health/").content.decode() for _ in range(3)]

    assert looked == ["testserver"]
    assert words_of(answers[2]) == "1 thing to look at: No sender. Set-up doctor"
    sign_in(client, "figures.view")
    assert "/staff/doctor/" not in client.get("/staff/").content.decode()


def test_an_empty_shop_says_what_to_do_first(client: Client, sign_in: SignIn) -> None:
    sign_in(client, role="admin")
    empty = words_of(client.get("/staff/").content.decode())
    assert "To do Name the first category" in empty
    assert "To do Put the first product into the shop" in empty
    assert "To do Add an authenticator to your own account" in empty
    factories.make_product()
    assert "Done Put the first product into the shop" in words_of(client.get("/staff/").content.decode())
