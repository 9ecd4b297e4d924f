"""Orders for other systems."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orders import desk_queries, services
from orders.domain import Order
from shop.lib.attributes import time_text
from shop.lib.guests import new_guest
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import items_of
from tests.orders.paid import paid_order, stored
from tests.shop.api_calls import by_token, call

pytestmark = pytest.mark.usefixtures("tables")

READER = by_token("orders.view")
SHIPPER = by_token("orders.ship", client_id="warehouse")
BOX = {"carrier": "DHL", "tracking_number": "00340434161094042557"}


@pytest.fixture
def paid(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    """Three mugs and a bowl, paid."""
    mug, bowl = factories.make_product(), factories.make_product()
    return paid_order(stripe, guest, {mug.product_id: 3, bowl.product_id: 1}, now)


def ship(order: Order, body: Any, **sent: Any) -> tuple[int, dict[str, str], Any]:
    return call("POST", f"/orders/{order.order_id}/parcels", body, authorizer=SHIPPER, **sent)


def deliver(order: Order, **sent: Any) -> tuple[int, dict[str, str], Any]:
    return call("POST", f"/orders/{order.order_id}/delivery", authorizer=SHIPPER, **sent)


def test_an_order_is_told_whole_and_nothing_that_pays_or_opens_it(paid: Order) -> None:
    status, _, content = call("GET", f"/orders/{paid.order_id}", authorizer=READER)

    assert status == 200
    assert {name: content[name] for name in ("order_id", "status", "email", "subtotal", "tax", "shipping", "total")} == {
        "order_id": paid.order_id,
        "status": "processing",
        "email": "ada@example.com",
        "subtotal": {"amount": "96.00", "currency": "USD"},
        "tax": {"amount": "7.68", "currency": "USD"},
        "shipping": {"amount": "9.99", "currency": "USD"},
        "total": {"amount": "113.67", "currency": "USD"},
    }
    assert sorted((line["quantity"], line["to_ship"], line["unit_price"]["amount"]) for line in content["lines"]) == [
        (1, 1, "24.00"),
        (3, 3, "24.00"),
    ]
    assert content["payment"] == {"status": "completed", "refunded": {"amount": "0.00", "currency": "USD"}}
    for secret in (paid.payment.session_id, paid.payment.session_url, paid.payment.payment_intent_id, paid.owner.id):
        assert secret
        assert secret not in str(content)


def test_every_order_of_a_list_is_on_one_page_and_on_no_two(now: datetime) -> None:
    mug = factories.make_product(inventory=20)
    made = [
        factories.make_order(new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=9 - number)).order_id
        for number in range(5)
    ]

    def pages(query: str) -> list[list[str]]:
        found, cursor = [], ""
        while True:
            _, _, content = call("GET", f"/orders?{query}" + (f"&cursor={cursor}" if cursor else ""), authorizer=READER)
            found.append([item["order_id"] for item in content["items"]])
            cursor = content["next_cursor"]
            if not cursor:
                return found

    second, fourth = (time_text(now - timedelta(minutes=9 - number)) for number in (1, 3))
    assert pages("limit=2") == [made[:2:-1], made[2:0:-1], made[:1]]
    assert pages("limit=2&sort=oldest&status=pending") == [made[:2], made[2:4], made[4:]]
    assert pages(f"since={second}&until={fourth}&sort=oldest") == [made[1:4]]
    assert pages("status=shipped") == [[]]
    assert pages(f"since={fourth}&until={second}") == [[]]


def test_a_list_tells_what_a_list_needs(paid: Order) -> None:
    content = call("GET", "/orders?status=processing", authorizer=READER)[2]

    assert content["items"] == [
        {
            "order_id": paid.order_id,
            "status": "processing",
            "email": "ada@example.com",
            "total": {"amount": "113.67", "currency": "USD"},
            "created_at": time_text(paid.created_at),
        }
    ]


@pytest.mark.parametrize("moment", ["2026-01-31", "2026-01-31T09:30:00", "yesterday", "0001-01-01T00:00:00%2B14:00", "True"])
def test_a_moment_that_could_be_any_is_refused(moment: str) -> None:
    status, _, content = call("GET", f"/orders?since={moment}", authorizer=READER)

    assert (status, content["errors"][0]["field"]) == (400, "since")


def test_an_order_leaves_in_parcels_and_arrives(paid: Order) -> None:
    mugs = next(line.product_id for line in paid.lines if line.quantity == 3)

    first = ship(paid, {**BOX, "pieces": {mugs: 2}})
    rest = ship(paid, {"carrier": "UPS", "tracking_number": "1Z"})
    arrived = deliver(paid)

    assert [(status, content["status"], len(content["parcels"])) for status, _, content in (first, rest, arrived)] == [
        (200, "processing", 1),
        (200, "shipped", 2),
        (200, "delivered", 2),
    ]
    assert first[2]["parcels"][0]["pieces"] == {mugs: 2}
    assert arrived[2]["tracking_number"] == BOX["tracking_number"]
    assert [entry["actor"] for entry in arrived[2]["history"]][-2:] == ["system:warehouse"] * 2
    assert desk_queries.order_with_number(paid.order_id) == stored(paid)


def test_a_parcel_noted_again_with_its_key_is_one_parcel(paid: Order) -> None:
    mugs = next(line.product_id for line in paid.lines if line.quantity == 3)
    body = {**BOX, "pieces": {mugs: 1}}

    first, again = ship(paid, body, key="box-1"), ship(paid, body, key="box-1")
    another = ship(paid, body, key="box-2")

    assert (again[0], again[2], again[1]["idempotency-replayed"]) == (200, first[2], "true")
    assert (another[0], len(another[2]["parcels"])) == (200, 2)
    assert len(stored(paid).parcels) == 2


def test_the_same_parcel_at_the_same_moment_is_answered_as_the_one_that_was_noted(
    paid: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = services.ship
    nested: list[bool] = []

    def overtaken(**told: Any) -> Order:
        if not nested:
            nested.append(True)
            ship(paid, BOX, key="box-1")
        return real(**told)

    monkeypatch.setattr(services, "ship", overtaken)
    outer = ship(paid, BOX, key="box-1")

    assert (outer[0], outer[2]["status"], outer[1]["idempotency-replayed"]) == (200, "shipped", "true")
    assert len(stored(paid).parcels) == 1


@pytest.mark.parametrize(
    "pieces",
    [{"prod-none": 1}, {"mugs": 4}, {"mugs": 0}, {"mugs": -1}, {"mugs": "1"}, {"mugs": 1.5}, {}, [], None, {"mugs": 1e30}],
)
def test_a_parcel_holds_what_is_still_to_leave_and_nothing_else(paid: Order, pieces: Any) -> None:
    mugs = next(line.product_id for line in paid.lines if line.quantity == 3)
    told = {mugs if name == "mugs" else name: count for name, count in pieces.items()} if isinstance(pieces, dict) else pieces
    before = items_of("Orders")

    status, headers, _ = ship(paid, {**BOX, "pieces": told})

    assert (status, headers["content-type"]) == (
        409 if pieces in ({"prod-none": 1}, {"mugs": 4}) else 400,
        "application/problem+json",
    )
    assert items_of("Orders") == before


def test_what_cannot_be_done_as_things_stand_is_a_conflict_that_says_how_they_stand(
    paid: Order, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product()
    unpaid = factories.make_order(new_guest(now), {mug.product_id: 1}, now)

    early, unpaid_ship = deliver(paid), ship(unpaid, BOX)
    ship(paid, BOX)
    twice = ship(paid, BOX)

    assert [(status, content["order_status"]) for status, _, content in (early, unpaid_ship, twice)] == [
        (409, "processing"),
        (409, "pending"),
        (409, "shipped"),
    ]
    assert len(stored(paid).parcels) == 1


def test_a_write_bound_to_an_order_that_changed_is_refused(paid: Order) -> None:
    mugs = next(line.product_id for line in paid.lines if line.quantity == 3)
    read = call("GET", f"/orders/{paid.order_id}", authorizer=READER)[1]["etag"]
    first = ship(paid, {**BOX, "pieces": {mugs: 1}}, headers={"if-match": read})

    refused = ship(paid, BOX, headers={"if-match": read})
    done = ship(paid, BOX, headers={"if-match": first[1]["etag"]})

    assert [first[0], refused[0], done[0]] == [200, 412, 200]
    assert len(stored(paid).parcels) == 2


@pytest.mark.parametrize("path", ["/orders/ord-none", "/orders/ord-none/parcels", "/orders/ord-none/delivery"])
def test_an_order_that_is_not_there_is_not_there(path: str) -> None:
    method = "GET" if path.endswith("none") else "POST"

    status, _, content = call(method, path, None if method == "GET" else {}, authorizer=by_token("orders.view", "orders.ship"))

    assert (status, content["detail"]) == (404, "There is no order ord-none.")
    assert items_of("Orders") == []
