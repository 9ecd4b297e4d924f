"""A customer with ten thousand orders: their history costs what one of ten costs, and reconciliation finds what is wrong."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from django.http import HttpResponse
from django.test import Client

from accounts import services as accounts
from accounts import sessions
from accounts.cookies import set_tokens
from accounts.domain import Role, User, UserStatus
from catalog.models import ProductRow, product_key
from orders import history_queries, jobs, queries, services
from orders import ledger_queries as books
from orders.domain import Order
from orders.history_queries import Wanted
from orders.ledger_domain import FindingKind
from orders.ledger_models import BOOKMARK_PK, BookmarkRow
from orders.models import PAYMENT, RefRow, order_key, ref_pk
from shop.lib.clock import utc_now
from shop.lib.ids import new_id
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import connection
from shop.local.bench.watching import noted_calls
from shop.local.fake_stripe import ApiFault
from shop.local.fake_stripe.state import new_id as new_stripe_id
from shop.local.prove.copies import Copies, spread
from shop.local.prove.crashes import Watch, watching
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import STAFF, World, patient_tables

_SIZES = (10, 1_000, 10_000)
_PRODUCTS = 100
_RECEIVED = 1_000
_SPAN = timedelta(hours=40)
"""Within what the first comparison looks back over."""
_TAKES = 7
_PATIENCE_SECONDS = 18.0
_MOST_TIMES_THE_CPU = 2.0
"""By how much a page of the largest history may seem dearer than the same of the smallest: a machine's own unrest."""


@dataclass(frozen=True)
class Shelf:
    """The customers by how many orders each has, the products, and all numbers of orders."""

    customers: dict[int, Client]
    products: list[str]
    numbers: dict[int, list[str]]

    @property
    def count(self) -> int:
        return sum(map(len, self.numbers.values()))


@dataclass(frozen=True)
class Cost:
    """What a page takes: table calls, orders read, read units (unknown of what a filter hid) and CPU time."""

    calls: int
    orders: int
    units: float | None
    milliseconds: float

    def __str__(self) -> str:
        units = "" if self.units is None else f", {self.units:g} RU"
        return f"{self.calls} call{'s' if self.calls > 1 else ''}, {self.orders} read{units}, {self.milliseconds:.1f} ms"


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """The history's pages at each size, reconciliation of all that is right, and then of seven breaks among it."""
    # The local engine looks at a whole partition to answer with ten of its items; the wait for it is not the shop's.
    with patient_tables(_PATIENCE_SECONDS):
        yield from _prove(world)


def _prove(world: World) -> Iterator[Verdict]:
    world.begin_anew()
    shelf = _fill(world, utc_now())
    for name, address in _PAGES.items():
        yield _history(shelf, name, address)
    with patch.object(history_queries, "PAGE_SIZE", _SIZES[1]):
        yield _history(shelf, "all orders, without the bound of a page", _PAGES["newest"], sizes=_SIZES[:2], is_control=True)
    yield _clean(shelf)
    now = utc_now() + timedelta(minutes=20)
    breaks = _break(world, shelf, now)
    with patch.object(queries, "orders_placed_between", _nothing):
        yield _broken(shelf, breaks, now, claim="the same comparing payments with orders alone", is_control=True)
    yield _broken(shelf, breaks, now, claim=f"reconciliation finds seven kinds of break among {shelf.count:,} orders")


def _fill(world: World, now: datetime) -> Shelf:
    products = [world.product(inventory=_RECEIVED).product_id for _ in range(_PRODUCTS)]
    order = world.paid_order({products[0]: 1})
    copies = Copies(world, order)
    customers, numbers, sold = {}, {1: [order.order_id]}, Counter({products[0]: 1})
    for size in _SIZES:
        owner, customers[size] = _customer(now)
        wanted = list(spread(owner, size, products, until=now - timedelta(minutes=15), over=_SPAN))
        numbers[size] = copies.write(wanted)
        sold.update(copy.product_id for copy in wanted)
    for product_id, count in sold.items():
        product_key(product_id).update(actions=[ProductRow.inventory.set(_RECEIVED - count)])
    return Shelf(customers, products, numbers)


