"""List and search pages over the search index: filters, counts, pages, addresses."""

import re
from collections.abc import Callable
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.test import Client

from catalog import index_queries
from catalog.domain import ProductStatus, Rating
from catalog.models import ProductRow, product_key
from catalog.reactions import products_changed
from catalog.search.choice import forget_engines
from catalog.search.engine import Filters, Sort
from catalog.services import set_stock
from shop.lib.money import Money
from tests import factories
from tests.conftest import counted_calls
from tests.shop.entrypoints.test_stream import item

Build = Callable[[], None]

HTMX = {"HX-Request": "true"}


@pytest.fixture
def lamps_and_mugs(index: Build) -> None:
    """Two shelves: mugs in two colours of two makers, one sold out; lamps."""
    factories.make_category()
    factories.make_category("Lighting", "lighting")
    for name, price, brand, colour, inventory in (
        ("Sand Mug", 2400, "Saltmere", "Sand", 20),
        ("Sage Mug", 2600, "Saltmere", "Sage", 3),
        ("Rust Mug", 2200, "Papermoor", "Rust", 0),
        ("Other Sand Mug", 3000, "Papermoor", "Sand", 9),
    ):
        factories.make_product(
            name=name, price=Money(price, "USD"), brand=brand, inventory=inventory, attributes={"colour": colour}
        )
    for name, price in (("Table Lamp", 9900), ("Floor Lamp", 19900)):
        factories.make_product(
            name=name,
            price=Money(price, "USD"),
            category="Lighting",
            sub_category="Lamps",
            brand="Lumenfold",
            description="A lamp.",
            attributes={"bulb": "E27"},
        )
    factories.make_product(name="Secret Mug", status=ProductStatus.INACTIVE)
    index()


def names(page: str) -> list[str]:
    """The products of the page, in order."""
    known = ["Other Sand Mug", "Sand Mug", "Sage Mug", "Rust Mug", "Table Lamp", "Floor Lamp", "Secret Mug"]
    grid = page[page.index('id="results"') :]
    pattern = "|".join(known)
    links = re.findall(r'<a[^>]*href="/products/prod-[^>]*>(.*?)</a>', grid, re.DOTALL)
    found = [match[0] for link in links if (match := re.search(pattern, unescape(link)))]
    return list(dict.fromkeys(found))


def shown(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return names(answer.text)


@pytest.mark.usefixtures("lamps_and_mugs")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/products/?sort=price", ["Sand Mug", "Sage Mug", "Other Sand Mug", "Table Lamp", "Floor Lamp", "Rust Mug"]),
        ("/products/?sort=-price", ["Floor Lamp", "Table Lamp", "Other Sand Mug", "Sage Mug", "Sand Mug", "Rust Mug"]),
        ("/categories/lighting/?sort=price", ["Table Lamp", "Floor Lamp"]),
        ("/products/?q=mug&sort=price", ["Sand Mug", "Sage Mug", "Other Sand Mug", "Rust Mug"]),
        ("/products/?q=sgae+mugs&sort=price", ["Sage Mug"]),
        ("/products/?q=LÀMPS&sort=price", ["Table Lamp", "Floor Lamp"]),
        ("/products/?brand=Saltmere&sort=price", ["Sand Mug", "Sage Mug"]),
        ("/products/?brand=Saltmere&brand=Lumenfold&sort=price", ["Sand Mug", "Sage Mug", "Table Lamp", "Floor Lamp"]),
        ("/products/?brand=Saltmere&attr.colour=Sand&sort=price", ["Sand Mug"]),
        ("/products/?attr.colour=Sand&attr.colour=Rust&sort=price", ["Sand Mug", "Other Sand Mug", "Rust Mug"]),
        ("/products/?price_min=24&price_max=30&sort=price", ["Sand Mug", "Sage Mug", "Other Sand Mug"]),
        ("/products/?price_min=30&price_max=24&sort=price", ["Sand Mug", "Sage Mug", "Other Sand Mug"]),
        ("/categories/kitchen-table/?in_stock=on&sort=price", ["Sand Mug", "Sage Mug", "Other Sand Mug"]),
        ("/products/?type=Lamps&sort=price", ["Table Lamp", "Floor Lamp"]),
        ("/products/?q=nothing+like+this", []),
    ],
)
def test_a_list_shows_what_its_address_asks_for_sold_out_last(client: Client, path: str, expected: list[str]) -> None:
    assert shown(client, path) == expected


@pytest.mark.usefixtures("lamps_and_mugs")
def test_lists_make_no_table_call(client: Client) -> None:
    client.get("/")  # the menu is kept from here on

    for path in ("/products/", "/products/?q=mug", "/categories/lighting/", "/products/suggestions/?q=mu"):
        with counted_calls() as calls:
            assert client.get(path).status_code == 200
        assert calls == [], path


