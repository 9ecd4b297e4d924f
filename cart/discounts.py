"""Discount codes: staff make and change them, orders use them up. A use is counted in the transaction that places its order."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime

from django.conf import settings
from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from cart import discount_queries as queries
from cart.discount_domain import Discount, require_sound
from cart.models import CartAuditRow, DiscountRow, UsesRow, discount_pk, to_discount_row, uses_key
from shop.lib.audit import Change, audit_row
from shop.lib.tables import all_of
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

_COUNTED = ("uses", "uses_by_customer", "version")


class DiscountExists(Exception):
    """There is a code of this name already."""


class DiscountMoved(Exception):
    """Somebody else changed the code in between; nothing was written."""


def create_discount(*, discount: Discount, actor: Viewer, now: datetime) -> Discount:
    """Make a new code. Raises BadDiscount, DiscountExists, Busy; then nothing was written."""
    require_sound(discount, currency=settings.CURRENCY)
    made = replace(discount, version=1, uses=0, uses_by_customer=0)

    def build(txn: TransactWrite) -> None:
        txn.save(to_discount_row(made, currency=settings.CURRENCY), condition=DiscountRow.pk.does_not_exist())
        txn.update(uses_key(made.code), actions=[UsesRow.terms_version.set(1)])
        txn.save(_audited(None, made, actor, "discount created", now))

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
        txn.save(_audited(before, changed, actor, "discount changed", now))

    try:
        run_transaction(build)
    except Refused as refused:
        raise DiscountMoved(discount.code) from refused
    return changed


def deactivate_discount(*, code: str, version: int, actor: Viewer, now: datetime) -> Discount:
    """Let a code hold for nobody from now on. Raises as `update_discount` does."""
    found = queries.discount(code=code)
    return update_discount(discount=replace(found, is_active=False, version=version), actor=actor, now=now)


def take_use(txn: TransactWrite, *, discount: Discount, customers: Sequence[str]) -> None:
    """Add to a transaction: one more order has the code, if its terms are those read and its limits leave room."""
    is_same: Condition = UsesRow.terms_version == discount.version
    is_free = [UsesRow.uses.does_not_exist() | (UsesRow.uses < discount.most_uses)] if discount.most_uses is not None else []
    count = UsesRow.uses.set((UsesRow.uses | 0) + 1)
    txn.update(uses_key(discount.code), actions=[count], condition=all_of(is_same, *is_free))
    each = discount.most_uses_each
    for customer in customers:
        is_allowed = UsesRow.uses.does_not_exist() | (UsesRow.uses < each) if each is not None else None
        txn.update(uses_key(discount.code, customer), actions=[count], condition=is_allowed)


def count_use(txn: TransactWrite, *, code: str, customers: Sequence[str], change: int) -> None:
    """Add to a transaction: an order that has the code was given up (-1), or came back to life with its late payment (+1).

    Without a condition: whoever has paid keeps what was promised, and giving up an order must not fail for a counter.
    """
    for key in (uses_key(code), *(uses_key(code, customer) for customer in customers)):
        txn.update(key, actions=[UsesRow.uses.set((UsesRow.uses | 0) + change)])


def is_about_uses(refused: Refused, code: str) -> bool:
    """Whether a transaction was refused because the code's terms changed or its uses are gone."""
    return refused.is_about(discount_pk(code))


def _audited(before: Discount | None, after: Discount, actor: Viewer, action: str, now: datetime) -> CartAuditRow:
    changes = [
        Change(field.name, _text(getattr(before, field.name)) if before else "", _text(getattr(after, field.name)))
        for field in fields(Discount)
        if field.name not in _COUNTED
    ]
    return audit_row(CartAuditRow, discount_pk(after.code), actor=actor, action=action, now=now, changes=changes)


def _text(value: object) -> str:
    return "" if value is None else str(value)
