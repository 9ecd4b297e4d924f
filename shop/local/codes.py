"""The demo's discount code."""

import contextlib
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from cart import discounts
from cart.discount_domain import Discount, DiscountKind
from shop.lib.viewer import Viewer

CODES = (Discount("WELCOME10", DiscountKind.PERCENT, percent=Decimal(10)),)
_NOBODY = Viewer("seed", "The demo", "", "admin", frozenset(), "")


def make_codes(now: datetime) -> Iterator[str]:
    """Write the codes that are missing; each in a line, such as "WELCOME10 takes 10 % off"."""
    for code in CODES:
        with contextlib.suppress(discounts.DiscountExists):
            discounts.create_discount(discount=code, actor=_NOBODY, now=now)
        yield f"{code.code} takes {code.label}"
