"""The code behind `make deploy` and `make destroy`, against a local AWS: all but building, pushing and the smoke test."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from infra import deploy
from infra.stack import Failed, Stack
from shop.local.ministack import Ministack

FIRST, SECOND = (f"123456789012.dkr.ecr.us-east-1.amazonaws.com/shop@sha256:{digit * 64}" for digit in "12")
GIVEN = {"EmailFrom": "shop@example.com", "RevenueAnomalies": "off", "DeletionProtection": "false"}


@pytest.fixture
def smoked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The sites that were tried out. Static files are two, which is quicker than all."""
    sites: list[str] = []
    monkeypatch.setattr(deploy, "smoke_test", sites.append)
    files = tmp_path / "css"
    files.mkdir()
    for name in ("base.css", "base.0123456789ab.css", "base.css.gz"):
        (files / name).write_text("body {}")
    monkeypatch.setattr(deploy, "collect", lambda _: tmp_path)
    return sites


@pytest.fixture
def stack(smoked: list[str]) -> Iterator[Stack]:
    with Ministack() as cloud, patch.dict(os.environ, cloud.environment):
        yield Stack("test", cloud.region)


@pytest.fixture
def keys() -> Iterator[None]:
    with patch.dict(os.environ, {"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRET": "whsec_1"}):
        yield


@pytest.fixture
def deployed(stack: Stack, keys: None) -> Stack:
    deploy.deploy(stack, GIVEN, image_uri=FIRST)
    return stack


def secret(stack: Stack) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        boto3.client("secretsmanager").get_secret_value(SecretId=stack.secret_name)["SecretString"]
    )
    return found


def web(stack: Stack) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("lambda").get_function(FunctionName=f"{stack.name}-web")
    return found


def test_without_stripes_keys_or_a_sender_nothing_is_made(stack: Stack) -> None:
    with patch.dict(os.environ, {"STRIPE_SECRET_KEY": "", "STRIPE_WEBHOOK_SECRET": ""}):
        with pytest.raises(Failed, match="STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET"):
            deploy.deploy(stack, GIVEN, image_uri=FIRST)
        with pytest.raises(Failed, match="EmailFrom"):
            deploy.deploy(stack, {}, image_uri=FIRST)
    assert stack.status() == ""
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


def test_a_dry_run_shows_and_changes_nothing(stack: Stack, keys: None, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.deploy(stack, GIVEN, image_uri=FIRST, dry_run=True)

    assert "ProductsTable (AWS::DynamoDB::Table)" in capsys.readouterr().out
    assert stack.status() in ("", "DELETE_COMPLETE")
    assert boto3.client("dynamodb").list_tables()["TableNames"] == []
    assert boto3.client("secretsmanager").list_secrets()["SecretList"] == []


def test_the_first_deployment_makes_secrets_uploads_files_and_tries_the_site(deployed: Stack, smoked: list[str]) -> None:
    made = secret(deployed)
    bucket = deployed.outputs()["StaticBucketName"]
    s3 = boto3.client("s3")
    keys = {found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]}

    assert keys == {"static/css/base.css", "static/css/base.0123456789ab.css"}
    assert {name for name, value in made.items() if not value} == {"SECRET_KEY_FALLBACKS"}
    assert len(made["SECRET_KEY"]) >= 50
    assert smoked == [deployed.outputs()["SiteUrl"]]
    hashed, plain = (
        s3.head_object(Bucket=bucket, Key="static/css/base.0123456789ab.css"),
        s3.head_object(Bucket=bucket, Key="static/css/base.css"),
    )
    assert (hashed["ContentType"], hashed["CacheControl"]) == ("text/css", "public, max-age=31536000, immutable")
    assert plain["CacheControl"] == "public, max-age=3600"


def test_what_is_uploaded_are_the_shops_files_under_their_final_names(tmp_path: Path) -> None:
    collected = deploy.collect(tmp_path)

    assert deploy._has_hash(next(collected.glob("css/base.*[0-9a-f].css")))
    assert (collected / "staticfiles.json").exists()


