"""Catalogue pages as visitors and caches meet them."""

from typing import Any

import pytest
from django.test import Client

from catalog import services as catalog_services
from catalog.domain import ProductStatus
from catalog.models import product_key
from shop.lib.money import Money
from shop.lib.tables import table_name
from tests import factories
from tests.conftest import counted_calls
from tests.shop.entrypoints.test_stream import item, react, record

pytestmark = pytest.mark.usefixtures("tables")

HTMX = {"HX-Request": "true"}
STRANGE = [
    "",
    "x",
    "-1",
    "NaN",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "😀",
    "\x00",
    "%00",
    "a" * 8000,
    "../../etc/passwd",
    "{{7*7}}",
]


@pytest.mark.parametrize("path", ["/", "/products/", "/categories/kitchen-table/"])
def test_shared_pages_are_the_same_bytes_for_two_visitors_and_may_be_kept_a_minute(path: str) -> None:
    factories.make_category()
    mug = factories.make_product()
    guest, stranger = Client(), Client()
    guest.post("/cart/add/", {"product_id": mug.product_id, "quantity": "1"})

    for address in (path, mug.path):
        first, second = guest.get(address), stranger.get(address)
        assert first.content == second.content
        assert first["Cache-Control"] == second["Cache-Control"]
        assert "public" in first["Cache-Control"]
        assert "max-age=60" in first["Cache-Control"]


def test_home_shows_the_newest_products_and_the_shelves(client: Client) -> None:
    factories.make_category()
    made = [factories.make_product() for _ in range(9)]

    page = client.get("/").text

    assert sum(product.name in page for product in made) >= 8
    assert 'href="/categories/kitchen-table/"' in page


def test_a_category_pages_by_price_and_back(client: Client) -> None:
    factories.make_category()
    names = [factories.make_product(name=f"Cup Nr. {n:03}.", price=Money(100 + n, "USD")).name for n in range(30)]

    first = client.get("/categories/kitchen-table/")
    second = client.get(_link(first.text, "next"))
    back = client.get(_link(second.text, "prev"))

    assert [name for name in names if name in first.text] == names[:24]
    assert [name for name in names if name in second.text] == names[24:]
    assert [name for name in names if name in back.text] == names[:24]


def _link(page: str, rel: str) -> str:
    import re
    from html import unescape

    match = re.search(rf'<a[^>]*rel="{rel}"[^>]*>', page)
    assert match, f"no rel={rel} link"
    href = re.search(r'href="([^"]+)"', match[0])
    assert href
    return unescape(href[1])


def test_htmx_gets_the_results_alone_and_caches_keep_the_two_apart(client: Client) -> None:
    factories.make_category()
    factories.make_product()

    whole, part = client.get("/products/"), client.get("/products/", headers=HTMX)
    restored = client.get("/products/", headers=HTMX | {"HX-History-Restore-Request": "true"})

    assert "<html" in whole.text
    assert "<html" not in part.text
    assert 'id="results"' in part.text
    assert "<html" in restored.text
    for answer in (whole, part):
        assert "HX-Request" in answer["Vary"]


@pytest.mark.parametrize("parameter", ["cursor", "sort", "page", "q"])
@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:20])
def test_strange_queries_show_the_first_page_and_reflect_no_markup(client: Client, parameter: str, value: str) -> None:
    factories.make_category()
    mug = factories.make_product()

    for path in ("/products/", "/categories/kitchen-table/"):
        answer = client.get(path, {parameter: [value, value]})
        assert answer.status_code == 200
        assert mug.name in answer.text
        assert "<script>alert" not in answer.text


def test_a_product_page_shows_what_is_to_know(client: Client) -> None:
    factories.make_category()
    mug = factories.make_product(inventory=3, attributes={"seatHeight": "46 cm", "x": "<b>bold</b>"})

    page = client.get(mug.path).text

    for words in (mug.name, "$24.00", "Only 3 left", "Seat height", "46 cm", mug.sku, "&lt;b&gt;bold"):
        assert words in page
    assert "<b>bold</b>" not in page


def test_a_wrong_slug_leads_to_the_right_address(client: Client) -> None:
    mug = factories.make_product()

    answer = client.get(f"/products/{mug.product_id}/old-name/")

    assert (answer.status_code, answer["Location"]) == (301, mug.path)