@pytest.mark.usefixtures("lamps_and_mugs")
def test_every_value_is_counted_under_the_other_filters(client: Client) -> None:
    page = client.get("/products/", {"brand": "Saltmere"}).context["shelf"]

    groups = {group.title: {choice.label: choice.count for choice in group.choices} for group in page.groups}

    assert groups["Brand"] == {"Lumenfold": 2, "Papermoor": 2, "Saltmere": 2}
    assert groups["Category"] == {"Kitchen & Table": 2, "Lighting": 0}
    assert (page.total, page.in_stock_count) == (2, 2)
    assert [(chip.label, chip.url) for chip in page.chips] == [("Saltmere", "/products/")]


@pytest.mark.usefixtures("lamps_and_mugs")
def test_the_address_of_a_choice_keeps_the_others_and_forgets_the_page(client: Client) -> None:
    shelf = client.get("/products/?page=1&brand=Saltmere&q=mug&price_max=30.00&sort=price&nonsense=1").context["shelf"]

    urls = {choice.label: choice.url for group in shelf.groups for choice in group.choices}

    assert urls["Saltmere"] == "/products/?q=mug&price_max=30&sort=price"
    assert urls["Papermoor"] == "/products/?q=mug&brand=Saltmere&price_max=30&sort=price&brand=Papermoor"
    assert shelf.clear_url == "/products/?q=mug"


@pytest.mark.usefixtures("lamps_and_mugs")
def test_price_bands_lead_to_their_products_and_back(client: Client) -> None:
    bands = client.get("/products/?in_stock=on").context["shelf"].price_bands

    assert [(band.label, band.count, band.is_chosen) for band in bands] == [
        ("Up to $24.99", 1, False),
        ("$25.00 to $49.99", 2, False),
        ("$50.00 to $99.99", 1, False),
        ("$100.00 to $249.99", 1, False),
    ]
    assert shown(client, bands[0].url) == ["Sand Mug"]
    assert sorted(shown(client, bands[1].url)) == ["Other Sand Mug", "Sage Mug"]
    assert shown(client, bands[3].url) == ["Floor Lamp"]
    chosen = client.get("/products/?price_max=49.99&price_min=25&in_stock=on").context["shelf"].price_bands
    assert [(band.count, band.is_chosen, band.url) for band in chosen] == [
        (1, False, "/products/?in_stock=on&price_max=24.99"),
        (2, True, "/products/?in_stock=on"),
        (1, False, "/products/?in_stock=on&price_min=50&price_max=99.99"),
        (1, False, "/products/?in_stock=on&price_min=100&price_max=249.99"),
    ]


@pytest.mark.usefixtures("lamps_and_mugs")
def test_one_price_band_alone_is_no_choice(client: Client) -> None:
    assert client.get("/products/?q=lamp&price_min=150").context["shelf"].price_bands != ()
    assert client.get("/products/?q=rust+mug").context["shelf"].price_bands == ()


def test_numbered_pages_lead_through_everything_once(client: Client, index: Build) -> None:
    factories.make_category()
    made = [factories.make_product(price=Money(1000 + n, "USD")).path for n in range(53)]
    index()

    pages = [client.get(f"/categories/kitchen-table/?sort=price&page={number}") for number in (1, 2, 3)]

    found = [list(dict.fromkeys(re.findall(r'href="(/products/prod-\w+/[\w-]+/)"', page.text))) for page in pages]
    assert [len(paths) for paths in found] == [24, 24, 5]
    assert [path for paths in found for path in paths] == made
    middle = pages[1].context["shelf"]
    assert [(link.number, link.url) for link in middle.pages] == [
        (1, "/categories/kitchen-table/?sort=price"),
        (2, "/categories/kitchen-table/?sort=price&page=2"),
        (3, "/categories/kitchen-table/?sort=price&page=3"),
    ]
    assert (middle.previous_url, middle.next_url) == (middle.pages[0].url, middle.pages[2].url)
    assert (middle.first, middle.last, middle.total) == (25, 48, 53)
    assert middle.canonical_path == "/categories/kitchen-table/?page=2"
    beyond = client.get("/categories/kitchen-table/?sort=price&page=9")
    assert (beyond.status_code, beyond["Location"]) == (302, "/categories/kitchen-table/?sort=price&page=3")


