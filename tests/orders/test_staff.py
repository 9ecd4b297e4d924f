"""Staff's desk: lists, search, shipping, refunds and the refusals when two do it at once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from cart.tax_domain import tax_rules_from
from orders import services
from orders.carriers import CARRIERS
from orders.domain import OrderStatus
from orders.reactions import order_changed
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.paid import made_at, paid_order, stock, stored

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Any]
VIEW, SHIP, REFUND = "orders.view", "orders.ship", "orders.refund"


@pytest.fixture
def desk(client: Client, sign_in: SignIn) -> Client:
    """Somebody of staff with every permission about orders."""
    sign_in(client, VIEW, SHIP, REFUND)
    return client


def listed(page: str) -> list[str]:
    return re.findall(r'<td data-label="Order"><a href="/staff/orders/([-\w]+)/"', page)


def followed(answer: Any, client: Client) -> str:
    assert answer.status_code == 303
    return str(client.get(answer["Location"]).text)


@pytest.mark.parametrize(
    ("permissions", "path", "status"),
    [
        ((), "/staff/orders/", 403),
        ((SHIP,), "/staff/orders/", 403),
        ((VIEW,), "/staff/orders/", 200),
        ((VIEW,), "/staff/orders/{id}/", 200),
        ((VIEW,), "/staff/orders/export.csv", 200),
        ((VIEW,), "/staff/orders/{id}/packing-slip.pdf", 200),
        ((VIEW,), "/staff/orders/{id}/ship/", 403),
        ((SHIP,), "/staff/orders/{id}/ship/", 200),
        ((VIEW, SHIP), "/staff/orders/{id}/refund/", 403),
        ((REFUND,), "/staff/orders/{id}/refund/", 200),
        ((REFUND,), "/staff/orders/{id}/cancel/", 200),
        ((VIEW,), "/staff/orders/ord-unknown/", 404),
    ],
)
def test_each_page_asks_for_its_own_permission(
    client: Client,
    sign_in: SignIn,
    stripe: FakeStripe,
    guest: Owner,
    now: datetime,
    permissions: tuple[str, ...],
    path: str,
    status: int,
) -> None:
    order = paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)
    sign_in(client, *permissions)
    assert client.get(path.format(id=order.order_id)).status_code == status


def test_what_is_to_ship_comes_with_the_longest_wait_first_and_all_orders_newest_first(
    desk: Client, stripe: FakeStripe, now: datetime
) -> None:
    mug = factories.make_product(inventory=10)
    first = paid_order(stripe, new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=2))
    second = paid_order(stripe, new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=1))
    unpaid = factories.make_order(new_guest(now), {mug.product_id: 1}, now)

    assert listed(desk.get("/staff/orders/").text) == [unpaid.order_id, second.order_id, first.order_id]
    assert listed(desk.get("/staff/orders/?status=processing").text) == [first.order_id, second.order_id]
    assert listed(desk.get("/staff/orders/?status=pending").text) == [unpaid.order_id]


def test_a_list_can_be_bounded_by_days_and_passes_over_nonsense(desk: Client, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)

    assert listed(desk.get(f"/staff/orders/?since={today}&until={today}").text) == [order.order_id]
    page = desk.get(f"/staff/orders/?since={tomorrow}").text
    assert (listed(page), f'name="since" value="{tomorrow}"' in page, "Show all" in page) == ([], True, True)
    assert listed(desk.get(f"/staff/orders/?since={tomorrow}&until={today}").text) == []
    assert listed(desk.get("/staff/orders/?since=never&status=lost&cursor=forged").text) == [order.order_id]


def test_lists_cost_one_query_and_the_kept_filters_however_many_orders_there_are(desk: Client, now: datetime) -> None:
    mug = factories.make_product(inventory=99)
    for _ in range(3):
        factories.make_order(new_guest(now), {mug.product_id: 1}, now)
    with counted_calls() as calls:
        desk.get("/staff/orders/")
    assert calls == ["Query", "GetItem"]


def test_an_order_is_found_by_number_address_and_words_of_the_name(desk: Client, now: datetime) -> None:
    mug = factories.make_product(inventory=10)
    details = replace(factories.DETAILS, email="Zoë@Example.com", address=replace(factories.ADDRESS, name="Zoë Śliwińska-Brown"))
    ready = factories.ready_to_order(new_guest(now), {mug.product_id: 1}, now, details)
    order = services.place_order(**ready)
    other = factories.make_order(new_guest(now), {mug.product_id: 1}, now)
    for one in (order, other):
        services.remember_words(order=one)

    for words in ("zoë@example.com", "zoe sliwinska", "BROWN"):
        assert listed(desk.get("/staff/orders/", {"q": words}).text) == [order.order_id]
    assert listed(desk.get("/staff/orders/", {"q": "zoe lovelace"}).text) == []
    assert (
        desk.get("/staff/orders/", {"q": order.order_id.removeprefix("ord-")})["Location"] == f"/staff/orders/{order.order_id}/"
    )


def test_words_written_by_the_stream_cause_nothing_themselves(tables: Any, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    (item,) = (item for item in items_of("Orders") if item["SK"]["S"] == f"ORDER#{order.order_id}" and "totals" in item)
    order_changed(None, item, now=now)
    words = [item for item in items_of("Orders") if item["PK"]["S"].startswith("WORD#")]

    assert sorted(item["PK"]["S"] for item in words) == ["WORD#ada", "WORD#ada@example.com", "WORD#lovelace"]
    for item in words:
        order_changed(None, item, now=now)  # raises for what it takes for a broken order


def test_an_order_is_shipped_in_two_parcels(desk: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug, tray = factories.make_product(), factories.make_product()
    order = paid_order(stripe, guest, {mug.product_id: 2, tray.product_id: 1}, now)
    ship = f"/staff/orders/{order.order_id}/ship/"

    page = followed(
        desk.post(
            ship, {f"pieces-{mug.product_id}": "1", f"pieces-{tray.product_id}": "1", "carrier": "UPS", "tracking_number": "1Z9"}
        ),
        desk,
    )
    assert "The parcel is noted; the rest is still to leave." in page
    assert stored(order).status is OrderStatus.PROCESSING

    page = followed(desk.post(ship, {f"pieces-{mug.product_id}": "1", "carrier": "UPS", "tracking_number": "1Z8"}), desk)
    shipped = stored(order)
    assert "The order is shipped." in page
    assert (shipped.status, [parcel.tracking_number for parcel in shipped.parcels]) == (OrderStatus.SHIPPED, ["1Z9", "1Z8"])
    assert shipped.history[-1].actor == "ada@example.com"


@pytest.mark.parametrize("pieces", ["1", "3"])
def test_a_parcel_whose_button_is_pressed_twice_is_noted_once(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime, pieces: str
) -> None:
    mug = factories.make_product()
    order = paid_order(stripe, guest, {mug.product_id: 3}, now)
    ship = f"/staff/orders/{order.order_id}/ship/"
    found = re.search(r'name="press" value="([0-9a-f]{32})"', desk.get(ship).text)
    assert found
    asked = {f"pieces-{mug.product_id}": pieces, "carrier": "UPS", "tracking_number": "1Z", "press": found[1]}

    desk.post(ship, asked)
    page = followed(desk.post(ship, asked), desk)

    assert "The button was pressed twice; the parcel is noted once." in page
    assert [parcel.pieces for parcel in stored(order).parcels] == [((mug.product_id, int(pieces)),)]


@pytest.mark.parametrize("pieces", ["-1", "3", "1.5", "٣٣", "all", "0", ""])
def test_a_parcel_of_nonsense_does_not_leave(desk: Client, stripe: FakeStripe, guest: Owner, now: datetime, pieces: str) -> None:
    mug = factories.make_product()
    order = paid_order(stripe, guest, {mug.product_id: 2}, now)

    answer = desk.post(f"/staff/orders/{order.order_id}/ship/", {f"pieces-{mug.product_id}": pieces})

    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert stored(order) == order


def test_what_goes_back_is_shown_in_money_first_and_then_goes_back_once(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(price=Money(2400, "USD"), inventory=10)
    order = paid_order(stripe, guest, {mug.product_id: 2}, now)
    asked = {f"pieces-{mug.product_id}": "1", "number": "1", "restock": "on", "note": "broken"}
    address = f"/staff/orders/{order.order_id}/refund/"

    preview = desk.get(address, asked).text
    assert "$25.92 goes back" in preview  # 24.00 and 8 % tax
    assert made_at(stripe) == []

    assert "$25.92 is refunded." in followed(desk.post(address, asked), desk)
    assert "$25.92 is refunded." in followed(desk.post(address, asked), desk)  # a second press meets the first one's refund
    assert made_at(stripe) == [2592]
    assert stock(mug.product_id) == 9
    assert stored(order).status is OrderStatus.PROCESSING
    page = desk.get(f"/staff/orders/{order.order_id}/").text
    assert "<dt>State</dt><dd>Refunded in part</dd>" in page
    assert '<span class="badge is-good">Refunded</span>' in page
    assert re.findall(r'Placed <span class="muted">by ([^<]+)</span>', page) == ["the customer"]


def test_of_a_line_that_left_in_part_staff_say_what_came_back(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(price=Money(2400, "USD"), inventory=10)
    order = paid_order(stripe, guest, {mug.product_id: 3}, now)
    address = f"/staff/orders/{order.order_id}/refund/"
    assert "came back?" not in desk.get(address).text
    services.ship(order=order, carrier="", tracking_number="", actor="eve", now=now, pieces={mug.product_id: 1})
    assert "Of these, how many had left and came back?" in desk.get(address).text

    asked = {f"pieces-{mug.product_id}": "1", f"sent-{mug.product_id}": "1", "number": "1"}
    for wrong, words in (
        ({f"sent-{mug.product_id}": "2"}, "at most 1 can have come back"),
        ({f"pieces-{mug.product_id}": "0"}, "1 cannot have come back when 0 are refunded."),
        ({f"pieces-{mug.product_id}": "3", f"sent-{mug.product_id}": "0"}, "2 of them still here, so at least 1 came back."),
    ):
        assert words in desk.post(address, asked | wrong).text
    assert made_at(stripe) == []

    preview = desk.get(address, asked).text
    assert f'name="sent-{mug.product_id}" value="1"' in preview
    assert "$25.92 is refunded." in followed(desk.post(address, asked), desk)
    (line,) = stored(order).lines
    assert (line.refunded, line.unsent, line.to_ship) == (1, 0, 2)
    assert "came back?" not in desk.get(address).text  # all that left has come back


def test_a_delivery_goes_back_with_its_tax_as_it_was_shown(
    settings: Settings, desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    settings.TAX_RULES = tax_rules_from([{"rate": "0.2", "delivery": "0.2"}])
    mug = factories.make_product(price=Money(2400, "USD"))
    order = paid_order(stripe, guest, {mug.product_id: 1}, now)
    asked = {"number": "1", "delivery": "on"}
    address = f"/staff/orders/{order.order_id}/refund/"

    assert "$11.99 goes back" in desk.get(address, asked).text
    assert "$11.99 is refunded." in followed(desk.post(address, asked), desk)  # 9.99 and 20 % tax
    assert made_at(stripe) == [1199]


def test_neighbours_of_an_order_are_those_placed_just_before_and_after_it(
    settings: Settings, desk: Client, guest: Owner, now: datetime
) -> None:
    settings.INDEX_PARTITIONS = 50
    mug = factories.make_product()
    minutes = [now + timedelta(minutes=minute) for minute in range(6)]

    def placed(cart_at: datetime, at: datetime) -> str:
        ready = factories.ready_to_order(new_guest(cart_at), {mug.product_id: 1}, cart_at)
        return services.place_order(**(ready | {"now": at})).order_id

    slow, quick = placed(minutes[0], minutes[4]), placed(minutes[1], minutes[3])
    first = placed(minutes[2], minutes[2])
    late = placed(minutes[5], minutes[5])

    page = desk.get(f"/staff/orders/{first}/").text
    assert ('href="?to=newer"' in page, 'href="?to=older"' in page) == (True, True)
    ways = [(first, "newer"), (quick, "newer"), (slow, "newer"), (late, "older"), (slow, "older"), (quick, "older")]
    led = [desk.get(f"/staff/orders/{one}/?to={way}")["Location"] for one, way in ways]
    assert led == [f"/staff/orders/{one}/" for one in (quick, slow, late, slow, quick, first)]
    assert "This is the newest order." in followed(desk.get(f"/staff/orders/{late}/?to=newer"), desk)
    assert "This is the oldest order." in followed(desk.get(f"/staff/orders/{first}/?to=older"), desk)
    assert desk.get("/staff/orders/ord-unknown/?to=older").status_code == 404
    assert desk.get(f"/staff/orders/{first}/?to=nowhere").status_code == 200


@pytest.mark.parametrize("query", ["until=9999-12-31", "since=0001-01-01&until=0001-01-01", "since=9999-12-31"])
def test_days_at_the_end_of_time_are_passed_over(desk: Client, query: str) -> None:
    assert desk.get(f"/staff/orders/?{query}").status_code == 200
    assert desk.get(f"/staff/orders/export.csv?{query}").status_code == 200


@pytest.mark.parametrize("asked", [{}, {"extra": "0"}], ids=["nothing", "an amount of nothing"])
def test_a_refund_of_nothing_is_asked_about(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime, asked: dict[str, str]
) -> None:
    order = paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)
    address = f"/staff/orders/{order.order_id}/refund/"

    assert "Please choose" not in desk.get(address).text
    for answer in (desk.get(address, {"number": "1", **asked}), desk.post(address, {"number": "1", **asked})):
        assert "Please choose what goes back: pieces, the delivery or an amount." in answer.text
        assert f"<title>Please check: Refund {order.order_id} ·" in answer.text
        assert "goes back</h2>" not in answer.text
    assert (made_at(stripe), stored(order)) == ([], order)


def test_more_than_was_paid_never_goes_back(desk: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(price=Money(2400, "USD"))
    order = paid_order(stripe, guest, {mug.product_id: 1}, now)

    page = desk.post(f"/staff/orders/{order.order_id}/refund/", {"number": "1", "extra": "1000"}).text

    assert f"That would be $1,000.00, and at most {order.total} can still go back. Choose less." in page
    assert (made_at(stripe), stored(order)) == ([], order)


def test_a_refund_whose_button_is_pressed_twice_is_made_once_and_told_twice(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = factories.make_product(price=Money(2400, "USD"))
    order = paid_order(stripe, guest, {mug.product_id: 1}, now)

    for _ in range(2):  # the second time less is left than goes back
        pressed = desk.post(f"/staff/orders/{order.order_id}/refund/", {"number": "1", "extra": "30"})
        assert "$30.00 is refunded." in followed(pressed, desk)

    assert (made_at(stripe), stored(order).payment.left) == ([3000], order.total - Money(3000, "USD"))


def test_of_two_who_act_at_once_the_second_is_told(desk: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product()
    order = paid_order(stripe, guest, {mug.product_id: 1}, now)
    services.ship(order=order, carrier="UPS", tracking_number="1Z9", actor="eve@shop.example", now=now)

    page = followed(desk.post(f"/staff/orders/{order.order_id}/cancel/", {"note": "too late"}), desk)

    assert "The order does not stand where this can be done." in page
    assert stored(order).status is OrderStatus.SHIPPED
    assert made_at(stripe) == []


def test_no_sum_is_offered_of_an_order_that_gives_nothing_back(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)
    desk.post(f"/staff/orders/{order.order_id}/cancel/", {"note": "changed mind"})

    for asked in ({}, {"number": "1", "delivery": "on"}):
        answer = desk.get(f"/staff/orders/{order.order_id}/refund/", asked)
        assert (answer.status_code, answer["Location"]) == (303, f"/staff/orders/{order.order_id}/")
        assert "The order does not stand where this can be done." in desk.get(answer["Location"]).text


def test_a_cancelled_order_gives_all_back(desk: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    order = paid_order(stripe, guest, {mug.product_id: 2}, now)

    page = followed(desk.post(f"/staff/orders/{order.order_id}/cancel/", {"note": "asked for by phone"}), desk)

    assert "The order is cancelled, and its pieces are back in stock." in page
    assert "asked for by phone" in page
    assert (made_at(stripe), stock(mug.product_id)) == ([order.total.minor], 5)


def test_notes_are_for_staff_and_are_text(desk: Client, guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    page = followed(desk.post(f"/staff/orders/{order.order_id}/notes/", {"text": "<script>alert(1)</script> call her"}), desk)
    assert "&lt;script&gt;alert(1)&lt;/script&gt; call her" in page
    assert "<script>alert" not in page


def test_the_ship_form_knows_the_carriers_whose_parcels_can_be_followed(
    desk: Client, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    order = paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)
    page = desk.get(f"/staff/orders/{order.order_id}/ship/").text
    assert re.findall(r"<option>([^<]+)</option>", page) == list(CARRIERS)
