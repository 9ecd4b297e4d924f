from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import GetError

from accounts.models import UserRow
from cart.models import CartRow
from catalog.models import CategoryRow, ProductRow, SkuRow
from orders.ledger_models import BookmarkRow, FiguresRow, FindingRow, InvoiceRow, RefundRow, SequenceRow
from orders.models import CheckoutRow, EffectRow, EventRow, OrderRow, RefRow
from shop.lib import watching
from shop.lib.attributes import (
    DecimalAttribute,
    Document,
    DocumentListAttribute,
    EpochAttribute,
    IntegerAttribute,
    TimeAttribute,
)
from shop.lib.tables import BaseMeta, Busy, Row, connection, table_name, trouble_as_busy, value_of
from shop.local.ministack import Ministack
from shop.local.prove.gateway import FaultGateway, Weather
from tests.rivals import refusal

ROWS: list[type[Row]] = [
    ProductRow,
    SkuRow,
    CategoryRow,
    UserRow,
    CartRow,
    OrderRow,
    RefRow,
    RefundRow,
    InvoiceRow,
    SequenceRow,
    FiguresRow,
    FindingRow,
    BookmarkRow,
    CheckoutRow,
    EffectRow,
    EventRow,
]


class LineMap(Document):
    n = IntegerAttribute()
    note = UnicodeAttribute(null=True)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=8))
def test_a_decimal_keeps_its_value_exactly(number: Decimal) -> None:
    attribute = DecimalAttribute()

    assert attribute.deserialize(attribute.serialize(number)) == number
    assert "E" not in attribute.serialize(number)


def test_a_stored_fraction_is_no_integer() -> None:
    assert IntegerAttribute().deserialize("50") == 50
    assert IntegerAttribute().deserialize(str(2**60 + 1)) == 2**60 + 1
    with pytest.raises(ValueError, match="whole number"):
        IntegerAttribute().deserialize("1.5")


def test_a_time_is_kept_in_utc_as_the_specification_writes_it() -> None:
    moment = datetime(2025, 1, 15, 12, 30, tzinfo=timezone(timedelta(hours=2)))

    text = TimeAttribute().serialize(moment)

    assert text == "2025-01-15T10:30:00Z"
    assert TimeAttribute().deserialize(text) == moment
    with pytest.raises(ValueError, match="no time zone"):
        TimeAttribute().serialize(datetime(2025, 1, 15))  # noqa: DTZ001 - what is refused


def test_an_expiry_is_kept_in_whole_epoch_seconds() -> None:
    assert EpochAttribute().serialize(datetime(2024, 12, 17, 16, 0, tzinfo=UTC)) == "1734451200"
    assert EpochAttribute().deserialize("1734451200") == datetime(2024, 12, 17, 16, 0, tzinfo=UTC)


def test_documents_of_a_list_are_read_each_as_it_was_written() -> None:
    attribute = DocumentListAttribute(LineMap)
    lines = [{"M": {"n": {"N": "2"}}}, {"M": {"n": {"N": "3"}, "note": {"S": "Blue"}}}]

    assert [(one.n, one.note) for one in attribute.deserialize(lines)] == [(2, None), (3, "Blue")]
    assert attribute.serialize(attribute.deserialize(lines)) == lines
    assert attribute.deserialize([]) == []


def test_all_rows_share_one_client_with_short_timeouts(tables: Any) -> None:
    clients = {id(row._get_connection().connection.client) for row in ROWS}
    config = connection().client.meta.config

    assert clients == {id(connection().client)}
    assert (config.connect_timeout, config.read_timeout) == (1, 2)
    assert config.retries == {"total_max_attempts": 3, "mode": "standard"}


EXPECTED: dict[str, dict[str, Any]] = {
    "Products": {"ttl": "expiresAt", "GSI1": ("GSI1PK", "GSI1SK"), "GSI2": ("GSI2PK", "GSI2SK")},
    "Users": {"ttl": "expiresAt", "GSI1": ("GSI1PK", "GSI1SK")},
    "Carts": {"ttl": "expiresAt"},
    "Orders": {"ttl": "expiresAt", "GSI1": ("GSI1PK", "GSI1SK"), "GSI2": ("GSI2PK", "GSI2SK")},
}


@pytest.mark.parametrize("name", EXPECTED)
def test_createtables_makes_the_tables_of_the_specification(tables: Any, name: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=settings.AWS_ENDPOINT_URL)
    table = client.describe_table(TableName=table_name(name))["Table"]
    ttl = client.describe_time_to_live(TableName=table_name(name))["TimeToLiveDescription"]
    expected = EXPECTED[name]

    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("PK", "HASH"), ("SK", "RANGE")]
    indexes = {
        index["IndexName"]: tuple(key["AttributeName"] for key in index["KeySchema"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    assert indexes == {name: keys for name, keys in expected.items() if name != "ttl"}
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert ttl.get("AttributeName") == expected["ttl"]


def test_a_sale_rewrites_no_index() -> None:
    for index in (ProductRow.by_category, ProductRow.by_status):
        assert "inventory" not in index.Meta.projection.non_key_attributes


@pytest.mark.parametrize(("weather", "tries"), [(Weather(throttled=1.0), 8), (Weather(lost_replies=1.0), 3)])
def test_a_throttled_call_is_tried_more_often_than_a_lost_one(
    cloud: Ministack, monkeypatch: pytest.MonkeyPatch, weather: Weather, tries: int
) -> None:
    calls: list[watching.Call] = []
    monkeypatch.setattr(watching, "_watchers", [calls.append])
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with FaultGateway(upstream_port=cloud.port) as gateway:
        gateway.weather = weather
        monkeypatch.setattr(BaseMeta, "host", gateway.endpoint)
        client = connection.__wrapped__().client
        with pytest.raises((ClientError, ConnectionClosedError)):
            client.get_item(TableName=table_name("Carts"), Key={"PK": {"S": "x"}, "SK": {"S": "x"}})
    assert weather.met.total() == tries
    assert [(call.operation, call.failed, call.throttled) for call in calls] == [("GetItem", True, weather.met["throttle"])]


def test_an_attribute_of_a_raw_item_is_read_as_its_row_reads_it() -> None:
    item = {"sku": {"S": "MUG-1"}, "name": {"NULL": True}}

    assert value_of(item, ProductRow.sku) == "MUG-1"
    assert value_of(item, ProductRow.name, "nameless") == "nameless"
    for missing in (ProductRow.name, ProductRow.product_id):
        with pytest.raises(KeyError, match=missing.attr_name):
            value_of(item, missing)


@pytest.mark.parametrize(("code", "told"), [("ThrottlingException", Busy), ("ValidationException", GetError)])
def test_trouble_that_does_not_pass_is_not_told_as_busy(code: str, told: type[Exception]) -> None:
    with pytest.raises(told), trouble_as_busy():
        raise GetError("get", cause=refusal("GetItem", code))
