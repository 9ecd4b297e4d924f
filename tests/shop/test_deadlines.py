"""What a request may cost: seconds and table calls. Beyond it an honest page comes, in time."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from django.test import Client

from cart import services as cart_services
from catalog import queries as catalog
from orders import services as order_services
from orders.domain import Order
from orders.models import RefRow
from orders.queries import key_of
from shop.lib import deadline, tables, transactions
from shop.lib.deadline import REQUEST_SECONDS, OutOfTime, request_time, require_time, time_left
from shop.lib.owner import Owner
from shop.lib.tables import Busy, connection
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.accounts.people import ADDRESS
from tests.conftest import items_of
from tests.orders.walk import fields_of, orders, walk_to_review
from tests.rivals import conflict, refusal

pytestmark = pytest.mark.usefixtures("tables")

GATEWAY_SECONDS = 29
"""API Gateway's patience with a function."""
ONE_CALL_SECONDS = 3
"""The longest a call that was begun in time can take: 1 s to connect, 2 s to read."""


@dataclass
class Clock:
    """Stands in for the `time` of whatever waits: seconds pass only when somebody says so, and at once."""

    now: float = 1000.0
    waits: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (deadline, transactions, tables, cart_services):
        monkeypatch.setattr(module, "time", made)
    monkeypatch.setattr("botocore.endpoint.time", made)
    for waiting in (transactions.run_transaction, order_services.open_payment):
        defaults = waiting.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "pause", made.sleep)
    return made


@dataclass
class Wire:
    """What lies between the shop and the tables: how long every try of a call takes, and whether an answer ever comes."""

    seconds: float = 0
    is_silent: bool = False
    sent: list[str] = field(default_factory=list)
    """The operations that went over it."""


