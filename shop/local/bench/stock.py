"""The catalogue that is measured: the demo's products under numbered names, as many as asked for."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from io import StringIO
from typing import Any

from django.core.management import call_command

from catalog import queries, services
from catalog.domain import Category, Product, ProductStatus, Rating, availability_of
from catalog.search.engine import Document
from catalog.search.publishing import SnapshotWriter
from catalog.search.store import SnapshotStore
from shop.lib.money import Money
from shop.local.prepare import create_media_bucket
from shop.management.commands.seed import CATEGORIES, DEMO

_NEWEST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
# Enough for every order of a long run; the stock of a product is no part of what is measured.
_INVENTORY = 1_000_000


@dataclass(frozen=True)
class Entry:
    """A product and the keys of its photographs. The photographs themselves are never fetched here, so there are none."""

    product: Product
    image_keys: tuple[str, ...]


def stock_up(count: int) -> list[Product]:
    """Write the menu and `count` products, and publish the index that lists are drawn from; the products, newest first."""
    products = write_tables(count)
    create_media_bucket()
    call_command("reindex", stdout=StringIO())
    return products


def write_tables(count: int) -> list[Product]:
    """Write the menu and `count` products; the products, newest first."""
    for position, (name, slug, intro, face) in enumerate(CATEGORIES):
        services.save_category(
            category=Category(name=name, slug=slug, intro=intro), position=position, image_key=_image_key(f"{face}.webp")
        )
    entries = made_entries(count)
    services.load_products(entries=[(entry.product, entry.image_keys) for entry in entries])
    return [entry.product for entry in entries]


def publish(count: int, store: SnapshotStore) -> None:
    """Publish the index of a catalogue of so many products into a bucket of its own, past the tables.

    Writing 100,000 products into a laptop's tables takes ten minutes; lists ask the tables nothing.
    """
    read = queries.products(product_ids=[f"prod-{place:08d}" for place in range(len(_demo()))])
    photos = {place: read[f"prod-{place:08d}"].photos for place in range(len(_demo()))}
    documents = (
        Document.of(replace(_entry(_demo()[place % len(_demo())], place).product, photos=photos[place % len(_demo())]))
        for place in range(count)
    )
    SnapshotWriter(store).rebuild(documents)


def made_entries(count: int) -> list[Entry]:
    """The first `count` products of an endless catalogue that repeats the demo's."""
    return [_entry(_demo()[place % len(_demo())], place) for place in range(count)]


@cache
def _demo() -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((DEMO / "catalog.json").read_text(encoding="utf-8"))
    return found


def _entry(texts: dict[str, Any], place: int) -> Entry:
    created_at = _NEWEST - timedelta(minutes=place)
    price = Money.of(texts["price"], texts["currency"])
    product = Product(
        product_id=f"prod-{place:08d}",
        slug=f"{texts['slug']}-{place}",
        name=f"{texts['name']} {place}",
        description=texts["description"],
        price=Money(price.minor + place % 1000, price.currency),
        category=texts["category"],
        sub_category=texts["subCategory"],
        brand=texts["brand"],
        photos=(),
        availability=availability_of(_INVENTORY),
        rating=Rating(Decimal(str(texts["ratings"]["average"])), texts["ratings"]["count"]),
        created_at=created_at,
        inventory=_INVENTORY,
        sku=f"{texts['sku']}-{place}",
        status=ProductStatus.ACTIVE,
        updated_at=created_at,
        attributes=texts["attributes"],
        version=1,
    )
    return Entry(product, tuple(_image_key(name) for name in texts["images"]))


def _image_key(name: str) -> str:
    return f"products/{hashlib.sha256(name.encode()).hexdigest()[:16]}"
