"""The conditions that guard placing an order, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cart import services as cart_services
from cart.domain import CartState
from cart.models import CartRow, cart_key
from cart.queries import kept_cart
from catalog.domain import ProductStatus
from catalog.models import ProductRow, product_key
from catalog.services import set_stock
from orders import queries, services
from orders.domain import Order, OrderStatus, order_id_for
from orders.models import REF_SK, RefRow, order_key, ref_pk
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import connection, table_name
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.guards.stripes_word import LOST, sessions
from tests.orders.paid import history, stock
from tests.orders.walk import orders
from tests.rivals import Killed, conflict, fails, killed, run_after, run_before

pytestmark = pytest.mark.usefixtures("tables")


# --- Placing: stock ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "refused", "left"),
    [
        pytest.param(ProductRow.price.set(Decimal("24.01")), services.CartChanged, 5, id="dearer"),
        pytest.param(ProductRow.price.set(Decimal("23.99")), services.CartChanged, 5, id="cheaper"),
        pytest.param(ProductRow.status.set(ProductStatus.INACTIVE), services.OutOfStock, 5, id="not for sale"),
        pytest.param(ProductRow.currency.set("EUR"), services.OutOfStock, 5, id="other currency"),
        pytest.param(ProductRow.inventory.set(2), services.OutOfStock, 2, id="too few"),
    ],
)
def test_a_product_changed_between_the_last_look_and_the_write_refuses_the_order(
    guest: Owner, now: datetime, change: Any, refused: type[Exception], left: int
) -> None:
    mug = factories.make_product(inventory=5, price=Money(2400, "USD"))
    lamp = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 3, lamp.product_id: 1}, now)

    with (
        pytest.raises(services.CartChanged) as refusal,
        run_before("TransactWriteItems", lambda: product_key(mug.product_id).update(actions=[change])),
    ):
        services.place_order(**ready)

    assert type(refusal.value) is refused
    assert (stock(mug.product_id), stock(lamp.product_id), orders()) == (left, 5, [])
    kept = kept_cart(owner=guest, now=now)
    assert kept is not None
    assert kept.state is CartState.OPEN


def test_pieces_sold_while_a_transaction_conflicts_end_the_tries_without_another_write(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=2)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    def sold_in_a_conflict() -> None:
        set_stock(product_id=mug.product_id, inventory=1, now=now)
        raise conflict()

    with pytest.raises(services.OutOfStock), run_before("TransactWriteItems", sold_in_a_conflict) as calls:
        services.place_order(**ready)

    assert calls.count("TransactWriteItems") == 1
    assert (stock(mug.product_id), orders()) == (1, [])


def test_a_conflict_that_passes_is_no_reason_to_refuse(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=2)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", fails(conflict())) as calls:
        placed = services.place_order(**ready)

    assert calls.count("TransactWriteItems") == 2
    assert (placed.status, stock(mug.product_id)) == (OrderStatus.PENDING, 0)


# --- Placing: the order and its cart ----------------------------------------------------------------------------------


@pytest.fixture
def restored_cart(tables: Any, stripe: FakeStripe, guest: Owner, now: datetime) -> tuple[dict[str, Any], Order]:
    """A paid order whose cart was brought back, open, from an older copy of the Carts table; with `place_order`'s arguments."""
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    (copy,) = items_of("Carts")
    order = factories.open_payment(services.place_order(**ready))
    assert stripe.pay(order.payment.session_id) == "paid"
    order = services.settle(session_id=order.payment.session_id, now=now)
    tables.put_item(TableName=table_name("Carts"), Item=copy)
    return ready, order


def test_an_order_is_never_written_over(restored_cart: tuple[dict[str, Any], Order]) -> None:
    ready, order = restored_cart
    RefRow(ref_pk(order.order_id), REF_SK).delete()

    with pytest.raises(services.CartChanged):
        services.place_order(**ready)

    assert queries.order_of(owner=order.owner, order_id=order.order_id) == order
    assert stock(order.lines[0].product_id) == 3


def test_the_reference_of_an_order_is_never_written_over(restored_cart: tuple[dict[str, Any], Order], now: datetime) -> None:
    ready, order = restored_cart
    order_key(order.owner, order.order_id).delete()
    other = new_guest(now)
    RefRow(ref_pk(order.order_id), REF_SK, owner=other.key).save()

    with pytest.raises(services.CartChanged):
        services.place_order(**ready)

    assert RefRow.get(ref_pk(order.order_id), REF_SK, consistent_read=True).owner == other.key
    assert orders() == []
    assert stock(order.lines[0].product_id) == 3


def _later_version(owner: Owner, product_id: str, now: datetime) -> None:
    """Another tab adds one more and takes it out again: all that was reviewed is as it was, but for the version."""
    for quantity in (3, 2):
        cart_services.change_quantity(owner=owner, product_id=product_id, quantity=quantity, now=now)


def _another_cart(owner: Owner, product_id: str, now: datetime) -> None:
    """The cart's time is over, DynamoDB deletes it, and the next one has the same lines and version, but not the id."""
    cart_key(owner).delete()
    factories.fill_cart(owner, {product_id: 2}, now)