def test_unknown_and_inactive_products_and_categories_are_not_found(client: Client) -> None:
    factories.make_category()
    hidden = factories.make_product(status=ProductStatus.INACTIVE)

    for path in (hidden.path, "/products/prod-x/y/", "/categories/nothing/", "/categories/%20/"):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "<html" in answer.text
        assert answer["Cache-Control"] == "private, no-store"
    assert hidden.name not in client.get(hidden.path).text


@pytest.mark.parametrize(
    "path",
    ["/ä中/", "/products/é/x/", "/%ff%fe/", "/products/%2e%2e/x/", "/%00/", "/x//evil.example/", "/products/a b/c/", "/." * 500],
)
def test_strange_addresses_are_not_found_and_no_error(client: Client, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    assert "<html" in answer.text


@pytest.mark.parametrize("products", [1, 30])
def test_pages_cost_the_same_calls_whatever_the_size_of_the_catalogue(client: Client, products: int) -> None:
    factories.make_category()
    made = [factories.make_product(price=Money(2400 + n, "USD")) for n in range(products + 8)]
    client.get("/")  # the menu is kept from here on

    def calls_of(path: str) -> list[str]:
        with counted_calls() as calls:
            assert client.get(path).status_code == 200
        return calls

    assert calls_of("/") == ["Query"]
    assert calls_of("/products/") == ["Query"]
    assert calls_of("/categories/kitchen-table/") == ["Query"]
    assert calls_of(made[2].path) == ["BatchGetItem", "Query"]


def test_an_empty_shop_is_a_page_and_no_error(client: Client) -> None:
    for path in ("/", "/products/", "/cart/"):
        assert client.get(path).status_code == 200
    main = client.get("/products/").text.partition("<main")[2].partition("</main>")[0]
    assert "We are still filling our shelves." in main
    assert "See all products" not in main  # that is this page


def test_a_broken_table_is_a_busy_page_that_says_when_to_come_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ConnectTimeoutError

    from shop.lib.tables import connection

    def black_hole(*args: Any, **kwargs: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="http://dynamodb")

    with monkeypatch.context() as patched:
        patched.setattr(connection().client, "_make_api_call", black_hole)
        answer = client.get("/products/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "<html" in answer.text


def test_a_product_that_makes_no_sense_takes_no_page_with_it(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    from decimal import Decimal

    from catalog.models import ProductRow

    factories.make_category()
    good, bad = factories.make_product(), factories.make_product()
    product_key(bad.product_id).update(actions=[ProductRow.price.set(Decimal("19.999"))])

    for path in ("/", "/products/", "/categories/kitchen-table/", good.path):
        answer = client.get(path)
        assert answer.status_code == 200
        assert good.name in answer.text
    assert client.get(bad.path).status_code == 404
    assert f"product {bad.product_id} cannot be read" in caplog.text


@pytest.mark.usefixtures("index")
def test_a_product_whose_item_was_deleted_by_another_hand_says_so_too(tables: Any, client: Client) -> None:
    factories.make_category()
    sand = factories.make_product(family="mug", options={"colour": "Sand"})
    rust = factories.make_product(sku="SAL-OLD", family="mug", options={"colour": "Rust"})
    before = item(tables, "Products", f"PRODUCT#{rust.product_id}", "METADATA")
    tables.delete_item(TableName=table_name("Products"), Key={"PK": before["PK"], "SK": before["SK"]})

    assert react(record("Products", None, before)) == []

    answer = client.get(rust.path)
    assert answer.status_code == 410
    assert sand.name in answer.text
    assert rust.path not in client.get(sand.path).text


def test_a_deleted_product_says_so_and_shows_its_shelf(client: Client) -> None:
    factories.make_category()
    other, deleted = factories.make_product(), factories.make_product(sku="SAL-OLD")
    factories.delete_product(deleted.product_id)

    answer = client.get(deleted.path)

    assert answer.status_code == 410
    assert other.name in answer.text
    assert deleted.name not in answer.text
    assert answer["Cache-Control"] == "private, no-store"
    factories.make_product(sku="SAL-OLD")  # the SKU is free again


def test_a_photograph_kept_elsewhere_is_shown_from_its_own_address(client: Client) -> None:
    mug = factories.product()
    catalog_services.create_product(product=mug, image_keys=("https://images.example/mug.jpg",))

    page = client.get(mug.path).text

    assert 'src="https://images.example/mug.jpg"' in page
    assert "images.example/mug.jpg/" not in page
