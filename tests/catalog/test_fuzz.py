"""Whatever stands in an address: a page or a clear refusal, never an error of ours, and never markup that came in."""

import random
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils.http import urlencode

from tests import factories

HTMX = {"HX-Request": "true"}
MARK = "zq7"
"""Stands in everything that would be markup, so that it is found again however it was changed."""
STRANGE = [
    "",
    " ",
    "0",
    "-1",
    "-0.01",
    "NaN",
    "-Infinity",
    "1e400",
    "9" * 400,
    "١٢",
    "' OR '1'='1' --",
    "1; DROP TABLE products",
    f"<script>{MARK}</script>",
    f'"><img src=x onerror={MARK}>',
    f"'><svg/onload={MARK}>",
    f"</title><b {MARK}>",
    f"javascript:{MARK}",
    "{{ 7|add:7 }}{% debug %}",
    "${7*7}",
    "😀👩‍👩‍👧",
    "\u202egnp.exe",
    "\x00\x1f\x7f",
    "a\r\nSet-Cookie: x=1",
    "../" * 40,
    "é" * 4096,
    "x" * 8192,
    f"<b {MARK}>" * 900,
]
LIST_PARAMETERS = (
    "q",
    "type",
    "brand",
    "price_min",
    "price_max",
    "in_stock",
    "sort",
    "page",
    "cursor",
    "attr.colour",
    "attr.",
    "attr",
)
PAGES = {
    "/products/": LIST_PARAMETERS,
    "/categories/kitchen-table/": ("q", "price_min", "page"),
    "/products/suggestions/": ("q", "page"),
    "/products/recent/": ("seen",),
    "/cart/badge/": ("product_id",),
    "product": ("q", "seen", "colour", "page"),
    "/": ("q",),
    "/sitemap-products-1.xml": ("page",),
    "/delivery-and-returns/": ("country",),
}


@pytest.fixture
def product(index: Any) -> str:
    """The path of a product on sale, in the index."""
    factories.make_category()
    made = factories.make_product(attributes={"colour": "Sand"})
    index()
    return made.path


def look(client: Client, path: str, headers: dict[str, str] | None = None) -> int:
    """Ask; the status. Nothing of what was asked may have come back as markup or as a cookie."""
    answer = client.get(path, headers=headers or {})
    assert answer.status_code < 500, path[:200]
    body = answer.content.decode()
    for opened in ("<script>", "<img src=x", "<svg/onload", "<b ", 'href="javascript:'):
        assert f"{opened}{MARK}" not in body, path[:200]
    assert f"onerror={MARK}>" not in body.replace(f"onerror={MARK}&gt;", "")
    assert not {"x"} & set(answer.cookies)
    return answer.status_code


def test_strange_values_one_and_two_of_them(client: Client, product: str) -> None:
    for page, parameter in [(page, parameter) for page, parameters in PAGES.items() for parameter in parameters]:
        path = product if page == "product" else page
        for value in STRANGE:
            query = urlencode([(parameter, value), (parameter, "mug"), (parameter, value)])
            assert look(client, f"{path}?{urlencode([(parameter, value)])}") in (200, 302), (parameter, value[:40])
            assert look(client, f"{path}?{query}", HTMX) == 200, (parameter, value[:40])


def test_strange_values_in_all_parameters_at_once(client: Client, product: str) -> None:
    rng = random.Random(1)
    for _ in range(60):
        pairs = [(parameter, rng.choice([*STRANGE, "Sand", "10", "price"])) for parameter in rng.sample(LIST_PARAMETERS, 6)]
        pairs += [(rng.choice(STRANGE)[:50], rng.choice(STRANGE)[:50])]
        assert look(client, f"{rng.choice(['/products/', product])}?{urlencode(pairs)}", rng.choice([HTMX, {}])) in (200, 302)


def test_broken_queries(client: Client, product: str) -> None:
    queries = ("%", "%zz", "%ff%fe", "=", "&&&", "q", "q=%ED%A0%80", "q=%00", "=mug", "?q=mug", "q[]=mug", "q=a;b", "+" * 3000)
    for query in (*queries, "attr.%00=x"):
        for path in ("/products/", "/products/suggestions/", product):
            assert look(client, f"{path}?{query}") == 200


def test_a_thousand_filters_are_refused_or_cut_but_no_error(client: Client, product: str) -> None:
    for number in (30, 900, 3000):
        assert look(client, "/products/?" + "&".join(f"attr.a{n}=x" for n in range(number))) in (200, 400)
        assert look(client, "/products/?" + "&".join(f"brand=b{n}" for n in range(number))) in (200, 400)


def test_strange_values_in_the_address_itself(client: Client, product: str) -> None:
    for value in filter(str.strip, STRANGE):
        part = quote(value, safe="")
        for path in (f"/products/{part}/x/", f"{product}{part}/", f"/products/prod-x/{part}/", f"/categories/{part}/"):
            assert look(client, path) in (301, 404), path[:100]
        assert client.get(f"/orders/{part}/").status_code < 500


def test_strange_headers_of_htmx(client: Client, product: str) -> None:
    for value in STRANGE:
        if value.isprintable() and value.isascii():
            headers = {"HX-Request": "true", "HX-Target": value, "HX-Trigger": value, "HX-Current-URL": value, "HX-Prompt": value}
            for path in ("/products/", product):
                assert look(client, path, headers) == 200
