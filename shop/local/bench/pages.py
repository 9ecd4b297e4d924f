"""The pages that are measured: a new one is a line in PAGES, and a function beside it when it needs a shopper."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.test import Client

from shop.local.bench.asks import Ask
from shop.local.bench.scene import Scene

CATEGORY_PATH = "/categories/kitchen-table/"
LIST_PATH = "/products/"
FILTERED_PATH = "/products/?type=Lamps&price_max=150&in_stock=on&sort=price"
SEARCH_PATH = "/products/?q=table"
"""Fills a page of cards at 60 products, too: else sizes would compare pages of different lengths."""


@dataclass(frozen=True)
class Page:
    """A page, the request that shows it, and the processor time it may cost.

    `is_once` marks requests that can be made but once: then each has a request prepared for it alone. Shared pages are drawn anew
    for every request, but for those that are about the kept ones (`is_kept`). Staff pages have no floor
    (`has_floor`): their templates ask who looks.
    """

    name: str
    prepare: Callable[[Scene], Ask]
    status: int = 200
    target_ms: float | None = None
    is_once: bool = False
    is_kept: bool = False
    has_floor: bool = True


def _product(scene: Scene) -> Ask:
    return Ask(scene.products[0].path)


def _badge(scene: Scene) -> Ask:
    return Ask("/cart/badge/", cookie=scene.shopper(lines=3).cookie, is_htmx=True)


def _with_cart(path: str) -> Callable[[Scene], Ask]:
    return lambda scene: Ask(path, cookie=scene.shopper(lines=3).cookie)


def _add(scene: Scene) -> Ask:
    fields = {"product_id": scene.products[2].product_id, "quantity": "1"}
    return Ask("/cart/add/", cookie=scene.shopper(lines=2).cookie, fields=fields, is_htmx=True)


def _step(name: str) -> Callable[[Scene], Ask]:
    return lambda scene: Ask(f"/checkout/{name}/", cookie=scene.buyer().shopper.cookie)


def _place(scene: Scene) -> Ask:
    buyer = scene.buyer()
    return Ask("/checkout/place/", cookie=buyer.shopper.cookie, fields=buyer.agreed)


def _order(address: str, *, has_paid: bool) -> Callable[[Scene], Ask]:
    def prepare(scene: Scene) -> Ask:
        customer = scene.customer(has_paid=has_paid)
        path = address.format(customer.order.order_id)
        return Ask(f"{path}?key={customer.key}", cookie=customer.shopper.cookie)

    return prepare


def _known(address: Callable[[Scene], Ask]) -> Callable[[Scene], Ask]:
    """The same for a browser that has the page already."""

    def prepare(scene: Scene) -> Ask:
        ask = address(scene)
        return replace(ask, known_tag=Client().get(ask.path, headers=ask.headers)["ETag"])

    return prepare


def _list(scene: Scene) -> Ask:
    return Ask(LIST_PATH)


def _staff(name: str, address: str) -> Page:
    def prepare(scene: Scene) -> Ask:
        return Ask(address.format(order=scene.desk.order.order_id), cookie=scene.desk.cookie)

    return Page(f"staff: {name}", prepare, target_ms=10, has_floor=False)


PAGES = (
    Page("home", lambda _: Ask("/")),
    Page("list", _list, target_ms=6.5),
    Page("list, kept", _list, is_kept=True),
    Page("list, 304", _known(_list), status=304, is_kept=True),
    Page("filtered list", lambda _: Ask(FILTERED_PATH), target_ms=6.5),
    Page("search", lambda _: Ask(SEARCH_PATH), target_ms=6.5),
    Page("category", lambda _: Ask(CATEGORY_PATH), target_ms=6.5),
    Page("product", _product, target_ms=6),
    Page("product, kept", _product, is_kept=True),
    Page("product, 304", _known(_product), status=304, is_kept=True),
    Page("cart, 3 lines", _with_cart("/cart/"), target_ms=9),
    Page("cart badge", _badge),
    Page("add to cart", _add, target_ms=8, is_once=True),
    Page("checkout contact", _step("contact")),
    Page("checkout address", _step("address")),
    Page("checkout delivery", _step("delivery")),
    Page("checkout review", _step("review")),
    Page("place order", _place, status=303, target_ms=20, is_once=True),
    Page("payment", _order("/checkout/{}/pay/", has_paid=False)),
    Page("confirmation", _order("/checkout/{}/confirmation/", has_paid=True)),
    Page("order", _order("/orders/{}/", has_paid=True)),
    _staff("dashboard", "/staff/"),
    _staff("orders", "/staff/orders/"),
    _staff("order", "/staff/orders/{order}/"),
    _staff("products", "/staff/products/"),
    _staff("stock", "/staff/stock/"),
    _staff("customers", "/staff/customers/"),
    Page("404", lambda _: Ask("/no-such-page/"), status=404),
    Page("healthz", lambda _: Ask("/healthz")),
)
