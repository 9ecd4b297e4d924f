"""Where a proof takes place: tables behind the fault gateway, a stand-in Stripe, shoppers, and what can be counted afterwards."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import boto3
from botocore.config import Config
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command

from cart import discounts
from cart import queries as carts
from cart import services as cart_services
from cart.discount_domain import Discount, DiscountKind, normal_code
from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import Product, ProductStatus, Rating, availability_of
from orders import queries as orders
from orders import services
from orders.domain import Address, CheckoutDetails, Order, OrderStatus
from orders.models import OrderRow, to_order
from shop.entrypoints.jobs import JOBS
from shop.lib import tables
from shop.lib.clock import utc_now
from shop.lib.guests import new_guest
from shop.lib.ids import new_id
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from shop.local.prove.gateway import FaultGateway, Weather
from shop.local.streams import StreamWorker
from shop.management.commands.createtables import TABLES

_ADDRESS = Address(name="Ada Lovelace", street="123 Main St", city="New York", state="NY", zip_code="10001", country="US")
_DETAILS = CheckoutDetails(email="ada@example.com", phone="", address=_ADDRESS, delivery="standard")
STAFF = Viewer("prove", "The proof", "", "admin", frozenset(), "")
MINUTELY = ("release_unpaid_orders", "settle_paid_orders", "resume_refunds")
_PAGE = "http://shop.invalid/"
_OWNERS = ("USER#", "GUEST#")
THREADS = 200
"""So many shoppers act at once."""


@dataclass(frozen=True)
class World:
    """What proofs act in."""

    gateway: FaultGateway
    stripe: FakeStripe
    rows: int
    """So many lines has the spreadsheet that is imported."""

    @cached_property
    def eyes(self) -> Any:
        """A client to look at whole tables with: past the weather, and with more patience than a page has."""
        return boto3.client("dynamodb", endpoint_url=self.gateway.upstream, config=Config(read_timeout=60))

    @contextmanager
    def weather(self, **faults: Any) -> Iterator[Weather]:
        """Bad weather for as long as the body lasts."""
        self.gateway.weather = Weather(**faults)
        try:
            yield self.gateway.weather
        finally:
            self.gateway.weather = Weather()

    def product(self, *, inventory: int, price: int = 2400) -> Product:
        """A new product on sale, `price` in minor units."""
        now = utc_now()
        product_id = new_id("prod", now)
        made = Product(
            product_id=product_id,
            slug="mug",
            name=f"Mug {product_id[-6:]}",
            description="A mug.",
            price=Money(price, "USD"),
            category="Kitchen",
            sub_category="Mugs",
            brand="Saltmere",
            photos=(),
            availability=availability_of(inventory),
            rating=Rating(Decimal(0), 0),
            created_at=now,
            inventory=inventory,
            sku=product_id.upper(),
            status=ProductStatus.ACTIVE,
            updated_at=now,
            attributes={},
            version=1,
        )
        catalog_services.create_product(product=made)
        return made

    def buyer(self, lines: dict[str, int], *, code: str = "") -> dict[str, Any]:
        """A guest on the review page with these quantities by product id, and a discount code: what `place_order` takes."""
        now = utc_now()
        owner = new_guest(now)
        for product_id, quantity in lines.items():
            cart_services.add_to_cart(owner=owner, product_id=product_id, quantity=quantity, now=now)
        if code:
            cart_services.enter_code(owner=owner, typed=code, now=now)
        services.remember_details(owner=owner, details=_DETAILS, now=now)
        cart = carts.open_cart(owner=owner, now=now, buyer=orders.buyer_of(owner=owner, details=_DETAILS))
        seen = services.review_mark(cart, _DETAILS)
        return {"owner": owner, "cart_id": cart.cart_id, "total_seen": cart.totals.total.minor, "seen": seen, "now": now}

    def code(self, product_id: str) -> str:
        """A discount code of ten percent, named after a product."""
        code = normal_code(product_id)
        terms = Discount(code, DiscountKind.PERCENT, percent=Decimal(10))
        with suppress(discounts.DiscountExists):
            discounts.create_discount(discount=terms, actor=STAFF, now=utc_now())
        return code

    def open_payment(self, order: Order) -> Order:
        """The order with its payment page."""
        return services.open_payment(order=order, success_url=_PAGE, cancel_url=_PAGE)

    def paid_order(self, lines: dict[str, int]) -> Order:
        """An order its shopper has paid, and that we have noticed."""
        order = self.open_payment(services.place_order(**self.buyer(lines)))
        self.stripe.pay(order.payment.session_id)
        return services.settle(session_id=order.payment.session_id, now=utc_now())

    def run_jobs(self, now: datetime) -> None:
        """What the schedule does to orders each minute, at this moment. What fails is the next run's business, as on AWS."""
        for name in MINUTELY:
            with passed_over():
                JOBS[name](now=now)

    def read_stream(self, handler: Callable[[dict[str, Any], object], Mapping[str, Any]]) -> None:
        """Deliver every change of the orders since the last time to this function, as Lambda does to the stream's."""
        with TemporaryDirectory() as folder:
            worker = StreamWorker(
                tables=[OrderRow.Meta.table_name],
                checkpoint_table=f"{settings.TABLE_PREFIX}Checkpoints",
                handler=handler,
                dead_letters=Path(folder) / "dead",
                stop=threading.Event(),
            )
            while worker.poll():
                pass

    def begin_anew(self) -> None:
        """Empty tables and an empty Stripe, for what is to be counted whole."""
        for row in TABLES:
            self.eyes.delete_table(TableName=row.Meta.table_name)
        call_command("createtables", stdout=StringIO())
        with self.stripe.state.lock:
            for table in self.stripe.state.tables.values():
                table.clear()
        cache.clear()

    def stock(self, product_id: str) -> int:
        """Pieces of the product that can be bought."""
        return catalog.products(product_ids=[product_id], consistent=True)[product_id].inventory

    def orders(self) -> list[Order]:
        """Every order there is."""
        pages = self.eyes.get_paginator("scan").paginate(TableName=OrderRow.Meta.table_name, ConsistentRead=True)
        # Mails that failed are listed under an order's number, too, and not under its owner.
        items = [item for page in pages for item in page["Items"] if item["PK"]["S"].startswith(_OWNERS)]
        items = [item for item in items if item["SK"]["S"].startswith("ORDER#")]
        return [to_order(OrderRow.from_raw_data(item)) for item in items]

    def orders_of(self, owners: Iterable[Owner]) -> list[Order]:
        """The orders of these owners."""
        keys = {owner.key for owner in owners}
        return [order for order in self.orders() if order.owner.key in keys]

    def paid_sessions(self) -> Counter[str]:
        """How many payments Stripe took, by order."""
        with self.stripe.state.lock:
            sessions = list(self.stripe.state.tables["sessions"].values())
        return Counter(str(one["client_reference_id"]) for one in sessions if one["payment_status"] == "paid")

    def refunded(self, order: Order) -> int:
        """What Stripe has given back of the order's payments, in minor units."""
        with self.stripe.state.lock:
            sessions = list(self.stripe.state.tables["sessions"].values())
            refunds = list(self.stripe.state.tables["refunds"].values())
        intents = {one["payment_intent"] for one in sessions if one["client_reference_id"] == order.order_id}
        return sum(one["amount"] for one in refunds if one["payment_intent"] in intents and one["status"] == "succeeded")


def at_once(tasks: list[Callable[[], Any]], *, threads: int = THREADS) -> list[Any]:
    """The results of all tasks, or the exceptions they ended in, run on many threads."""

    def run(task: Callable[[], Any]) -> Any:
        try:
            return task()
        except Exception as error:
            return error

    with ThreadPoolExecutor(max_workers=min(threads, len(tasks))) as pool:
        return list(pool.map(run, tasks))


@contextmanager
def passed_over() -> Iterator[None]:
    """Whatever goes wrong inside is left for a later look."""
    try:
        yield
    except Exception:
        return


@contextmanager
def patient_tables(seconds: float, *, retries: int = 0) -> Iterator[None]:
    """A call to the tables may take so long, and is repeated so often, as long as the body lasts."""
    with patch.object(tables, "READ_TIMEOUT_SECONDS", seconds), patch.object(tables, "RETRIES", retries):
        tables.connection.cache_clear()
        tables.connection()
        yield
    tables.connection.cache_clear()


def held(order: Order) -> bool:
    """Whether the order keeps its pieces from being sold to others: pending, or paid and not given back."""
    return order.status not in (OrderStatus.EXPIRED, OrderStatus.CANCELLED, OrderStatus.REFUNDED)
