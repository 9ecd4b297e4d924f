"""What changes an order: the only writers of the Orders table.

Placing and paying happen in this order, each step safe to repeat: place (one transaction), open the payment page, settle when
the money is there, or release when it is not there in time.
"""

import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from cart import queries as carts
from cart import services as cart_services
from cart.domain import LIFETIME as CART_LIFETIME
from cart.domain import Cart, CartState, Item, KeptCart
from catalog import queries as catalog
from catalog import services as catalog_services
from orders import queries
from orders.domain import (
    HOLD,
    SESSION_LIFETIME,
    TRANSITIONS,
    CheckoutDetails,
    HistoryEntry,
    Order,
    OrderLine,
    OrderStatus,
    Payment,
    after_working_days,
    order_id_for,
    require_transition,
)
from orders.models import (
    REF_SK,
    SESSION_ID,
    CheckoutRow,
    EventRow,
    OrderRow,
    RefRow,
    event_pk,
    order_key,
    ref_pk,
    status_partition,
    to_checkout_row,
    to_history_map,
    to_payment_map,
    to_row,
)
from orders.payments import Event, PaymentInProgress, Session, SessionState, gateway
from shop.lib.money import Money
from shop.lib.once import KEEP
from shop.lib.owner import Owner
from shop.lib.tables import Busy, all_of, is_refused
from shop.lib.transactions import Refused, run_transaction

logger = logging.getLogger(__name__)

_WAITS = 20
_WAIT_SECONDS = 0.25
"""How often and how long a click waits for another that is opening the same payment page: 5 s in all."""
SHOPPER, STRIPE, CLOCK = "shopper", "stripe", "clock"
"""Actors of an order's history."""


class CartChanged(Exception):
    """The cart is not as the shopper saw it: changed in another tab, or empty."""


class OutOfStock(CartChanged):
    """Lines that cannot be bought as asked: sold out, too few left, or no longer for sale. `names` are their products'."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class TotalChanged(Exception):
    """The total is not what the shopper agreed to; `total` is what it is now."""

    def __init__(self, total: Money) -> None:
        super().__init__(str(total))
        self.total = total


class DetailsMissing(Exception):
    """The checkout does not know yet whom to write to, where to send or how."""


class UnknownOrder(Exception):
    """A payment of ours names an order we do not have (yet): Stripe shall tell us again."""


class OrderMoved(Exception):
    """The order's status changed in between; nothing was written."""


def remember_details(*, owner: Owner, details: CheckoutDetails, now: datetime) -> None:
    """Keep what the shopper told one step of the checkout, for as long as a cart lives; what is empty stays as it was."""
    row = to_checkout_row(owner, details, expires_at=now + CART_LIFETIME)
    told = {name: value for name, value in row.attribute_values.items() if name not in ("pk", "sk") and value is not None}
    if details.email:
        told["phone"] = details.phone or None  # asked beside the e-mail, and may be taken back
    row.update(
        actions=[
            getattr(CheckoutRow, name).remove() if value is None else getattr(CheckoutRow, name).set(value)
            for name, value in told.items()
        ]
    )


def place_order(*, owner: Owner, cart_id: str, total_seen: int, seen: str, now: datetime) -> Order:
    """Turn the cart into a pending order and take its pieces out of stock, or change nothing.

    `total_seen` is the total in minor units that the shopper agreed to, `seen` the mark of all that was reviewed. A cart
    that is an order already gives that order: a second click or tab is no second order.

    Raises OutOfStock, CartChanged, TotalChanged, DetailsMissing, Busy; then nothing was written.
    """
    kept = carts.kept_cart(owner=owner, now=now)
    placed = _placed_before(owner, cart_id, kept)
    if placed:
        return placed
    if kept is None or kept.cart_id != cart_id or kept.state is not CartState.OPEN:
        raise CartChanged
    order = _draft(owner, kept, total_seen, seen, now)
    try:
        run_transaction(
            lambda txn: _add_placement(txn, order, kept, now),
            # A consistent look before another try: most of a rush for the last pieces ends here, without one more write.
            before_retry=lambda: _require_buyable(kept),
        )
    except (Refused, CartChanged, Busy) as refusal:
        # Another tab may have won; or our own reply was lost and a later try met what the first had done.
        placed = _placed_before(owner, cart_id, carts.kept_cart(owner=owner, now=now))
        if placed:
            return placed
        if not isinstance(refusal, Refused):
            raise
        _require_buyable(kept)
        raise CartChanged from refusal
    _stock_changed(order)
    return order


