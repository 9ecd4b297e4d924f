"""The list of somebody's orders."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from orders.domain import Order, OrderStatus
from orders.history_queries import LOOK
from orders.models import OrderRow, order_sk, to_row
from shop.lib.access import Viewer
from shop.lib.ids import new_id
from shop.lib.owner import Owner
from tests.conftest import counted_calls, words_of
from tests.factories import make_order, make_product

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


def numbers_in(page: Any) -> list[str]:
    return list(dict.fromkeys(re.findall(r'href="/orders/(ord-[0-9a-z]+)/"', page.text)))


def test_a_shopper_finds_their_orders_newest_first_and_pages_through_them(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = make_product(inventory=99)
    ada = Owner(id=sign_in(client).user_id, is_guest=False)
    placed = [make_order(ada, {mug.product_id: 1}, now).order_id for _ in range(12)]
    newest_first = sorted(placed, reverse=True)

    client.get("/orders/")  # the menu is read once a minute

    with counted_calls() as calls:
        first = client.get("/orders/")

    assert calls == ["Query"]
    assert numbers_in(first) == newest_first[:10]
    older = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert older
    second = client.get(older[1])
    assert numbers_in(second) == newest_first[10:]
    newer = re.search(r'rel="prev" href="([^"]+)"', second.text)
    assert newer
    assert numbers_in(client.get(newer[1])) == newest_first[:10]
    assert "Placed, waiting for payment $35.91" in words_of(first.text)


def test_orders_can_be_looked_for_once_there_are_more_than_three(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = make_product(inventory=99)
    ada = Owner(id=sign_in(client).user_id, is_guest=False)
    can_look = re.compile(r'<input[^>]* name="number"')
    placed = [make_order(ada, {mug.product_id: 1}, now).order_id for _ in range(3)]

    three = client.get("/orders/")
    assert set(numbers_in(three)) == set(placed)
    assert not can_look.search(three.text)
    # Whoever came with a question keeps it, and the way out of it.
    asked = client.get("/orders/", {"status": "shipped"}).text
    assert can_look.search(asked)
    assert "All orders" in asked

    make_order(ada, {mug.product_id: 1}, now)
    assert can_look.search(client.get("/orders/").text)


def test_nobody_sees_the_orders_of_another_person_or_pages_into_them(client: Client, sign_in: SignIn, now: datetime) -> None:
    mug = make_product(inventory=99)
    ada = Owner(id=sign_in(client).user_id, is_guest=False)
    placed = [make_order(ada, {mug.product_id: 1}, now).order_id for _ in range(11)]
    cursor = re.search(r'rel="next" href="([^"]+)"', client.get("/orders/").text)
    assert cursor
    other = Client()
    sign_in(other)

    assert numbers_in(other.get("/orders/")) == []
    assert numbers_in(other.get(cursor[1])) == []
    assert numbers_in(other.get("/orders/?cursor=forged")) == []
    assert "not ordered anything" in words_of(other.get("/orders/").text)
    assert other.get(f"/orders/{placed[0]}/").status_code == 404


def test_guests_are_asked_to_sign_in(client: Client) -> None:
    answer = client.get("/orders/")

    assert (answer.status_code, answer["Location"]) == (303, "/accounts/login/?next=%2Forders%2F")


# --- Looking for some of them -----------------------------------------------------------------------------------------


def many(owner: Owner, count: int, newest: datetime) -> list[Order]:
    """So many paid orders of somebody, one an hour, newest first; every hundredth has arrived."""
    template = make_order(owner, {make_product(inventory=1).product_id: 1}, newest)
    OrderRow(owner.key, order_sk(template.order_id)).delete()
    placed = []
    with OrderRow.batch_write() as batch:
        for at in range(count):
            moment = newest - timedelta(hours=at)
            status = OrderStatus.DELIVERED if at % 100 == 99 else OrderStatus.PROCESSING
            placed.append(replace(template, order_id=new_id("ord", moment), created_at=moment, status=status))
            batch.save(to_row(placed[-1]))
    return placed


def pages(client: Client, url: str, *, rel: str = "next") -> list[list[str]]:
    """The numbers on each page from an address on, by its links."""
    found = []
    while url:
        page = client.get(url)
        assert page.status_code == 200
        found.append(numbers_in(page))
        link = re.search(rf'rel="{rel}" href="([^"]+)"', page.text)
        url = unescape(link[1]) if link else ""
    return found


@pytest.fixture
def ada(client: Client, sign_in: SignIn) -> Owner:
    return Owner(id=sign_in(client).user_id, is_guest=False)


def test_a_page_costs_one_call_and_reads_so_much_however_many_orders_there_are(client: Client, ada: Owner, now: datetime) -> None:
    placed = many(ada, 450, now)
    client.get("/orders/find/")  # the menu is read once a minute
    asked = {
        "": 10,
        "status=packing": 10,
        "status=delivered": 2,
        "status=refunded": 0,
        "number=zzzzz": 0,
        f"number={placed[400].order_id}": 1,
        f"first={placed[300].created_at:%Y-%m-%d}&last={placed[300].created_at:%Y-%m-%d}": 10,
    }

    for query, shown in asked.items():
        with counted_calls() as calls:
            page = client.get(f"/orders/?{query}")
        assert (calls, len(numbers_in(page))) == (["Query"], shown), query


def test_a_status_is_looked_for_page_by_page_and_the_page_says_how_far_it_came(client: Client, ada: Owner, now: datetime) -> None:
    placed = many(ada, 450, now)
    delivered = [order.order_id for order in placed if order.status is OrderStatus.DELIVERED]

    first = client.get("/orders/?status=delivered")

    assert numbers_in(first) == delivered[:2]
    looked_to = placed[LOOK - 1].created_at
    assert f"These are from your orders since {looked_to:%B} {looked_to.day}, {looked_to.year}" in first.text
    assert "Look further back" in first.text
    assert pages(client, "/orders/?status=delivered") == [delivered[:2], delivered[2:4], []]
    nothing = client.get("/orders/?status=shipped").text
    assert "None of your orders since" in nothing
    assert "Look further back" in nothing


def test_the_way_back_shows_the_same_orders(client: Client, ada: Owner, now: datetime) -> None:
    placed = many(ada, 35, now)
    there = pages(client, "/orders/?status=packing")
    last = "/orders/?status=packing"
    for _ in range(3):
        link = re.search(r'rel="next" href="([^"]+)"', client.get(last).text)
        assert link
        last = unescape(link[1])

    back = pages(client, last, rel="prev")

    assert there == [[order.order_id for order in placed[at : at + 10]] for at in (0, 10, 20, 30)]
    assert back == there[::-1]


def test_days_are_from_midnight_to_midnight_by_when_it_was_placed(client: Client, ada: Owner, now: datetime) -> None:
    placed = many(ada, 60, now)
    day = placed[30].created_at.date()
    wanted = [order.order_id for order in placed if order.created_at.date() == day]
    old_cart = replace(placed[0], order_id=new_id("ord", now - timedelta(days=20)), created_at=placed[30].created_at)
    OrderRow.save(to_row(old_cart))  # ordered that day, from a cart begun weeks before

    found = [number for page in pages(client, f"/orders/?first={day}&last={day}") for number in page]

    assert found == [*wanted, old_cart.order_id]
    assert numbers_in(client.get(f"/orders/?last={day - timedelta(days=90)}")) == []


def test_a_number_is_found_whole_in_part_and_as_people_type_it(client: Client, ada: Owner, now: datetime) -> None:
    placed = many(ada, 20, now)
    number = placed[15].order_id

    for typed in (number, f" {number.upper()} ", number.removeprefix("ord-"), number[-6:]):
        assert numbers_in(client.get("/orders/", {"number": typed})) == [number], typed


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("first=yesterday", "Please write the day as 2026-05-31."),
        ("first=0001-01-01", "Please choose a later day."),
        ("last=9999-12-31", "Please choose an earlier day."),
        ("first=2026-05-02&last=2026-05-01", "This day is before the first one."),
        ("status=anything", "Please choose from the list."),
        ("number=%23%23", "An order number has letters and digits alone."),
    ],
)
def test_what_is_wrong_in_the_question_is_told_and_left_out(
    client: Client, ada: Owner, now: datetime, query: str, words: str
) -> None:
    order = make_order(ada, {make_product().product_id: 1}, now)

    page = client.get(f"/orders/?{query}")

    assert page.status_code == 200
    assert words in page.text
    if "first=2026" not in query:
        assert numbers_in(page) == [order.order_id]


def test_nothing_like_it_offers_a_way_out_and_no_order_at_all_another(client: Client, ada: Owner, now: datetime) -> None:
    assert "You have not ordered anything with this account yet." in client.get("/orders/").text
    assert 'href="/orders/find/"' in client.get("/orders/").text
    make_order(ada, {make_product().product_id: 1}, now)

    nothing = words_of(client.get("/orders/?status=shipped").text)

    assert "None of your orders is like this. See all of them" in nothing
