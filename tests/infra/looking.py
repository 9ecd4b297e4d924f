"""What tests of the deployed stack look at: its gateway, its tables, its mails, its tokens, what it has written."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from catalog.models import PRODUCT_SK, product_pk
from tests.infra.browser import Browser
from tests.infra.conftest import Deployed

VISITOR = "198.51.100.77"


def browser(deployed: Deployed, api: str = "ApiUrl", **headers: str) -> Browser:
    api = deployed.outputs[api].split("//")[1].split(".")[0]
    return Browser(
        base=f"{deployed.cloud.endpoint}/_aws/execute-api/{api}/$default",
        host=f"{api}.execute-api.us-east-1.amazonaws.com",
        site=deployed.outputs["SiteUrl"],
        headers=headers or {"X-Origin-Secret": deployed.secrets["ORIGIN_SECRET"], "X-Viewer-Address": VISITOR},
    )


def order(deployed: Deployed, number: str) -> dict[str, Any]:
    tables = deployed.client("dynamodb")
    ref = tables.get_item(TableName="test-Orders", Key={"PK": {"S": f"ORDER#{number}"}, "SK": {"S": "REF"}})["Item"]
    found = tables.get_item(TableName="test-Orders", Key={"PK": ref["owner"], "SK": {"S": f"ORDER#{number}"}})
    item: dict[str, Any] = found["Item"]
    return item


def stock(deployed: Deployed, product_id: str) -> int:
    key = {"PK": {"S": product_pk(product_id)}, "SK": {"S": PRODUCT_SK}}
    return int(deployed.client("dynamodb").get_item(TableName="test-Products", Key=key)["Item"]["inventory"]["N"])


def mails(deployed: Deployed) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{deployed.cloud.endpoint}/_ministack/ses/messages", timeout=5) as answer:
        by_account: dict[str, list[dict[str, Any]]] = json.load(answer)["messages"]
    return [mail for mails in by_account.values() for mail in mails]


def make_an_hour_old(deployed: Deployed, number: str) -> None:
    """Make the order one that was placed an hour ago."""
    item = order(deployed, number)
    then = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    item |= {
        "createdAt": {"S": then},
        "dueAt": {"S": then},
        "GSI1SK": {"S": f"{then}#{number}"},
        "GSI2SK": {"S": f"{then}#{number}"},
    }
    deployed.client("dynamodb").put_item(TableName="test-Orders", Item=item)


def token(deployed: Deployed, scopes: str) -> str:
    """What a system is given by the user pool for a client of its own with these scopes."""
    pools, pool = deployed.client("cognito-idp"), deployed.outputs["UserPoolId"]
    asked = {"grant_type": "client_credentials", "client_id": deployed.outputs["SystemsClientId"], "scope": scopes}
    made = pools.describe_user_pool_client(UserPoolId=pool, ClientId=asked["client_id"])["UserPoolClient"]
    body = urlencode(asked | {"client_secret": made["ClientSecret"]}).encode()
    with urllib.request.urlopen(f"{deployed.cloud.endpoint}/oauth2/token", data=body, timeout=5) as answer:
        given: str = json.load(answer)["access_token"]
        return given


def numbers_of(deployed: Deployed, function: str) -> list[dict[str, Any]]:
    """The metrics a function has sent: each line is what CloudWatch reads."""
    lines = [json.loads(line) for line in deployed.functions[function].lines() if line.startswith("{")]
    return [line for line in lines if "_aws" in line]


@contextmanager
def out_of_order(deployed: Deployed) -> Iterator[None]:
    """The web function fails, whatever it is asked."""
    lambdas, name = deployed.client("lambda"), deployed.outputs["WebFunctionName"]
    variables = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    nowhere = {**variables, "MINISTACK_LAMBDA_PROXY_URL": "http://127.0.0.1:9/"}
    lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": nowhere})
    try:
        yield
    finally:
        lambdas.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
