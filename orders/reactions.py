"""What follows when an order's or a refund's row changed. Records may come twice; every effect is claimed once."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from orders import mails, services
from orders.domain import Order, OrderStatus
from orders.ledger_domain import RefundState
from orders.ledger_models import RefundRow, refund_sk, to_refund
from orders.models import EffectRow, OrderRow, order_sk, to_order
from shop.lib.once import once

logger = logging.getLogger(__name__)

Image = dict[str, Any] | None


def order_changed(old: Image, new: Image, *, now: datetime) -> None:
    """Let follow what follows: figures, invoice and mail when an order was paid, a credit note when money went back.

    `old` and `new` are the item before and after, as the stream has them. An effect that fails keeps no other from happening;
    then the first trouble is raised, InProgress (another run is at the same effect) among it: the record shall come again.
    """
    if new is None or (old is None and "claimedAt" in new):
        return
    if new["SK"]["S"].startswith(order_sk("")):
        effects = _effects_of_order(old, new, now)
    elif new["SK"]["S"].startswith(refund_sk()):
        effects = _effects_of_refund(old, new, now)
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
    if order.status is OrderStatus.PROCESSING and was != OrderStatus.PROCESSING:
        effects += [
            lambda: services.count_paid(order=order, now=now),
            lambda: services.issue_invoice(order=order, now=now),
            lambda: _mail_confirmation(order, now),
        ]
    return effects


def _effects_of_refund(old: Image, new: dict[str, Any], now: datetime) -> list[Callable[[], object]]:
    refund = to_refund(RefundRow.from_raw_data(new))
    was = (old or {}).get("state", {}).get("S")
    if refund.state is RefundState.SUCCEEDED and was != RefundState.SUCCEEDED:
        return [
            lambda: services.count_refund(refund=refund, now=now),
            lambda: services.issue_credit_note(order_id=refund.order_id, key=refund.key, now=now),
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


def _mail_confirmation(order: Order, now: datetime) -> None:
    with once(EffectRow, f"{order.order_id}#mail-confirmation", now=now) as is_ours:
        if is_ours:
            mails.send_confirmation(order)
