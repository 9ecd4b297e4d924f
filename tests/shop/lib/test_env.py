"""Settings that are read strictly."""

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