def _customer(now: datetime) -> tuple[Owner, Client]:
    """Somebody with an account, and the browser they are signed in with."""
    user_id = new_id("user", now)
    user = User(user_id, f"{user_id}@example.com", "Ada", "Lovelace", Role.CUSTOMER, UserStatus.ACTIVE, now, credentials=1)
    accounts.add_user(user=user, now=now)
    device = sessions.Device(known_as="", user_agent="prove", source="127.0.0.1", coarse_source="127.0.0.1")
    response = HttpResponse()
    set_tokens(response, sessions.start_session(user=user, is_long=True, device=device, now=now))
    browser = Client()
    browser.cookies.update(response.cookies)
    return Owner(id=user_id, is_guest=False), browser


def _newest(shelf: Shelf, size: int) -> str:
    return "/orders/"


def _shipped(shelf: Shelf, size: int) -> str:
    return "/orders/?status=shipped"


def _of_a_day(shelf: Shelf, size: int) -> str:
    day = utc_now().date()
    return f"/orders/?first={day}&last={day}"


def _by_number(shelf: Shelf, size: int) -> str:
    return f"/orders/?number={shelf.numbers[size][0]}"


def _second_page(shelf: Shelf, size: int) -> str:
    owner = queries.order_by_id(order_id=shelf.numbers[size][0]).owner
    cursor = history_queries.history_of(owner=owner, wanted=Wanted()).page.next_cursor
    return f"/orders/?cursor={cursor}"


_PAGES: dict[str, Callable[[Shelf, int], str]] = {
    "newest": _newest,
    "second page": _second_page,
    "by number": _by_number,
    "of a day": _of_a_day,
    "of a status (200 looked through)": _shipped,
}
_OF_MANY = frozenset({"second page", "of a day", "of a status (200 looked through)"})
"""Ten orders have no second page and little to look through: what is fixed is the cost from the next size on."""


def _history(
    shelf: Shelf, name: str, address: Callable[[Shelf, int], str], *, sizes: tuple[int, ...] = (), is_control: bool = False
) -> Verdict:
    costs = {size: _cost(shelf.customers[size], address(shelf, size)) for size in sizes or _SIZES}
    alike = list(costs.values())[name in _OF_MANY :]
    least, most = min(cost.milliseconds for cost in alike), max(cost.milliseconds for cost in alike)
    holds = (
        len({cost.calls for cost in alike}) == 1
        # Ten orders are a page whole; who has more is shown that there are more, for which one more is read.
        and max(cost.orders for cost in alike) - min(cost.orders for cost in alike) <= 1
        and most <= _MOST_TIMES_THE_CPU * least
    )
    told = "; ".join(f"{size:,}: {cost}" for size, cost in costs.items())
    return Verdict(f"history, {name}: its cost does not grow with the orders", told, holds, is_control)


