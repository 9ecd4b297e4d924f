"""Settings that are read strictly."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from shop.lib import env
from shop.lib.viewer import Permission

ERP = "arn:aws:iam::123456789012:role/erp"


def test_grants_are_permissions_by_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTS", f"{ERP}=products.view stock.edit, {ERP}=2=orders.view")

    assert env.grants("GRANTS") == {
        ERP: frozenset({Permission.PRODUCTS_VIEW, Permission.STOCK_EDIT}),
        f"{ERP}=2": frozenset({Permission.ORDERS_VIEW}),
    }
    monkeypatch.setenv("GRANTS", "")
    assert env.grants("GRANTS") == {}


@pytest.mark.parametrize("text", [ERP, f"{ERP}=", "=stock.edit", f"{ERP}=stock.edti", f"{ERP}=stock.edit everything"])
def test_a_grant_that_makes_no_sense_stops_the_start_and_is_named(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRANTS", text)

    with pytest.raises(env.BadSetting, match="GRANTS has the entry"):
        env.grants("GRANTS")


GOOD_KEY = "lY1mYb0qkXcPj3n8u5vGZ2t7wRrJ0dEoKfHsAiQxT64"
NEW_KEY = "`SHOP_LOCAL=true manage.py newjwtkey` makes a good one."


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (lambda: env.text("X"), "", "Set the environment variable X: it has no default outside SHOP_LOCAL=true."),
        (lambda: env.flag("X", default=True), "yes", "X is 'yes'; it may be true or false."),
        (lambda: env.integer("X", 3, least=1), "0", "X is '0'; it may be a whole number from 1 up."),
        (lambda: env.integer("X", 3), "-1", "X is '-1'; it may be a whole number from 0 up."),
        (lambda: env.integer("X", 3), "٣", "X is '٣'; it may be a whole number from 0 up."),
        (lambda: env.decimal("X", "1"), "8%", "X is '8%'; it may be a decimal number such as 0.08."),
        (lambda: env.decimal("X", "1"), "-0.01", "X is '-0.01'; it may not be negative or infinite."),
        (lambda: env.decimal("X", "1"), "NaN", "X is 'NaN'; it may not be negative or infinite."),
        (lambda: env.decimal("X", "1", most=1), "1.01", "X is '1.01'; it may be at most 1."),
        (lambda: env.table("X", list, []), "[1", "X is no JSON text: Expecting ',' delimiter (line 1, column 3)."),
        (lambda: env.table("X", int, 1), '"one"', "X: invalid literal for int() with base 10: 'one'."),
        (lambda: env.keys("X"), "only-a-key", "X has an entry that is not of the form name:key."),
        (lambda: env.keys("X"), f"a:{GOOD_KEY},a:{GOOD_KEY}", "X names the key 'a' twice."),
        (lambda: env.keys("X"), "a:not base64", f"X: the key 'a' is not base64url; {NEW_KEY}"),
        (lambda: env.keys("X"), "a:YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE", f"X: the key 'a' is too weak; {NEW_KEY}"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], value: str, sentence: str
) -> None:
    monkeypatch.setenv("X", value)

    with pytest.raises(env.BadSetting) as refused:
        read()

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("read", "value", "default"),
    [
        (lambda: env.text("X", "default"), "text", "default"),
        (lambda: env.flag("X", default=True), "false", True),
        (lambda: env.integer("X", 3), "12", 3),
        (lambda: env.decimal("X", "1.5"), "0.08", Decimal("1.5")),
        (lambda: env.table("X", tuple, [1]), "[0.1]", (1,)),
        (lambda: env.words("X", "a, b"), "c,, d ,", ["a", "b"]),
    ],
)
def test_an_empty_variable_counts_as_unset(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], object], value: str, default: object
) -> None:
    read_as = {"text": "text", "false": False, "12": 12, "0.08": Decimal("0.08"), "[0.1]": (Decimal("0.1"),)}
    monkeypatch.setenv("X", value)
    assert read() == read_as.get(value, ["c", "d"])

    monkeypatch.setenv("X", "")
    assert read() == default
