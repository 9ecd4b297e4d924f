"""What staff did to an order, for the audit trail, told from how its rows changed.

The stream brings each change after it happened, so no entry needs room in a transaction that moves money or stock; each has a key
of its own, so a record that comes twice writes it twice over. What machines and shoppers do is in the order's history alone.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from accounts import queries as accounts
from catalog import queries as catalog
from orders import queries
from orders.desk_models import NoteRow
from orders.domain import HistoryEntry, Order, OrderStatus, Parcel
from orders.ledger_domain import Refund
from orders.ledger_models import OrderAuditRow
from orders.models import ref_pk
from orders.moving import CLOCK, SHOPPER, STRIPE
from orders.wording import REFUND_REASONS, STATUS_LABELS
from shop.lib.audit import Change, audit_row
from shop.lib.viewer import Viewer

_NOBODY = frozenset({"", CLOCK, SHOPPER, STRIPE})
_ACTIONS = {
    OrderStatus.PROCESSING: "accepted the payment",
    OrderStatus.SHIPPED: "shipped the order",
    OrderStatus.DELIVERED: "noted the arrival",
    OrderStatus.CANCELLED: "cancelled the order",
    OrderStatus.EXPIRED: "ended the order",
    OrderStatus.REFUND_PENDING: "began to give all back",
    OrderStatus.REFUNDED: "gave all back",
    OrderStatus.REVIEW: "put the order aside",
}


def audit_order(*, before: Order, after: Order) -> None:
    """Write what staff did between the two. Safe to repeat."""
    for row in (*_of_parcels(before, after), *_of_history(before, after)):
        row.save()


def audit_refund(*, refund: Refund) -> None:
    """Write that somebody of staff asked for the refund. Safe to repeat."""
    if refund.actor in _NOBODY:
        return
    changes = [
        Change("money that goes back", "", str(refund.amount)),
        *_of_pieces(refund),
        Change("delivery", "", str(refund.delivery) if refund.delivery else ""),
        Change("reason", "", refund.note or REFUND_REASONS[refund.reason]),
    ]
    _row(refund.order_id, refund.actor, "asked for a refund", refund.asked_at, f"refund-{refund.key}", changes).save()


def audit_note(*, row: NoteRow) -> None:
    """Write that somebody noted something about an order. Safe to repeat."""
    _, _, order_id = row.pk.partition("#")
    note_id = row.sk.rpartition("#")[2]
    _row(order_id, row.actor, "noted", row.at, note_id, [Change("note", "", row.text)]).save()


def _of_pieces(refund: Refund) -> Iterator[Change]:
    """A change a product: its name and SKU, which lead to its page, and what of it is on the shelf again."""
    if not refund.pieces:
        return
    order = queries.order_by_id(order_id=refund.order_id)
    names = {line.product_id: line.name for line in order.lines}
    skus = catalog.skus(product_ids=names)
    for piece in refund.pieces:
        named = names.get(piece.product_id, piece.product_id)
        sku = f" ({skus[piece.product_id]})" if skus.get(piece.product_id) else ""
        back = f", {piece.returned} back in stock" if piece.returned else ""
        about = catalog.subject_of(piece.product_id) if piece.product_id in skus else ""
        yield Change("pieces", "", f"{piece.quantity} × {named}{sku}{back}", about)


def _of_parcels(before: Order, after: Order) -> Iterator[OrderAuditRow]:
    names = {line.product_id: line.name for line in after.lines}
    for number, parcel in enumerate(after.parcels[len(before.parcels) :], start=len(before.parcels) + 1):
        if parcel.actor not in _NOBODY:
            changes = [Change(f"parcel {number}", "", _in_words(parcel, names))]
            yield _row(after.order_id, parcel.actor, "sent a parcel", parcel.shipped_at, f"parcel-{number}", changes)


def _of_history(before: Order, after: Order) -> Iterator[OrderAuditRow]:
    was = before.status
    for number, entry in enumerate(after.history[len(before.history) :], start=len(before.history) + 1):
        if entry.actor not in _NOBODY:
            changes = [Change("status", STATUS_LABELS[was], STATUS_LABELS[entry.status]), *_beside(before, after, entry)]
            yield _row(after.order_id, entry.actor, _ACTIONS.get(entry.status, "changed"), entry.at, f"step-{number}", changes)
        was = entry.status


def _beside(before: Order, after: Order, entry: HistoryEntry) -> Iterator[Change]:
    """What changed with the last status: what can go back yet, and the reason."""
    if entry is after.history[-1]:
        yield Change("can go back", str(before.payment.left), str(after.payment.left))
    yield Change("reason", "", entry.note)


def _in_words(parcel: Parcel, names: dict[str, str]) -> str:
    pieces = ", ".join(f"{count} × {names.get(product_id, product_id)}" for product_id, count in parcel.pieces)
    return ", ".join(filter(None, (f"{parcel.carrier} {parcel.tracking_number}".strip(), pieces)))


def _row(order_id: str, actor: str, action: str, at: datetime, entry_id: str, changes: Sequence[Change]) -> OrderAuditRow:
    return audit_row(
        OrderAuditRow, ref_pk(order_id), actor=_who(actor), action=action, now=at, changes=changes, entry_id=entry_id
    )


def _who(actor: str) -> Viewer:
    """An order knows its actors by one word: a member of staff by the address they sign in with, a system by its name."""
    try:
        user = accounts.user_by_email(email=actor)
    except accounts.UserNotFound:
        return Viewer(user_id=actor, name=actor)
    return Viewer(user_id=user.user_id, name=user.name or actor)
