"""Products as other programs write them, and items that another hand deletes or writes."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from catalog import queries, services
from catalog.models import ProductRow, product_key, to_row
from catalog.reactions import product_changed
from tests import factories
from tests.conftest import items_of

pytestmark = pytest.mark.usefixtures("tables")


def item(product_id: str) -> dict[str, Any]:
    """The product's item, as the stream has it."""
    [found] = [one for one in items_of("Products") if one.get("productId") == {"S": product_id} and "sku" in one]
    return found


def keys(beginning: str) -> list[tuple[str, str]]:
    return [(one["PK"]["S"], one["SK"]["S"]) for one in items_of("Products") if one["PK"]["S"].startswith(beginning)]


def test_a_product_is_made_once_and_has_a_sku_of_its_own() -> None:
    mug = factories.make_product(sku="MUG")
    before = items_of("Products")

    with pytest.raises(services.SkuTaken) as taken:
        services.create_product(product=factories.product(sku="MUG", inventory=3, family="mugs"))
    with pytest.raises(services.ProductExists):
        services.create_product(product=replace(factories.product(sku="OTHER", inventory=3), product_id=mug.product_id))

    assert taken.value.sku == "MUG"
    assert items_of("Products") == before


@pytest.mark.parametrize("family", ["", "mugs"])
def test_an_item_that_another_hand_deleted_answers_that_it_is_gone_and_its_family_forgets_it(client: Client, family: str) -> None:
    mug = factories.make_product(family=family, options={"colour": "Sand"} if family else {})
    old = item(mug.product_id)
    assert len(keys("FAMILY#")) == bool(family)
    product_key(mug.product_id).delete()
    assert client.get(mug.path).status_code == 404

    product_changed(old, None)
    product_changed(old, None)

    assert client.get(mug.path).status_code == 410
    assert client.get(mug.reviews_path).status_code == 410
    assert keys("FAMILY#") == []


def test_a_stock_that_moved_on_before_its_words_were_written_is_left_to_the_next_record() -> None:
    mug = factories.make_product(inventory=3)
    product_key(mug.product_id).update(actions=[ProductRow.inventory.set(0)])
    before = items_of("Products")

    assert not services.mark_availability(product_id=mug.product_id, inventory=20, availability=mug.availability)

    assert items_of("Products") == before


def test_a_product_that_joins_a_family_by_another_hand_is_shown_there(client: Client) -> None:
    sand = factories.make_product(family="mugs", options={"colour": "Sand"})
    sage = factories.product(family="mugs", options={"colour": "Sage"})
    to_row(sage, image_keys=()).save()

    product_changed(None, item(sage.product_id))

    assert f'href="{sage.path}"' in client.get(sand.path).text
    assert queries.product(product_id=sage.product_id).family == "mugs"
