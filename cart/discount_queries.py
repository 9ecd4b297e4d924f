"""Reads of discount codes. docs/tables.md has a row for each."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.domain import BadEmail, normalised_email
from cart.discount_domain import Discount
from cart.models import (
    DISCOUNTS_PK,
    USES_SK,
    CartAuditRow,
    DiscountRow,
    UseRow,
    UsesRow,
    discount_key,
    discount_pk,
    to_discount,
    use_sk,
    uses_key,
)
from shop.lib import audit
from shop.lib.audit import Entry
from shop.lib.cursors import Page, read_page
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import batch_get, batch_items

LOOKED_THROUGH = 99
"""Codes of a page of the list: with the one more that tells whether there are others, as many as a batch of uses holds."""
_USES_SHOWN = 25
_DOTS_ARE_NOTHING = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Domains whose mailboxes have as many spellings as places for a dot, and the domain they are one with."""


@dataclass(frozen=True, slots=True)
class Use:
    """An order that has a code, and what it took off; `is_returned` once the order was given up."""

    order_id: str
    placed_at: datetime
    saved: Money
    is_returned: bool


class NoSuchDiscount(Exception):
    """There is no code of this name."""


def customers_of(*, owner: Owner, email: str = "") -> tuple[str, ...]:
    """The names under which a buyer's uses of a code are counted: the account, and the e-mail address (a digest of it).

    A guest is known by the address alone, and a customer by both: signing out makes nobody a new customer, and neither does
    another spelling of an address that leads to the same mailbox.
    """
    names = () if owner.is_guest else (owner.key,)
    if not email:
        return names
    return (*names, f"EMAIL#{hashlib.sha256(_mailbox(email).encode()).hexdigest()[:32]}")


def discount_for(*, code: str, customers: Sequence[str], now: datetime, consistent: bool = False) -> Discount | None:
    """The terms of a code with its uses, those of this customer among them: one call. None for a code there is not."""
    return _discount(code, customers, now, consistent=consistent)


def _discount(code: str, customers: Sequence[str], now: datetime | None, *, consistent: bool) -> Discount | None:
    terms, total = discount_key(code), uses_key(code)
    theirs = [uses_key(code, customer) for customer in customers]
    keys = [(row.pk, row.sk) for row in (terms, total, *theirs)]
    found = {item["SK"]["S"]: item for item in batch_items(DiscountRow.Meta.table_name, keys, consistent=consistent)}
    if terms.sk not in found:
        return None
    counts = {sk: UsesRow.from_raw_data(item) for sk, item in found.items() if sk != terms.sk}
    counted = {sk: row.uses or 0 for sk, row in counts.items() if not (now and row.expires_at and row.expires_at <= now)}
    return to_discount(
        DiscountRow.from_raw_data(found[terms.sk]),
        uses=counted.pop(USES_SK, 0),
        uses_by_customer=max(counted.values(), default=0),
    )


def listed_discounts(*, prefix: str = "", cursor: str = "") -> Page[Discount]:
    """A page of codes by name, all or those that begin so, with how many orders have each: a Query and a BatchGet."""

    def ask(**paging: Any) -> Any:
        begins = DiscountRow.sk.startswith(prefix) if prefix else None
        return DiscountRow.query(DISCOUNTS_PK, begins, **paging)

    page = read_page(
        ask,
        lambda row: row,
        key_names=("PK", "SK"),
        question=f"discounts {prefix}",
        cursor=cursor,
        size=LOOKED_THROUGH,
    )
    keys = [(uses_key(row.sk).pk, USES_SK) for row in page.items]
    uses = {row.pk: row.uses or 0 for row in batch_get(UsesRow, keys, consistent=False)} if keys else {}
    found = tuple(to_discount(row, uses=uses.get(uses_key(row.sk).pk, 0)) for row in page.items)
    return Page(found, page.next_cursor, page.previous_cursor)


def uses_of(*, code: str, cursor: str = "") -> Page[Use]:
    """Orders that have a code, latest first, as the stream noted them: one Query."""
    return read_page(
        lambda **paging: UseRow.query(discount_pk(code), UseRow.sk.startswith(use_sk()), **paging),
        lambda row: Use(row.order_id, row.placed_at, Money.of(row.saved, row.currency), row.is_returned),
        key_names=("PK", "SK"),
        question=f"uses {code}",
        cursor=cursor,
        size=_USES_SHOWN,
        forward=False,
    )


def entries_about(*, code: str) -> Page[Entry]:
    """What staff did to a code, newest first: one Query."""
    return audit.entries_about(CartAuditRow, discount_pk(code))


def entries_of_month(*, month: datetime, cursor: str = "") -> Page[Entry]:
    """What staff did to codes in a month, newest first: one Query."""
    return audit.copies_of_month(CartAuditRow, month, cursor=cursor)


def discount(*, code: str) -> Discount:
    """The terms of a code and its uses, as last written. Raises NoSuchDiscount."""
    found = _discount(code, (), None, consistent=True)
    if found is None:
        raise NoSuchDiscount(code)
    return found


def _mailbox(email: str) -> str:
    """One spelling for all addresses of a mailbox, as far as is known: no case, no "+tag", no dots where they mean nothing."""
    try:
        local, _, domain = normalised_email(email).rpartition("@")
    except BadEmail:
        return email.strip().casefold()
    local = local.partition("+")[0] or local
    if domain in _DOTS_ARE_NOTHING:
        local, domain = local.replace(".", "") or local, _DOTS_ARE_NOTHING[domain]
    return f"{local}@{domain}"
