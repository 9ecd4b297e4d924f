"""The process dies before and after every call it makes to somebody else. Watching a whole run lists the points, not a hand."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from cart import discount_queries
from orders import services
from orders.domain import HOLD, Order, OrderStatus
from orders.payment_domain import Session, SessionState
from orders.payments import StripeGateway
from shop.lib.clock import utc_now
from shop.lib.money import Money
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import STAFF, World, held, passed_over

PIECES, BOUGHT = 10, 2
_SWEEPS = 2


class Killed(BaseException):
    """The process ends at this instant: nothing catches it, nothing is cleaned up."""


@dataclass
class Watch:
    """Counts calls to others, and ends the process at one of them."""

    kill_at: int = -1
    kill_after: bool = False

    def __post_init__(self) -> None:
        self.calls: list[str] = []

    def around(self, name: str, call: Callable[[], Any]) -> Any:
        """Make the call, or die at it."""
        self.calls.append(name)
        is_here = len(self.calls) - 1 == self.kill_at
        if is_here and not self.kill_after:
            raise Killed(name)
        answer = call()
        if is_here:
            raise Killed(name)
        return answer


@contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """Every call over the wire goes by the watch: botocore's (tables, mail, files), and those `requests` makes (Stripe)."""
    from botocore.client import BaseClient
    from requests.sessions import Session as HttpSession

    real_aws, real_http = BaseClient._make_api_call, HttpSession.send

    def aws(self: Any, operation: str, params: Any) -> Any:
        return watch.around(operation, lambda: real_aws(self, operation, params))

    def http(self: Any, request: Any, **options: Any) -> Any:
        name = f"{request.method} {request.path_url.split('?')[0].split('/cs_')[0]}"
        return watch.around(name, lambda: real_http(self, request, **options))

    with patch.object(BaseClient, "_make_api_call", aws), patch.object(HttpSession, "send", http):
        yield


@dataclass(frozen=True)
class Story:
    """Something that happens to an order: `begin` sets the scene, `act` is what dies, `expects` the status it must end in."""

    name: str
    begin: Callable[[World, str], Any]
    act: Callable[[World, Any], object]
    expects: frozenset[OrderStatus | None]
    is_told_again: bool = False
    """Whether Stripe's webhook, which was not answered, comes again."""


def _begin_checkout(world: World, product_id: str) -> dict[str, Any]:
    return world.buyer({product_id: BOUGHT}, code=world.code(product_id))


def _check_out(world: World, buyer: dict[str, Any]) -> object:
    return world.open_payment(services.place_order(**buyer))


def _check_out_and_pay(world: World, buyer: dict[str, Any]) -> object:
    """The shopper presses again until there is a payment page, and pays."""
    order = world.open_payment(services.place_order(**buyer))
    world.stripe.pay(order.payment.session_id)
    return services.settle(session_id=order.payment.session_id, now=utc_now())


def _begin_paid(world: World, product_id: str) -> Order:
    order = _begin_unpaid(world, product_id)
    world.stripe.pay(order.payment.session_id)
    return order


def _begin_unpaid(world: World, product_id: str) -> Order:
    return world.open_payment(services.place_order(**_begin_checkout(world, product_id)))


def _begin_settled(world: World, product_id: str) -> Order:
    return services.settle(session_id=_begin_paid(world, product_id).payment.session_id, now=utc_now())


def begin_late(world: World, product_id: str) -> Order:
    """An order given up by us although Stripe still takes the money: its closing was lost on the way."""
    order = _begin_unpaid(world, product_id)
    with patch.object(StripeGateway, "expire_session", without_asking):
        _sweep(world, order)
    world.stripe.pay(order.payment.session_id)
    return order


def _cancel_paid(world: World, order: Order) -> object:
    return services.cancel_order(order=order, actor=STAFF.name, now=utc_now())


def _refund(world: World, order: Order) -> object:
    return services.refund_rest(order=order, restock=True, note="", actor=STAFF.name, now=utc_now())


def _settle(world: World, order: Order) -> object:
    return services.settle(session_id=order.payment.session_id, now=utc_now())


def _cancel(world: World, order: Order) -> object:
    return services.cancel_unpaid(order=order, now=utc_now())


def _sweep(world: World, order: Order) -> None:
    world.run_jobs(utc_now() + HOLD + timedelta(minutes=1))


