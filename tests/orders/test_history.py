"""The list of somebody's orders."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from shop.lib.access import Viewer
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
