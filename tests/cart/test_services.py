from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from pynamodb.exceptions import UpdateError

from cart import adopting, services, writing
from cart.domain import LIFETIME, MAX_LINES, MAX_QUANTITY, Change
from cart.queries import kept_cart, open_cart
from catalog.domain import ProductStatus
from catalog.models import product_key
from catalog.services import set_stock
from orders import services as order_services
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Busy, table_name
from tests import factories
from tests.conftest import items_of
from tests.rivals import fails, refusal, run_before, run_before_each
from tests.spec_items import CART

pytestmark = pytest.mark.usefixtures("tables")


def add(owner: Owner, product_id: str, quantity: int, now: datetime) -> services.Added:
    return services.add_to_cart(owner=owner, product_id=product_id, quantity=quantity, now=now)


def test_adding_twice_adds_up_on_one_line(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=20)
    add(guest, mug.product_id, 2, now)

    added = add(guest, mug.product_id, 3, now)

    assert added == services.Added(name=mug.name, quantity=3, in_cart=5, is_limited=False)
    cart = open_cart(owner=guest, now=now)
    assert [(line.product_id, line.quantity, line.unit_price) for line in cart.lines] == [(mug.product_id, 5, mug.price)]


def test_a_cart_is_stored_in_the_specifications_form(tables: Any, guest: Owner, now: datetime) -> None:
    lamp = factories.make_product(price=Money(19999, "USD"))
    cable = factories.make_product(price=Money(1299, "USD"))
    add(guest, lamp.product_id, 2, now)
    add(guest, cable.product_id, 3, now)

    (stored,) = items_of("Carts")

    assert stored["PK"] == {"S": f"GUEST#{guest.id}"}
    assert stored["SK"] == {"S": "CART"}
    assert stored["totals"] == {
        "M": {
            "subtotal": {"N": "438.95"},
            "tax": {"N": "35.12"},
            "shipping": {"N": "9.99"},
            "total": {"N": "484.06"},
            "currency": {"S": "USD"},
        }
    }
    assert set(stored["items"]["L"][0]["M"]) == {
        "productId",
        "productName",
        "quantity",
        "price",
        "currency",
        "imageUrl",
        "addedAt",
    }
    assert stored["expiresAt"] == {"N": str(int((now + LIFETIME).timestamp()))}


@pytest.mark.parametrize(
    ("stock", "asked", "got"), [(3, 5, 3), (3, 3, 3), (500, MAX_QUANTITY, MAX_QUANTITY), (500, 150, MAX_QUANTITY)]
)
def test_no_more_goes_in_than_there_is_and_a_cart_may_hold(guest: Owner, now: datetime, stock: int, asked: int, got: int) -> None:
    mug = factories.make_product(inventory=stock)

    added = add(guest, mug.product_id, asked, now)

    assert (added.quantity, added.in_cart, added.is_limited) == (got, got, asked > got)


def test_what_is_sold_out_inactive_or_unknown_does_not_go_in(guest: Owner, now: datetime) -> None:
    sold_out = factories.make_product(inventory=0)
    inactive = factories.make_product(status=ProductStatus.INACTIVE)

    for product_id, name in ((sold_out.product_id, sold_out.name), (inactive.product_id, inactive.name), ("prod-no", "")):
        with pytest.raises(services.NotForSale) as refusal:
            add(guest, product_id, 1, now)
        assert refusal.value.name == name

    assert items_of("Carts") == []


def test_the_forty_first_product_is_refused_kindly(guest: Owner, now: datetime) -> None:
    for _ in range(MAX_LINES):
        add(guest, factories.make_product().product_id, 1, now)

    with pytest.raises(services.CartFull):
        add(guest, factories.make_product().product_id, 1, now)

    cart = open_cart(owner=guest, now=now)
    assert len(cart.lines) == MAX_LINES == 40
    assert add(guest, cart.lines[0].product_id, 1, now).in_cart == 2


