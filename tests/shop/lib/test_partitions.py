"""Index partitions spread over several, and pages merged from them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from catalog import queries as catalog_queries
from orders import jobs
from orders.domain import HOLD, Order, OrderStatus
from orders.queries import order_of, orders_placed_between
from shop.lib.cursors import read_page
from shop.lib.owner import Owner
from shop.lib.partitions import all_partitions, own_partition
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_one_partition_keeps_the_plain_key_text(settings: Settings) -> None:
    settings.INDEX_PARTITIONS = 1

    assert own_partition("ORDER", "ord-1") == "ORDER"
    assert all_partitions("ORDER") == ("ORDER",)


def test_an_id_lies_in_one_partition_for_good_and_readers_know_them_all(settings: Settings) -> None:
    settings.INDEX_PARTITIONS = 3

    assert [own_partition("ORDER", f"ord-{number}") for number in range(5)] == [
        "ORDER#2",
        "ORDER#0",
        "ORDER#0",
        "ORDER#1",
        "ORDER#2",
    ]
    assert all_partitions("ORDER") == ("ORDER", "ORDER#0", "ORDER#1", "ORDER#2")


class _Row:
    def __init__(self, place: int, number: int, partition: int) -> None:
        self.place, self.number, self.partition = place, number, partition

    def serialize(self, *, null_check: bool) -> dict[str, Any]:
        return {"PK": {"S": f"{self.number:03d}"}, "GSI1SK": {"S": f"{self.place:03d}"}}


def _ask(rows: list[_Row]) -> Any:
    """A query over the rows of one partition, as DynamoDB answers it."""
    ordered = sorted(rows, key=lambda row: (row.place, row.number))

    def ask(*, limit: int, last_evaluated_key: dict[str, Any] | None, scan_index_forward: bool) -> list[_Row]:
        found = ordered if scan_index_forward else ordered[::-1]
        if last_evaluated_key:
            start = (int(last_evaluated_key["GSI1SK"]["S"]), int(last_evaluated_key["PK"]["S"]))
            found = [
                row
                for row in found
                if ((row.place, row.number) > start if scan_index_forward else (row.place, row.number) < start)
            ]
        return found[:limit]

    return ask


@given(
    places=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=40),
    size=st.integers(1, 7),
    forward=st.booleans(),
)
def test_merged_pages_are_the_sorted_truth_there_and_back(places: list[tuple[int, int]], size: int, forward: bool) -> None:
    rows = [_Row(place, number, partition) for number, (place, partition) in enumerate(places)]
    asks = [_ask([row for row in rows if row.partition == partition]) for partition in range(4)]
    truth = [row.number for row in sorted(rows, key=lambda row: (row.place, row.partition, row.number), reverse=not forward)]

    def page(cursor: str) -> Any:
        return read_page(
            asks,
            lambda row: row.number,
            key_names=("PK", "GSI1SK"),
            question="all",
            cursor=cursor,
            size=size,
            forward=forward,
        )

    pages = [page("")]
    while pages[-1].next_cursor:
        pages.append(page(pages[-1].next_cursor))
    assert [number for found in pages for number in found.items] == truth
    assert pages[0].previous_cursor == ""

    back = pages[-1]
    for expected in reversed(pages[:-1]):
        back = page(back.previous_cursor)
        assert back.items == expected.items
        assert page(back.next_cursor).items == pages[pages.index(expected) + 1].items
    assert back.previous_cursor == ""


@pytest.mark.usefixtures("tables")
def test_products_written_before_and_after_the_change_make_one_list(settings: Settings) -> None:
    made = []
    for number in range(9):
        settings.INDEX_PARTITIONS = 1 if number < 3 else 3
        # Ids of which, by their hashes, each partition gets some.
        made.append(factories.make_product(product_id=f"prod-{number}", created_at=START + timedelta(hours=number)).product_id)
    assert {item["GSI2PK"]["S"] for item in items_of("Products") if "GSI2PK" in item} == {
        "STATUS#active",
        "STATUS#active#0",
        "STATUS#active#1",
        "STATUS#active#2",
    }

    with counted_calls() as calls:
        first = catalog_queries.newest(size=4)
    second = catalog_queries.newest(size=4, cursor=first.next_cursor)
    third = catalog_queries.newest(size=4, cursor=second.next_cursor)
    back = catalog_queries.newest(size=4, cursor=second.previous_cursor)

    assert calls == ["Query"] * 4
    ids = [card.product_id for page in (first, second, third) for card in page.items]
    assert ids == made[::-1]
    assert back.items == first.items
    assert (third.next_cursor, back.previous_cursor) == ("", "")
    settings.INDEX_PARTITIONS = 5
    assert catalog_queries.newest(size=4, cursor=second.next_cursor).items == first.items


@pytest.mark.usefixtures("tables")
def test_the_expiry_job_reads_every_partition(settings: Settings, stripe: FakeStripe, now: datetime, guest: Owner) -> None:
    from shop.lib.guests import new_guest

    orders: list[tuple[Owner, Order]] = []
    partitions: set[str] = set()
    while len(partitions) < 4:  # the plain one and all three: which one an order lies in, the hash of its random number says
        settings.INDEX_PARTITIONS = 3 if orders else 1
        mug, owner = factories.make_product(inventory=5), new_guest(now)
        orders.append((owner, factories.make_order(owner, {mug.product_id: 1}, now)))
        partitions = {item["GSI1PK"]["S"] for item in items_of("Orders") if "GSI1PK" in item}

    assert list(orders_placed_between(since=now, until=now + HOLD)) == sorted(order.order_id for _, order in orders)

    released = jobs.release_unpaid_orders(now=now + HOLD + timedelta(minutes=2))

    assert released == len(orders)
    for owner, order in orders:
        assert order_of(owner=owner, order_id=order.order_id).status is OrderStatus.EXPIRED
    moved = {item["GSI1PK"]["S"] for item in items_of("Orders") if "GSI1PK" in item}
    assert moved == {f"STATUS#expired#{part}" for part in {own_partition("", order.order_id)[1:] for _, order in orders}}
