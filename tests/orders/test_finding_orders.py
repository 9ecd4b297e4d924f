"""Staff find an order by the numbers its shopper reads out."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from orders import services
from orders.reactions import order_changed
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of
from tests.orders.paid import paid_order, stored

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def desk(client: Client, sign_in: Callable[..., Any]) -> Client:
    sign_in(client, "orders.view")
    return client


def listed(page: str) -> list[str]:
    return re.findall(r'href="/staff/orders/(ord-[a-z0-9]+)/"', page)


def test_an_order_is_found_by_the_numbers_of_its_papers_and_parcels(
    desk: Client, stripe: FakeStripe, guest: Owner, tables: Any, now: datetime
) -> None:
    def item_of(order_id: str) -> dict[str, Any]:
        return next(one for one in items_of("Orders") if one["SK"]["S"] == f"ORDER#{order_id}" and "totals" in one)

    order = paid_order(stripe, guest, {factories.make_product().product_id: 2}, now)
    paid_order(stripe, new_guest(now), {factories.make_product().product_id: 1}, now)
    before = item_of(order.order_id)
    order_changed({**before, "status": {"S": "pending"}}, before, now=now)
    invoice = str(stored(order).invoice_number)
    services.ship(order=stored(order), carrier="UPS", tracking_number="1Z 999 AA1", actor="staff", now=now)
    order_changed(before, item_of(order.order_id), now=now)

    for words in (invoice, invoice.lower(), f" {invoice} ", "1Z 999 AA1", "1z999aa1"):
        assert listed(desk.get("/staff/orders/", {"q": words}).text) == [order.order_id], words
    assert listed(desk.get("/staff/orders/", {"q": "INV-999999"}).text) == []
