"""Many at once, against a real table engine: nobody gets what is not there, and one cart is one order."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.test import Client
from pynamodb.transactions import TransactWrite

from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.models import ProductRow, product_key
from orders import services
from orders.domain import Order, order_id_for
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.lib.tables import connection
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.orders.walk import fields_of, orders, walk_to_review

pytestmark = pytest.mark.usefixtures("tables")

BUYERS, PIECES = 100, 20


def at_once(tasks: list[Callable[[], Any]]) -> list[Any]:
    """The results of all tasks, or the exceptions they ended in, run on a thread each."""
    connection()  # made before the threads start, as in a running process

    def run(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except Exception as error:
            return error

    with ThreadPoolExecutor(max_workers=len(tasks)) as pool:
        return list(pool.map(run, tasks))


def hundred_buyers(now: datetime) -> tuple[str, Counter[str], set[str]]:
    """100 guests with a piece each in their carts press the button together; the product, what they were told, the orders."""
    mug = factories.make_product(inventory=PIECES)
    carts = [factories.ready_to_order(new_guest(now), {mug.product_id: 1}, now) for _ in range(BUYERS)]
    answers = at_once([partial(services.place_order, **cart) for cart in carts])
    orders = {answer.order_id for answer in answers if isinstance(answer, Order)}
    return mug.product_id, Counter(type(answer).__name__ for answer in answers), orders


def test_a_hundred_buyers_of_the_last_twenty_pieces_get_twenty_orders(now: datetime) -> None:
    product_id, told, orders = hundred_buyers(now)

    assert told == {"Order": PIECES, "OutOfStock": BUYERS - PIECES}
    assert len(orders) == PIECES
    assert catalog.product(product_id=product_id).inventory == 0


def test_without_the_stock_condition_the_same_rush_oversells(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    def take_without_asking(txn: TransactWrite, *, product_id: str, quantity: int, **_: object) -> None:
        txn.update(product_key(product_id), actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)])

    monkeypatch.setattr(catalog_services, "take_stock", take_without_asking)

    product_id, told, orders = hundred_buyers(now)

    assert told["Order"] == len(orders) > PIECES
    assert catalog.product(product_id=product_id).inventory == PIECES - len(orders) < 0


def test_twenty_clicks_on_place_order_are_one_order_and_one_payment_page(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=50)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    answers = at_once([lambda: factories.open_payment(services.place_order(**ready))] * 20)

    assert {answer.order_id for answer in answers} == {order_id_for(ready["cart_id"])}
    assert len({answer.payment.session_id for answer in answers}) == 1
    assert len(stripe.state.tables["sessions"]) == 1
    assert catalog.product(product_id=mug.product_id).inventory == 48


def test_webhook_and_browser_settle_together_into_one_history(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product()
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 1}, now))
    stripe.pay(order.payment.session_id)

    answers = at_once([lambda: services.settle(session_id=order.payment.session_id, now=now)] * 10)

    assert {len(answer.history) for answer in answers} == {2}
    assert {answer.status for answer in answers} == {"processing"}


def test_twenty_posts_of_one_cart_all_lead_to_one_payment_page(stripe: FakeStripe, client: Client) -> None:
    mug = factories.make_product(inventory=50)
    fields = fields_of(walk_to_review(client, mug.product_id, 2))
    cookies = client.cookies

    def press() -> str:
        tab = Client()
        tab.cookies = cookies
        return str(tab.post("/checkout/place/", fields)["Location"])

    answers = at_once([press] * 20)

    assert len(set(answers)) == 1
    assert answers[0].startswith(f"{stripe.base_url}/c/pay/cs_test_")
    assert len(orders()) == len(stripe.state.tables["sessions"]) == 1
    assert catalog.product(product_id=mug.product_id).inventory == 48
