"""The web function as API Gateway calls it."""

import base64
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from shop.entrypoints.web import handler
from shop.lib.guests import GUEST_COOKIE
from tests import factories
from tests.conftest import items_of

pytestmark = pytest.mark.usefixtures("tables")


def event(path: str, *, method: str = "GET", form: dict[str, str] | None = None, **overrides: Any) -> dict[str, Any]:
    """An HTTP API event, payload format 2.0. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html"""
    raw_path, _, query = path.partition("?")
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": raw_path,
        "rawQueryString": query,
        "headers": {"host": "testserver", "x-forwarded-proto": "http", "accept-encoding": "gzip"},
        "requestContext": {
            "http": {"method": method, "path": raw_path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9", "userAgent": "test"},
            "requestId": "r",
            "stage": "$default",
        },
        "isBase64Encoded": False,
    }
    if form is not None:
        made["body"] = base64.b64encode(urlencode(form).encode()).decode()
        made["isBase64Encoded"] = True
        made["headers"] |= {
            "content-type": "application/x-www-form-urlencoded",
            "origin": "http://testserver",
            "sec-fetch-site": "same-origin",
        }
    return made | overrides


def text_of(answer: dict[str, Any]) -> str:
    body = base64.b64decode(answer["body"]) if answer.get("isBase64Encoded") else answer["body"].encode()
    return (gzip.decompress(body) if answer["headers"].get("content-encoding") == "gzip" else body).decode()


def test_a_page_is_answered() -> None:
    factories.make_category()
    mug = factories.make_product()

    answer = handler(event("/categories/kitchen-table/?sort=-price"), None)

    assert answer["statusCode"] == 200
    assert mug.name in text_of(answer)
    assert json.dumps(answer)


def test_a_guest_puts_something_into_the_cart_and_finds_it_there() -> None:
    mug = factories.make_product()

    added = handler(event("/cart/add/", method="POST", form={"product_id": mug.product_id, "quantity": "2"}), None)
    cookies = [cookie.strip().split(";")[0] for cookie in added["cookies"]]
    cart = handler(event("/cart/", cookies=cookies), None)

    assert added["statusCode"] == 302
    assert any(cookie.startswith(f"{GUEST_COOKIE}=") for cookie in cookies)
    assert mug.name in text_of(cart)
    assert len(items_of("Carts")) == 1


@pytest.mark.parametrize(
    "path",
    ["/ä中/", "/p/é/", "/%E4%B8%AD/", "/products/a b/c/", "/a%252Fb/", "/100%/", "/\U0001f600/", "/%ff/", "/?q=ä", "//x/"],
)
def test_no_address_makes_the_function_fail(path: str) -> None:
    assert handler(event(path), None)["statusCode"] in (200, 301, 404)


def test_the_older_payload_format_is_understood() -> None:
    answer = handler(
        {
            "resource": "/{proxy+}",
            "path": "/ä中/",
            "httpMethod": "GET",
            "headers": {"Host": "testserver"},
            "multiValueHeaders": {"Host": ["testserver"]},
            "queryStringParameters": None,
            "multiValueQueryStringParameters": None,
            "requestContext": {"identity": {"sourceIp": "203.0.113.9"}, "path": "/ä中/"},
            "body": None,
            "isBase64Encoded": False,
        },
        None,
    )

    assert answer["statusCode"] == 404


def test_health_is_answered_without_a_table() -> None:
    from tests.conftest import counted_calls

    with counted_calls() as calls:
        answer = handler(event("/healthz"), None)

    assert (answer["statusCode"], text_of(answer), calls) == (200, "ok", [])
