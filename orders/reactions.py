"""What follows when an order's or a refund's row changed. Records may come twice; every effect is claimed once."""

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from orders import mails, queries, services
from orders.desk_models import NoteRow, OrderMailRow, note_sk
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Refund, RefundReason, RefundState
from orders.ledger_models import RefundRow, refund_sk, to_refund
from orders.models import LOOKUP_SK, EffectRow, LookupRow, OrderRow, lookup_pk, order_sk, ref_pk, to_order
from orders.moving import SHOPPER
from shop.lib.mail_log import noting
from shop.lib.mails import Mail
from shop.lib.once import once

logger = logging.getLogger(__name__)

Image = dict[str, Any] | None


def order_changed(old: Image, new: Image, *, now: datetime) -> None:
    """Let follow what follows: figures, invoice and mails when an order moved, a credit note and a mail when money went back.

    `old` and `new` are the item before and after, as the stream has them. An effect that fails keeps no other from happening;
    then the first trouble is raised, InProgress (another run is at the same effect) among it: the record shall come again.
    """
    if new is None or (old is None and "claimedAt" in new):
        return
    if new["SK"]["S"].startswith(order_sk("")):
        effects = _effects_of_order(old, new, now)
    elif new["SK"]["S"].startswith(refund_sk()):
        effects = _effects_of_refund(old, new, now)
    elif new["SK"]["S"] == LOOKUP_SK and old is None:
        effects = [lambda: _answer_lookup(LookupRow.from_raw_data(new), now)]
    elif new["SK"]["S"].startswith(note_sk()) and old is None:
        effects = [lambda: services.audit_note(row=NoteRow.from_raw_data(new))]
    else:
        return
    troubles = [trouble for effect in effects if (trouble := _trouble_of(effect))]
    if troubles:
        raise troubles[0]


def _effects_of_order(old: Image, new: dict[str, Any], now: datetime) -> list[Callable[[], object]]:
    order = to_order(OrderRow.from_raw_data(new))
    was = (old or {}).get("status", {}).get("S")
    effects: list[Callable[[], object]] = []
    if old is None:
        effects += [
            lambda: services.count_placed(order=order, now=now),
            lambda: services.remember_words(order=order),
        ]
    before = to_order(OrderRow.from_raw_data(old)) if old else None
    if order.discount and (before is None or before.discount_returned is not order.discount_returned):
        effects.append(lambda: services.note_use_of_code(order=order))
    if order.status is OrderStatus.PROCESSING and was != OrderStatus.PROCESSING:
        effects += [
            lambda: services.count_paid(order=order, now=now),
            lambda: _issue_invoice(order, now),
            lambda: _mail_once(order, "confirmation", now, lambda: mails.confirmation(order)),
        ]
    if before:
        effects += [
            partial(services.remember_number, order_id=order.order_id, number=parcel.tracking_number)
            for parcel in order.parcels[len(before.parcels) :]
        ]
        effects += [partial(services.audit_order, before=before, after=order), *_mails_of_move(before, order, now)]
    return effects


def _issue_invoice(order: Order, now: datetime) -> None:
    invoice = services.issue_invoice(order=order, now=now)
    services.remember_number(order_id=order.order_id, number=invoice.number)


def _issue_credit_note(refund: Refund, now: datetime) -> None:
    number = services.issue_credit_note(order_id=refund.order_id, key=refund.key, now=now)
    services.remember_number(order_id=refund.order_id, number=number)


def _mails_of_move(before: Order, order: Order, now: datetime) -> list[Callable[[], object]]:
    """What the shopper is written when the order moved on. Their own cancelling of what was never paid needs no mail."""
    # An order can end twice: given up, paid late after all, and cancelled then. Each time is another mail.
    number = len(order.history)
    effects = [
        partial(_mail_once, order, f"parcel-{at}", now, partial(mails.shipped, order, order.parcels[at]))
        for at in range(len(before.parcels), len(order.parcels))
    ]
    if order.status is before.status:
        return list(effects)
    if order.status is OrderStatus.DELIVERED:
        effects.append(partial(_mail_once, order, "delivered", now, partial(mails.delivered, order)))
    elif order.status is OrderStatus.EXPIRED:
        effects.append(partial(_mail_once, order, f"expired-{number}", now, partial(mails.expired, order)))
    elif order.status is OrderStatus.CANCELLED:
        back = before.payment.left - order.payment.left
        if back or order.history[-1].actor != SHOPPER:
            mail = partial(mails.cancelled, order, back=back)
            effects.append(partial(_mail_once, order, f"cancelled-{number}", now, mail))
    return list(effects)


def _effects_of_refund(old: Image, new: dict[str, Any], now: datetime) -> list[Callable[[], object]]:
    refund = to_refund(RefundRow.from_raw_data(new))
    was = (old or {}).get("state", {}).get("S")
    if old is None:
        return [lambda: services.audit_refund(refund=refund), *_effects_of_success(refund, was, now)]
    return _effects_of_success(refund, was, now)


def _effects_of_success(refund: Refund, was: str | None, now: datetime) -> list[Callable[[], object]]:
    if refund.state is RefundState.SUCCEEDED and was != RefundState.SUCCEEDED:
        return [
            lambda: services.count_refund(refund=refund, now=now),
            lambda: _issue_credit_note(refund, now),
            lambda: _mail_refund(refund, now),
        ]
    if refund.state is RefundState.FAILED and was == RefundState.SUCCEEDED:
        return [lambda: services.count_refund(refund=refund, now=now)]
    return []


def _trouble_of(effect: Callable[[], object]) -> Exception | None:
    try:
        effect()
    except Exception as trouble:
        logger.warning("an effect of a change failed and shall come again", exc_info=True)
        return trouble
    return None


def _mail_refund(refund: Refund, now: datetime) -> None:
    order = queries.order_by_id(order_id=refund.order_id)
    # The number it has, or the one it gets now: while there is none, the mail waits with it.
    credit_note = services.issue_credit_note(order_id=refund.order_id, key=refund.key, now=now)
    if refund.reason is RefundReason.LATE:
        mail = partial(mails.late, order, refund)
    else:
        mail = partial(mails.refunded, order, refund, credit_note=credit_note)
    _mail_once(order, f"refund-{refund.key}", now, mail)


def _answer_lookup(asked: LookupRow, now: datetime) -> None:
    """Send the link to who knew number and address. A wish from long ago is not answered any more."""
    with once(EffectRow, asked.pk.removeprefix(lookup_pk("")), now=now) as is_ours:
        if is_ours and asked.expires_at > now:
            order = services.order_asked_for(order_id=asked.order_id, email=asked.email, now=now)
            if order:
                with noting(OrderMailRow, subject=ref_pk(order.order_id), origin=asked.pk.removeprefix(lookup_pk("")), now=now):
                    mails.link(order).send()


def _mail_once(order: Order, name: str, now: datetime, write: Callable[[], Mail]) -> None:
    """An order without an address, written elsewhere, gets none."""
    with once(EffectRow, f"{order.order_id}#mail-{name}", now=now) as is_ours:
        if is_ours and order.email:
            with noting(OrderMailRow, subject=ref_pk(order.order_id), origin=name, now=now):
                write().send()
