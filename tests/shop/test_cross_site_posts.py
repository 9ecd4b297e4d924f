"""Who may post a form: our own pages, told by the browser's headers; nobody else, whatever they pretend."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from tests import factories
from tests.conftest import items_of

OWN = "http://testserver"


@pytest.fixture
def browser() -> Client:
    """A client that is checked as a browser is."""
    return Client(enforce_csrf_checks=True)


def post(browser: Client, **headers: str) -> int:
    mug = factories.make_product()
    answer = browser.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"}, headers=headers)
    return answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": OWN},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": OWN},
    ],
)
def test_a_post_from_our_own_pages_needs_no_token(tables: Any, browser: Client, headers: dict[str, str]) -> None:
    assert post(browser, **headers) == 302
    assert len(items_of("Carts")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://forgotten.testserver"},
        {"Sec-Fetch-Site": "SAME-ORIGIN"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "same-origin, cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://testserver.evil.example"},
        {"Origin": "http://evil.example/http://testserver"},
        {"Origin": "http://testserver:8080"},
        {"Origin": "https://testserver"},
        {"Origin": "HTTP://TESTSERVER"},
        {"Origin": "http://testserver@evil.example"},
        {"Referer": f"{OWN}/products/"},
        {},
    ],
)
def test_a_post_from_elsewhere_is_refused_and_writes_nothing(tables: Any, browser: Client, headers: dict[str, str]) -> None:
    assert post(browser, **headers) == 403
    assert items_of("Carts") == []


def test_the_refusal_looks_like_the_shop_and_says_what_to_do(tables: Any, browser: Client) -> None:
    answer = browser.post("/cart/add/", headers={"Origin": "https://evil.example"})

    assert "nothing was changed" in answer.text.lower()
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("mangle", "status"), [("", 303), ("x", 403)])
def test_a_browser_that_sends_neither_header_is_let_in_by_djangos_token_alone(
    tables: Any, browser: Client, now: datetime, mangle: str, status: int
) -> None:
    browser.post("/cart/add/", {"product_id": factories.make_product().product_id, "quantity": "1"}, headers={"Origin": OWN})
    page = browser.get("/checkout/contact/")
    match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert match

    answer = browser.post("/checkout/contact/", {"email": "ada@example.com", "csrfmiddlewaretoken": mangle + match[1]})

    assert answer.status_code == status
    assert len(items_of("Orders")) == (1 if status == 303 else 0)


@pytest.mark.parametrize("path", ["/", "/products/", "/categories/kitchen-table/"])
def test_shared_pages_set_no_cookie_and_carry_no_token(tables: Any, browser: Client, path: str) -> None:
    factories.make_category()
    mug = factories.make_product()

    for address in (path, mug.path):
        answer = browser.get(address)
        assert answer.status_code == 200
        assert not answer.cookies
        assert "csrfmiddlewaretoken" not in answer.text
        assert "Cookie" not in answer["Vary"]
