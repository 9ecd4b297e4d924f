"""What is sold most: counted with the order, ranked by the job, read at a fixed cost."""

from datetime import datetime, timedelta

import pytest
from pynamodb.transactions import TransactWrite

from orders import jobs, services, sold_queries
from orders.counting import count, count_sold
from orders.domain import OrderLine
from orders.ledger_domain import MOST_RANKED, Sold, best_of
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.transactions import run_transaction
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.paid import paid_order, usd

pytestmark = pytest.mark.usefixtures("tables")


def _sell(at: datetime, pieces: dict[str, int], *, price: int = 1000) -> None:
    """An order of these pieces was counted."""
    lines = [
        OrderLine(product_id, f"Name of {product_id}", number, Money(price, "USD"), image="")
        for product_id, number in pieces.items()
    ]

    def build(txn: TransactWrite) -> None:
        count(txn, at, "USD", orders=1)
        count_sold(txn, at, lines)

    run_transaction(build)


def _best(first: datetime, last: datetime) -> dict[str, tuple[str, int, str]]:
    found = sold_queries.best_sold(first=first.date(), last=last.date(), currency="USD")
    return {one.product_id: (one.name, one.pieces, str(one.revenue)) for one in found}


def test_a_paid_order_counts_its_pieces_once(stripe: FakeStripe, now: datetime) -> None:
    mug = factories.make_product(price=usd(2400), name="Tide mug")
    lamp = factories.make_product(price=usd(9900), name="Reed lamp")
    order = paid_order(stripe, new_guest(now), {mug.product_id: 3, lamp.product_id: 1}, now)

    for _ in range(2):
        services.count_paid(order=order, now=now)
    assert jobs.rank_sold(now=now) == 1

    assert _best(now, now) == {mug.product_id: ("Tide mug", 3, "$72.00"), lamp.product_id: ("Reed lamp", 1, "$99.00")}
    expiring = [int(one["expiresAt"]["N"]) for one in items_of("Orders") if one["PK"]["S"].startswith("SOLD#")]
    assert expiring == [int((now + timedelta(days=40)).timestamp())] * 2


def test_days_and_months_add_up(now: datetime) -> None:
    later = datetime.fromisoformat("2026-03-01T12:00:00Z")
    earlier = later - timedelta(days=1)
    _sell(earlier, {"prod-1": 2, "prod-2": 1})
    jobs.rank_sold(now=earlier)
    _sell(later, {"prod-1": 5})
    jobs.rank_sold(now=later)

    assert _best(earlier, later) == {"prod-1": ("Name of prod-1", 7, "$70.00"), "prod-2": ("Name of prod-2", 1, "$10.00")}
    assert _best(later, later) == {"prod-1": ("Name of prod-1", 5, "$50.00")}
    assert sold_queries.best_sold(first=later.date(), last=later.date(), currency="EUR") == ()


def test_a_day_is_ranked_again_only_when_orders_came(now: datetime) -> None:
    assert jobs.rank_sold(now=now) == 0
    _sell(now - timedelta(days=1), {"prod-1": 1})
    _sell(now, {"prod-1": 1})
    assert jobs.rank_sold(now=now) == 2
    with counted_calls() as calls:
        assert jobs.rank_sold(now=now) == 0
    assert "PutItem" not in calls
    _sell(now, {"prod-1": 4})
    assert jobs.rank_sold(now=now) == 1
    assert _best(now, now)["prod-1"][1] == 5


def test_reading_costs_the_same_however_much_was_sold(now: datetime) -> None:
    costs = []
    for most in (1, 60):
        for start in range(0, most, 30):
            _sell(now, {f"prod-{number:03d}": number + 1 for number in range(start, min(start + 30, most))})
        jobs.rank_sold(now=now)
        with counted_calls() as calls:
            found = sold_queries.best_sold(first=now.date(), last=now.date(), currency="USD")
        costs.append(calls)
    assert costs == [["Query"], ["Query"]]
    assert len(found) == MOST_RANKED


def test_the_best_by_pieces_and_the_best_by_money_are_kept() -> None:
    cheap = [Sold(f"cheap-{number:03d}", "", 1000 - number, usd(1)) for number in range(60)]
    dear = [Sold(f"dear-{number:03d}", "", 1, usd(100_000 - number)) for number in range(60)]

    kept = best_of([*cheap, *dear])

    assert kept == [*cheap[:MOST_RANKED], *dear[:MOST_RANKED]]