def test_quantity_is_set_and_bounded_and_a_line_taken_out_once(guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=4)
    add(guest, mug.product_id, 1, now)

    def quantity_after(quantity: int) -> list[int]:
        cart = services.change_quantity(owner=guest, product_id=mug.product_id, quantity=quantity, now=now)
        return [item.quantity for item in cart.items]

    assert [quantity_after(3), quantity_after(9)] == [[3], [4]]
    removed = services.remove_line(owner=guest, product_id=mug.product_id, now=now)
    assert (removed.product_id, removed.name, removed.quantity) == (mug.product_id, mug.name, 4)
    with pytest.raises(services.NotInCart):
        quantity_after(1)
    with pytest.raises(services.NotInCart):
        services.remove_line(owner=guest, product_id=mug.product_id, now=now)


def test_prices_stock_and_vanished_products_are_told_line_by_line(guest: Owner, now: datetime) -> None:
    dearer, short, gone, sold_out = (factories.make_product(price=Money(1000, "USD"), inventory=9) for _ in range(4))
    for made in (dearer, short, gone, sold_out):
        add(guest, made.product_id, 5, now)
    from decimal import Decimal

    from catalog.models import ProductRow

    product_key(dearer.product_id).update(actions=[ProductRow.price.set(Decimal("12.00"))])
    set_stock(product_id=short.product_id, inventory=2, now=now)
    product_key(gone.product_id).delete()
    set_stock(product_id=sold_out.product_id, inventory=0, now=now)

    cart = open_cart(owner=guest, now=now)

    assert [line.changes for line in cart.lines] == [
        (Change.PRICE_ROSE,),
        (Change.SHORT,),
        (Change.GONE,),
        (Change.SOLD_OUT,),
    ]
    assert cart.lines[0].price_seen == Money(1000, "USD")
    assert cart.totals.subtotal == Money(5 * 1200 + 5 * 1000, "USD")
    assert cart.can_check_out is False


def test_two_tabs_that_add_at_once_both_keep_their_lines(guest: Owner, now: datetime) -> None:
    made = [factories.make_product() for _ in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda product: add(guest, product.product_id, 1, now), made))

    cart = open_cart(owner=guest, now=now)
    assert {line.product_id for line in cart.lines} == {product.product_id for product in made}


def test_an_expired_cart_is_empty_although_its_item_is_still_there(guest: Owner, now: datetime) -> None:
    mug = factories.make_product()
    add(guest, mug.product_id, 3, now)
    later = now + LIFETIME

    assert kept_cart(owner=guest, now=later) is None
    assert add(guest, mug.product_id, 1, later).in_cart == 1
    assert open_cart(owner=guest, now=later - timedelta(seconds=1)).count == 1


def test_a_cart_written_in_the_specifications_form_by_somebody_else_goes_on(tables: Any, now: datetime) -> None:
    import json
    from decimal import Decimal

    from boto3.dynamodb.types import TypeSerializer

    spec = json.loads(CART, parse_float=Decimal) | {"expiresAt": int((now + LIFETIME).timestamp())}
    tables.put_item(TableName=table_name("Carts"), Item=TypeSerializer().serialize(spec)["M"])
    owner = Owner(id="user-456", is_guest=False)
    mug = factories.make_product()

    add(owner, mug.product_id, 1, now)

    cart = open_cart(owner=owner, now=now)
    assert cart.count == 6
    assert [line.product_id for line in cart.lines] == ["prod-123", "prod-789", mug.product_id]
    assert cart.cart_id.startswith("cart-")


def test_a_lost_reply_adds_nothing_twice(guest: Owner, now: datetime, lost_reply: Callable[[str], list[str]]) -> None:
    mug = factories.make_product(inventory=50)
    add(guest, mug.product_id, 1, now)
    wire = lost_reply("PutItem")

    added = add(guest, mug.product_id, 2, now)

    assert wire.count("PutItem") == 2
    assert (added.quantity, added.in_cart) == (2, 3)
    assert open_cart(owner=guest, now=now).count == 3


