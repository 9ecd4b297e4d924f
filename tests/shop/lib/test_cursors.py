"""Cursors, through the lists that use them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing

from catalog import queries
from catalog.domain import ProductStatus
from shop.lib.money import Money
from tests import factories

pytestmark = pytest.mark.usefixtures("tables")

START = datetime(2026, 1, 1, tzinfo=UTC)


def stock_shelf(count: int) -> list[str]:
    """Products of one category, each dearer and newer than the one before; their ids."""
    return [
        factories.make_product(price=Money(100 * (place + 1), "USD"), created_at=START + timedelta(hours=place)).product_id
        for place in range(count)
    ]


def walk(size: int, *, dearest_first: bool = False) -> list[list[str]]:
    """The ids of every page of the category, following the next links."""
    pages, cursor = [], ""
    while True:
        page = queries.in_category(category="Kitchen & Table", cursor=cursor, size=size, dearest_first=dearest_first)
        pages.append([card.product_id for card in page.items])
        cursor = page.next_cursor
        if not cursor:
            return pages


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4]), (9, [4, 4, 1])])
def test_next_links_show_every_product_once_in_order(count: int, sizes: list[int]) -> None:
    ids = stock_shelf(count)

    pages = walk(4)

    assert [len(page) for page in pages] == sizes
    assert [product_id for page in pages for product_id in page] == ids


def test_previous_links_lead_back_the_same_way() -> None:
    ids = stock_shelf(9)
    first = queries.in_category(category="Kitchen & Table", size=4)
    second = queries.in_category(category="Kitchen & Table", size=4, cursor=first.next_cursor)
    third = queries.in_category(category="Kitchen & Table", size=4, cursor=second.next_cursor)

    back = queries.in_category(category="Kitchen & Table", size=4, cursor=third.previous_cursor)
    start = queries.in_category(category="Kitchen & Table", size=4, cursor=back.previous_cursor)

    assert [card.product_id for card in back.items] == ids[4:8]
    assert [card.product_id for card in start.items] == ids[:4]
    assert (first.previous_cursor, start.previous_cursor) == ("", "")
    # The cursor itself carries the second of its signature.
    assert queries.in_category(category="Kitchen & Table", size=4, cursor=start.next_cursor).items == second.items


def test_the_dearest_come_first_when_asked() -> None:
    ids = stock_shelf(5)

    assert walk(2, dearest_first=True) == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]


def test_products_not_for_sale_are_on_no_shelf() -> None:
    shown = factories.make_product()
    factories.make_product(status=ProductStatus.INACTIVE)

    assert [card.product_id for card in queries.in_category(category="Kitchen & Table").items] == [shown.product_id]
    assert [card.product_id for card in queries.newest().items] == [shown.product_id]


def test_the_newest_come_first() -> None:
    ids = stock_shelf(3)

    assert [card.product_id for card in queries.newest().items] == ids[::-1]


def forged_cursors(good: str) -> list[str]:
    key = {"PK": {"S": "USER#1"}, "SK": {"S": "PROFILE"}, "GSI1PK": {"S": "x"}, "GSI1SK": {"S": "y"}}
    return [
        "x",
        good[:-1],
        good[1:],
        good.swapcase(),
        "a" * 5000,
        "ü:ü:ü",
        signing.dumps({"q": "category:Kitchen & Table:asc", "k": key, "b": False}, salt="another-salt", compress=True),
    ]


def test_a_forged_cursor_is_page_one() -> None:
    ids = stock_shelf(5)
    good = queries.in_category(category="Kitchen & Table", size=2).next_cursor

    for forged in forged_cursors(good):
        page = queries.in_category(category="Kitchen & Table", size=2, cursor=forged)
        assert [card.product_id for card in page.items] == ids[:2], forged


def test_a_cursor_of_another_question_is_page_one() -> None:
    ids = stock_shelf(5)
    good = queries.in_category(category="Kitchen & Table", size=2).next_cursor

    assert [card.product_id for card in queries.newest(size=2, cursor=good).items] == ids[:2:-1]
    other_way = queries.in_category(category="Kitchen & Table", size=2, cursor=good, dearest_first=True)
    assert [card.product_id for card in other_way.items] == ids[:2:-1]


def test_a_cursor_whose_rows_are_gone_is_page_one() -> None:
    ids = stock_shelf(3)
    last = queries.in_category(category="Kitchen & Table", size=2).next_cursor
    from catalog.models import product_key

    product_key(ids[2]).delete()

    assert [card.product_id for card in queries.in_category(category="Kitchen & Table", size=2, cursor=last).items] == ids[:2]
