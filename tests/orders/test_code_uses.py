"""What staff see of the orders that have a discount code, as the stream notes them."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from cart import discounts
from cart.discount_domain import Discount, DiscountKind
from orders import services
from orders.domain import Order
from orders.reactions import order_changed
from shop.lib.guests import new_guest
from shop.lib.viewer import Viewer
from tests import factories
from tests.conftest import counted_calls, items_of, words_of
from tests.orders.test_discounted import STAFF, ready

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


def item_of(order: Order) -> dict[str, Any]:
    [item] = [item for item in items_of("Orders") if item["SK"]["S"] == f"ORDER#{order.order_id}"]
    return item


def rows(page: str) -> list[list[str]]:
    _, _, table = page.partition('id="uses"')
    body = table.partition("<tbody>")[2].partition("</tbody>")[0]
    return [[words_of(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in body.split("<tr>")[1:]]


def test_a_code_shows_its_orders_in_a_fixed_number_of_calls(client: Client, sign_in: SignIn, now: datetime) -> None:
    discounts.create_discount(discount=Discount("SPRING10", DiscountKind.PERCENT, percent=Decimal(10)), actor=STAFF, now=now)
    mug = factories.make_product(inventory=9)
    placed = [services.place_order(**ready(new_guest(now), {mug.product_id: 1}, now)) for _ in range(3)]
    for order in placed:
        order_changed(None, item_of(order), now=now)
    before = item_of(placed[0])
    services.cancel_unpaid(order=placed[0], now=now)
    for _ in range(2):  # records come twice
        order_changed(before, item_of(placed[0]), now=now)
    sign_in(client, "discounts.edit", "orders.view", "audit.view")

    with counted_calls() as calls:
        page = client.get("/staff/discounts/SPRING10/").text

    assert calls == ["BatchGetItem", "Query", "Query"]
    latest_first = sorted(placed, key=lambda order: order.order_id, reverse=True)
    assert [(row[0], row[2], row[3]) for row in rows(page)] == [
        (order.order_id, "No: given up" if order == placed[0] else "Yes", "$2.40") for order in latest_first
    ]
    assert f'href="/staff/orders/{placed[1].order_id}/"' in page
    assert "Uses 2" in words_of(re.sub("<dd>", " ", page))
    sign_in(client, "discounts.edit")
    assert "/staff/orders/ord-" not in client.get("/staff/discounts/SPRING10/").text
