"""The conditions that guard stock and money, one by one: each test fails when its guard is taken away.

Somebody else acts at the one instant at which only that guard stands between them and a wrong order (see tests/rivals.py).
"""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import stripe as stripe_library
from botocore.exceptions import ReadTimeoutError
from django.test import Client
from pynamodb.exceptions import UpdateError
from pytest_django import Settings

from cart import services as cart_services
from cart.domain import CartState
from cart.models import CartRow, cart_key
from cart.queries import kept_cart, open_cart
from cart.services import Restored
from catalog import queries as catalog
from catalog.domain import ProductStatus
from catalog.models import ProductRow, product_key
from catalog.services import set_stock
from orders import payments, queries, services
from orders.domain import HOLD, SESSION_LIFETIME, Order, OrderStatus, order_id_for
from orders.jobs import release_unpaid_orders
from orders.models import REF_SK, EffectRow, RefRow, order_key, ref_pk
from orders.payments import gateway
from shop.lib import transactions
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.once import LEASE, InProgress, once
from shop.lib.owner import Owner
from shop.lib.tables import connection, table_name
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.walk import orders
from tests.rivals import Killed, conflict, fails, killed, refusal, run_after, run_around, run_before

pytestmark = pytest.mark.usefixtures("tables")

LOST = ReadTimeoutError(endpoint_url="http://dynamodb")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once: how long they pause is random and decides nothing here."""
    at_once = SimpleNamespace(uniform=lambda _least, _most: 0.0)
    monkeypatch.setattr(transactions, "random", at_once)
    monkeypatch.setattr(cart_services, "random", at_once)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))


def stock(product_id: str) -> int:
    return catalog.product(product_id=product_id, consistent=True).inventory


def statuses(order: Order) -> list[str]:
    """The order's history as it is stored."""
    return [entry.status for entry in queries.order_by_id(order_id=order.order_id).history]


def sessions(stripe: FakeStripe) -> dict[str, dict[str, Any]]:
    return stripe.state.tables["sessions"]


def another_session(stripe: FakeStripe, order: Order) -> str:
    """Open a further session for an order at Stripe, as it does once it has forgotten the key of the first; its id."""
    stripe.state.idempotency.clear()
    session = gateway().open_session(
        order,
        success_url="http://testserver/success",
        cancel_url="http://testserver/cancel",
        expires_at=order.created_at + SESSION_LIFETIME,
    )
    return session.session_id


def paid_after_all(stripe: FakeStripe, session_id: str) -> None:
    """Stripe said the session is over, and yet it is paid: a word of Stripe's that was overtaken by the shopper."""
    sessions(stripe)[session_id].update(status="open")
    assert stripe.pay(session_id) == "paid"


def event(stripe: FakeStripe, session_id: str, **changes: Any) -> dict[str, Any]:
    """The event Stripe sends when a session is complete."""
    return {
        "id": "evt_guards",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": json.loads(json.dumps(sessions(stripe)[session_id]))},
    } | changes


def deliver(client: Client, event: dict[str, Any]) -> tuple[int, str]:
    """Knock at the webhook's door with a rightly signed event; status and body of the answer."""
    body, stamp = json.dumps(event), int(time.time())
    mac = stripe_library.WebhookSignature._compute_signature(f"{stamp}.{body}", "whsec_tests")
    headers = {"Stripe-Signature": f"t={stamp},v1={mac}"}
    answer = client.post("/webhooks/stripe/", body, content_type="application/json", headers=headers)
    return answer.status_code, answer.text


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
    assert statuses(order) == ["pending"]


# --- The payment page -------------------------------------------------------------------------------------------------


