"""The pages that are measured: a new one is a line in PAGES, and a function beside it when it needs a shopper."""

from collections.abc import Callable
from dataclasses import dataclass

from shop.local.bench.asks import Ask
from shop.local.bench.scene import Scene

CATEGORY_PATH = "/categories/kitchen-table/"


@dataclass(frozen=True)
class Page:
    """A page, the request that shows it, and the processor time it may cost.

    `is_once` marks requests that can be made but once: then each has a request prepared for it alone.
    """

    name: str
    prepare: Callable[[Scene], Ask]
    status: int = 200
    target_ms: float | None = None
    is_once: bool = False


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


PAGES = (
    Page("home", lambda _: Ask("/")),
    Page("list", lambda _: Ask("/products/"), target_ms=6.5),
    Page("category", lambda _: Ask(CATEGORY_PATH), target_ms=6.5),
    Page("product", _product, target_ms=6),
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
    Page("404", lambda _: Ask("/no-such-page/"), status=404),
    Page("healthz", lambda _: Ask("/healthz")),
)
