"""Orders, Stripe and stock compared, in both directions; what does not add up becomes a finding.

A comparison goes through time in slices and remembers how far it came: it may be cut short, and run twice.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from catalog import queries as catalog
from catalog.stock_check import stock_sum
from orders import ledger_queries as books
from orders import queries
from orders.domain import HOLD, HOLD_EXTENSION, SESSION_LIFETIME, Order, OrderStatus
from orders.ledger_domain import STUCK_AFTER, Finding, FindingKind, RefundState
from orders.ledger_models import BOOKMARK_PK, BookmarkRow
from orders.noting import drop_finding, note_finding
from orders.payment_domain import MadePayment, MadeRefund
from orders.payments import PaymentsUnavailable, gateway
from orders.refunding import sync_refunds
from orders.settling import payment_of, settle
from shop.lib.deadline import OutOfTime, time_left
from shop.lib.money import Money

logger = logging.getLogger(__name__)

T = TypeVar("T")
R = TypeVar("R")

_SLICE = timedelta(hours=6)
_LOOK_BACK = timedelta(hours=48)
_SETTLED = timedelta(minutes=10)
"""What is younger is still under way."""
_MOMENT = timedelta(minutes=1)
_ENOUGH_SECONDS = 20.0
"""With less time left no further slice is begun."""
_HUNDRED = 100
_MONEY, _STOCK = "money", "stock"


def settle_unnoticed(*, now: datetime) -> int:
    """Settle pending orders whose payment neither webhook nor browser told us of; how many. One call to Stripe for all of them.

    Raises PaymentsUnavailable.
    """
    pending = {order_id for _, order_id in queries.unpaid_orders_placed_before(moment=now - _MOMENT)}
    if not pending:
        return 0
    settled = 0
    for session in gateway().paid_sessions(now - SESSION_LIFETIME - _SETTLED, now + _MOMENT):
        if session.order_id in pending:
            settled += settle(session_id=session.session_id, now=now).is_paid
    return settled


def reconcile(*, now: datetime) -> int:
    """Compare what happened since the last run, or in two days before the first; how many findings there are now.

    Raises PaymentsUnavailable; the next run goes on where this one ended.
    """
    for finding in books.findings():
        _each(_look_again, finding, now)
    kept = books.bookmark(_MONEY)
    since = kept.until if kept and kept.until else now - _LOOK_BACK
    while since < now - _SETTLED and time_left() >= _ENOUGH_SECONDS:
        until = min(since + _SLICE, now - _SETTLED)
        _compare(since, until, now)
        BookmarkRow(BOOKMARK_PK, _MONEY, until=until).save()
        since = until
    _find_stuck(now)
    return len(books.findings())


def reconcile_stock(*, now: datetime) -> int:
    """Compare products' stock with their movements, a page of the catalogue after another; how many do not add up."""
    kept = books.bookmark(_STOCK)
    cursor = (kept.cursor if kept else None) or ""
    drifted = 0
    while time_left() >= _ENOUGH_SECONDS:
        page = catalog.newest(cursor=cursor)
        for card in page.items:
            drifted += _each(_about_stock, card.product_id, now)
        cursor = page.next_cursor
        BookmarkRow(BOOKMARK_PK, _STOCK, cursor=cursor or None).save()
        if not cursor:
            break
    return drifted


def _compare(since: datetime, until: datetime, now: datetime) -> None:
    """Every payment of these hours has its order, every order its payment, every refund its entry."""
    paid: set[str] = set()
    # An order is paid up to an hour after it was placed: so far ahead its payment is looked for in the list.
    for some in _hundreds(gateway().payments_between(since, until + SESSION_LIFETIME)):
        orders = queries.orders_by_ids(order_ids=[made.order_id for made in some if made.order_id])
        for made in some:
            if made.amount:
                paid.add(made.payment_intent_id)
                _each(lambda made, now: _about_payment(made, orders.get(made.order_id), now), made, now)  # noqa: B023 - called at once
    for ids in _hundreds(queries.orders_placed_between(since=since, until=until)):
        for order in queries.orders_by_ids(order_ids=ids).values():
            if order.payment.payment_intent_id not in paid:
                _each(_about_order, order, now)
    for refunded in gateway().refunded_between(since, until):
        _each(_about_refund, refunded, now)


def _about_payment(made: MadePayment, order: Order | None, now: datetime) -> None:
    is_back = made.refunded == made.amount
    if order is None:
        if not is_back:
            _find(FindingKind.PAYMENT_WITHOUT_ORDER, made, now, "A payment names an order that is not there.")
        return
    if order.payment.status == "pending":
        order = _settled(made, order, now)
    if order.payment.payment_intent_id != made.payment_intent_id:
        if not is_back:
            is_second = order.payment.status != "pending"
            kind = FindingKind.SECOND_PAYMENT if is_second else FindingKind.UNSETTLED
            detail = "A second payment of the same order." if is_second else "It was paid, and the order does not take it."
            _find(kind, made, now, detail)
    elif made.amount != order.payment.amount:
        _find(FindingKind.AMOUNT, made, now, f"Stripe received {made.amount}, the order says {order.payment.amount}.")
    elif made.refunded != order.payment.given_back and not _has_open_refund(order):
        order = sync_refunds(order_id=order.order_id, now=now)
        if made.refunded != order.payment.given_back:
            told = f"Stripe gave back {made.refunded}, the order says {order.payment.given_back}."
            _find(FindingKind.REFUNDS, made, now, told)


