"""The web function as API Gateway calls it."""

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from pytest_django import Settings

from infra.collect_static import made_up_settings
from shop.entrypoints import web
from shop.entrypoints.web import handler
from shop.lib.guests import GUEST_COOKIE
from shop.local.bench.runtime_api import RuntimeApi
from tests import factories
from tests.conftest import items_of
from tests.infra.functions import bare
from tests.infra.reading import ROOT

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
    return (gzip.decompress(body) if answer.get("headers", {}).get("content-encoding") == "gzip" else body).decode()


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


Applications = Callable[[Callable[[dict[str, Any]], tuple[str, bytes]]], None]


@pytest.fixture
def application(monkeypatch: pytest.MonkeyPatch) -> Applications:
    """Put an application of the test's own behind the function: given the WSGI environment, it tells type and body."""

    def install(answer: Callable[[dict[str, Any]], tuple[str, bytes]]) -> None:
        def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            content_type, body = answer(environ)
            start_response("200 OK", [("Content-Type", content_type)])
            return [body]

        monkeypatch.setattr(web, "application", wsgi)

    return install


def says_the_address(environ: dict[str, Any]) -> tuple[str, bytes]:
    assert "HTTP_X_ORIGIN_SECRET" not in environ
    return "text/plain", environ["REMOTE_ADDR"].encode()


def v2_with(**headers: str) -> dict[str, Any]:
    made = event("/healthz")
    return made | {"headers": made["headers"] | {name.replace("_", "-"): value for name, value in headers.items()}}


def v1_with(**headers: str) -> dict[str, Any]:
    """A REST API event, payload format 1.0."""
    sent = {"Host": "testserver"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "resource": "/{proxy+}",
        "path": "/healthz",
        "httpMethod": "GET",
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "requestContext": {"identity": {"sourceIp": "203.0.113.9"}, "path": "/healthz"},
        "body": None,
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("version", [v1_with, v2_with])
def test_the_address_is_the_gateways_word_whatever_the_headers_say(version: Any, application: Applications) -> None:
    application(says_the_address)
    sent = version(x_forwarded_for="198.51.100.1", x_viewer_address="198.51.100.2", x_origin_secret="guessed")

    assert text_of(handler(sent, None)) == "203.0.113.9"


@pytest.mark.parametrize("version", [v1_with, v2_with])
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("198.51.100.2", "198.51.100.2"),
        ("2001:db8::7", "2001:db8::7"),
        ("198.51.100.2, 1.2.3.4", "203.0.113.9"),
        ("", "203.0.113.9"),
    ],
)
def test_cloudfront_vouches_for_the_visitor_when_it_proves_itself(
    version: Any, told: str, expected: str, settings: Settings, application: Applications
) -> None:
    settings.ORIGIN_SECRET = "s" * 32
    application(says_the_address)

    assert text_of(handler(version(x_origin_secret="s" * 32, x_viewer_address=told), None)) == expected


def test_with_an_origin_secret_nobody_goes_past_the_cdn_but_other_systems(settings: Settings) -> None:
    settings.ORIGIN_SECRET = "s" * 32

    refused = [handler(v2_with(**headers), None) for headers in ({}, {"x_origin_secret": "s" * 31}, {"x_viewer_address": "::1"})]
    assert [answer["statusCode"] for answer in refused] == [403, 403, 403]
    assert "<h1>" in text_of(refused[0])
    assert handler(v2_with(x_origin_secret="s" * 32), None)["statusCode"] == 200
    # The gateway has checked their signature or token; what is there is the app's to refuse.
    assert text_of(handler(event("/api/v1/nothing/"), None)) != text_of(refused[0])
    assert handler(event("/api/v1/../healthz"), None)["statusCode"] == 404


def test_an_answer_that_lambda_would_not_take_back_becomes_a_page_that_says_so(application: Applications) -> None:
    application(lambda environ: ("text/plain", b"x" * int(environ["QUERY_STRING"])))

    fits = handler(event(f"/?{web.LONGEST_ANSWER}"), None)
    too_long = handler(event(f"/?{web.LONGEST_ANSWER + 1}"), None)

    assert (fits["statusCode"], len(fits["body"])) == (200, web.LONGEST_ANSWER)
    assert too_long["statusCode"] == 500
    assert "This page grew too large to send" in text_of(too_long)
    assert too_long["headers"]["cache-control"] == "private, no-store"


def test_more_than_ten_megabytes_are_refused_with_a_page_that_says_so() -> None:
    sent = event("/cart/add/", method="POST", form={"product_id": "x"}) | {"body": "x" * (web.LONGEST_REQUEST + 1)}

    answer = handler(sent, None)

    assert answer["statusCode"] == 413
    assert "larger than 10 MB" in text_of(answer)
    assert items_of("Carts") == []


def test_several_cookies_stay_several_and_begin_with_their_name() -> None:
    mug = factories.make_product()

    added = handler(event("/cart/add/", method="POST", form={"product_id": mug.product_id, "quantity": "1"}), None)

    names = [cookie.split("=")[0] for cookie in added["cookies"]]
    assert GUEST_COOKIE in names
    assert len(names) == len(set(names)) >= 2
    assert all(cookie == cookie.strip() for cookie in added["cookies"])


def test_bytes_arrive_and_leave_as_they_are(application: Applications) -> None:
    every_byte = bytes(range(256))
    application(lambda environ: ("application/pdf", environ["wsgi.input"].read()[::-1]))
    sent = event("/", method="POST") | {"body": base64.b64encode(every_byte).decode(), "isBase64Encoded": True}

    answer = handler(sent, None)

    assert answer["isBase64Encoded"] is True
    assert base64.b64decode(answer["body"]) == every_byte[::-1]


@pytest.mark.parametrize("name", sorted(made_up_settings()))
def test_a_function_without_a_setting_fails_at_its_start_and_names_it(name: str) -> None:
    environment = {**bare(), **made_up_settings(), "AWS_REGION": "us-east-1"}
    del environment[name]
    with RuntimeApi() as api:
        environment["AWS_LAMBDA_RUNTIME_API"] = api.address
        command = [sys.executable, "-m", "awslambdaric", "shop.entrypoints.web.handler"]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
        try:
            told = api.results.get(timeout=30)
        finally:
            process.kill()
            process.wait()

    assert told.is_error
    assert f"Set the environment variable {name}: it has no default" in told.content["errorMessage"]
