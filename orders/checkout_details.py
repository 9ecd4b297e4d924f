"""What the checkout was told, kept on the server: what is right, and what was typed into a step with a mistake in it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from cart.domain import LIFETIME as CART_LIFETIME
from orders import queries
from orders.domain import CheckoutDetails
from orders.models import TYPED, CheckoutRow, checkout_key, to_checkout_row
from shop.lib.owner import Owner

TYPED_LIFETIME = timedelta(days=1)
_LONGEST_TYPED = 1000
"""So much of a field's text is kept to be put right, ten times what an address line may have: a row stays small."""


def remember_details(*, owner: Owner, details: CheckoutDetails, now: datetime, step: str = "") -> None:
    """Keep what the shopper told one step of the checkout, for as long as a cart lives; what is empty stays as it was.

    What was typed into the step before, with a mistake in it, is forgotten.
    """
    row = to_checkout_row(owner, details, expires_at=now + CART_LIFETIME)
    told = {name: value for name, value in row.attribute_values.items() if name not in ("pk", "sk") and value is not None}
    if details.email:
        told["phone"] = details.phone or None  # asked beside the e-mail, and may be taken back
    row.update(
        actions=[
            getattr(CheckoutRow, name).remove() if value is None else getattr(CheckoutRow, name).set(value)
            for name, value in told.items()
        ]
        + ([TYPED[step].remove()] if step else [])
    )


def remember_typed(*, owner: Owner, step: str, fields: Mapping[str, str], now: datetime) -> None:
    """Keep what was typed into a step with a mistake in it, for a day: its page shows it again, with what is wrong."""
    checkout_key(owner).update(
        actions=[
            TYPED[step].set({name: text[:_LONGEST_TYPED] for name, text in fields.items()}),
            CheckoutRow.typed_until.set(now + TYPED_LIFETIME),
            CheckoutRow.expires_at.set(now + CART_LIFETIME),
        ]
    )


def adopt_details(*, guest: Owner, owner: Owner, now: datetime) -> None:
    """Let somebody who signed in on the way to paying keep what they told the checkout before. Safe to repeat."""
    told = queries.checkout_details(owner=guest, now=now)
    if told != CheckoutDetails():
        remember_details(owner=owner, details=told, now=now)
        checkout_key(guest).delete()