def _settled(made: MadePayment, order: Order, now: datetime) -> Order:
    session = gateway().session_of(made.payment_intent_id)
    return settle(session_id=session.session_id, now=now) if session and session.order_id == order.order_id else order


def _about_order(order: Order, now: datetime) -> None:
    """An order that counts as paid, and whose payment is not among those of its hours."""
    if order.payment.status in ("pending", "void") or payment_of(order):
        return
    note_finding(
        Finding(
            FindingKind.ORDER_WITHOUT_PAYMENT,
            order.order_id,
            now,
            "The order counts as paid, and Stripe knows no such payment.",
            order_id=order.order_id,
            payment_intent_id=order.payment.payment_intent_id,
            amount=order.total,
        )
    )


def _about_refund(made: MadeRefund, now: datetime) -> None:
    order_id = made.order_id or gateway().payment(made.payment_intent_id).order_id
    try:
        order = queries.order_by_id(order_id=order_id)
    except queries.OrderNotFound:
        return  # another shop's, or a stray payment's
    known = books.refunds_of(order_id=order_id)
    is_known = any(one.stripe_id == made.stripe_id and not one.state.is_open for one in known)
    if not is_known and order.payment.payment_intent_id == made.payment_intent_id:
        sync_refunds(order_id=order_id, now=now)


def _about_stock(product_id: str, now: datetime) -> bool:
    found = stock_sum(product_id=product_id, now=now)
    if not found.drift:
        drop_finding(FindingKind.STOCK, product_id)
        return False
    detail = f"{found.name}: {found.inventory} in stock, {found.recorded} by what came in and went out."
    note_finding(Finding(FindingKind.STOCK, product_id, now, detail))
    return True


def _find_stuck(now: datetime) -> None:
    late = now - HOLD - HOLD_EXTENSION - STUCK_AFTER
    for _, order_id in queries.unpaid_orders_placed_before(moment=late):
        note_finding(Finding(FindingKind.STUCK_ORDER, order_id, now, "Unpaid, and its pieces are still held.", order_id=order_id))
    for order_id, key in books.open_refunds(until=now - STUCK_AFTER):
        refund = books.refund(order_id=order_id, key=key)
        if refund.state is RefundState.ASKED and refund.asked_at <= now - STUCK_AFTER:
            note_finding(
                Finding(
                    FindingKind.STUCK_REFUND,
                    f"{order_id}-{key}",
                    now,
                    "Stripe has not taken this refund yet.",
                    order_id=order_id,
                    payment_intent_id=refund.payment_intent_id,
                    amount=refund.amount,
                )
            )


def _look_again(finding: Finding, now: datetime) -> None:
    """Drop a finding that adds up by now; what only a person can judge stays until one has."""
    is_still_so = _STILL.get(finding.kind)
    if is_still_so and not is_still_so(finding):
        drop_finding(finding.kind, finding.subject)


def _is_still_unsettled(finding: Finding) -> bool:
    return queries.order_by_id(order_id=finding.order_id).payment.payment_intent_id != finding.payment_intent_id


def _is_still_unreturned(finding: Finding) -> bool:
    made = gateway().payment(finding.payment_intent_id)
    return made.refunded < made.amount


def _differs_still(finding: Finding) -> bool:
    order = queries.order_by_id(order_id=finding.order_id)
    return gateway().payment(finding.payment_intent_id).refunded != order.payment.given_back


def _is_still_open(finding: Finding) -> bool:
    key = finding.subject.removeprefix(f"{finding.order_id}-")
    return books.refund(order_id=finding.order_id, key=key).state is RefundState.ASKED


def _is_still_pending(finding: Finding) -> bool:
    return queries.order_by_id(order_id=finding.order_id).status is OrderStatus.PENDING


def _is_still_unpaid(finding: Finding) -> bool:
    order = queries.order_by_id(order_id=finding.order_id)
    return order.payment.status != "void" and not payment_of(order)


_STILL: dict[FindingKind, Callable[[Finding], bool]] = {
    FindingKind.UNSETTLED: _is_still_unsettled,
    FindingKind.PAYMENT_WITHOUT_ORDER: _is_still_unreturned,
    FindingKind.SECOND_PAYMENT: _is_still_unreturned,
    FindingKind.REFUNDS: _differs_still,
    FindingKind.STUCK_REFUND: _is_still_open,
    FindingKind.STUCK_ORDER: _is_still_pending,
    FindingKind.ORDER_WITHOUT_PAYMENT: _is_still_unpaid,
}


def _has_open_refund(order: Order) -> bool:
    return any(refund.state.is_open for refund in books.refunds_of(order_id=order.order_id))


def _find(kind: FindingKind, made: MadePayment, now: datetime, detail: str) -> None:
    amount = Money(made.amount.minor - made.refunded.minor, made.amount.currency)
    note_finding(Finding(kind, made.payment_intent_id, now, detail, made.order_id, made.payment_intent_id, amount))


def _each(look: Callable[[T, datetime], R], what: T, now: datetime) -> R | bool:
    """Look at one thing; what makes no sense is told and must not keep the others from being looked at."""
    try:
        return look(what, now)
    except (PaymentsUnavailable, OutOfTime):
        raise  # the next would only wait for the same silence
    except Exception:
        logger.exception("%s could not be compared", what)
        return False


def _hundreds(things: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(things)
    while some := list(islice(rest, _HUNDRED)):
        yield some
