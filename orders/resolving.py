"""One click for each kind of finding: what puts it right. Whoever presses twice, or too late, does nothing."""

import logging
from collections.abc import Callable
from datetime import datetime

from pynamodb.transactions import TransactWrite

from catalog import queries as catalog
from catalog.stock_check import accept_stock
from orders import ledger_queries as books
from orders import queries
from orders.domain import OrderStatus
from orders.fulfilling import put_into_review
from orders.ledger_domain import Finding, FindingKind, RefundState
from orders.ledger_models import BOOKS_PK, FindingRow, OrderAuditRow, finding_key
from orders.models import ref_pk
from orders.moving import OrderMoved
from orders.paying import release
from orders.payments import gateway
from orders.refunding import request_refund, resume_refund, sync_refunds
from orders.settling import settle
from orders.wording import FINDINGS
from shop.lib.audit import Change, audit_row
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

logger = logging.getLogger(__name__)


_DISMISSED = "dismissed"


class StillWrong(Exception):
    """It was tried, and it does not add up yet."""


def put_right(*, kind: FindingKind, subject: str, actor: Viewer, now: datetime) -> None:
    """Do what puts a finding right, and drop it: give a stray payment back, settle, stop an order, carry a refund through, …

    Raises FindingNotFound (somebody was quicker), StillWrong, PaymentsUnavailable, PaymentRefused, and what the service it calls
    raises; then the finding stays.
    """
    finding = books.finding(kind=kind, subject=subject)
    _WAYS_OUT[kind](finding, actor.email, now)
    _close(finding, actor, "put right", now)


def dismiss_finding(*, kind: FindingKind, subject: str, actor: Viewer, note: str = "", now: datetime) -> None:
    """A person has seen to it in another way. Raises FindingNotFound."""
    _close(books.finding(kind=kind, subject=subject), actor, _DISMISSED, now, note)


def _close(finding: Finding, actor: Viewer, action: str, now: datetime, note: str = "") -> None:
    """Drop a finding with an entry of who did: under its order, or among what belongs to none."""
    key = finding_key(finding.kind, finding.subject)
    words = FINDINGS[finding.kind]
    about = catalog.subject_of(finding.subject) if finding.kind is FindingKind.STOCK else ""
    changes = [
        Change("what was found", "", words.title),
        Change("detail", "", finding.detail, about),
        Change("payment", "", finding.payment_intent_id),
        Change("way out", "", "" if action == _DISMISSED else words.button),
        Change("note", "", note),
    ]
    place = ref_pk(finding.order_id) if finding.order_id else BOOKS_PK

    def build(txn: TransactWrite) -> None:
        txn.delete(key, condition=FindingRow.pk.exists())
        txn.save(audit_row(OrderAuditRow, place, actor=actor, action=action, now=now, changes=changes))

    try:
        run_transaction(build)
    except Refused as refusal:
        raise books.FindingNotFound(f"{finding.kind} {finding.subject}") from refusal
    books.forget_findings_count()
    logger.info("finding %s %s %s by %s", finding.kind, finding.subject, action, actor.user_id)


def _give_back(finding: Finding, actor: str, now: datetime) -> None:
    """Refund a payment that stands for no order; under one key, so that a lost reply is met again."""
    made = gateway().payment(finding.payment_intent_id)
    if made.refunded < made.amount:
        gateway().refund(
            made.order_id,
            "stray",
            payment_intent_id=made.payment_intent_id,
            amount=made.amount - made.refunded,
            idempotency_key=f"payment:{made.payment_intent_id}:refund:v1",
        )


def _settle(finding: Finding, actor: str, now: datetime) -> None:
    session = gateway().session_of(finding.payment_intent_id)
    if session is None:
        raise StillWrong(finding.subject)
    order = settle(session_id=session.session_id, now=now)
    if order.payment.payment_intent_id != finding.payment_intent_id:
        raise StillWrong(finding.subject)


def _stop(finding: Finding, actor: str, now: datetime) -> None:
    """Keep the order from leaving until a person has judged it; one that has left is refunded or dismissed instead."""
    order = queries.order_by_id(order_id=finding.order_id)
    if order.status is not OrderStatus.REVIEW:
        put_into_review(order=order, actor=actor, now=now, note=finding.detail)


def _sync(finding: Finding, actor: str, now: datetime) -> None:
    order = sync_refunds(order_id=finding.order_id, now=now)
    if gateway().payment(finding.payment_intent_id).refunded != order.payment.given_back:
        raise StillWrong(finding.subject)


def _resume(finding: Finding, actor: str, now: datetime) -> None:
    key = finding.subject.removeprefix(f"{finding.order_id}-")
    if resume_refund(order_id=finding.order_id, key=key, now=now).state is RefundState.ASKED:
        raise StillWrong(finding.subject)


def _refund_again(finding: Finding, actor: str, now: datetime) -> None:
    order = queries.order_by_id(order_id=finding.order_id)
    if not order.payment.left:
        return  # it went back in another way
    request_refund(
        order=order,
        number=order.refund_count + 1,
        lines={},
        delivery=False,
        extra=finding.amount,
        restock=False,
        note="Once more after a failed refund",
        actor=actor,
        now=now,
    )


def _release(finding: Finding, actor: str, now: datetime) -> None:
    order = queries.order_by_id(order_id=finding.order_id)
    if order.status is OrderStatus.PENDING:
        try:
            release(order=order, to=OrderStatus.EXPIRED, actor=actor, now=now)
        except OrderMoved:
            logger.info("order %s moved on by itself", order.order_id)


def _accept_stock(finding: Finding, actor: str, now: datetime) -> None:
    accept_stock(product_id=finding.subject, actor=actor, now=now)


_WAYS_OUT: dict[FindingKind, Callable[[Finding, str, datetime], None]] = {
    FindingKind.PAYMENT_WITHOUT_ORDER: _give_back,
    FindingKind.SECOND_PAYMENT: _give_back,
    FindingKind.UNSETTLED: _settle,
    FindingKind.AMOUNT: _stop,
    FindingKind.ORDER_WITHOUT_PAYMENT: _stop,
    FindingKind.REFUNDS: _sync,
    FindingKind.STUCK_REFUND: _resume,
    FindingKind.FAILED_REFUND: _refund_again,
    FindingKind.STUCK_ORDER: _release,
    FindingKind.STOCK: _accept_stock,
}
