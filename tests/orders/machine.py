"""Everything that can happen to orders, money and stock, in any order, with processes that die and a Stripe that stumbles.

After every step: what is in stock and what is out add up to what was received, and no more money goes back than came in. At the
end, after the jobs alone have had their turns: money in at Stripe is what the orders say, and nothing is stuck.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from catalog import queries as catalog
from catalog.stock_models import StockRow, stock_sk
from orders import jobs, payments, queries, services
from orders import ledger_queries as books
from orders.domain import HOLD, PAID, Order, OrderStatus, order_id_for
from orders.ledger_domain import FindingKind, Refund, RefundState
from orders.ledger_models import BOOKMARK_PK, BookmarkRow
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.local.fake_stripe import ApiFault, FakeStripe
from tests import factories
from tests.memory_tables import MemoryTables
from tests.orders.paid import STAFF, ask, dashboard_refund
from tests.rivals import Killed, dying

RECEIVED = 6
ANSWERS = (
    services.CartChanged,
    services.TotalChanged,
    services.OrderMoved,
    services.HoldOver,
    services.NotCancellable,
    services.NotRefundable,
    services.NothingToRefund,
    services.RefundTooLarge,
    services.NothingToShip,
    services.NotInReview,
    services.NotInStock,
    services.NoPayment,
    payments.PaymentsUnavailable,
    payments.PaymentRefused,
    Killed,
)
"""What an action may end in; whatever else it raises is a fault."""

any_order = st.integers(0, 9)
deaths = st.none() | st.tuples(st.integers(1, 3), st.sampled_from(["before", "after"]))
has_orders = precondition(lambda self: self.order_ids)
"""Without an order there is nothing to be done to one."""


class Shop(RuleBasedStateMachine):
    """A shop with two products, its shoppers, its staff, its jobs, and Stripe."""

    def __init__(self, stripe: FakeStripe, tables: MemoryTables, seen: Counter[str]) -> None:
        super().__init__()
        self.stripe = stripe
        self.tables = tables
        self.seen = seen
        for table in stripe.state.tables.values():
            table.clear()
        stripe.state.idempotency.clear()
        stripe.faults.clear()
        self.now = datetime.fromisoformat("2026-11-23T12:00:00+00:00")
        BookmarkRow(BOOKMARK_PK, "money", until=self.now).save()  # nothing before was ever sold
        stripe.state.clock = lambda: self.now.timestamp()  # noqa: PLW0108 - it moves
        self.products = [
            factories.make_product(inventory=RECEIVED, price=Money(price, "USD")).product_id for price in (1999, 350)
        ]
        self.order_ids: list[str] = []
        self.known: list[Order] = []
        self.read_at = self.checked_at = -1

    # --- helpers

    def orders(self) -> list[Order]:
        """The orders as they are: read once after whatever was written."""
        if self.read_at != self.tables.writes:
            self.read_at = self.tables.writes
            found = queries.orders_by_ids(order_ids=self.order_ids)
            self.known = [found[order_id] for order_id in self.order_ids if order_id in found]
        return self.known

    def act(self, which: int, death: tuple[int, str] | None, action: Callable[[Order], object], *likely: OrderStatus) -> None:
        """Do it to one order: mostly to one of these statuses, where it means something, and now and then to any."""
        orders = self.orders()
        fit = [order for order in orders if order.status in likely] if which < 8 else []
        if orders:
            self.do(death, lambda: action((fit or orders)[which % len(fit or orders)]))

    def do(self, death: tuple[int, str] | None, action: Callable[[], object]) -> None:
        self.seen["actions"] += 1
        try:
            with dying(death):
                action()
        except ANSWERS as answer:
            self.seen[type(answer).__name__] += 1

    def session_of(self, order: Order) -> dict[str, Any] | None:
        return self.stripe.state.tables["sessions"].get(order.payment.session_id)

    # --- shoppers

    @initialize(first=st.integers(1, 3), second=st.integers(0, 2), is_paid=st.booleans())
    def open(self, first: int, second: int, is_paid: bool) -> None:
        """The shop opens with somebody at the till, so that something can happen."""
        self.place(first, second, None)
        if is_paid:
            self.pay(0, is_good=True, is_overtaken=False)
            self.settle(0, None)

    @rule(first=st.integers(0, 3), second=st.integers(0, 2), death=deaths)
    def place(self, first: int, second: int, death: tuple[int, str] | None) -> None:
        wanted = {product: n for product, n in zip(self.products, (first, second), strict=True) if n}
        found = catalog.products(product_ids=self.products, consistent=True)
        if len(self.order_ids) < 10 and wanted and all(found[product].inventory >= n for product, n in wanted.items()):
            ready = factories.ready_to_order(new_guest(self.now), wanted, self.now)
            self.order_ids.append(order_id_for(ready["cart_id"]))
            self.do(death, lambda: factories.open_payment(services.place_order(**ready)))

    @has_orders
    @rule(which=any_order, death=deaths)
    def come_back_to_pay(self, which: int, death: tuple[int, str] | None) -> None:
        self.act(which, death, factories.open_payment, OrderStatus.PENDING)

    @has_orders
    @rule(which=any_order, is_good=st.booleans(), is_overtaken=st.booleans())
    def pay(self, which: int, is_good: bool, is_overtaken: bool) -> None:
        """On Stripe's page; or on one that Stripe had said was over, whose word the shopper had overtaken."""

        def press(order: Order) -> None:
            session = self.session_of(order)
            if session and is_overtaken and session["status"] == "expired":
                session.update(status="open")
                if session["payment_intent"]:
                    self.stripe.state.tables["payment_intents"][session["payment_intent"]]["status"] = "requires_payment_method"
            if session:
                self.stripe.pay(session["id"], number="4242424242424242" if is_good else "4000000000000002")

        self.act(which, None, press, OrderStatus.PENDING, OrderStatus.EXPIRED, OrderStatus.CANCELLED)

    @has_orders
    @rule(which=any_order, death=deaths)
    def settle(self, which: int, death: tuple[int, str] | None) -> None:
        self.act(
            which,
            death,
            lambda order: order.payment.session_id and services.settle(session_id=order.payment.session_id, now=self.now),
            *(OrderStatus.PENDING, OrderStatus.EXPIRED, OrderStatus.CANCELLED),
        )

    @has_orders
    @rule(which=any_order, death=deaths)
    def cancel(self, which: int, death: tuple[int, str] | None) -> None:
        def press(order: Order) -> None:
            services.cancel_order(order=order, actor="shopper", now=self.now)

        self.act(which, death, press, OrderStatus.PENDING, OrderStatus.PROCESSING)

    @has_orders
    @rule(which=any_order)
    def extend(self, which: int) -> None:
        self.act(which, None, lambda order: services.extend_hold(order=order, now=self.now), OrderStatus.PENDING)

    # --- staff

    @has_orders
    @rule(which=any_order, piece=st.booleans(), death=deaths)
    def ship(self, which: int, piece: bool, death: tuple[int, str] | None) -> None:
        self.act(
            which,
            death,
            lambda order: services.ship(
                order=order,
                carrier="UPS",
                tracking_number="1Z",
                actor=STAFF,
                now=self.now,
                pieces={order.lines[0].product_id: 1} if piece else None,
            ),
            OrderStatus.PROCESSING,
        )

    @has_orders
    @rule(
        which=any_order,
        restock=st.booleans(),
        extra=st.integers(0, 2000),
        pieces=st.integers(0, 2),
        sent=st.none() | st.integers(0, 2),
        death=deaths,
    )
    def refund_part(
        self, which: int, restock: bool, extra: int, pieces: int, sent: int | None, death: tuple[int, str] | None
    ) -> None:
        def press(order: Order) -> None:
            product = order.lines[0].product_id
            ask(
                order,
                self.now,
                lines={product: pieces},
                sent=None if sent is None else {product: sent},
                extra=Money(extra, "USD"),
                restock=restock,
            )

        self.act(which, death, press, *PAID)

    @has_orders
    @rule(which=any_order, restock=st.booleans(), death=deaths)
    def refund_all(self, which: int, restock: bool, death: tuple[int, str] | None) -> None:
        self.act(
            which,
            death,
            lambda order: services.refund_rest(order=order, restock=restock, note="", actor=STAFF, now=self.now),
            *PAID,
        )

    @has_orders
    @rule(which=any_order, death=deaths)
    def accept(self, which: int, death: tuple[int, str] | None) -> None:
        def press(order: Order) -> None:
            services.accept_review(order=order, actor=STAFF, now=self.now, note="fine")

        self.act(which, death, press, OrderStatus.REVIEW)

    @has_orders
    @rule(which=any_order, amount=st.integers(100, 3000))
    def refund_at_stripe(self, which: int, amount: int) -> None:
        def press(order: Order) -> None:
            if order.payment.payment_intent_id:
                dashboard_refund(order, amount)

        with patch.object(self.stripe.faults, "api", []):
            try:
                self.act(which, None, press, *PAID)
            except Exception as error:
                if "Refund" not in type(error).__name__ and "Invalid" not in type(error).__name__:
                    raise

    # --- Stripe and the bank

    @rule(kind=st.sampled_from(["error_before", "error_after"]), path=st.sampled_from(["/v1/refunds", "/v1/checkout/*", "*"]))
    def stumble(self, kind: str, path: str) -> None:
        self.stripe.faults.api.append(ApiFault(kind, path=path))

    @precondition(lambda self: self.stripe.state.tables["refunds"])
    @has_orders
    @rule(which=any_order)
    def bank_sends_back(self, which: int) -> None:
        made = list(self.stripe.state.tables["refunds"].values())
        refund = made[which % len(made)]
        if refund["status"] == "succeeded":
            refund.update(status="failed", failure_reason="expired_or_canceled_card")
            charge = self.stripe.state.tables["charges"][refund["charge"]]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False

    @has_orders
    @rule(which=any_order, death=deaths)
    def webhook(self, which: int, death: tuple[int, str] | None) -> None:
        self.act(which, death, lambda order: services.sync_refunds(order_id=order.order_id, now=self.now))

    # --- time and jobs

    @rule(minutes=st.sampled_from([1, 20, 32]), death=deaths)
    def time_passes(self, minutes: int, death: tuple[int, str] | None) -> None:
        self.now += timedelta(minutes=minutes)
        self.do(death, lambda: jobs.release_unpaid_orders(now=self.now))

    @rule(death=deaths)
    def jobs_run(self, death: tuple[int, str] | None) -> None:
        self.do(death, lambda: jobs.settle_paid_orders(now=self.now))
        self.do(death, lambda: jobs.resume_refunds(now=self.now))

    # --- what always holds

    @invariant()
    def it_adds_up(self) -> None:
        for charge in self.stripe.state.tables["charges"].values():
            assert charge["amount_refunded"] <= charge["amount"]
        if self.tables.writes == self.checked_at:  # many steps are refused and change nothing
            return
        orders = self.orders()
        refunds = {order.order_id: books.refunds_of(order_id=order.order_id) for order in orders if order.refund_count}
        self.stock_adds_up(orders, refunds)
        self.no_more_goes_back_than_came_in(orders, refunds)
        self.checked_at = self.tables.writes

    def stock_adds_up(self, orders: list[Order], refunds: dict[str, tuple[Refund, ...]]) -> None:
        out = Counter(dict.fromkeys(self.products, 0))
        for order in orders:
            for line in order.lines:
                out[line.product_id] += line.quantity - line.loose
                assert 0 <= line.unsent <= line.refunded <= line.quantity
                assert 0 <= line.refunded - line.unsent <= line.shipped <= line.quantity - line.unsent
            for refund in refunds.get(order.order_id, ()):
                if refund.state is not RefundState.FAILED:
                    out.subtract({piece.product_id: piece.shelved for piece in refund.pieces})
        for product, found in catalog.products(product_ids=self.products, consistent=True).items():
            assert found.inventory >= 0
            assert found.inventory + out[product] == RECEIVED
            moved = StockRow.query(f"PRODUCT#{product}", StockRow.sk.startswith(stock_sk()), consistent_read=True)
            assert sum(row.change for row in moved) == found.inventory

    def no_more_goes_back_than_came_in(self, orders: list[Order], refunds: dict[str, tuple[Refund, ...]]) -> None:
        for order in orders:
            its = refunds.get(order.order_id, ())
            if order.payment.refundable is not None:
                asked = sum(refund.amount.minor for refund in its if refund.state is not RefundState.FAILED)
                assert order.payment.left.minor == order.payment.amount.minor - asked >= 0
            back = sum(refund.amount.minor for refund in its if refund.state is RefundState.SUCCEEDED)
            assert order.payment.given_back.minor == back

    # --- the end

    def teardown(self) -> None:
        """Everybody has gone; only the jobs are left, and Stripe answers again."""
        self.stripe.faults.clear()
        for _ in range(3):
            self.now += HOLD + timedelta(minutes=20)
            jobs.release_unpaid_orders(now=self.now)
            jobs.settle_paid_orders(now=self.now)
            jobs.resume_refunds(now=self.now)
            jobs.reconcile(now=self.now)
        for order_id in self.order_ids:  # refunds that came back from the bank long after are told by webhooks alone
            if order_id in queries.orders_by_ids(order_ids=[order_id]):
                services.sync_refunds(order_id=order_id, now=self.now)
        orders = self.orders()
        assert not [order.status for order in orders if order.status in (OrderStatus.PENDING, OrderStatus.REFUND_PENDING)]
        assert not [one for order in orders for one in books.refunds_of(order_id=order.order_id) if one.state.is_open]
        intents = self.stripe.state.tables["payment_intents"].values()
        charges = self.stripe.state.tables["charges"]
        kept_by_stripe = {
            intent["id"]: intent["amount_received"] - charges[intent["latest_charge"]]["amount_refunded"]
            for intent in intents
            if intent["amount_received"]
        }
        kept_by_orders = {
            order.payment.payment_intent_id: order.payment.amount.minor - order.payment.given_back.minor
            for order in orders
            if order.payment.payment_intent_id
        }
        assert kept_by_stripe == kept_by_orders
        mine = {finding.kind for finding in books.findings() if finding.order_id in self.order_ids}
        assert mine <= {FindingKind.FAILED_REFUND}
        self.it_adds_up()
        self.seen.update(order.status for order in orders)


def play(
    stripe: FakeStripe, tables: MemoryTables, *, lives: int, steps: int, begin: Callable[[], object] = lambda: None
) -> Counter[str]:
    """So many lives of so many steps, `begin` before each; what was met: actions, refusals, the orders' last statuses.

    All that is written must go to `tables`, whatever else it goes to.
    """
    seen = Counter[str]()

    def shop() -> Shop:
        begin()
        seen["lives"] += 1
        return Shop(stripe, tables, seen)

    run_state_machine_as_test(
        shop,  # type: ignore[arg-type]  # any maker of a machine will do
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            report_multiple_bugs=False,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return seen
