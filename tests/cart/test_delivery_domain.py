from decimal import Decimal
from typing import Any

import pytest

from cart.delivery_domain import FreeDelivery, free_delivery, grams_of, name_of, offers, tariffs_from
from cart.tax_domain import BadTable, rule_for, tax_rules_from
from shop.lib.money import Money

STANDARD = {
    "code": "standard",
    "name": "Standard delivery",
    "days": [3, 5],
    "rates": [
        {"price": "9.99", "up_to_grams": 5000},
        {"price": "14.99", "up_to_grams": 20000},
        {"price": "0", "from": "150", "up_to_grams": 20000},
        {"countries": ["DE", "AT"], "price": 20, "days": [7, 14]},
    ],
}
COURIER = {
    "code": "courier",
    "name": "Courier",
    "days": [0, 1],
    "rates": [{"countries": ["US"], "price": "24.99", "from": "50"}],
}
DAYS = "it may be the first and the last working day, such as [3, 5]"
TARIFFS = tariffs_from([STANDARD, COURIER], currency="USD")


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.mark.parametrize(
    ("country", "goods", "grams", "offered", "refused"),
    [
        ("US", 4000, 5000, {"standard": (999, (3, 5))}, ["For goods of $50.00 or more; add $10.00."]),
        ("US", 5000, 5001, {"standard": (1499, (3, 5)), "courier": (2499, (0, 1))}, []),
        ("US", 15000, 100, {"standard": (0, (3, 5)), "courier": (2499, (0, 1))}, []),
        ("US", 15000, 20390, {"courier": (2499, (0, 1))}, ["Takes up to 20 kg; this order weighs 20.39 kg."]),
        ("DE", 15000, 90000, {"standard": (2000, (7, 14))}, ["Does not go to Germany."]),
        ("NL", 1000, 0, {"standard": (999, (3, 5))}, ["Does not go to the Netherlands."]),
    ],
)
def test_methods_are_offered_by_country_value_and_weight_and_the_others_explained(
    country: str, goods: int, grams: int, offered: dict[str, tuple[int, tuple[int, int]]], refused: list[str]
) -> None:
    found = offers(TARIFFS, country=country, goods=usd(goods), grams=grams)

    assert {method.code: (method.price.minor, method.days) for method in found.methods} == offered
    assert [method.why for method in found.unavailable] == refused


def test_what_is_missing_to_free_delivery_is_told_where_there_is_any() -> None:
    def missing(country: str, goods: int, grams: int = 0) -> FreeDelivery | None:
        return free_delivery(TARIFFS, country=country, goods=usd(goods), grams=grams)

    almost = missing("US", 13800)
    assert almost == FreeDelivery("Standard delivery", usd(15000), usd(1200))
    assert almost.reached == 92
    assert missing("US", 15000) is None
    assert missing("US", 13800, 20001) is None
    assert missing("DE", 13800) is None


@pytest.mark.parametrize(
    ("text", "grams"),
    [("390 g", 390), ("1.05 kg", 1050), (" 2KG ", 2000), ("390", 390), ("0.5 g", 1), ("about 2 kg", 0), ("", 0), ("1,2 kg", 0)],
)
def test_a_weight_is_read_as_it_stands_on_a_product(text: str, grams: int) -> None:
    assert grams_of(text) == grams


def test_a_method_no_longer_in_the_table_still_has_a_name() -> None:
    assert [name_of(TARIFFS, code) for code in ("courier", "by_owl")] == ["Courier", "By owl delivery"]


def method(**changes: Any) -> list[dict[str, Any]]:
    return [STANDARD | changes]


