from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cart.delivery_domain import offers, tariffs_from
from cart.discount_domain import LEAST_LEFT, AppliedDiscount, Discount, DiscountKind
from cart.tax_domain import TaxRule, rule_for, tax_rules_from
from cart.totals_domain import Priced, Totals, shared_out, totals_of, worths_of
from shop.lib.money import CurrencyMismatch, Money

# How fast examples are made is the load of the machine and no fault of the arithmetic.
SLOW_MACHINE = [HealthCheck.too_slow]
EIGHT_PERCENT = TaxRule(rate=Decimal("0.08"))
GERMANY = TaxRule(
    rate=Decimal("0.19"),
    is_included=True,
    classes={"books": Decimal("0.07")},
    delivery=Decimal("0.19"),
    countries=frozenset({"DE"}),
)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def off(goods: int, delivery: int = 0) -> AppliedDiscount:
    return AppliedDiscount("SPRING10", "10 % off", usd(goods), usd(delivery))


SPEC = [Priced(usd(19999), 2), Priced(usd(1299), 3)]


def test_the_cart_of_the_specification_costs_what_it_says() -> None:
    assert totals_of(SPEC, rule=EIGHT_PERCENT, shipping=usd(999)) == Totals(
        subtotal=usd(43895), tax=usd(3512), shipping=usd(999), total=usd(48406)
    )


def test_an_empty_cart_costs_nothing_delivery_included() -> None:
    assert totals_of([], rule=EIGHT_PERCENT, shipping=usd(999), discount=off(5)) == Totals(usd(0), usd(0), usd(0), usd(0))


def test_totals_that_do_not_add_up_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="is not"):
        Totals(subtotal=usd(100), tax=usd(8), shipping=usd(0), total=usd(109))
    with pytest.raises(ValueError, match="is not"):
        Totals(subtotal=usd(100), tax=usd(8), shipping=usd(0), total=usd(108), discount=off(1))
    with pytest.raises(ValueError, match="is not"):
        Totals(subtotal=usd(100), tax=usd(8), shipping=usd(0), total=usd(108), tax_included=True)


def test_a_price_in_another_currency_is_refused() -> None:
    with pytest.raises(CurrencyMismatch):
        totals_of([Priced(Money(100, "EUR"), 1)], rule=EIGHT_PERCENT, shipping=usd(999))


def test_ten_percent_off_the_specifications_cart_is_taken_before_the_tax() -> None:
    totals = totals_of(SPEC, rule=EIGHT_PERCENT, shipping=usd(999), discount=off(4390))

    assert (totals.subtotal, totals.tax, totals.shipping, totals.total) == (usd(43895), usd(3160), usd(999), usd(43664))


def test_included_tax_is_told_and_not_added() -> None:
    lines = [Priced(usd(11900), 1), Priced(usd(2140), 1, "books")]

    totals = totals_of(lines, rule=GERMANY, shipping=usd(999))

    assert (totals.subtotal, totals.shipping, totals.total) == (usd(14040), usd(999), usd(15039))
    # 19 of 119, 1.40 of 21.40, and 1.595 of 9.99 rounded.
    assert (totals.tax, totals.delivery_tax, totals.tax_included) == (usd(1900 + 140 + 160), usd(160), True)


def test_classes_are_rounded_each_on_its_own_and_share_the_discount_by_price() -> None:
    rule = TaxRule(rate=Decimal("0.0888"), classes={"food": Decimal(0)}, delivery=Decimal("0.0888"))
    lines = [Priced(usd(1005), 1), Priced(usd(2010), 1, "Food"), Priced(usd(333), 3)]

    totals = totals_of(lines, rule=rule, shipping=usd(999), discount=off(1000))

    # Of the 10.00 fall on the lines 2.503…, 5.007… and 2.488…: 2.50, 5.01 and 2.49; left are 7.55, 15.09 and 7.50.
    assert totals.tax == usd(134 + 89)  # 15.05 x 0.0888 = 1.33644, 9.99 x 0.0888 = 0.887
    assert totals.total == usd(4014 - 1000 + 223 + 999)
    assert worths_of(lines, rule=rule, off=usd(1000)) == (usd(755 + 67), usd(1509), usd(750 + 67))


def test_a_share_of_nothing_goes_to_the_first() -> None:
    assert shared_out(usd(7), [0, 0]) == (usd(7), usd(0))
    assert shared_out(usd(100), [1, 1, 1]) == (usd(33), usd(34), usd(33))


# --- a thousand carts against exact fractions ---------------------------------------------------------------------------

TARIFFS = [
    {"code": "standard", "name": "Standard", "days": [3, 5], "rates": [{"price": "9.99"}, {"price": "0", "from": "150"}]},
    {
        "code": "express",
        "name": "Express",
        "days": [1, 2],
        "rates": [{"price": "24.99", "up_to_grams": 5000}, {"price": "39.5", "countries": ["DE"]}],
    },
]
RULES = [
    {"rate": "0.08"},
    {"rate": "0.08875", "countries": ["US"], "regions": ["NY", "New York"], "classes": {"food": 0}, "delivery": "0.08875"},
    {"rate": "0.19", "countries": ["DE"], "included": True, "classes": {"books": "0.07", "food": "0.07"}, "delivery": "0.19"},
]
READ_TARIFFS, READ_RULES = tariffs_from(TARIFFS, currency="USD"), tax_rules_from(RULES)
EXACT_RULES = {
    ("US", "ny"): ({"": "0.08875", "food": "0"}, "0.08875", False),
    ("US", "CA"): ({"": "0.08"}, "0", False),
    ("DE", ""): ({"": "0.19", "food": "0.07", "books": "0.07"}, "0.19", True),
}