def _cost(browser: Client, address: str) -> Cost:
    """The CPU time is this thread's (tables and gateway have others), and the median of some takes."""
    times = []
    for _ in range(_TAKES):
        with noted_calls() as calls, _noted_orders() as found:
            begun = time.thread_time()
            answer = browser.get(address)
            times.append((time.thread_time() - begun) * 1000)
        if answer.status_code != HTTPStatus.OK:
            raise AssertionError(f"{address} answered {answer.status_code}")
    units = calls.read_units if found["Count"] == found["ScannedCount"] else None
    return Cost(sum(calls.operations.values()), found["ScannedCount"], units, sorted(times)[_TAKES // 2])


@contextmanager
def _noted_orders() -> Iterator[Counter[str]]:
    """How many items queries read, and how many of them they answered with."""
    found = Counter[str]()

    def note(parsed: dict[str, Any], **_: Any) -> None:
        found.update({name: parsed[name] for name in ("Count", "ScannedCount")})

    events = connection().client.meta.events
    events.register("after-call.dynamodb.Query", note)
    try:
        yield found
    finally:
        events.unregister("after-call.dynamodb.Query", note)


def _clean(shelf: Shelf) -> Verdict:
    watch, begun = Watch(), time.monotonic()
    with watching(watch), noted_calls() as calls:
        jobs.reconcile(now=utc_now())
        drifted = jobs.reconcile_stock(now=utc_now())
    seconds = time.monotonic() - begun
    to_stripe = sum(" " in call for call in watch.calls)
    found = Counter(finding.kind for finding in books.findings())
    to_tables = f"{len(watch.calls) - to_stripe} calls to tables ({calls.read_units:,.0f} RU)"
    seen = f"{found.total()} findings in {seconds:.0f} s: {to_tables}, {to_stripe} to Stripe"
    return Verdict(f"{shelf.count:,} orders that are right: reconciliation finds nothing", seen, not found and not drifted)


def _break(world: World, shelf: Shelf, now: datetime) -> dict[FindingKind, str]:
    """Seven kinds of break; what each finding of them is about."""
    some = iter(shelf.numbers[_SIZES[-1]][123::100])
    gone, unpaid, wrong, twice, stuck = (queries.order_by_id(order_id=next(some)) for _ in range(5))

    RefRow(ref_pk(gone.order_id), "REF").delete()
    order_key(gone.owner, gone.order_id).delete()
    order_key(wrong.owner, wrong.order_id).update(actions=[PAYMENT.amount.set(Decimal(1))])
    product_key(shelf.products[7]).update(actions=[ProductRow.inventory.set(ProductRow.inventory - 3)])
    with world.stripe.state.lock:
        kept = world.stripe.state.tables
        kept["payment_intents"].pop(unpaid.payment.payment_intent_id)
        second = {**kept["payment_intents"][twice.payment.payment_intent_id], "id": new_stripe_id("pi_3")}
        kept["payment_intents"][second["id"]] = second
    _ask_in_vain(world, stuck, now - timedelta(hours=3))
    # Of a product nobody has compared yet: settled sums rightly do not expect a sale that is written hours after its time.
    alone = world.product(inventory=1).product_id
    buyer: dict[str, Any] = world.buyer({alone: 1}) | {"now": now - timedelta(hours=4)}
    held = services.place_order(**buyer)
    return {
        FindingKind.PAYMENT_WITHOUT_ORDER: gone.payment.payment_intent_id,
        FindingKind.ORDER_WITHOUT_PAYMENT: unpaid.order_id,
        FindingKind.AMOUNT: wrong.payment.payment_intent_id,
        FindingKind.SECOND_PAYMENT: second["id"],
        FindingKind.STUCK_REFUND: f"{stuck.order_id}-1",
        FindingKind.STUCK_ORDER: held.order_id,
        FindingKind.STOCK: shelf.products[7],
    }


def _ask_in_vain(world: World, order: Order, at: datetime) -> None:
    """A refund that Stripe never hears of."""
    world.stripe.faults.api.append(ApiFault(kind="error_before", times=20))
    try:
        services.request_refund(
            order=order,
            number=1,
            lines={},
            delivery=False,
            extra=Money(100, order.total.currency),
            restock=False,
            note="",
            actor=STAFF.name,
            now=at,
        )
    finally:
        world.stripe.faults.clear()


def _broken(shelf: Shelf, breaks: dict[FindingKind, str], now: datetime, *, claim: str, is_control: bool = False) -> Verdict:
    BookmarkRow(BOOKMARK_PK, "money").delete()  # as if it all had happened since
    jobs.reconcile(now=now)
    jobs.reconcile_stock(now=now)
    found = {(finding.kind, finding.subject) for finding in books.findings()}
    wanted = set(breaks.items())
    seen = f"{len(found & wanted)} of {len(wanted)} found, {len(found - wanted)} beside"
    missing = ", ".join(sorted(kind for kind, _ in wanted - found))
    return Verdict(claim, seen + (f", not {missing}" if missing else ""), found == wanted, is_control)


def _nothing(**_: object) -> Iterator[str]:
    return iter(())
