from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest

from cart.delivery_domain import after_working_days
from orders.domain import (
    HOLD,
    PAID,
    TRANSITIONS,
    Address,
    IllegalTransition,
    Order,
    OrderLine,
    OrderStatus,
    Parcel,
    Payment,
    require_transition,
)
from shop.lib.money import Money
from shop.lib.owner import Owner

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


NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def order(status: OrderStatus = OrderStatus.PENDING, **more: Any) -> Order:
    mug = OrderLine("prod-m", "Mug", 2, usd(2400), "")
    bowl = OrderLine("prod-b", "Bowl", 3, usd(1000), "")
    fields: dict[str, Any] = {
        "order_id": "ord-1",
        "owner": Owner("user-1", is_guest=False),
        "status": status,
        "email": "ada@example.com",
        "phone": "",
        "lines": (bowl, mug),
        "address": Address("Ada", "1 Mill Lane", "Bath", "", "BA1", "GB"),
        "delivery_method": "standard",
        "subtotal": usd(7800),
        "tax": usd(624),
        "shipping": usd(999),
        "total": usd(9423),
        "payment": Payment(usd(9423)),
        "created_at": NOW,
        "updated_at": NOW,
        "due_at": NOW + HOLD,
    }
    return Order(**fields | more)


@pytest.mark.parametrize(
    ("refunded", "unsent", "shipped", "refundable", "to_ship", "away"),
    [
        (0, 0, 0, 10, 10, 0),
        (0, 0, 3, 10, 7, 3),
        (2, 2, 3, 8, 5, 3),  # two stay and are refunded, two are still to leave
        (2, 0, 3, 8, 7, 1),  # two came back and were refunded: what waits still leaves
        (5, 3, 4, 5, 3, 2),
        (10, 10, 0, 0, 0, 0),
        (10, 0, 10, 0, 0, 0),
        (7, 0, 5, 3, 5, 0),  # refunded without word whether they had left: never less than none
    ],
)
def test_pieces_of_a_line_are_to_leave_away_or_given_back(
    refunded: int, unsent: int, shipped: int, refundable: int, to_ship: int, away: int
) -> None:
    line = OrderLine("prod-m", "Mug", 10, usd(2400), "", refunded=refunded, unsent=unsent, shipped=shipped)

    assert (line.refundable, line.to_ship, line.away) == (refundable, to_ship, away)
    assert line.amount == usd(24000)


def test_what_is_left_of_a_payment_is_what_was_paid_less_what_was_asked_back() -> None:
    untouched, partly = Payment(usd(9423)), Payment(usd(9423), refundable=usd(7023), refunded=usd(2400))

    assert (untouched.left, untouched.given_back) == (usd(9423), usd(0))
    assert (partly.left, partly.given_back) == (usd(7023), usd(2400))


@pytest.mark.parametrize(
    ("brand", "last4", "words"),
    [
        ("visa", "4242", "Visa ending in 4242"),
        ("amex", "0005", "American Express ending in 0005"),
        ("diners_club", "3237", "Diners Club ending in 3237"),
        ("", "4242", "Card ending in 4242"),
        ("visa", "", ""),
    ],
)
def test_a_card_is_named_as_people_name_it(brand: str, last4: str, words: str) -> None:
    assert Payment(usd(9423), card_brand=brand, card_last4=last4).card == words


@pytest.mark.parametrize(
    ("refundable", "refunded", "is_settled_up"),
    [(0, 9423, True), (0, 9422, False), (1, 9423, False), (9423, None, False), (0, None, False)],
)
def test_an_order_is_settled_up_when_all_of_it_has_gone_back(refundable: int, refunded: int | None, is_settled_up: bool) -> None:
    payment = Payment(usd(9423), refundable=usd(refundable), refunded=None if refunded is None else usd(refunded))

    assert order(OrderStatus.REFUNDED, payment=payment).is_settled_up is is_settled_up


@pytest.mark.parametrize(
    ("tax", "is_included", "worth"), [(None, False, 999), (None, True, 999), (80, False, 1079), (80, True, 999)]
)
def test_the_deliverys_worth_has_the_tax_that_was_added_to_it(tax: int | None, is_included: bool, worth: int) -> None:
    placed = order(delivery_tax=None if tax is None else usd(tax), tax_included=is_included)

    assert placed.delivery_worth == usd(worth)


def test_a_line_is_found_by_its_product() -> None:
    placed = order()

    assert placed.count == 5
    assert [placed.line_of(key) for key in ("prod-m", "prod-b", "prod-a", "prod-z", "")] == [
        *placed.lines[::-1],
        None,
        None,
        None,
    ]


def test_pieces_are_kept_half_an_hour_and_a_quarter_more_when_asked_and_the_job_waits_a_minute_longer() -> None:
    assert order().kept_until == datetime(2026, 11, 23, 12, 30, tzinfo=UTC)
    assert order(hold_extended=True).kept_until == datetime(2026, 11, 23, 12, 45, tzinfo=UTC)
    assert timedelta(minutes=31) == HOLD


@pytest.mark.parametrize("status", OrderStatus)
def test_what_may_be_done_with_an_order_follows_from_its_status(status: OrderStatus) -> None:
    parcel = Parcel(NOW, "UPS", "1Z", (("prod-m", 1),))
    unpaid, paid = order(status), order(status, payment=Payment(usd(9423), status="succeeded"))

    assert unpaid.can_be_cancelled is (status in {"pending", "processing"})
    assert order(status, parcels=(parcel,)).can_be_cancelled is (status == "pending")
    assert unpaid.is_awaiting_payment is (status == "pending")
    assert unpaid.was_never_paid is (status in {"expired", "cancelled"})
    assert not paid.was_never_paid
    assert unpaid.goes_back is (status in {"refund_pending", "refunded"})
    assert unpaid.is_paid is (status in {"processing", "shipped", "delivered", "refund_pending", "refunded"})
    assert unpaid.can_be_reviewed is (status in {"processing", "shipped", "delivered"})
