"""What somebody chose and told before signing in is theirs afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from cart.adopting import adopt_guest_cart
from cart.domain import MAX_LINES, Item, adopt_items
from cart.queries import kept_cart, open_cart
from orders import queries, services
from orders.domain import HOLD
from shop.lib.access import Viewer
from shop.lib.guests import GUEST_COOKIE
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests.conftest import items_of, words_of
from tests.factories import DETAILS, fill_cart, make_order, make_product, open_payment
from tests.rivals import run_before

WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def _items(quantities: dict[int, int]) -> tuple[Item, ...]:
    return tuple(Item(f"prod-{key}", f"Mug {key}", count, Money(2400, "USD"), "", WHEN) for key, count in quantities.items())


def _counts(owner: Owner, now: datetime) -> dict[str, int]:
    cart = kept_cart(owner=owner, now=now)
    return {item.product_id: item.quantity for item in cart.items} if cart else {}


quantities = st.dictionaries(st.integers(0, 9), st.integers(1, 99), max_size=8)


@given(mine=quantities, theirs=quantities, stock=st.dictionaries(st.integers(0, 9), st.integers(1, 99)))
def test_quantities_add_up_to_the_stock_whoever_had_them(
    mine: dict[int, int], theirs: dict[int, int], stock: dict[int, int]
) -> None:
    most = {f"prod-{key}": count for key, count in stock.items()}

    one_way = adopt_items(_items(mine), _items(theirs), most=most)
    other_way = adopt_items(_items(theirs), _items(mine), most=most)

    expected = {f"prod-{key}": min(mine.get(key, 0) + theirs.get(key, 0), stock.get(key, 99)) for key in {**mine, **theirs}}
    assert {item.product_id: item.quantity for item in one_way.items} == expected
    assert {item.product_id: item.quantity for item in other_way.items} == expected
    asked = {key: mine.get(key, 0) + theirs.get(key, 0) for key in {**mine, **theirs}}
    assert {item.product_id for item in one_way.lowered} == {
        f"prod-{key}" for key, count in asked.items() if expected[f"prod-{key}"] < count
    }


def test_a_full_cart_names_what_did_not_fit() -> None:
    adopted = adopt_items(_items(dict.fromkeys(range(MAX_LINES), 1)), _items({99: 1}), most={})

    assert (len(adopted.items), adopted.left_out) == (MAX_LINES, ("Mug 99",))


def test_adopting_twice_is_adopting_once(tables: Any, guest: Owner, now: datetime) -> None:
    mug, bowl = make_product(inventory=5), make_product()
    ada = Owner(id="user-1", is_guest=False)
    fill_cart(guest, {mug.product_id: 4, bowl.product_id: 1}, now)
    fill_cart(ada, {mug.product_id: 3}, now)

    adopted = adopt_guest_cart(guest=guest, owner=ada, now=now)
    again = adopt_guest_cart(guest=guest, owner=ada, now=now)

    assert adopted is not None
    assert adopted.merged is not None
    assert [(item.product_id, item.quantity) for item in adopted.merged.lowered] == [(mug.product_id, 5)]
    assert again is None
    assert _counts(ada, now) == {mug.product_id: 5, bowl.product_id: 1}
    assert kept_cart(owner=guest, now=now) is None


def test_two_fragments_at_once_adopt_once(tables: Any, guest: Owner, now: datetime) -> None:
    mug = make_product()
    ada = Owner(id="user-1", is_guest=False)
    fill_cart(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: adopt_guest_cart(guest=guest, owner=ada, now=now)):
        assert adopt_guest_cart(guest=guest, owner=ada, now=now) is None

    assert _counts(ada, now) == {mug.product_id: 2}


def test_what_is_added_at_the_same_moment_is_not_lost(tables: Any, guest: Owner, now: datetime) -> None:
    mug, bowl = make_product(), make_product()
    ada = Owner(id="user-1", is_guest=False)
    fill_cart(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: fill_cart(guest, {bowl.product_id: 1}, now)):
        adopt_guest_cart(guest=guest, owner=ada, now=now)

    assert _counts(ada, now) == {mug.product_id: 2, bowl.product_id: 1}


def test_the_first_cart_page_after_signing_in_adopts_and_tells(
    tables: Any, guest_client: Client, guest: Owner, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    mug = make_product()
    fill_cart(guest, {mug.product_id: 2}, now)
    services.remember_details(owner=guest, details=DETAILS, now=now)
    viewer = sign_in(guest_client)
    ada = Owner(id=viewer.user_id, is_guest=False)

    page = guest_client.get("/cart/")

    assert "What you chose before you signed in is in your cart." in words_of(page.content.decode())
    assert page.cookies[GUEST_COOKIE].value == ""
    assert _counts(ada, now) == {mug.product_id: 2}
    assert queries.checkout_details(owner=ada, now=now) == replace(DETAILS)
    assert [item for item in items_of("Carts") if item["PK"]["S"] == guest.key] == []
    assert [item for item in items_of("Orders") if item["PK"]["S"] == guest.key] == []
    assert "What you chose" not in words_of(guest_client.get("/cart/").content.decode())


def test_a_signed_in_shopper_orders_as_themselves(
    tables: Any, client: Client, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    mug = make_product()
    viewer = sign_in(client)

    assert client.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"}).status_code == 302

    assert GUEST_COOKIE not in client.cookies
    assert _counts(Owner(id=viewer.user_id, is_guest=False), now) == {mug.product_id: 1}
    assert 'value="ada@example.com"' in client.get("/checkout/contact/").content.decode()


# --- What was ordered before ------------------------------------------------------------------------------------------


def test_lines_that_came_back_before_signing_in_do_not_come_back_twice(
    tables: Any, stripe: FakeStripe, guest: Owner, now: datetime
) -> None:
    mug = make_product(inventory=9)
    ada = Owner(id="user-1", is_guest=False)
    order = services.cancel_unpaid(order=make_order(guest, {mug.product_id: 2}, now), now=now)
    services.put_back_in_cart(order=order, owner=guest, now=now)
    adopt_guest_cart(guest=guest, owner=ada, now=now)

    again = services.put_back_in_cart(order=order, owner=ada, now=now)

    assert again.is_repeated
    assert _counts(ada, now) == {mug.product_id: 2}


def test_an_order_placed_before_signing_in_is_found_in_the_cart_until_its_time_is_over(
    tables: Any, stripe: FakeStripe, guest_client: Client, guest: Owner, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    order = open_payment(make_order(guest, {make_product().product_id: 2}, now))
    viewer = sign_in(guest_client)
    ada = Owner(id=viewer.user_id, is_guest=False)

    pages = [guest_client.get("/cart/") for _ in range(2)]

    key = f"?key={queries.key_of(order.order_id)}"
    for page in pages:
        assert "Your order is waiting to be paid" in page.text
        assert f'action="/checkout/{order.order_id}/pay/{key}"' in page.text
        assert "before you signed in" not in page.text
    assert pages[0].cookies[GUEST_COOKIE].value == ""
    assert guest_client.post(f"/checkout/{order.order_id}/pay/{key}")["Location"].startswith(f"{stripe.base_url}/c/pay/")
    assert guest_client.get(f"/checkout/{order.order_id}/pay/").status_code == 404  # the key opens it, not the account
    extended = services.extend_hold(order=order, visitor=ada, now=now)
    assert extended.due_at is not None
    for moment, found in ((extended.due_at - timedelta(seconds=1), extended), (extended.due_at, None)):
        cart = open_cart(owner=ada, now=moment)
        assert queries.order_that_may_wait(owner=ada, cart=cart, now=moment) == found
    assert [item for item in items_of("Carts") if item["PK"]["S"] == guest.key] == []


def test_another_page_than_the_cart_says_so_once(
    tables: Any, stripe: FakeStripe, guest_client: Client, guest: Owner, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    order = make_order(guest, {make_product().product_id: 2}, now)
    sign_in(guest_client)

    pages = [guest_client.get("/orders/").text for _ in range(2)]

    link = f'<a href="/checkout/{order.order_id}/pay/?key={queries.key_of(order.order_id)}">See it and pay</a>'
    assert [link in page for page in pages] == [True, False]
    assert "The order you placed before you signed in is not paid yet." in words_of(pages[0])
    assert "Your order is waiting to be paid" in guest_client.get("/cart/").text


def test_lines_and_an_order_come_together_and_an_order_of_ones_own_stays_told(
    tables: Any, stripe: FakeStripe, guest_client: Client, guest: Owner, sign_in: Callable[..., Viewer], now: datetime
) -> None:
    mug = make_product(inventory=9)
    viewer = sign_in(guest_client)
    ada = Owner(id=viewer.user_id, is_guest=False)
    own = make_order(ada, {mug.product_id: 1}, now)
    order = make_order(guest, {mug.product_id: 2}, now)
    fill_cart(guest, {mug.product_id: 3}, now)

    page = guest_client.get("/cart/").text

    assert "The order you placed before you signed in is not paid yet." in words_of(page)
    assert f"/checkout/{order.order_id}/pay/?key=" in page
    assert f'action="/checkout/{own.order_id}/pay/"' in page
    assert _counts(ada, now) == {mug.product_id: 3}


@pytest.mark.parametrize("how", ["paid", "over", "none"])
def test_an_order_that_does_not_wait_is_no_news(
    tables: Any, stripe: FakeStripe, guest_client: Client, guest: Owner, sign_in: Callable[..., Viewer], now: datetime, how: str
) -> None:
    if how != "none":
        placed = now if how == "paid" else now - HOLD
        order = open_payment(make_order(guest, {make_product().product_id: 2}, placed))
        if how == "paid":
            stripe.pay(order.payment.session_id)
            services.settle(session_id=order.payment.session_id, now=now)
    sign_in(guest_client)

    pages = [guest_client.get("/orders/").text, guest_client.get("/cart/").text]

    assert not any("not paid yet" in page or "waiting to be paid" in page for page in pages)
    assert ("Your last order is paid." in pages[1]) is (how == "paid")
