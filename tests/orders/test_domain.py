from datetime import UTC, datetime
from itertools import product

import pytest

from cart.delivery_domain import after_working_days
from orders.domain import PAID, TRANSITIONS, IllegalTransition, OrderStatus, require_transition

ALLOWED = {
    ("pending", "processing"),
    ("pending", "expired"),
    ("pending", "cancelled"),
    ("pending", "review"),
    ("processing", "shipped"),
    ("processing", "cancelled"),
    ("processing", "refund_pending"),
    ("processing", "review"),
    ("shipped", "delivered"),
    ("shipped", "refund_pending"),
    ("delivered", "refund_pending"),
    ("refund_pending", "refunded"),
    ("refund_pending", "review"),
    ("refunded", "review"),
    ("expired", "processing"),
    ("expired", "refund_pending"),
    ("expired", "review"),
    ("cancelled", "processing"),
    ("cancelled", "refund_pending"),
    ("cancelled", "review"),
    ("review", "processing"),
    ("review", "refund_pending"),
    ("review", "cancelled"),
}


def test_an_order_goes_only_where_the_mapping_leads() -> None:
    for old, new in product(OrderStatus, OrderStatus):
        if (old, new) in ALLOWED:
            require_transition(old, new)
        else:
            with pytest.raises(IllegalTransition, match=f"{old} -> {new}"):
                require_transition(old, new)


def test_every_status_is_in_the_mapping_and_paid_ones_never_go_back_to_unpaid() -> None:
    assert set(TRANSITIONS) == set(OrderStatus)
    for status in PAID:
        assert not TRANSITIONS[status] & {OrderStatus.PENDING, OrderStatus.EXPIRED}


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-23", 5, "2026-11-30"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-11-28", 1, "2026-11-30"),
        ("2026-11-29", 2, "2026-12-01"),
        ("2026-11-23", 0, "2026-11-23"),
    ],
)
def test_weekends_are_no_working_days(start: str, days: int, end: str) -> None:
    moment = datetime.fromisoformat(f"{start}T15:42:10").replace(tzinfo=UTC)

    assert after_working_days(moment, days) == datetime.fromisoformat(f"{end}T00:00:00").replace(tzinfo=UTC)
