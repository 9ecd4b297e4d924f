"""Discount codes: staff make and change them, orders use them up. A use is counted in the transaction that places its order."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.conf import settings
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from cart import discount_queries as queries
from cart.discount_domain import COUNTED_FOR, Discount, require_sound
from cart.models import (
    CartAuditRow,
    DiscountRow,
    UseRow,
    UsesRow,
    discount_key,
    discount_pk,
    to_discount_row,
    use_sk,
    uses_key,
)
from cart.wording import TERMS, term_words
from shop.lib.audit import Change, audit_row, month_copy
from shop.lib.money import Money
from shop.lib.tables import all_of
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer


class DiscountExists(Exception):
    """There is a code of this name already."""


class DiscountMoved(Exception):
    """Somebody else changed the code in between; nothing was written."""


class DiscountUsed(Exception):
    """An order has had the code, so it stays; nothing was written."""


def create_discount(*, discount: Discount, actor: Viewer, now: datetime) -> Discount:
    """Make a new code. Raises BadDiscount, DiscountExists, Busy; then nothing was written."""
    require_sound(discount, currency=settings.CURRENCY)
    made = replace(discount, version=1, uses=0, uses_by_customer=0)

    def build(txn: TransactWrite) -> None:
        txn.save(to_discount_row(made, currency=settings.CURRENCY), condition=DiscountRow.pk.does_not_exist())
        txn.update(uses_key(made.code), actions=[UsesRow.terms_version.set(1)])
        _audit(txn, made.code, None, made, actor, "made the code", now)

    try:
        run_transaction(build)
    except Refused as refused:
        raise DiscountExists(made.code) from refused
    return made


def update_discount(*, discount: Discount, actor: Viewer, now: datetime) -> Discount:
    """Write new terms of a code, if they are still at `discount.version`; uses stay counted.

    Raises BadDiscount, NoSuchDiscount, DiscountMoved, Busy; then nothing was written.
    """
    require_sound(discount, currency=settings.CURRENCY)
    before = queries.discount(code=discount.code)
    if before.version != discount.version:
        raise DiscountMoved(discount.code)
    changed = replace(discount, version=discount.version + 1)

    def build(txn: TransactWrite) -> None:
        row = to_discount_row(changed, currency=settings.CURRENCY)
        txn.save(row, condition=DiscountRow.version == discount.version)
        txn.update(uses_key(changed.code), actions=[UsesRow.terms_version.set(changed.version)])
        _audit(txn, changed.code, before, changed, actor, "changed the code", now)

    try:
        run_transaction(build)
    except Refused as refused:
        raise DiscountMoved(discount.code) from refused
    return changed


def switch_discount(*, code: str, version: int, is_active: bool, actor: Viewer, now: datetime) -> Discount:
    """Let a code hold for nobody from now on, or again as its terms say. Raises as `update_discount` does."""
    found = queries.discount(code=code)
    return update_discount(discount=replace(found, is_active=is_active, version=version), actor=actor, now=now)


def remove_discount(*, code: str, version: int, actor: Viewer, now: datetime) -> None:
    """Forget a code no order ever had. Raises NoSuchDiscount, DiscountUsed, DiscountMoved, Busy; then nothing was written."""
    found = queries.discount(code=code)
    if found.version != version:
        raise DiscountMoved(code)

    def build(txn: TransactWrite) -> None:
        txn.delete(discount_key(code), condition=DiscountRow.version == version)
        # A use that was given back counts too: its order goes on naming the code.
        txn.delete(uses_key(code), condition=UsesRow.uses.does_not_exist())
        _audit(txn, code, found, None, actor, "deleted the code", now)

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(discount_pk(code)):
            raise DiscountUsed(code) from refused
        raise DiscountMoved(code) from refused


def note_use(*, code: str, order_id: str, placed_at: datetime, saved: Money, is_returned: bool) -> None:
    """Let staff see that an order has a code, or had it until it was given up. Safe to repeat."""
    row = UseRow(discount_pk(code), use_sk(order_id), order_id=order_id, placed_at=placed_at, is_returned=is_returned)
    row.saved, row.currency = saved.amount, saved.currency
    row.save()


def take_use(txn: TransactWrite, *, discount: Discount, customers: Sequence[str], now: datetime) -> None:
    """Add to a transaction: one more order has the code, if its terms are those read and its limits leave room."""
    is_same: Condition = UsesRow.terms_version == discount.version
    is_free = [UsesRow.uses.does_not_exist() | (UsesRow.uses < discount.most_uses)] if discount.most_uses is not None else []
    txn.update(uses_key(discount.code), actions=[_counted(1)], condition=all_of(is_same, *is_free))
    each = discount.most_uses_each
    for customer in customers:
        is_over = UsesRow.expires_at <= now
        is_allowed = UsesRow.uses.does_not_exist() | (UsesRow.uses < each) | is_over if each is not None else None
        txn.update(uses_key(discount.code, customer), actions=[_counted(1), _kept(now)], condition=is_allowed)


def count_use(txn: TransactWrite, *, code: str, customers: Sequence[str], change: int, now: datetime) -> None:
    """Add to a transaction: an order that has the code was given up (-1), or came back to life with its late payment (+1).

    Without a condition: whoever has paid keeps what was promised, and giving up an order must not fail for a counter.
    """
    txn.update(uses_key(code), actions=[_counted(change)])
    for customer in customers:
        txn.update(uses_key(code, customer), actions=[_counted(change), _kept(now)])


def _counted(change: int) -> Action:
    """A use more or less; less than none there is not, where a customer's count has ended meanwhile."""
    return UsesRow.uses.set((UsesRow.uses | max(0, -change)) + change)


def _kept(now: datetime) -> Action:
    """A customer's count is about a person, so it has an end."""
    return UsesRow.expires_at.set(now + COUNTED_FOR)


def is_about_uses(refused: Refused, code: str) -> bool:
    """Whether a transaction was refused because the code's terms changed or its uses are gone."""
    return refused.is_about(discount_pk(code))


def _audit(
    txn: TransactWrite, code: str, before: Discount | None, after: Discount | None, actor: Viewer, action: str, now: datetime
) -> None:
    """Add to a transaction: the entry under the code, and its copy in the month's list."""
    changes = [
        Change("code", before.code if before else "", after.code if after else ""),
        *(Change(label.lower(), _text(before, name), _text(after, name)) for name, label in TERMS.items()),
    ]
    entry = audit_row(CartAuditRow, discount_pk(code), actor=actor, action=action, now=now, changes=changes)
    txn.save(entry)
    txn.save(month_copy(entry))


def _text(discount: Discount | None, name: str) -> str:
    return term_words(getattr(discount, name)) if discount else ""