def test_a_process_that_dies_when_stripe_has_opened_the_page_leaves_one_page_for_the_next_try(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    ready = factories.ready_to_order(guest, {mug.product_id: 2}, now)
    with pytest.raises(Killed), run_around(gateway(), "open_session", killed, when="after"):
        factories.open_payment(services.place_order(**ready))
    (session_id,) = sessions(stripe)
    assert queries.order_by_id(order_id=order_id_for(ready["cart_id"])).payment.session_id == ""

    order = factories.open_payment(services.place_order(**ready | {"now": now + timedelta(seconds=9)}))

    assert list(sessions(stripe)) == [session_id]
    assert queries.order_by_id(order_id=order.order_id).payment.session_id == session_id
    assert (len(orders()), stock(mug.product_id)) == (1, 3)


def test_an_order_cancelled_while_stripe_opens_its_page_gets_no_page(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with (
        pytest.raises(services.OrderMoved),
        run_around(gateway(), "open_session", lambda: services.cancel_unpaid(order=order, now=now), when="after"),
    ):
        factories.open_payment(order)

    stored = queries.order_by_id(order_id=order.order_id)
    assert (stored.status, stored.payment.session_id) == (OrderStatus.CANCELLED, "")
    assert stock(mug.product_id) == 5


def test_the_page_an_order_has_is_never_replaced_by_another(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    opened: list[str] = []

    def another_tab() -> None:
        stripe.state.idempotency.clear()  # Stripe forgets keys after a day
        opened.append(factories.open_payment(order).payment.session_id)

    with pytest.raises(services.OrderMoved), run_before("UpdateItem", another_tab):
        factories.open_payment(order)

    assert len(sessions(stripe)) == 2
    assert [queries.order_by_id(order_id=order.order_id).payment.session_id] == opened


def test_a_page_whose_saving_was_answered_into_the_void_is_the_orders_page(
    stripe: FakeStripe, guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    wire = lost_reply("UpdateItem")

    opened = factories.open_payment(order)

    assert wire.count("UpdateItem") == 2
    assert list(sessions(stripe)) == [opened.payment.session_id]
    assert queries.order_by_id(order_id=order.order_id).payment == opened.payment


def test_stripe_and_the_tables_are_waited_for_no_longer_than_a_request_can_bear(
    stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    stripe.faults.api.append(ApiFault("error_before", times=9))

    with pytest.raises(payments.PaymentsUnavailable):
        factories.open_payment(order)

    assert len(stripe.state.requests) == 1  # the library itself tries nothing again
    assert gateway()._client._requestor._get_http_client()._timeout == (2, 8)  # type: ignore[attr-defined]  # no public way to ask
    config = connection().client.meta.config
    assert (config.connect_timeout, config.read_timeout, config.retries["total_max_attempts"]) == (1, 2, 3)


# --- Settling ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def unsaved(stripe: FakeStripe, guest: Owner, now: datetime) -> tuple[Order, str]:
    """A pending order and its session, which is paid: the process died before it could save the session on the order."""
    order = factories.make_order(guest, {factories.make_product(inventory=5).product_id: 2}, now)
    with pytest.raises(Killed), run_before("UpdateItem", killed):
        factories.open_payment(order)
    (session_id,) = sessions(stripe)
    assert stripe.pay(session_id) == "paid"
    return order, session_id


def test_a_session_saved_while_it_is_settled_stays_on_the_order(unsaved: tuple[Order, str], now: datetime) -> None:
    order, session_id = unsaved

    with run_before("UpdateItem", lambda: factories.open_payment(order)):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.PROCESSING
    assert settled.payment.session_id == session_id
    assert settled.payment.session_url != ""


def test_a_payment_is_reviewed_when_the_order_got_another_session_while_it_was_settled(
    stripe: FakeStripe, unsaved: tuple[Order, str], now: datetime
) -> None:
    order, session_id = unsaved

    def another_tab() -> None:
        stripe.state.idempotency.clear()
        factories.open_payment(order)

    with run_before("UpdateItem", another_tab):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.REVIEW
    assert settled.payment.session_id == next(other for other in sessions(stripe) if other != session_id)


@pytest.mark.parametrize("is_of_another_order", [False, True])
def test_a_foreign_session_of_the_right_amount_is_reviewed_and_never_accepted(
    stripe: FakeStripe,
    guest: Owner,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
    is_of_another_order: bool,
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    if is_of_another_order:
        other = factories.make_order(new_guest(now), {mug.product_id: 2}, now)
        foreign = factories.open_payment(other).payment.session_id
        sessions(stripe)[foreign]["client_reference_id"] = order.order_id
    else:
        foreign = another_session(stripe, order)
    assert stripe.pay(foreign) == "paid"

    settled = services.settle(session_id=foreign, now=now)

    assert settled == queries.order_by_id(order_id=order.order_id)
    assert (settled.status, settled.payment.status) == (OrderStatus.REVIEW, "review")
    assert settled.payment.session_id == order.payment.session_id != foreign
    assert f"of session {foreign} does not fit order {order.order_id}" in caplog.text


def test_a_second_payment_of_a_paid_order_is_told_and_changes_nothing(
    stripe: FakeStripe, guest: Owner, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    second = another_session(stripe, order)
    for session_id in (order.payment.session_id, second):
        assert stripe.pay(session_id) == "paid"
    settled = services.settle(session_id=order.payment.session_id, now=now)
    assert "does not fit" not in caplog.text

    assert services.settle(session_id=second, now=now) == settled
    assert settled.status is OrderStatus.PROCESSING
    assert f"of session {second} does not fit order {order.order_id}" in caplog.text


def test_a_settlement_whose_reply_was_lost_is_made_once(
    stripe: FakeStripe, guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    wire = lost_reply("UpdateItem")

    settled = services.settle(session_id=order.payment.session_id, now=now)

    assert wire.count("UpdateItem") == 2
    assert (settled.status, settled.payment.status) == (OrderStatus.PROCESSING, "completed")
    assert statuses(order) == ["pending", "processing"]


def test_a_webhook_that_settles_first_leaves_the_browser_nothing_to_do(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    answers: list[tuple[int, str]] = []

    with run_before("UpdateItem", lambda: answers.append(deliver(client, event(stripe, order.payment.session_id)))):
        settled = services.settle(session_id=order.payment.session_id, now=now)

    assert answers == [(200, "thank you")]
    assert settled.status is OrderStatus.PROCESSING
    assert statuses(order) == ["pending", "processing"]
    assert "does not fit" not in caplog.text


@pytest.mark.parametrize("ended", [OrderStatus.CANCELLED, OrderStatus.EXPIRED])
def test_money_for_an_order_given_up_while_it_is_settled_takes_its_pieces_again(
    stripe: FakeStripe, unsaved: tuple[Order, str], now: datetime, ended: OrderStatus
) -> None:
    order, session_id = unsaved

    with run_before("UpdateItem", lambda: services.release(order=order, to=ended, actor="test", now=now)):
        settled = services.settle(session_id=session_id, now=now)

    assert settled.status is OrderStatus.PROCESSING
    assert statuses(order) == ["pending", ended, "processing"]
    assert stock(order.lines[0].product_id) == 3


# --- Releasing --------------------------------------------------------------------------------------------------------


def test_an_order_whose_page_opens_while_it_is_released_is_kept(stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: factories.open_payment(order)):
        released = release_unpaid_orders(now=now + HOLD)

    stored = queries.order_by_id(order_id=order.order_id)
    assert (released, stored.status, stock(mug.product_id)) == (0, OrderStatus.PENDING, 3)
    assert stored.payment.session_id in sessions(stripe)
    assert release_unpaid_orders(now=now + HOLD) == 1
    assert sessions(stripe)[stored.payment.session_id]["status"] == "expired"
    assert stock(mug.product_id) == 5


def test_an_order_the_webhook_settles_between_stripes_word_and_the_release_stays_paid(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    answers: list[tuple[int, str]] = []

    def webhook() -> None:
        paid_after_all(stripe, order.payment.session_id)
        answers.append(deliver(client, event(stripe, order.payment.session_id)))

    with run_before("TransactWriteItems", webhook):
        released = release_unpaid_orders(now=now + HOLD)

    assert answers == [(200, "thank you")]
    assert released == 0
    assert statuses(order) == ["pending", "processing"]
    assert stock(mug.product_id) == 3


def test_an_order_paid_before_the_jobs_word_and_settled_by_the_webhook_first_is_settled_once(
    client: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    assert stripe.pay(order.payment.session_id) == "paid"

    with run_around(gateway(), "expire_session", lambda: deliver(client, event(stripe, order.payment.session_id)), when="after"):
        released = release_unpaid_orders(now=now + HOLD)

    assert released == 0
    assert statuses(order) == ["pending", "processing"]
    assert stock(mug.product_id) == 3


@pytest.mark.parametrize(("payment_status", "status"), [("unpaid", OrderStatus.PENDING), ("paid", OrderStatus.PROCESSING)])
def test_an_order_whose_money_came_or_is_on_its_way_is_not_released(
    stripe: FakeStripe, guest: Owner, now: datetime, payment_status: str, status: OrderStatus
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.open_payment(factories.make_order(guest, {mug.product_id: 2}, now))
    session = sessions(stripe)[order.payment.session_id]
    session.update(status="complete", payment_status=payment_status)

    with counted_calls() as calls:
        assert release_unpaid_orders(now=now + HOLD) == 0

    assert "TransactWriteItems" not in calls
    assert queries.order_by_id(order_id=order.order_id).status is status
    assert stock(mug.product_id) == 3
    session.update(payment_status="paid")
    assert services.settle(session_id=order.payment.session_id, now=now).status is OrderStatus.PROCESSING


@pytest.mark.parametrize("has_page", [False, True])
def test_an_order_the_shopper_cancels_while_the_job_releases_it_gives_its_pieces_back_once(
    stripe: FakeStripe, guest: Owner, now: datetime, has_page: bool
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    if has_page:
        order = factories.open_payment(order)

    with run_before("TransactWriteItems", lambda: services.cancel_unpaid(order=order, now=now)):
        released = release_unpaid_orders(now=now + HOLD)

    assert released == 0
    assert statuses(order) == ["pending", "cancelled"]
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize("has_page", [False, True])
def test_an_order_the_job_releases_while_the_shopper_cancels_it_gives_its_pieces_back_once(
    stripe: FakeStripe, guest: Owner, now: datetime, has_page: bool
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    if has_page:
        order = factories.open_payment(order)
    released: list[int] = []

    with (
        pytest.raises(services.OrderMoved),
        run_before("TransactWriteItems", lambda: released.append(release_unpaid_orders(now=now + HOLD))),
    ):
        services.cancel_unpaid(order=order, now=now)

    assert released == [1]
    assert statuses(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


def test_a_release_whose_reply_was_lost_is_made_once_and_counted(
    guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]
) -> None:
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    wire = lost_reply("TransactWriteItems")

    released = release_unpaid_orders(now=now + HOLD)

    assert wire.count("TransactWriteItems") == 2
    assert released == 1
    assert statuses(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


def test_a_release_that_is_tried_again_after_its_reply_was_lost_is_made_once_and_counted(guest: Owner, now: datetime) -> None:
    """The first try's client has given up waiting: only the token they share tells DynamoDB that the two are one."""
    mug = factories.make_product(inventory=5)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    with run_after("TransactWriteItems", fails(LOST)) as calls:
        released = release_unpaid_orders(now=now + HOLD)

    assert calls.count("TransactWriteItems") == 2
    assert released == 1
    assert statuses(order) == ["pending", "expired"]
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(refusal("TransactWriteItems", "ValidationException"), id="refused for good"),
        pytest.param(RuntimeError("a row that makes no sense"), id="unforeseen"),
    ],
)
def test_an_order_that_cannot_be_released_keeps_no_other_and_waits_for_the_next_run(
    guest: Owner, now: datetime, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    mug = factories.make_product(inventory=5)
    first, *others = (
        factories.make_order(new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=age)) for age in (3, 2, 1)
    )

    with run_before("TransactWriteItems", fails(trouble)):
        assert release_unpaid_orders(now=now + HOLD) == 2

    assert [statuses(order)[-1] for order in (first, *others)] == ["pending", "expired", "expired"]
    assert f"order {first.order_id} could not be released" in caplog.text
    assert stock(mug.product_id) == 4
    assert release_unpaid_orders(now=now + HOLD) == 1
    assert stock(mug.product_id) == 5


@pytest.mark.parametrize("has_open_cart", [False, True])
def test_lines_put_back_into_a_cart_that_changes_meanwhile_join_what_is_there(
    stripe: FakeStripe, guest: Owner, now: datetime, has_open_cart: bool
) -> None:
    mug, lamp, cup = (factories.make_product(inventory=9) for _ in range(3))
    order = factories.make_order(guest, {mug.product_id: 4}, now)
    ended = services.cancel_unpaid(order=order, now=now)
    if has_open_cart:
        factories.fill_cart(guest, {cup.product_id: 1}, now)

    with run_before("PutItem", lambda: factories.fill_cart(guest, {lamp.product_id: 2}, now)):
        restored = services.put_back_in_cart(order=ended, owner=guest, now=now)

    there = [(cup.product_id, 1)] if has_open_cart else []
    lines = [(line.product_id, line.quantity) for line in open_cart(owner=guest, now=now).lines]
    assert lines == [*there, (lamp.product_id, 2), (mug.product_id, 4)]
    assert restored == Restored(is_beside_others=True)
    assert services.put_back_in_cart(order=ended, owner=guest, now=now) == Restored(is_repeated=True)


# --- Webhooks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """An order whose shopper has paid and closed the tab."""
    order = factories.open_payment(factories.make_order(guest, {factories.make_product().product_id: 1}, now))
    assert stripe.pay(order.payment.session_id) == "paid"
    stripe.state.requests.clear()
    return order


def test_a_webhook_of_another_deployment_on_the_same_account_is_left_alone(
    client: Client, stripe: FakeStripe, paid: Order
) -> None:
    foreign = event(stripe, paid.payment.session_id)
    foreign["data"]["object"]["metadata"]["deployment"] = "0123456789abcdef"
    nameless = event(stripe, paid.payment.session_id)
    nameless["data"]["object"]["metadata"] = {}

    answers = [deliver(client, foreign), deliver(client, nameless)]

    assert answers == [(200, "not for us")] * 2
    assert list(stripe.state.requests) == []
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING
    assert deliver(client, event(stripe, paid.payment.session_id)) == (200, "thank you")


@pytest.mark.parametrize(("key", "livemode"), [("sk_test_tests", True), ("sk_live_tests", False), ("rk_live_tests", False)])
def test_a_webhook_of_the_other_mode_is_left_alone(
    client: Client, stripe: FakeStripe, paid: Order, settings: Settings, key: str, livemode: bool
) -> None:
    settings.STRIPE_SECRET_KEY = key
    payments.gateway.cache_clear()

    assert deliver(client, event(stripe, paid.payment.session_id, livemode=livemode)) == (200, "not for us")

    assert list(stripe.state.requests) == []
    assert queries.order_by_id(order_id=paid.order_id).status is OrderStatus.PENDING


# --- Effects, once ----------------------------------------------------------------------------------------------------


def test_who_outlived_the_lease_neither_ends_nor_gives_back_the_claim_of_the_next(now: datetime) -> None:
    for ending in (None, RuntimeError("no mail today")):
        key = f"mail-{ending}"
        slow, next_one = ExitStack(), once(EffectRow, key, now=now + LEASE)
        assert slow.enter_context(once(EffectRow, key, now=now)) is True
        assert next_one.__enter__() is True

        if ending:  # its own error goes on
            assert slow.__exit__(type(ending), ending, None) is False
        else:
            with pytest.raises(UpdateError):
                slow.__exit__(None, None, None)

        with pytest.raises(InProgress), once(EffectRow, key, now=now + LEASE):
            pass
        next_one.__exit__(None, None, None)
        with once(EffectRow, key, now=now + LEASE) as is_ours:
            assert is_ours is False


def test_a_claim_is_kept_from_others_to_the_last_second_of_its_lease_and_no_longer(now: datetime) -> None:
    with pytest.raises(Killed), run_before("DeleteItem", killed), once(EffectRow, "mail", now=now):
        raise RuntimeError("the process dies before it can give the claim back")

    with pytest.raises(InProgress), once(EffectRow, "mail", now=now + LEASE - timedelta(seconds=1)):
        pass
    with once(EffectRow, "mail", now=now + LEASE) as is_ours:
        assert is_ours is True


def test_an_effect_done_long_ago_is_not_done_again(now: datetime) -> None:
    with once(EffectRow, "mail", now=now):
        pass

    with once(EffectRow, "mail", now=now + 2 * LEASE) as is_ours:
        assert is_ours is False
