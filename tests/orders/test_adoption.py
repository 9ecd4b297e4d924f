"""What somebody chose and told before signing in is theirs afterwards."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from cart import services as cart_services
from cart.domain import MAX_LINES, Item, adopt_items
from cart.queries import kept_cart
from orders import queries, services
from shop.lib.access import Viewer
from shop.lib.guests import GUEST_COOKIE
from shop.lib.money import Money
from shop.lib.owner import Owner
from tests.conftest import items_of, words_of
from tests.factories import DETAILS, fill_cart, make_product
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

    adopted = cart_services.adopt_guest_cart(guest=guest, owner=ada, now=now)
    again = cart_services.adopt_guest_cart(guest=guest, owner=ada, now=now)

    assert adopted is not None
    assert [(item.product_id, item.quantity) for item in adopted.lowered] == [(mug.product_id, 5)]
    assert again is None
    assert _counts(ada, now) == {mug.product_id: 5, bowl.product_id: 1}
    assert kept_cart(owner=guest, now=now) is None


def test_two_fragments_at_once_adopt_once(tables: Any, guest: Owner, now: datetime) -> None:
    mug = make_product()
    ada = Owner(id="user-1", is_guest=False)
    fill_cart(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: cart_services.adopt_guest_cart(guest=guest, owner=ada, now=now)):
        assert cart_services.adopt_guest_cart(guest=guest, owner=ada, now=now) is None

    assert _counts(ada, now) == {mug.product_id: 2}


def test_what_is_added_at_the_same_moment_is_not_lost(tables: Any, guest: Owner, now: datetime) -> None:
    mug, bowl = make_product(), make_product()
    ada = Owner(id="user-1", is_guest=False)
    fill_cart(guest, {mug.product_id: 2}, now)

    with run_before("TransactWriteItems", lambda: fill_cart(guest, {bowl.product_id: 1}, now)):
        cart_services.adopt_guest_cart(guest=guest, owner=ada, now=now)

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