def half_up(exact: Fraction) -> int:
    return floor(exact + Fraction(1, 2))


def oracle(lines: Any, place: tuple[str, str], kind: str, value: Any, method: str) -> tuple[int, int, int, int, int]:
    """Subtotal, what the code takes off goods, tax, delivery and total, in exact fractions and one straight line."""
    rates, of_delivery, is_included = EXACT_RULES[place]
    amounts = [Fraction(price) * quantity for price, quantity, _, _ in lines]
    subtotal = sum(amounts)
    wanted = {"percent": half_up(subtotal * Fraction(value) / 100), "amount": value}.get(kind, 0)
    taken = max(0, min(wanted, subtotal - LEAST_LEFT))
    grams = sum(quantity * weight for _, quantity, _, weight in lines)
    goods = subtotal - taken
    standard = 0 if goods >= 15000 else 999
    express = 3950 if place[0] == "DE" else 2499 if grams <= 5000 else None
    delivery = express if method == "express" and express is not None else standard
    if kind == "free_delivery":
        delivery -= min(delivery, standard)
    given = Fraction(0)
    bases: dict[Fraction, Fraction] = {}
    for amount, (_, _, tax_class, _) in zip(amounts, lines, strict=True):
        before, given = given, given + amount
        net = amount - (half_up(Fraction(taken) * given / subtotal) - half_up(Fraction(taken) * before / subtotal))
        rate = Fraction(rates.get(tax_class, rates[""]))
        bases[rate] = bases.get(rate, Fraction(0)) + net
    bases_and_delivery = [*bases.items(), (Fraction(of_delivery), Fraction(delivery))]
    tax = sum(half_up(base * rate / (1 + rate) if is_included else base * rate) for rate, base in bases_and_delivery)
    return int(subtotal), int(taken), tax, int(delivery), int(goods + delivery + (0 if is_included else tax))


LINE = st.tuples(
    st.integers(1, 2_000_000), st.integers(1, 99), st.sampled_from(["", "food", "books"]), st.sampled_from([0, 30, 390, 2050])
)


@settings(max_examples=1000, suppress_health_check=SLOW_MACHINE)
@given(
    lines=st.lists(LINE, min_size=1, max_size=15),
    place=st.sampled_from(list(EXACT_RULES)),
    code=st.one_of(
        st.just((None, 0)),
        st.just(("free_delivery", 0)),
        st.tuples(st.just("amount"), st.integers(1, 50_000)),
        st.tuples(st.just("percent"), st.decimals("0.01", 100, places=2)),
    ),
    wanted=st.sampled_from(["standard", "express"]),
)
def test_discounts_delivery_and_tax_equal_exact_arithmetic_in_fractions(
    lines: Any, place: tuple[str, str], code: tuple[str, Any], wanted: str
) -> None:
    kind, value = code
    priced = [Priced(usd(price), quantity, tax_class) for price, quantity, tax_class, _ in lines]
    rule = rule_for(READ_RULES, country=place[0], region=place[1])
    subtotal = usd(sum(line.amount.minor for line in priced))
    discount = kind and Discount(
        "CODE",
        DiscountKind(kind),
        percent=value if kind == "percent" else None,
        amount=usd(value) if kind == "amount" else None,
    )
    taken = discount.off(subtotal) if discount else usd(0)
    found = offers(
        READ_TARIFFS,
        country=place[0],
        goods=subtotal - taken,
        grams=sum(quantity * weight for _, quantity, _, weight in lines),
    )
    method = found.method(wanted) or found.cheapest
    assert method is not None
    assert found.cheapest is not None
    applied = discount and discount.applied(subtotal, method.price, cheapest=found.cheapest.price)

    totals = totals_of(
        priced, rule=rule, shipping=method.price - applied.delivery if applied else method.price, discount=applied or None
    )

    assert (totals.subtotal.minor, taken.minor, totals.tax.minor, totals.shipping.minor, totals.total.minor) == oracle(
        lines, place, kind, value, wanted
    )
    worths = worths_of(priced, rule=rule, off=taken)
    delivery_tax = totals.delivery_tax if totals.delivery_tax and not totals.tax_included else usd(0)
    assert not worths or sum(worth.minor for worth in worths) == (totals.total - totals.shipping - delivery_tax).minor
    assert all(worth.minor >= 0 for worth in worths)


@settings(suppress_health_check=SLOW_MACHINE)
@given(
    amount=st.integers(0, 10**9),
    weights=st.lists(st.integers(0, 10**7), min_size=1, max_size=40),
)
def test_shares_add_up_and_none_is_a_cent_off(amount: int, weights: list[int]) -> None:
    shares = shared_out(usd(amount), weights)

    assert sum(share.minor for share in shares) == amount
    if sum(weights):
        assert all(
            abs(share.minor - Fraction(amount) * weight / sum(weights)) < 1 for share, weight in zip(shares, weights, strict=True)
        )