def open_payment(*, order: Order, success_url: str, cancel_url: str, pause: Callable[[float], None] = time.sleep) -> Order:
    """Give a pending order its payment page, or the one it has: Stripe is asked under one key, so repeats meet the same session.

    The session is saved on the order before anybody is sent to it: an order without a saved session can never be paid. Of many
    clicks at once one opens the page, the others wait for it.

    Raises PaymentsUnavailable, PaymentRefused, OrderMoved.
    """
    for _ in range(_WAITS):
        if order.payment.session_id:
            return order
        if order.status is not OrderStatus.PENDING:
            raise OrderMoved(order.order_id)
        try:
            session = gateway().open_session(
                order, success_url=success_url, cancel_url=cancel_url, expires_at=order.created_at + SESSION_LIFETIME
            )
        except PaymentInProgress:
            pause(_WAIT_SECONDS)
            order = queries.order_of(owner=order.owner, order_id=order.order_id)
        else:
            return _save_session(order, session)
    raise PaymentInProgress(order.order_id)


def _save_session(order: Order, session: Session) -> Order:
    payment = replace(order.payment, session_id=session.session_id, session_url=session.url)
    try:
        order_key(order.owner, order.order_id).update(
            actions=[OrderRow.payment.set(to_payment_map(payment))],
            condition=all_of(
                OrderRow.status == OrderStatus.PENDING,
                SESSION_ID.does_not_exist() | (session.session_id == SESSION_ID),
            ),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise OrderMoved(order.order_id) from error
    return replace(order, payment=payment)


def settle(*, session_id: str, now: datetime) -> Order:
    """Ask Stripe how a session stands and move its order accordingly. Browser return, webhook and job all call this.

    Only a paid session moves an order; an order that is paid already stays as it is. What does not add up goes to `review`
    with an error in the log: another amount or currency, another session, money for an order that was given up.

    Raises UnknownOrder, PaymentsUnavailable, PaymentRefused.
    """
    session = gateway().session(session_id)
    try:
        order = queries.order_by_id(order_id=session.order_id)
    except queries.OrderNotFound as error:
        raise UnknownOrder(session.order_id) from error
    return _settle(order, session, now)


def release(*, order: Order, to: OrderStatus, actor: str, now: datetime) -> Order:
    """End a pending order: close its session at Stripe first, put its pieces back into stock second.

    `to` is EXPIRED or CANCELLED. An order whose session turns out to be paid is settled instead.

    Raises PaymentsUnavailable (nothing is released without Stripe's word), OrderMoved, Busy.
    """
    require_transition(order.status, to)
    if order.payment.session_id:
        session = gateway().expire_session(order.payment.session_id)
        if session.state in (SessionState.PAID, SessionState.PROCESSING):
            return _settle(order, session, now)

    # A product deleted meanwhile has no stock to go back to; it must not keep the others' from going back.
    there = catalog.products(product_ids=[line.product_id for line in order.lines], consistent=True)

    def build(txn: TransactWrite) -> None:
        txn.update(
            order_key(order.owner, order.order_id),
            actions=_moves(order, to, actor, now),
            condition=all_of(OrderRow.status == OrderStatus.PENDING, _has_session(order)),
        )
        for line in (line for line in order.lines if line.product_id in there):
            catalog_services.return_stock(txn, product_id=line.product_id, quantity=line.quantity)

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(order.owner.key):
            raise OrderMoved(order.order_id) from refused
        raise Busy from refused  # a product was deleted at this very moment: the next try sees it
    _stock_changed(order)
    logger.info("order %s released as %s", order.order_id, to)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def cancel_unpaid(*, order: Order, now: datetime) -> Order:
    """Give up a pending order at the shopper's wish. Raises as `release` does; a paid one comes back as it is."""
    return release(order=order, to=OrderStatus.CANCELLED, actor=SHOPPER, now=now)


def put_back_in_cart(*, order: Order, owner: Owner, now: datetime) -> tuple[str, ...]:
    """Put the lines of an order that was not paid into a cart; the names of those that did not fit."""
    items = tuple(Item(line.product_id, line.name, line.quantity, line.unit_price, line.image, now) for line in order.lines)
    return cart_services.restore_lines(owner=owner, items=items, now=now)


def review_mark(cart: Cart, details: CheckoutDetails) -> str:
    """A short mark of everything the shopper reviewed, so that the order is placed only if it is all still so."""
    reviewed = (cart.cart_id, cart.version, [(line.product_id, line.quantity, line.unit_price) for line in cart.lines], details)
    return hashlib.sha256(repr(reviewed).encode()).hexdigest()[:20]


def record_event(*, event: Event, now: datetime) -> None:
    """Note that a Stripe event was acted on."""
    EventRow(
        event_pk(event.event_id),
        "STRIPE",
        kind=event.kind,
        order_id=event.order_id,
        received_at=now,
        expires_at=now + KEEP,
    ).save()


def _placed_before(owner: Owner, cart_id: str, kept: KeptCart | None) -> Order | None:
    """The order this cart became, or None while it has not: the order's number follows from the cart's."""
    if not cart_id or (kept and kept.cart_id == cart_id and kept.state is CartState.OPEN):
        return None
    try:
        return queries.order_of(owner=owner, order_id=order_id_for(cart_id))
    except queries.OrderNotFound:
        return None


def _draft(owner: Owner, kept: KeptCart, total_seen: int, seen: str, now: datetime) -> Order:
    details = queries.checkout_details(owner=owner, now=now)
    delivery = queries.delivery_method(details.delivery)
    if not (details.email and details.address and delivery):
        raise DetailsMissing
    cart = _require_buyable(kept, shipping=delivery.price)
    if cart.totals.total.minor != total_seen:
        raise TotalChanged(cart.totals.total)
    if review_mark(cart, details) != seen:
        raise CartChanged
    return Order(
        order_id=order_id_for(kept.cart_id),
        owner=owner,
        status=OrderStatus.PENDING,
        email=details.email,
        phone=details.phone,
        lines=_frozen_lines(cart),
        address=details.address,
        delivery_method=delivery.code,
        subtotal=cart.totals.subtotal,
        tax=cart.totals.tax,
        shipping=cart.totals.shipping,
        total=cart.totals.total,
        payment=Payment(amount=cart.totals.total),
        created_at=now,
        updated_at=now,
        due_at=now + HOLD,
        estimated_delivery=after_working_days(now, delivery.days[1]),
        history=(HistoryEntry(OrderStatus.PENDING, now, SHOPPER),),
    )


def _require_buyable(kept: KeptCart, *, shipping: Money | None = None) -> Cart:
    """The cart priced by a consistent read. Raises OutOfStock, or CartChanged when it is empty."""
    cart = carts.price_cart(kept, shipping=shipping, consistent=True)
    blocked = tuple(line.name for line in cart.lines if line.blocks_checkout)
    if blocked:
        raise OutOfStock(blocked)
    if cart.is_empty:
        raise CartChanged
    return cart


def _stock_changed(order: Order) -> None:
    catalog_services.stock_changed(product_ids=[line.product_id for line in order.lines])


def _frozen_lines(cart: Cart) -> tuple[OrderLine, ...]:
    return tuple(OrderLine(line.product_id, line.name, line.quantity, line.unit_price, line.photo_src) for line in cart.lines)


def _add_placement(txn: TransactWrite, order: Order, kept: KeptCart, now: datetime) -> None:
    for line in order.lines:
        catalog_services.take_stock(txn, product_id=line.product_id, quantity=line.quantity, price=line.unit_price)
    txn.save(to_row(order), condition=OrderRow.pk.does_not_exist())
    txn.save(RefRow(ref_pk(order.order_id), REF_SK, owner=order.owner.key), condition=RefRow.pk.does_not_exist())
    cart_services.close_cart(txn, owner=order.owner, cart=kept, order_id=order.order_id, now=now)


def _settle(order: Order, session: Session, now: datetime) -> Order:
    if session.state is not SessionState.PAID:
        return order
    is_its_own = order.payment.session_id in ("", session.session_id)
    if is_its_own and (order.is_paid or order.status is OrderStatus.REVIEW):
        return order
    fits = is_its_own and order.status is OrderStatus.PENDING and session.amount == order.total
    if not fits:
        logger.error("payment %s of session %s does not fit order %s", session.amount, session.session_id, order.order_id)
        if OrderStatus.REVIEW not in TRANSITIONS[order.status]:
            return order
    payment = replace(
        order.payment,
        status="completed" if fits else "review",
        amount=session.amount,
        transaction_id=session.charge_id,
        payment_intent_id=session.payment_intent_id,
    )
    to = OrderStatus.PROCESSING if fits else OrderStatus.REVIEW
    try:
        order_key(order.owner, order.order_id).update(
            actions=[*_moves(order, to, STRIPE, now), OrderRow.payment.set(to_payment_map(payment))],
            condition=all_of(OrderRow.status == order.status, _has_session(order)),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        # Somebody moved it in between: the webhook and the browser arrive together. A paid order, met again, ends this.
        return _settle(queries.order_of(owner=order.owner, order_id=order.order_id), session, now)
    return queries.order_of(owner=order.owner, order_id=order.order_id)


def _has_session(order: Order) -> Condition:
    """The order's payment page is the one we read: none has been opened since, or the same."""
    is_same: Condition = order.payment.session_id == SESSION_ID if order.payment.session_id else SESSION_ID.does_not_exist()
    return is_same


def _moves(order: Order, to: OrderStatus, actor: str, now: datetime) -> list[Action]:
    """The writes every change of status makes: the status, its index key, the history and the time."""
    require_transition(order.status, to)
    return [
        OrderRow.status.set(to),
        OrderRow.gsi1_pk.set(status_partition(to)),
        OrderRow.updated_at.set(now),
        OrderRow.history.set((OrderRow.history | []).append([to_history_map(HistoryEntry(to, now, actor))])),
    ]