def test_a_later_deployment_remembers_and_changes_what_it_is_told(deployed: Stack, smoked: list[str]) -> None:
    before = secret(deployed)

    deploy.deploy(deployed, {"TaxRate": "0.19"}, image_uri=SECOND)

    variables = web(deployed)["Configuration"]["Environment"]["Variables"]
    assert (variables["TAX_RATE"], variables["EMAIL_FROM"]) == ("0.19", "shop@example.com")
    assert deployed.parameters()["ImageUri"] == SECOND
    assert secret(deployed) == before
    assert len(smoked) == 2


def test_going_back_is_the_earlier_digest(deployed: Stack) -> None:
    deploy.deploy(deployed, {}, image_uri=SECOND)
    deploy.deploy(deployed, {}, image_uri=FIRST)

    assert deployed.parameters()["ImageUri"] == FIRST
    assert web(deployed)["Code"]["ImageUri"] == FIRST


def test_a_new_secret_reaches_the_functions(deployed: Stack) -> None:
    with patch.dict(os.environ, {"STRIPE_WEBHOOK_SECRET": "whsec_2"}):
        deploy.deploy(deployed, {}, image_uri=FIRST)

    assert secret(deployed)["STRIPE_WEBHOOK_SECRET"] == "whsec_2"
    assert web(deployed)["Configuration"]["Environment"]["Variables"]["STRIPE_WEBHOOK_SECRET"] == "whsec_2"


def test_ending_the_stack_is_confirmed_by_its_name_and_keeps_what_cannot_be_made_again(deployed: Stack) -> None:
    with pytest.raises(Failed, match="--confirm shop-test"):
        deploy.destroy(deployed, confirmed="yes")
    assert deployed.status() == "CREATE_COMPLETE"

    deploy.destroy(deployed, confirmed="shop-test")

    assert deployed.status() in ("", "DELETE_COMPLETE")
    assert sorted(boto3.client("dynamodb").list_tables()["TableNames"]) == [
        *("test-Carts", "test-Orders", "test-Products", "test-Users"),
    ]
    assert [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"] if "media" in bucket["Name"]]
    assert secret(deployed)

    # The same shop once more, with everything in it. (The local AWS takes tables over, but no buckets.)
    s3 = boto3.client("s3")
    [media] = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"] if "media" in bucket["Name"]]
    s3.delete_bucket(Bucket=media)
    key = {"PK": {"S": "PRODUCT#prod-1"}, "SK": {"S": "METADATA"}}
    boto3.client("dynamodb").put_item(TableName="test-Products", Item=key)
    deploy.deploy(deployed, GIVEN, image_uri=FIRST)
    assert boto3.client("dynamodb").get_item(TableName="test-Products", Key=key)["Item"] == key


def test_the_first_admin_is_made_by_the_deployment(deployed: Stack, keys: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def manage(stack: Stack, command: list[str]) -> int:
        asked.append((stack.name, command))
        return len(asked) - 1

    monkeypatch.setattr(deploy, "manage", manage)
    arguments = ["deploy", "--environment", "test", "--image", FIRST, "--admin", "ada@example.com", "Ada", "Lovelace"]

    deploy.main(arguments)
    with pytest.raises(SystemExit, match="is no admin yet"):
        deploy.main(arguments)
    deploy.main([*arguments, "--dry-run"])

    command = ["createstaff", "ada@example.com", "--role", "admin", "--first-name", "Ada", "--last-name", "Lovelace"]
    assert asked == [("shop-test", command)] * 2


def test_management_commands_run_with_the_stacks_settings(deployed: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    assert deploy.manage(deployed, ["diffsettings", "--all"]) == 0

    told = capfd.readouterr().out
    assert "TABLE_PREFIX = 'test-'" in told
    assert f"SITE_ORIGIN = '{deployed.outputs()['SiteUrl']}'" in told