def rate(**changes: Any) -> list[dict[str, Any]]:
    return method(rates=[{"price": "1"} | changes])


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "it must be a list of at least one method"),
        ([], "it must be a list of at least one method"),
        (["standard"], "method 1 must be an object with code, days, name, rates"),
        (method(prices=[]), "method 1 has 'prices', which is none of code, days, name, rates"),
        (method(code="By Owl"), 'method 1 needs a "code" of small letters, digits and dashes, such as "standard"'),
        (method(name=""), 'method 1 (standard) needs a "name"'),
        (
            method(days=[5, 3]),
            'method 1 (standard): "days" is [5, 3]; it may be the first and the last working day, such as [3, 5]',
        ),
        (method(days=None), 'method 1 (standard): "days" is None; it may be the first and the last working day, such as [3, 5]'),
        (method(rates=[]), 'method 1 (standard) needs "rates", a list of at least one price'),
        (rate(price="9.999"), 'method 1 (standard): "price" is \'9.999\'; it may be an amount such as "9.99"'),
        (rate(price="-1"), 'method 1 (standard): "price" is \'-1\'; it may be an amount such as "9.99"'),
        (rate(price="NaN"), 'method 1 (standard): "price" is \'NaN\'; it may be an amount such as "9.99"'),
        (rate(price=True), 'method 1 (standard): "price" is True; it may be an amount such as "9.99"'),
        (rate(up_to_grams="5 kg"), "method 1 (standard): \"up_to_grams\" is '5 kg'; it may be a whole number of grams"),
        (rate(countries=["XX"]), "method 1 (standard) names the country 'XX', to which nothing is delivered"),
        (rate(countries="US"), 'method 1 (standard): "countries" must be a list of texts'),
        ([STANDARD, STANDARD], "two methods have the code 'standard'"),
    ],
)
def test_a_wrong_delivery_table_says_what_is_wrong(table: Any, sentence: str) -> None:
    with pytest.raises(BadTable) as refusal:
        tariffs_from(table, currency="USD")

    assert str(refusal.value) == sentence


EVERYWHERE = {"rate": "0.08"}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ([], "it must be a list of at least one rule"),
        ([EVERYWHERE | {"countries": ["US"]}], "exactly one rule must be without countries: it holds wherever no other does"),
        ([EVERYWHERE, EVERYWHERE], "exactly one rule must be without countries: it holds wherever no other does"),
        (["8 %"], 'rule 1 must be an object such as {"rate": "0.08"}'),
        ([EVERYWHERE | {"classes": ["books"]}], 'rule 1: "classes" must be an object such as {"books": "0.05"}'),
        ([{}], 'rule 1 needs a "rate"'),
        ([{"rate": "8 %"}], "rule 1 has the rate '8 %'; it may be a number from 0 to 1, such as \"0.08\""),
        ([{"rate": 8}], 'rule 1 has the rate 8; it may be a number from 0 to 1, such as "0.08"'),
        ([EVERYWHERE | {"included": "yes"}], 'rule 1: "included" may be true or false'),
        (
            [EVERYWHERE | {"class": {}}],
            "rule 1 has 'class', which is none of classes, countries, delivery, included, rate, regions",
        ),
        (
            [EVERYWHERE | {"classes": {"books": 2}}],
            "rule 1, class 'books' has the rate 2; it may be a number from 0 to 1, such as \"0.08\"",
        ),
        ([EVERYWHERE, {"rate": 0, "regions": ["NY"]}], "rule 2 names regions, so it must name exactly one country"),
        (
            [EVERYWHERE, {"rate": 0, "countries": ["DE"]}, {"rate": 0, "countries": ["DE", "AT"]}],
            "two rules are for Germany",
        ),
        (
            [EVERYWHERE, *[{"rate": 0, "countries": ["US"], "regions": ["NY"]}] * 2],
            "two rules are for ny in United States",
        ),
    ],
)
def test_a_wrong_tax_table_says_what_is_wrong(table: Any, sentence: str) -> None:
    with pytest.raises(BadTable) as refusal:
        tax_rules_from(table)

    assert str(refusal.value) == sentence


def test_the_nearest_rule_holds_region_before_country_before_everywhere() -> None:
    rules = tax_rules_from(
        [
            EVERYWHERE,
            {"rate": "0.05", "countries": ["US"]},
            {"rate": "0.0888", "countries": ["US"], "regions": ["NY", "New York"], "classes": {"Books": "0"}},
        ]
    )

    def find(country: str, region: str = "") -> Decimal:
        return rule_for(rules, country=country, region=region).rate

    assert find("US", " new  york ") == find("US", "ny") == Decimal("0.0888")
    assert [find("US", "CA"), find("US"), find("CA", "NY")] == [Decimal("0.05"), Decimal("0.05"), Decimal("0.08")]
    assert rule_for(rules, country="US", region="NY").rate_of("books") == 0
