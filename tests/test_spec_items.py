"""The items in the specification's own JSON load through our rows and are written back unchanged, attribute by attribute."""

import json
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from accounts.models import UserRow
from cart.models import CartRow
from catalog.models import ProductRow
from orders.models import OrderRow
from shop.lib.tables import Row, table_name
from tests.spec_items import CART, ORDER, PRODUCT, USER

PRODUCT_KEYS = {
    "GSI1PK": "CATEGORY#Electronics",
    "GSI1SK": "000000019999#prod-123",
    "GSI2PK": "STATUS#active",
    "GSI2SK": "2025-01-15T10:30:00Z",
}
USER_KEYS = {"GSI1PK": "EMAIL#customer@example.com", "GSI1SK": "USER#user-456"}
ORDER_KEYS = {
    "GSI1PK": "STATUS#processing",
    "GSI1SK": "2025-11-17T11:30:00Z#ord-7890",
    "GSI2PK": "ORDER",
    "GSI2SK": "2025-11-17T11:30:00Z#ord-7890",
}


@pytest.mark.parametrize(
    ("table", "row", "text", "index_keys"),
    [
        ("Products", ProductRow, PRODUCT, PRODUCT_KEYS),
        ("Users", UserRow, USER, USER_KEYS),
        ("Carts", CartRow, CART, {}),
        ("Orders", OrderRow, ORDER, ORDER_KEYS),
    ],
)
def test_an_item_of_the_specification_survives_being_read_and_written(
    tables: Any, table: str, row: type[Row], text: str, index_keys: dict[str, str]
) -> None:
    spec: dict[str, Any] = json.loads(text, parse_float=Decimal)
    spec |= index_keys
    key = {"PK": {"S": spec["PK"]}, "SK": {"S": spec["SK"]}}
    tables.put_item(TableName=table_name(table), Item=TypeSerializer().serialize(spec)["M"])

    loaded = row.get(spec["PK"], spec["SK"])
    tables.delete_item(TableName=table_name(table), Key=key)
    loaded.save()

    written = tables.get_item(TableName=table_name(table), Key=key)["Item"]
    assert TypeDeserializer().deserialize({"M": written}) == spec