def _checked_out(owner: Owner, _product_id: str, _now: datetime) -> None:
    cart_key(owner).update(actions=[CartRow.state.set(CartState.CHECKED_OUT)])


def _expired(owner: Owner, _product_id: str, now: datetime) -> None:
    cart_key(owner).update(actions=[CartRow.expires_at.set(now)])


@pytest.mark.parametrize("rival", [_later_version, _another_cart, _checked_out, _expired])
def test_a_cart_changed_between_the_last_look_and_the_write_becomes_no_order(
    guest: Owner, now: datetime, rival: Callable[[Owner, str, datetime], None]
) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    with (
        pytest.raises(services.CartChanged),
        run_before("TransactWriteItems", lambda: rival(guest, mug.product_id, now)),
    ):
        services.place_order(**ready)

    assert orders() == []
    assert stock(mug.product_id) == 5
    (cart,) = items_of("Carts")
    assert "orderId" not in cart


def test_of_two_tabs_that_order_one_cart_the_slower_gets_the_order_of_the_quicker(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: services.place_order(**ready)):
        order = services.place_order(**ready)

    assert order == queries.order_of(owner=guest, order_id=order_id_for(ready["cart_id"]))
    assert len(orders()) == 1
    assert stock(mug.product_id) == 3


def _address_changed(owner: Owner, _first: str, _second: str, now: datetime) -> None:
    address = replace(factories.ADDRESS, street="1 Side St")
    services.remember_details(owner=owner, details=replace(factories.DETAILS, address=address), now=now)


def _email_changed(owner: Owner, _first: str, _second: str, now: datetime) -> None:
    services.remember_details(owner=owner, details=replace(factories.DETAILS, email="eve@example.com"), now=now)


def _quantities_swapped(owner: Owner, first: str, second: str, now: datetime) -> None:
    cart_services.change_quantity(owner=owner, product_id=first, quantity=1, now=now)
    cart_services.change_quantity(owner=owner, product_id=second, quantity=2, now=now)


def _prices_moved(_owner: Owner, first: str, second: str, _now: datetime) -> None:
    # Two of the first and one of the second: the total stays.
    product_key(first).update(actions=[ProductRow.price.set(Decimal("25.00"))])
    product_key(second).update(actions=[ProductRow.price.set(Decimal("22.00"))])


@pytest.mark.parametrize("rival", [_address_changed, _email_changed, _quantities_swapped, _prices_moved])
def test_what_changed_after_the_review_under_the_same_total_is_not_ordered(
    guest: Owner, now: datetime, rival: Callable[[Owner, str, str, datetime], None]
) -> None:
    mug, lamp = (factories.make_product(inventory=5, price=Money(2400, "USD")) for _ in range(2))
    ready = factories.ready_to_order(guest, {mug.product_id: 2, lamp.product_id: 1}, now)
    rival(guest, mug.product_id, lamp.product_id, now)

    with pytest.raises(services.CartChanged), counted_calls() as calls:
        services.place_order(**ready)

    assert "TransactWriteItems" not in calls
    assert (stock(mug.product_id), stock(lamp.product_id), orders()) == (5, 5, [])


def test_an_order_whose_reply_was_lost_is_placed_once_and_the_shopper_gets_it(
    guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    mug = factories.make_product(inventory=2)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    wire = lost_reply("TransactWriteItems")

    order = services.place_order(**ready)

    assert wire.count("TransactWriteItems") == 2
    assert order == queries.order_by_id(order_id=order_id_for(ready["cart_id"]))
    assert (len(orders()), stock(mug.product_id)) == (1, 0)


def test_who_bought_the_last_pieces_and_lost_the_reply_is_not_told_they_are_sold_out(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=2)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    with run_after("TransactWriteItems", fails(LOST)) as calls:
        order = services.place_order(**ready)

    assert calls.count("TransactWriteItems") == 1  # the look before the second found nothing left, and then the order
    assert order == queries.order_by_id(order_id=order_id_for(ready["cart_id"]))
    assert stock(mug.product_id) == 0


def test_an_order_whose_every_reply_was_lost_is_found_in_the_end(
    guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    client = connection().client
    real = client._make_api_call

    def lose(name: str, params: dict[str, Any]) -> Any:
        answer = real(name, params)
        if name == "TransactWriteItems":
            raise LOST
        return answer

    monkeypatch.setattr(client, "_make_api_call", lose)
    order = services.place_order(**ready)

    assert order.order_id == order_id_for(ready["cart_id"])
    assert (len(orders()), stock(mug.product_id)) == (1, 3)


def test_a_process_that_dies_right_after_placing_leaves_one_order_that_the_next_try_pays(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    with pytest.raises(Killed), run_after("TransactWriteItems", killed):
        services.place_order(**ready)

    order = factories.open_payment(services.place_order(**ready | {"now": now + timedelta(seconds=9)}))

    assert order.order_id == order_id_for(ready["cart_id"])
    assert list(sessions(stripe)) == [order.payment.session_id]
    assert (len(orders()), stock(mug.product_id)) == (1, 3)
    assert history(order) == ["pending"]
