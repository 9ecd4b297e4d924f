"""The tables are made the same by a second implementation of DynamoDB, so that no quirk of one is taken for the rule."""

from io import StringIO
from typing import Any

import boto3
import pytest
from django.core.management import call_command
from moto import mock_aws
from pytest_django import Settings

NAMES = ["test-Carts", "test-Orders", "test-Products", "test-Users"]


@pytest.fixture
def moto(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """AWS in this process, with nothing in it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    settings.AWS_ENDPOINT_URL = ""
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def create() -> list[str]:
    """Run the command; what it said, sorted."""
    said = StringIO()
    call_command("createtables", stdout=said)
    return sorted(said.getvalue().splitlines())


def test_the_command_makes_what_is_missing_and_leaves_what_is_there(moto: Any) -> None:
    assert create() == [f"{name} created" for name in NAMES]
    assert create() == [f"{name} exists" for name in NAMES]

    assert sorted(moto.list_tables()["TableNames"]) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_table_is_encrypted_streamed_and_on_demand(moto: Any, name: str) -> None:
    create()

    table = moto.describe_table(TableName=name)["Table"]

    assert table["SSEDescription"]["Status"] == "ENABLED"
    assert table["StreamSpecification"]["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    for index in table.get("GlobalSecondaryIndexes", []):
        assert index["Projection"]["ProjectionType"] == "INCLUDE"
