"""The audit trail of orders: who of the staff changed what, before and after, from the stream."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.domain import Role
from orders import desk_queries, services
from orders.domain import Order
from orders.reactions import order_changed
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import make_user
from tests.conftest import items_of, words_of
from tests.orders.paid import ask, paid_order, stored, usd

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
EVE = "eve@shop.example"


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return paid_order(stripe, guest, {factories.make_product(name="Mug", sku="MUG-1", price=usd(2400)).product_id: 2}, now)


def rows() -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["PK"]["S"], row["SK"]["S"]): row for row in items_of("Orders")}


def done(action: Callable[[], Any], now: datetime) -> Any:
    """Do something, and hand what it changed over as the stream does: twice, as the stream may."""
    before = rows()
    answer = action()
    after = rows()
    for _ in range(2):
        for key, row in after.items():
            if row != before.get(key):
                order_changed(before.get(key), row, now=now)
    return answer


def entries(order: Order) -> list[tuple[str, str, dict[str, tuple[str, str]]]]:
    """Oldest first: who, did what, the changes."""
    found = desk_queries.order_file(order_id=order.order_id).entries
    return [
        (entry.actor_name, entry.action, {change.field: (change.before, change.after) for change in entry.changes})
        for entry in reversed(found)
    ]


def test_parcels_and_arrival_are_told(paid: Order, now: datetime) -> None:
    [line] = paid.lines
    first = done(
        lambda: services.ship(order=paid, carrier="UPS", tracking_number="1Z9", pieces={line.product_id: 1}, actor=EVE, now=now),
        now,
    )
    later = now + timedelta(minutes=1)
    second = done(lambda: services.ship(order=first, carrier="", tracking_number="", actor=EVE, now=later), now)
    done(lambda: services.deliver(order=second, actor=EVE, now=later + timedelta(minutes=1)), now)

    assert entries(paid) == [
        (EVE, "sent a parcel", {"parcel 1": ("", "UPS 1Z9, 1 × Mug")}),
        (EVE, "sent a parcel", {"parcel 2": ("", "1 × Mug")}),
        (EVE, "shipped the order", {"status": ("To ship", "Shipped")}),
        (EVE, "noted the arrival", {"status": ("Shipped", "Delivered")}),
    ]


def test_money_that_goes_back_is_told_with_what_it_is_for(client: Client, sign_in: SignIn, paid: Order, now: datetime) -> None:
    [line] = paid.lines
    done(lambda: ask(paid, now, lines={line.product_id: 1}, restock=True, note="Chipped", actor=EVE), now)
    assert entries(paid) == [
        (
            EVE,
            "asked for a refund",
            {
                "money that goes back": ("", "$25.92"),
                "pieces": ("", "1 × Mug (MUG-1), 1 back in stock"),
                "reason": ("", "Chipped"),
            },
        )
    ]
    link = f'<a href="/staff/products/{line.product_id}/">1 × Mug (MUG-1), 1 back in stock</a>'
    for page in ("/staff/audit/?of=orders", f"/staff/orders/{paid.order_id}/"):
        sign_in(client, "audit.view", "orders.view", "products.view")
        assert link in client.get(page).text
        sign_in(client, "audit.view", "orders.view")
        told = client.get(page).text
        assert ("1 × Mug (MUG-1), 1 back in stock" in told, link in told) == (True, False)


def test_a_product_that_is_gone_is_told_by_its_name(paid: Order, now: datetime) -> None:
    [line] = paid.lines
    factories.delete_product(line.product_id)
    done(lambda: ask(paid, now, lines={line.product_id: 1}, actor=EVE), now)
    entry = desk_queries.order_file(order_id=paid.order_id).entries[0]
    assert [(change.after, change.about) for change in entry.changes if change.field == "pieces"] == [("1 × Mug", "")]


def test_staff_are_told_by_their_names_as_everywhere_else(paid: Order, now: datetime) -> None:
    eve = make_user(now, email=EVE, role=Role.STAFF)
    done(lambda: services.add_note(order=paid, text="Call her", actor=EVE, now=now), now)

    (entry,) = desk_queries.order_file(order_id=paid.order_id).entries

    assert (entry.actor_name, entry.actor_id) == ("Ada Lovelace", eve.user_id)


def test_a_cancellation_is_told_with_what_could_go_back_before_and_after(paid: Order, now: datetime) -> None:
    done(lambda: services.cancel_order(order=paid, actor=EVE, now=now, note="by phone"), now)
    told = {action: changes for _, action, changes in entries(paid)}
    assert told["cancelled the order"] == {
        "status": ("To ship", "Cancelled"),
        "can go back": (str(paid.total), "$0.00"),
        "reason": ("", "by phone"),
    }
    assert told["asked for a refund"]["money that goes back"] == ("", str(paid.total))


def test_notes_are_told_and_what_shoppers_and_machines_do_is_not(
    client: Client, sign_in: SignIn, paid: Order, guest: Owner, now: datetime
) -> None:
    waiting = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    done(lambda: services.cancel_unpaid(order=waiting, now=now), now)
    assert entries(waiting) == []

    done(lambda: services.add_note(order=paid, text="<b>Call her</b>", actor=EVE, now=now), now)
    assert entries(paid) == [(EVE, "noted", {"note": ("", "<b>Call her</b>")})]
    sign_in(client, "audit.view", "orders.view")
    trail = client.get("/staff/audit/?of=orders").text
    assert f"{EVE} noted {paid.order_id} Note: <b>Call her</b>" in words_of(trail)
    assert "<b>Call" not in trail
    assert f"{EVE} noted" in words_of(client.get(f"/staff/orders/{paid.order_id}/").text)
    sign_in(client, "orders.view")
    assert f"{EVE} noted" not in words_of(client.get(f"/staff/orders/{paid.order_id}/").text)
    assert stored(paid) == paid
