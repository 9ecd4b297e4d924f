"""Reads of discount codes. docs/tables.md has a row for each."""

import hashlib
from collections.abc import Sequence

from accounts.domain import BadEmail, normalised_email
from cart.discount_domain import Discount
from cart.models import (
    DISCOUNTS_PK,
    USES_SK,
    DiscountRow,
    UsesRow,
    discount_key,
    to_discount,
    uses_key,
)
from shop.lib.owner import Owner
from shop.lib.tables import batch_get, batch_items

_BATCH = 100
_DOTS_ARE_NOTHING = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}
"""Domains whose mailboxes have as many spellings as places for a dot, and the domain they are one with."""


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


def discount_for(*, code: str, customers: Sequence[str] = (), consistent: bool = False) -> Discount | None:
    """The terms of a code with its uses, those of this customer among them: one call. None for a code there is not."""
    terms, total = discount_key(code), uses_key(code)
    theirs = [uses_key(code, customer) for customer in customers]
    keys = [(row.pk, row.sk) for row in (terms, total, *theirs)]
    found = {item["SK"]["S"]: item for item in batch_items(DiscountRow.Meta.table_name, keys, consistent=consistent)}
    if terms.sk not in found:
        return None
    counted = {sk: UsesRow.from_raw_data(item).uses or 0 for sk, item in found.items() if sk != terms.sk}
    return to_discount(
        DiscountRow.from_raw_data(found[terms.sk]),
        uses=counted.pop(USES_SK, 0),
        uses_by_customer=max(counted.values(), default=0),
    )


def discounts() -> tuple[Discount, ...]:
    """All codes by name, with how many orders have each: a Query, and a call for every hundred."""
    rows = list(DiscountRow.query(DISCOUNTS_PK))
    uses: dict[str, int] = {}
    for start in range(0, len(rows), _BATCH):
        keys = [(uses_key(row.sk).pk, USES_SK) for row in rows[start : start + _BATCH]]
        uses |= {row.pk: row.uses or 0 for row in batch_get(UsesRow, keys, consistent=False)}
    return tuple(to_discount(row, uses=uses.get(uses_key(row.sk).pk, 0)) for row in rows)


def discount(*, code: str) -> Discount:
    """The terms of a code and its uses, as last written. Raises NoSuchDiscount."""
    found = discount_for(code=code, consistent=True)
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
