"""Pages and headers that belong to no app."""

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from django.test import Client
from pytest_django import Settings

from shop.lib.tables import connection

PRODUCT = "/products/prod-1/mug/"
BUSY_HINT = "This shop runs on your own machine"


def test_the_icon_that_browsers_ask_for_unasked_is_the_shops_sign(client: Client) -> None:
    answer = client.get("/favicon.ico")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/static/favicon.svg")
    assert answer.headers["Cache-Control"] == "public, max-age=86400"
    assert client.post("/favicon.ico").status_code == 405


@pytest.mark.parametrize(("debug", "allowed"), [(True, True), (False, False)])
def test_only_djangos_debug_pages_may_bring_their_own_styles(
    client: Client, settings: Settings, debug: bool, allowed: bool
) -> None:
    settings.DEBUG = debug

    missing, fine = client.get("/nothing-here/"), client.get("/healthz")

    assert missing.status_code == 404
    assert ("'unsafe-inline'" in missing.headers["Content-Security-Policy"]) is allowed
    assert "unsafe-inline" not in fine.headers["Content-Security-Policy"]


def break_tables(cause: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise cause

    monkeypatch.setattr(connection().client, "_make_api_call", fail)


@pytest.mark.parametrize(("local", "told"), [(True, True), (False, False)])
def test_on_a_laptop_the_busy_page_says_where_the_tables_should_be(
    client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, local: bool, told: bool
) -> None:
    settings.LOCAL, settings.AWS_ENDPOINT_URL = local, "http://127.0.0.1:18000"
    break_tables(EndpointConnectionError(endpoint_url="http://127.0.0.1:18000"), monkeypatch)

    answer = client.get(PRODUCT)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert (BUSY_HINT in answer.text) is told
    assert ("http://127.0.0.1:18000" in answer.text) is told


def test_missing_credentials_are_not_called_busy(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    break_tables(NoCredentialsError(), monkeypatch)
    client.raise_request_exception = False

    assert client.get(PRODUCT).status_code == 500
