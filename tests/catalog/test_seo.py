"""What search engines and previews are told."""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from catalog import sitemaps
from catalog.domain import Photo, Rating
from catalog.models import ProductRow, product_key
from catalog.review_domain import ShownProduct, Summary
from shop.lib.money import Money
from tests import factories

pytestmark = pytest.mark.usefixtures("tables")


def structured(page: str) -> list[dict[str, Any]]:
    blocks = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return [json.loads(block) for block in blocks]


def test_a_product_is_told_with_its_offer_and_rating(client: Client) -> None:
    factories.make_category()
    mug = factories.make_product(
        name="Tide </script><b>Mug</b>",
        description="Thrown & dipped",
        price=Money(2400, "USD"),
        rating=Rating(Decimal("4.8"), 212),
        inventory=3,
    )
    product_key(mug.product_id).update(actions=[ProductRow.images.set(["products/abc"])])

    page = client.get(mug.path).text
    product, breadcrumb = structured(page)

    address = f"http://testserver{mug.path}"
    assert product == {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": "Tide </script><b>Mug</b>",
        "sku": mug.sku,
        "description": "Thrown & dipped",
        "brand": {"@type": "Brand", "name": "Saltmere"},
        "category": "Kitchen & Table",
        "image": ["http://testserver/_local/media/products/abc/640.webp"],
        "offers": {
            "@type": "Offer",
            "url": address,
            "price": "24.00",
            "priceCurrency": "USD",
            "availability": "https://schema.org/InStock",
            "itemCondition": "https://schema.org/NewCondition",
        },
        "aggregateRating": {"@type": "AggregateRating", "ratingValue": "4.8", "ratingCount": 212},
    }
    assert [(step["name"], step["item"]) for step in breadcrumb["itemListElement"]] == [
        ("Home", "http://testserver/"),
        ("Kitchen & Table", "http://testserver/categories/kitchen-table/"),
        ("Tide </script><b>Mug</b>", address),
    ]
    assert f'<link rel="canonical" href="{address}">' in page
    assert f'<meta property="og:url" content="{address}">' in page
    assert 'content="http://testserver/_local/media/products/abc/640.webp"' in page
    assert "<b>Mug</b>" not in page


def test_a_foreign_photograph_keeps_its_address() -> None:
    from catalog.seo import product_data

    made = factories.product(photos=(Photo("https://cdn.example.com/img1.jpg"),), rating=None, inventory=0)
    made = factories.product(**{name: getattr(made, name) for name in ("photos", "rating", "inventory", "availability")})

    data = json.loads(product_data(ShownProduct(made, Summary())))

    assert data["image"] == ["https://cdn.example.com/img1.jpg"]
    assert data["offers"]["availability"] == "https://schema.org/OutOfStock"
    assert "aggregateRating" not in data


def addresses(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml")
    return re.findall(r"<loc>(.*?)</loc>", answer.text)


def test_the_sitemap_lists_every_active_product_once_in_files_of_a_limited_size(
    client: Client, index: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.make_category()
    made = {f"http://testserver{factories.make_product().path}" for _ in range(5)}
    index()
    monkeypatch.setattr(sitemaps, "ADDRESSES", 2)

    files = addresses(client, "/sitemap.xml")

    assert files == [
        "http://testserver/sitemap-shelves.xml",
        "http://testserver/sitemap-products-1.xml",
        "http://testserver/sitemap-products-2.xml",
        "http://testserver/sitemap-products-3.xml",
    ]
    listed = [address for file in files[1:] for address in addresses(client, file.removeprefix("http://testserver"))]
    assert (len(listed), set(listed)) == (5, made)
    assert addresses(client, "/sitemap-shelves.xml") == [
        "http://testserver/",
        "http://testserver/products/",
        "http://testserver/categories/kitchen-table/",
        "http://testserver/delivery-and-returns/",
        "http://testserver/contact/",
        "http://testserver/terms/",
        "http://testserver/privacy/",
    ]
    assert client.get("/sitemap-products-4.xml").status_code == 404
    assert "Sitemap: http://testserver/sitemap.xml" in client.get("/robots.txt").text


def test_without_an_index_the_sitemap_lists_the_shelves(client: Client, index: Callable[[], None]) -> None:
    factories.make_product()

    assert addresses(client, "/sitemap.xml") == ["http://testserver/sitemap-shelves.xml"]
