"""The demo catalogue, and a made-up one of any size."""

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from accounts import queries as accounts
from catalog import index_queries, queries
from catalog.domain import Availability, Rating
from catalog.review_domain import STARS
from catalog.search.choice import forget_engines
from catalog.search.engine import Filters, Sort
from shop.local.demo_reviews import demo_reviews, tally_around
from shop.local.made_up import made_up_products
from shop.management.commands import seed
from tests.conftest import items_of, words_of

pytestmark = pytest.mark.usefixtures("tables", "index")


def run(**options: int) -> str:
    said = StringIO()
    call_command("seed", stdout=said, **options)
    return said.getvalue()


def test_seeding_writes_the_demo_shop_once(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    stored: list[bytes] = []

    def store(data: bytes) -> str:
        stored.append(data)
        return f"products/{len(stored)}"

    monkeypatch.setattr(seed, "store_photo", store)

    first, again = run(), run()

    assert "66 products written" in first
    assert "the search index holds 64 products" in first
    said, *log_ins = again.splitlines()
    assert said == "the demo catalogue is there: 66 products"
    assert [line.split()[:2] for line in log_ins] == [
        ["login:", "shopper@example.com"],
        ["login:", "staff@example.com"],
        ["login:", "admin@example.com"],
        ["code:", "WELCOME10"],
    ]
    packer, admin = (accounts.user_by_email(email=f"{name}@example.com") for name in ("staff", "admin"))
    assert packer.last_login == packer.created_at, "a colleague, not somebody invited"
    assert admin.last_login is None
    home = client.get("/").text
    assert "Lull Lounge Chair, Bone Bouclé" in home
    mug = next(product for product in queries.active_products() if product.name == "Tide Stoneware Mug, Sand")
    page = words_of(client.get(mug.path).text)
    for words in ("4.8", "212 ratings, 6 with a review", "Read all 6 reviews", "The one everybody reaches for", "Verified buyer"):
        assert words in page
    families = Counter(item["PK"]["S"] for item in items_of("Products") if item["PK"]["S"].startswith("FAMILY#"))
    assert families["FAMILY#tide-stoneware-mug"] == 3
    assert min(families.values()) > 1


def test_the_demo_s_stars_add_up_to_its_ratings() -> None:
    entries = json.loads((seed.DEMO / "catalog.json").read_text(encoding="utf-8"))
    reviewed = json.loads((seed.DEMO / "reviews.json").read_text(encoding="utf-8"))
    assert set(reviewed) <= {entry["slug"] for entry in entries}

    for place, entry in enumerate(entries):
        product = seed._product(entry, place, set())
        found = demo_reviews(product, slug=entry["slug"])
        assert found
        assert product.rating
        reviews, tally = found
        assert tally.rating
        assert (tally.rating.shown, tally.rating.count) == (product.rating.shown, product.rating.count)
        assert (tally.written, tally.carried_count) == (len(reviews), 0)
        stars = Counter(review.words.stars for review in reviews)
        assert all(count >= stars[number] for number, count in zip(STARS, tally.counts, strict=True))
        assert len({review.review_id for review in reviews}) == len(reviews)
    with pytest.raises(ValueError, match="do not fit"):
        tally_around(Rating(Decimal("4.9"), 10), Counter({1: 1}))


def test_made_up_products_are_the_same_every_time_and_spread_as_a_shops_are() -> None:
    first = [product for product, _ in made_up_products(600, demo=seed.DEMO, image_keys={})]
    again = [product for product, _ in made_up_products(600, demo=seed.DEMO, image_keys={})]

    assert first == again
    assert len({product.product_id for product in first}) == len({product.sku for product in first}) == 600
    availability = Counter(product.availability for product in first)
    assert 25 <= availability[Availability.OUT] <= 80
    assert 40 <= availability[Availability.LOW] <= 120
    assert {product.category for product in first} == {name for name, *_ in seed.CATEGORIES}


def test_seeding_at_size_says_how_far_it_is_and_lists_them(monkeypatch: pytest.MonkeyPatch, index: Callable[[], None]) -> None:
    monkeypatch.setattr(seed, "store_photo", lambda _: "products/x")

    said = run(products=2500)

    assert "1000 of 2500 made-up products …" in said
    assert "2000 of 2500 made-up products …" in said
    assert "the search index holds 2564 products" in said
    forget_engines()
    assert index_queries.search(filters=Filters(), sort=Sort.NEWEST, page=1).total == 2564