_ENDED = frozenset({OrderStatus.EXPIRED})
_PAID = frozenset({OrderStatus.PROCESSING})
STORIES = (
    Story("checkout, then gone", _begin_checkout, _check_out, _ENDED | {None}),
    Story("settle a paid order", _begin_paid, _settle, _PAID),
    Story("cancel before paying", _begin_unpaid, _cancel, _ENDED | {OrderStatus.CANCELLED}),
    Story("expire", _begin_unpaid, _sweep, _ENDED),
    Story("sweep over an order that was paid unnoticed", _begin_paid, _sweep, _PAID),
    Story("a payment after the hold", begin_late, _settle, _PAID, is_told_again=True),
    Story("cancel a paid order", _begin_settled, _cancel_paid, _PAID | {OrderStatus.CANCELLED}),
    Story("refund all of an order", _begin_settled, _refund, _PAID | {OrderStatus.REFUNDED}),
)
_UNNOTICED = STORIES[4]


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """Every story with a death at every point; the shopper who tries again; and the job that does not ask Stripe first."""
    for story in STORIES:
        yield _story(world, story)
    yield _tries_again(world)
    with patch.object(StripeGateway, "expire_session", without_asking):
        yield _story(world, _UNNOTICED, claim="the same without asking Stripe before the release", is_control=True)


def _story(world: World, story: Story, *, claim: str = "", is_control: bool = False) -> Verdict:
    points, breaks = 0, Counter[str]()
    for at, after in _points(world, story):
        points += 1
        product = world.product(inventory=PIECES)
        scene = story.begin(world, product.product_id)
        watch = Watch(kill_at=at, kill_after=after)
        with suppress(Killed), watching(watch):
            story.act(world, scene)
        if story.is_told_again:
            with passed_over():
                story.act(world, scene)
        for sweep in range(_SWEEPS):
            world.run_jobs(utc_now() + HOLD + timedelta(minutes=1 + sweep))
        owner = scene["owner"] if isinstance(scene, dict) else scene.owner
        breaks.update(_wrongs(world, product.product_id, world.orders_of([owner]), story.expects))
    seen = ", ".join(f"{count} x {what}" for what, count in breaks.most_common(3)) or "no order lost, nothing leaked"
    return Verdict(claim or f"{story.name}: dies at {points} points, right after {_SWEEPS} sweeps", seen, not breaks, is_control)


def _tries_again(world: World) -> Verdict:
    """A shopper whose checkout died presses again and pays: one order, one charge."""
    story = STORIES[0]
    points, breaks = 0, Counter[str]()
    for at, after in _points(world, story):
        points += 1
        product = world.product(inventory=PIECES)
        buyer = _begin_checkout(world, product.product_id)
        with watching(Watch(kill_at=at, kill_after=after)), suppress(Killed):
            _check_out(world, buyer)
        with passed_over():
            _check_out_and_pay(world, buyer)
        breaks.update(_wrongs(world, product.product_id, world.orders_of([buyer["owner"]]), _PAID))
    seen = ", ".join(f"{count} x {what}" for what, count in breaks.most_common(3)) or "one order, one charge each"
    return Verdict(f"checkout dies at {points} points, the shopper presses again and pays", seen, not breaks)


def _points(world: World, story: Story) -> list[tuple[int, bool]]:
    """Before and after each call of one whole run."""
    scene = story.begin(world, world.product(inventory=PIECES).product_id)
    watch = Watch()
    with watching(watch):
        story.act(world, scene)
    return [(at, after) for at in range(len(watch.calls)) for after in (False, True)]


def _wrongs(world: World, product_id: str, orders: list[Order], expects: frozenset[OrderStatus | None]) -> Iterator[str]:
    """What must not be: two orders, a wrong end, money without an order, pieces that are nowhere."""
    if len(orders) > 1:
        yield "two orders of one cart"
    if (orders[0].status if orders else None) not in expects:
        yield f"ended as {orders[0].status if orders else 'no order'}"
    charges = world.paid_sessions()
    for order in orders:
        if charges[order.order_id] > 1:
            yield "charged twice"
        owed = 0 if held(order) else order.total.minor * charges[order.order_id]
        if world.refunded(order) != owed:
            yield f"{world.refunded(order)} of {order.total.minor} given back for an order that ended as {order.status}"
    if world.stock(product_id) + sum(BOUGHT for order in orders if held(order)) != PIECES:
        yield "pieces leaked"
    with_code = sum(1 for order in orders if order.discount and not order.discount_returned)
    unpaid = [order for order in orders if not charges[order.order_id]]
    is_kept = any(order.discount and not order.discount_returned and not held(order) for order in unpaid)
    if discount_queries.discount(code=world.code(product_id)).uses != with_code or is_kept:
        yield "uses of a discount code leaked"


def without_asking(_: StripeGateway, session_id: str) -> Session:
    """Control: whatever the state of a payment page, it is taken for ended."""
    return Session(session_id, "", SessionState.EXPIRED, "", Money(0, "USD"))
