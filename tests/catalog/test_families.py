"""Products that differ by an option alone: choosing between them."""

from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from catalog.domain import (
    Availability,
    OptionControl,
    OptionValue,
    ProductStatus,
    Sibling,
    availability_of,
    option_controls,
)
from catalog.services import set_stock
from tests import factories
from tests.conftest import counted_calls
from tests.shop.entrypoints.test_stream import item, react, record


def sibling(name: str, availability: Availability = Availability.IN_STOCK, **options: str) -> Sibling:
    return Sibling(f"prod-{name}", name, options, availability)


def test_each_option_that_differs_has_a_control_and_keeps_the_others() -> None:
    shirt = factories.product(product_id="prod-red-s", slug="red-s", family="shirt", options={"colour": "Red", "size": "S"})
    family = [
        sibling("red-s", colour="Red", size="S"),
        sibling("red-m", Availability.OUT, colour="Red", size="M"),
        sibling("blue-m", colour="Blue", size="M"),
    ]

    colour, size = option_controls(shirt, family)

    # Blue is made in M alone, so choosing it changes the size too, and the combination with S is marked.
    assert colour == OptionControl(
        "colour",
        (
            OptionValue("Red", "/products/prod-red-s/red-s/", is_current=True, is_sold_out=False),
            OptionValue("Blue", "/products/prod-blue-m/blue-m/", is_current=False, is_sold_out=True),
        ),
    )
    assert size == OptionControl(
        "size",
        (
            OptionValue("S", "/products/prod-red-s/red-s/", is_current=True, is_sold_out=False),
            OptionValue("M", "/products/prod-red-m/red-m/", is_current=False, is_sold_out=True),
        ),
    )


def test_a_product_of_its_own_has_no_controls() -> None:
    assert option_controls(factories.product(), []) == ()
    alone = factories.product(family="mug", options={"colour": "Red"})
    assert option_controls(alone, [sibling("red", colour="Red")]) == ()


@pytest.fixture
def mugs(tables: Any, index: Any) -> dict[str, Any]:
    """A family of three, one of them not on sale, and a product of its own."""
    factories.make_category()
    made = {
        colour: factories.make_product(
            name=f"Mug, {colour}",
            family="mug",
            options={"colour": colour},
            inventory=inventory,
            availability=availability_of(inventory),
            status=status,
        )
        for colour, inventory, status in (
            ("Sand", 9, ProductStatus.ACTIVE),
            ("Sage", 0, ProductStatus.ACTIVE),
            ("Rust", 9, ProductStatus.INACTIVE),
        )
    }
    return made | {"alone": factories.make_product(name="Lamp")}


def options_on(client: Client, path: str) -> list[tuple[str, bool, bool]]:
    page = client.get(path)
    assert page.status_code == 200
    return [(value.value, value.is_current, value.is_sold_out) for control in page.context["options"] for value in control.values]


def test_a_products_page_leads_to_the_others_of_its_family(client: Client, mugs: dict[str, Any]) -> None:
    assert sorted(options_on(client, mugs["Sand"].path)) == [("Sage", False, True), ("Sand", True, False)]
    assert options_on(client, mugs["alone"].path) == []
    with counted_calls() as calls:
        page = client.get(mugs["Sand"].path).text
    assert calls.count("Query") <= 3
    assert f'href="{mugs["Sage"].path}"' in page
    assert ", sold out" in page


def test_htmx_swaps_the_product_alone(client: Client, mugs: dict[str, Any]) -> None:
    part = client.get(mugs["Sage"].path, headers={"HX-Request": "true"}).text

    assert "<html" not in part
    assert "Mug, Sage" in part
    assert 'id="product"' in part


def test_the_family_follows_stock_and_status(tables: Any, client: Client, mugs: dict[str, Any], now: datetime) -> None:
    def change(product_id: str, inventory: int) -> None:
        old = item(tables, "Products", f"PRODUCT#{product_id}", "METADATA")
        set_stock(product_id=product_id, inventory=inventory, now=now)
        assert react(record("Products", item(tables, "Products", f"PRODUCT#{product_id}", "METADATA"), old)) == []

    change(mugs["Sage"].product_id, 4)
    assert sorted(options_on(client, mugs["Sand"].path)) == [("Sage", False, False), ("Sand", True, False)]
    change(mugs["Sand"].product_id, 0)
    assert ("Sand", False, True) in options_on(client, mugs["Sage"].path)