def test_a_slow_tab_does_not_write_the_ordered_cart_over_the_next_one(
    guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (factories.make_product() for _ in range(3))
    ready = factories.ready_to_order(guest, {first.product_id: 1}, now)
    real = writing.is_unchanged

    def meanwhile(cart: Any, moment: datetime) -> Any:
        """Between the slow tab's read and its write another tab orders, and begins the next cart."""
        monkeypatch.setattr(services, "is_unchanged", real)
        order_services.place_order(**ready)
        add(guest, second.product_id, 1, now)
        return real(cart, moment)

    monkeypatch.setattr(services, "is_unchanged", meanwhile)
    add(guest, third.product_id, 1, now)

    cart = open_cart(owner=guest, now=now)
    assert cart.cart_id != ready["cart_id"]
    assert [line.product_id for line in cart.lines] == [second.product_id, third.product_id]


def test_a_product_priced_in_another_currency_cannot_be_bought_and_breaks_no_page(guest: Owner, now: datetime) -> None:
    from catalog.models import ProductRow

    mug = factories.make_product()
    add(guest, mug.product_id, 1, now)
    product_key(mug.product_id).update(actions=[ProductRow.currency.set("EUR")])

    with pytest.raises(services.NotForSale):
        add(guest, mug.product_id, 1, now)
    assert [line.changes for line in open_cart(owner=guest, now=now).lines] == [(Change.GONE,)]


def test_a_price_that_rose_stays_told_when_the_quantity_changes(guest: Owner, now: datetime) -> None:
    from decimal import Decimal

    from catalog.models import ProductRow

    mug = factories.make_product(price=Money(1000, "USD"))
    add(guest, mug.product_id, 1, now)
    product_key(mug.product_id).update(actions=[ProductRow.price.set(Decimal("12.00"))])

    services.change_quantity(owner=guest, product_id=mug.product_id, quantity=2, now=now)

    (line,) = open_cart(owner=guest, now=now).lines
    assert (line.changes, line.price_seen, line.unit_price) == ((Change.PRICE_ROSE,), Money(1000, "USD"), Money(1200, "USD"))


def test_who_is_never_the_quickest_is_told_and_adds_nothing(guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_LONGEST_PAUSE_SECONDS", 0)
    mug, bowl = factories.make_product(inventory=50), factories.make_product()

    with run_before_each("PutItem", lambda: add(guest, mug.product_id, 1, now)) as calls, pytest.raises(Busy):
        add(guest, bowl.product_id, 1, now)

    assert calls.count("PutItem") == 8
    assert [(line.product_id, line.quantity) for line in open_cart(owner=guest, now=now).lines] == [(mug.product_id, 8)]


def test_a_cart_that_is_never_still_is_not_adopted(guest: Owner, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adopting, "_LONGEST_PAUSE_SECONDS", 0)
    ada, mug = Owner(id="user-1", is_guest=False), factories.make_product(inventory=50)
    add(guest, mug.product_id, 1, now)

    with run_before_each("TransactWriteItems", lambda: add(guest, mug.product_id, 1, now)) as calls, pytest.raises(Busy):
        adopting.adopt_guest_cart(guest=guest, owner=ada, now=now)

    assert calls.count("TransactWriteItems") == 8
    assert (open_cart(owner=guest, now=now).count, kept_cart(owner=ada, now=now)) == (9, None)


def test_a_cart_looks_longer_after_its_own_order_alone(guest: Owner, now: datetime) -> None:
    order = factories.make_order(guest, {factories.make_product().product_id: 1}, now)
    before = items_of("Carts")

    services.order_may_wait_until(owner=guest, order_id="ord-other", due_at=now + timedelta(hours=9))
    with run_before("UpdateItem", fails(refusal("UpdateItem", "ThrottlingException"))), pytest.raises(UpdateError):
        services.order_may_wait_until(owner=guest, order_id=order.order_id, due_at=now + timedelta(hours=9))

    assert items_of("Carts") == before
    services.order_may_wait_until(owner=guest, order_id=order.order_id, due_at=now + timedelta(hours=9))
    assert items_of("Carts") != before