@pytest.fixture
def wire(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Wire:
    session = connection().client._endpoint.http_session
    real, made = session.send, Wire()

    def send(request: Any) -> Any:
        target = request.headers["X-Amz-Target"]
        made.sent.append((target.decode() if isinstance(target, bytes) else target).rsplit(".", 1)[-1])
        clock.now += made.seconds
        if made.is_silent:
            raise ReadTimeoutError(endpoint_url="http://dynamodb")
        return real(request)

    monkeypatch.setattr(session, "send", send)
    return made


def failing(clock: Clock, monkeypatch: pytest.MonkeyPatch, operation: str, error: Exception) -> list[str]:
    """Every call of an operation takes a call's longest time and then fails so; gives the names of all calls."""
    client = connection().client
    real, calls = client._make_api_call, []

    def call(name: str, params: dict[str, Any]) -> Any:
        calls.append(name)
        if name == operation:
            clock.now += ONE_CALL_SECONDS
            raise error
        return real(name, params)

    monkeypatch.setattr(client, "_make_api_call", call)
    return calls


# --- Seconds ----------------------------------------------------------------------------------------------------------


@dataclass
class Shop:
    """A guest's browser in the middle of things, and all that its next request may need."""

    client: Client
    product_path: str
    product_id: str
    place_fields: dict[str, str]
    order: Order

    def asks(self) -> dict[str, Callable[[], Any]]:
        """A request of each kind, by name."""
        key = f"?key={key_of(self.order.order_id)}"
        return {
            "product": lambda: self.client.get(self.product_path),
            "cart": lambda: self.client.get("/cart/"),
            "badge": lambda: self.client.get("/cart/badge/"),
            "add": lambda: self.client.post("/cart/add/", {"product_id": self.product_id, "quantity": "1"}),
            "update": lambda: self.client.post("/cart/update/", {"product_id": self.product_id, "quantity": "2"}),
            "contact": lambda: self.client.post("/checkout/contact/", {"email": "ada@example.com"}),
            "address": lambda: self.client.post("/checkout/address/", ADDRESS),
            "review": lambda: self.client.get("/checkout/review/"),
            "place": lambda: self.client.post("/checkout/place/", self.place_fields),
            "order": lambda: self.client.get(f"/orders/{self.order.order_id}/{key}"),
            "pay": lambda: self.client.post(f"/checkout/{self.order.order_id}/pay/{key}"),
            "cancel": lambda: self.client.post(f"/checkout/{self.order.order_id}/cancel/{key}"),
        }


KINDS = ("product", "cart", "badge", "add", "update", "contact", "address", "review", "place", "order", "pay", "cancel")


@pytest.fixture
def shop(client: Client, stripe: FakeStripe, guest: Owner, now: datetime) -> Shop:
    mug = factories.make_product(inventory=9)
    order = factories.make_order(guest, {mug.product_id: 2}, now)
    return Shop(client, mug.path, mug.product_id, fields_of(walk_to_review(client, mug.product_id)), order)


@pytest.mark.parametrize("kind", KINDS)
def test_tables_that_never_answer_get_a_busy_page_in_time(shop: Shop, clock: Clock, wire: Wire, kind: str) -> None:
    ask, started, before = shop.asks()[kind], clock.now, (items_of("Orders"), items_of("Carts"))
    wire.sent.clear()
    wire.seconds, wire.is_silent = ONE_CALL_SECONDS, True

    answer = ask()

    assert wire.sent != []
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "We are very busy right now" in answer.text
    assert clock.now - started <= REQUEST_SECONDS + ONE_CALL_SECONDS < GATEWAY_SECONDS
    wire.is_silent = False
    assert (items_of("Orders"), items_of("Carts")) == before


@pytest.mark.parametrize("kind", KINDS)
def test_tables_that_answer_at_the_last_moment_get_some_page_in_time(shop: Shop, clock: Clock, wire: Wire, kind: str) -> None:
    ask, started = shop.asks()[kind], clock.now
    wire.seconds = 2.9

    answer = ask()

    assert answer.status_code in (200, 302, 303, 503)
    assert clock.now - started <= REQUEST_SECONDS + ONE_CALL_SECONDS


def test_a_cart_that_others_keep_changing_ends_a_slow_request_in_time(
    shop: Shop, clock: Clock, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, before = clock.now, items_of("Carts")
    wire.seconds = 2.9
    calls = failing(clock, monkeypatch, "PutItem", refusal("PutItem", "ConditionalCheckFailedException"))

    answer = shop.asks()["add"]()

    assert answer.status_code == 503
    assert 1 < calls.count("PutItem") < 8  # the cart alone would try eight times, for 47 s
    assert clock.now - started <= REQUEST_SECONDS + ONE_CALL_SECONDS
    assert items_of("Carts") == before


def test_a_transaction_in_endless_conflict_gives_up_after_its_six_seconds(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = clock.now
    calls = failing(clock, monkeypatch, "TransactWriteItems", conflict())

    answer = shop.asks()["place"]()

    assert answer.status_code == 503
    assert calls.count("TransactWriteItems") == 2
    assert 6 <= clock.now - started <= 7
    assert len(orders()) == 1  # that of the fixture


def test_a_transaction_has_no_more_time_than_its_request(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = failing(clock, monkeypatch, "TransactWriteItems", conflict())

    with pytest.raises(Busy), request_time(2):
        transactions.run_transaction(lambda txn: txn.delete(RefRow("ORDER#a", "REF")))

    assert calls == ["TransactWriteItems"]


def test_stripe_is_not_asked_when_its_answer_could_come_too_late(shop: Shop, wire: Wire, stripe: FakeStripe) -> None:
    asked = len(stripe.state.requests)
    wire.sent.clear()
    wire.seconds = 2.9

    answer = shop.asks()["place"]()

    assert (answer.status_code, answer["Location"][:14]) == (303, "/checkout/ord-")
    assert wire.sent == ["GetItem", "GetItem", "BatchGetItem", "TransactWriteItems"]
    assert len(stripe.state.requests) == asked
    wire.seconds = 0
    assert len(orders()) == 2
    # The same press again meets the order that was placed, and goes on.
    again = shop.asks()["place"]()
    assert again.status_code == 303
    assert again["Location"].startswith(f"{stripe.base_url}/c/pay/cs_test_")
    assert len(orders()) == 2


@pytest.mark.parametrize(("spent", "calls"), [(9.9, 1), (10.1, 0)])
def test_stripe_gets_ten_seconds_or_none(shop: Shop, wire: Wire, stripe: FakeStripe, spent: float, calls: int) -> None:
    asked = len(stripe.state.requests)
    wire.seconds = spent / 2  # an order opened by its link is read in two calls

    answer = shop.asks()["pay"]()

    assert answer.status_code == 303
    assert answer["Location"].startswith(stripe.base_url if calls else "/checkout/ord-")
    assert len(stripe.state.requests) - asked == calls


def test_jobs_and_the_command_line_have_no_end_of_a_request() -> None:
    assert time_left() == float("inf")
    require_time(1_000_000)


def test_the_time_of_a_request_runs_out_and_ends_with_it(clock: Clock) -> None:
    with request_time():
        assert time_left() == REQUEST_SECONDS == 20
        clock.now += 15
        require_time(5)
        with pytest.raises(OutOfTime):
            require_time(5.1)

    assert time_left() == float("inf")


# --- Calls ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def unprocessed(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[Any]]:
    """Make BatchGetItem leave out all but the first key it is asked for, so many times; gives the keys of each call."""

    def install(times: int) -> list[Any]:
        client = connection().client
        real, asked = client._make_api_call, []

        def call(name: str, params: dict[str, Any]) -> Any:
            if name != "BatchGetItem":
                return real(name, params)
            ((table, request),) = params["RequestItems"].items()
            asked.append(request["Keys"])
            if len(asked) > times:
                return real(name, params)
            first, rest = request["Keys"][:1], request["Keys"][1:] or request["Keys"]
            answer = real(name, {**params, "RequestItems": {table: {**request, "Keys": first}}})
            return {**answer, "UnprocessedKeys": {table: {**request, "Keys": rest}}}

        monkeypatch.setattr(client, "_make_api_call", call)
        return asked

    return install


def test_what_dynamodb_leaves_out_is_asked_for_again(clock: Clock, unprocessed: Callable[[int], list[Any]]) -> None:
    ids = [factories.make_product().product_id for _ in range(4)]
    asked = unprocessed(3)

    found = catalog.products(product_ids=ids)

    assert sorted(found) == sorted(ids)
    assert [len(keys) for keys in asked] == [4, 3, 2, 1]
    assert len(clock.waits) == 3


def test_what_dynamodb_leaves_out_without_end_is_busy_after_four_rounds(
    clock: Clock, unprocessed: Callable[[int], list[Any]]
) -> None:
    ids = [factories.make_product().product_id for _ in range(2)]
    asked = unprocessed(1000)

    with pytest.raises(Busy):
        catalog.products(product_ids=ids)

    assert len(asked) == 4
    assert sum(clock.waits) < 1


def test_a_cart_dynamodb_leaves_out_without_end_is_a_busy_page(
    shop: Shop, clock: Clock, unprocessed: Callable[[int], list[Any]]
) -> None:
    asked = unprocessed(1000)

    answer = shop.asks()["cart"]()

    assert (answer.status_code, answer["Retry-After"], len(asked)) == (503, "5", 4)


def test_the_empty_batch_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = failing(Clock(), monkeypatch, "BatchGetItem", AssertionError("asked"))

    assert catalog.products(product_ids=[]) == {}
    assert calls == []