def test_without_an_index_lists_come_from_the_tables(client: Client, index: Build) -> None:
    factories.make_category()
    mug = factories.make_product()

    for path in ("/products/", "/categories/kitchen-table/", "/products/?q=mug"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert mug.name in answer.text
    assert client.get("/products/suggestions/?q=mug").status_code == 200


STRANGE = [
    "",
    "-1",
    "NaN",
    "Infinity",
    "1e99",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "😀",
    "\x00",
    "x" * 8000,
    "{{7*7}}",
    '"a b"',
    "a:b* ~(",
    "AND OR NOT",
]


@pytest.mark.usefixtures("lamps_and_mugs")
@pytest.mark.parametrize(
    "parameter",
    ["q", "type", "brand", "price_min", "price_max", "in_stock", "sort", "page", "cursor", "attr.colour", "attr."],
)
def test_strange_values_are_no_error_and_never_markup(client: Client, parameter: str) -> None:
    for value in STRANGE:
        for headers in ({}, HTMX):
            answer = client.get("/products/", {parameter: [value, value]}, headers=headers)
            assert answer.status_code == 200, value
            assert "<script>alert" not in answer.text
        assert "<script>alert" not in client.get("/products/suggestions/", {parameter: value}).text


@pytest.mark.usefixtures("lamps_and_mugs")
def test_suggestions_offer_products_categories_and_the_search_itself(client: Client) -> None:
    page = client.get("/products/suggestions/?q=lam")

    assert {card.name for card in page.context["suggestions"].products} == {"Table Lamp", "Floor Lamp"}
    assert page.context["search_url"] == "/products/?q=lam"
    assert "public" in page["Cache-Control"].split(", ")


def test_the_stream_keeps_the_index_up_to_date_and_most_sales_leave_it_alone(
    tables: Any, client: Client, index: Build, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from catalog import reactions
    from catalog import services as catalog_services

    factories.make_category()
    mug = factories.make_product(name="Sand Mug", inventory=20)
    index()
    published: list[object] = []
    real = catalog_services.update_index

    def note(**arguments: Any) -> None:
        if arguments["batch"]:
            published.append(arguments["batch"])
        real(**arguments)

    monkeypatch.setattr(reactions, "update_index", note)

    def change(do: Callable[[], object]) -> list[str]:
        """Do it, deliver its record, and look."""
        old = item(tables, "Products", f"PRODUCT#{mug.product_id}", "METADATA")
        do()
        after = tables.get_item(
            TableName="test-Products", Key={"PK": {"S": f"PRODUCT#{mug.product_id}"}, "SK": {"S": "METADATA"}}
        ).get("Item")
        products_changed([(old, after)])
        forget_engines()
        return shown(client, "/products/?in_stock=on")

    assert change(lambda: set_stock(product_id=mug.product_id, inventory=18, now=now)) == ["Sand Mug"]
    assert published == []
    assert change(lambda: set_stock(product_id=mug.product_id, inventory=0, now=now)) == []
    assert len(published) == 1
    assert change(lambda: set_stock(product_id=mug.product_id, inventory=18, now=now)) == ["Sand Mug"]

    def set_field(action: Any) -> Callable[[], object]:
        return lambda: product_key(mug.product_id).update(actions=[action])

    assert change(set_field(ProductRow.status.set("archived"))) == []
    assert len(published) == 3
    assert change(set_field(ProductRow.name.set("Sage Mug"))) == []
    assert len(published) == 3
    assert change(set_field(ProductRow.status.set("active"))) == ["Sage Mug"]
    assert change(lambda: product_key(mug.product_id).delete()) == []
    assert shown(client, "/products/") == []


def test_the_best_rated_come_first_when_asked(client: Client, index: Build) -> None:
    from decimal import Decimal

    for name, average, count in (("Sand Mug", "4.1", 90), ("Sage Mug", "4.9", 3), ("Rust Mug", "4.9", 30)):
        factories.make_product(name=name, rating=Rating(Decimal(average), count))
    index()

    assert shown(client, "/products/?sort=rating") == ["Rust Mug", "Sage Mug", "Sand Mug"]


def test_more_like_this_comes_from_the_index_nearest_in_price_without_a_table_call(index: Build) -> None:
    for minor in (1000, 2000, 3000, 3000, 4000, 5000):
        factories.make_product(price=Money(minor, "USD"), category="Lighting")
    factories.make_product(price=Money(3100, "USD"), category="Furniture")
    index()
    by_price = index_queries.search(filters=Filters(category="Lighting"), sort=Sort.PRICE_ASC, page=1).cards
    cheapest, dearest = by_price[0], by_price[-1]

    with counted_calls() as calls:
        above, below = index_queries.related_to(cheapest), index_queries.related_to(dearest)

    assert calls == []
    assert [card.price.minor for card in above] == [2000, 3000, 3000, 4000]
    assert [card.price.minor for card in below] == [4000, 3000, 3000, 2000]
    assert {card.category for card in (*above, *below)} == {"Lighting"}


@pytest.mark.usefixtures("lamps_and_mugs")
def test_words_that_find_nothing_together_are_offered_alone(client: Client) -> None:
    page = client.get("/products/", {"q": "stonewear lamps qqqqq & sage"}).text

    assert "No product has all of these words. One of them alone finds:" in page
    offered = re.findall(r'<a href="/products/\?q=(\w+)">\w+ <span class="muted">(\d+)</span></a>', page)
    assert offered == [("lamps", "2"), ("sage", "1")]
    assert "alone finds" not in client.get("/products/", {"q": "qqqqq"}).text
    assert "alone finds" not in client.get("/products/", {"q": "sage mug"}).text
