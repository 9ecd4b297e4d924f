"""The mails of an order written once more, from the order as it is now: to look at, or to send again."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from orders import mails
from orders.desk_models import OrderMailRow
from orders.domain import Order, OrderStatus
from orders.ledger_domain import Refund, RefundReason, RefundState
from orders.ledger_models import OrderAuditRow
from orders.models import EffectRow, ref_pk
from orders.moving import SHOPPER
from orders.wording import MAILS
from shop.lib.audit import Change, audit_row
from shop.lib.mail_log import forget_failure, noting
from shop.lib.mails import Mail
from shop.lib.money import Money, total
from shop.lib.once import once
from shop.lib.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Copy:
    """A mail that can be written. `origin` is its name within the order, the same as in the log.

    `number` tells those of a kind apart, where there are several.
    """

    kind: str
    origin: str
    write: Callable[[], Mail]
    number: str = ""

    @property
    def label(self) -> str:
        """What it tells, in words."""
        return f"{MAILS[self.kind]}, {self.number}" if self.number else MAILS[self.kind]


def copies_of(order: Order, refunds: Sequence[Refund]) -> tuple[Copy, ...]:
    """Every mail the order as it stands gives reason for, and its link; none for an order without an address."""
    if not order.email:
        return ()
    been = {entry.status for entry in order.history}
    found = [Copy("link", "link", partial(mails.link, order))]
    if OrderStatus.PROCESSING in been:
        found.append(Copy("confirmation", "confirmation", partial(mails.confirmation, order)))
    found += [
        Copy("shipped", f"parcel-{at}", partial(mails.shipped, order, one), _number("parcel", at + 1, len(order.parcels)))
        for at, one in enumerate(order.parcels)
    ]
    if OrderStatus.DELIVERED in been:
        found.append(Copy("delivered", "delivered", partial(mails.delivered, order)))
    number = len(order.history)
    if order.status is OrderStatus.EXPIRED:
        found.append(Copy("expired", f"expired-{number}", partial(mails.expired, order)))
    if order.status is OrderStatus.CANCELLED:
        back = _back(order, refunds)
        if back or order.history[-1].actor != SHOPPER:
            found.append(Copy("cancelled", f"cancelled-{number}", partial(mails.cancelled, order, back=back)))
    done = [refund for refund in refunds if refund.state is RefundState.SUCCEEDED]
    return (*found, *(_copy_of(order, refund, _number("refund", at, len(done))) for at, refund in enumerate(done, start=1)))


def send_again(*, order: Order, copy: Copy, token: str, actor: Viewer, now: datetime) -> bool:
    """Send a mail once more; False when this very wish (`token`) was done before. Raises InProgress and what mails do.

    The audit entry is written first: a mail that could not be sent was tried by somebody, too.
    """
    with once(EffectRow, f"{order.order_id}#mail-{copy.origin}-again-{token}", now=now) as is_ours:
        if not is_ours:
            return False
        changes = [Change("mail", "", copy.label), Change("to", "", order.email)]
        audit_row(
            OrderAuditRow,
            ref_pk(order.order_id),
            actor=actor,
            action="sent a mail again",
            now=now,
            changes=changes,
            entry_id=token,
        ).save()
        origin = f"{copy.origin}-again-{token}"
        with noting(OrderMailRow, subject=ref_pk(order.order_id), origin=origin, now=now, actor=actor.email):
            copy.write().send()
        forget_failure(OrderMailRow, subject=ref_pk(order.order_id), kind=copy.kind, origin=copy.origin)
    return True


def _copy_of(order: Order, refund: Refund, number: str) -> Copy:
    if refund.reason is RefundReason.LATE:
        return Copy("late", f"refund-{refund.key}", partial(mails.late, order, refund), number)
    write = partial(mails.refunded, order, refund, credit_note=refund.credit_note)
    return Copy("refunded", f"refund-{refund.key}", write, number)


def _number(what: str, at: int, of: int) -> str:
    return f"{what} {at} of {of}" if of > 1 else ""


def _back(order: Order, refunds: Sequence[Refund]) -> Money:
    """What went back when the order was cancelled."""
    cancelling = [refund.amount for refund in refunds if refund.reason is RefundReason.CANCELLED]
    return total(cancelling, order.total.currency)
