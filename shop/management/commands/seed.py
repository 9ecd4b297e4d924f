"""`manage.py seed`: the demo catalogue."""

import contextlib
import hashlib
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify

from catalog import queries, services
from catalog.domain import Category, Product, ProductStatus, Rating, availability_of
from catalog.photos import store_photo
from shop.lib.clock import utc_now
from shop.lib.money import Money

DEMO = Path(settings.BASE_DIR) / "shop" / "local" / "demo"
_NEWEST = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)

HERO = "lull-lounge-chair-bone"

# name, slug, words on the shelf, whose photograph shows the shelf
CATEGORIES = (
    (
        "Kitchen & Table",
        "kitchen-table",
        "Stoneware, glass and oak for the table you sit down at every day.",
        "meadow-teapot-sage",
    ),
    (
        "Lighting",
        "lighting",
        "Lamps that make an evening: for the desk, the corner and the long table.",
        "dusk-ceramic-lamp",
    ),
    (
        "Furniture",
        "furniture",
        "Small furniture in solid wood, made to be moved around and kept.",
        "lull-lounge-chair-bone",
    ),
    (
        "Desk & Audio",
        "desk-audio",
        "Tools for working and listening, with weight where it counts.",
        "groove-turntable",
    ),
    (
        "Textiles & Decor",
        "textiles-decor",
        "Linen, wool and clay for the quiet parts of a room.",
        "kiln-vase-trio",
    ),
    (
        "Garden & Outdoor",
        "garden-outdoor",
        "Pots, cans and lanterns for a windowsill or a whole garden.",
        "longspout-watering-can-sage",
    ),
)


class Command(BaseCommand):
    help = "Write the demo catalogue into the tables and its photographs into the media bucket. What is there is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--products", type=int, default=0, help="also write so many made-up products, to try the shop at size"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not DEMO.is_dir():
            raise CommandError("The demo catalogue is not part of this installation (shop/local is left out of the image).")
        entries = _in_shelf_order(json.loads((DEMO / "catalog.json").read_text(encoding="utf-8")))
        present = queries.products(product_ids=[_product_id(entry["slug"]) for entry in entries])
        missing = [(place, entry) for place, entry in enumerate(entries) if _product_id(entry["slug"]) not in present]
        if missing:
            self._write_demo(entries, missing)
        else:
            self.stdout.write(f"the demo catalogue is there: {len(present)} products")
        if options["products"]:
            self._write_made_up(entries, options["products"])
        if missing or options["products"]:
            call_command("reindex", stdout=self.stdout)
        self._write_people()
        self._write_codes()

    def _write_demo(self, entries: list[dict[str, Any]], missing: list[tuple[int, dict[str, Any]]]) -> None:
        _make_bucket()
        with ThreadPoolExecutor(max_workers=4) as pool:
            keys = list(pool.map(lambda item: _store_photos(item[1]), missing))
        families = _families(entries)
        for (place, entry), image_keys in zip(missing, keys, strict=True):
            product = _product(entry, place, families)
            services.create_product(product=product, image_keys=image_keys)
            _write_reviews(product, entry["slug"])
        by_slug = {entry["slug"]: entry for entry in entries}
        for position, (name, slug, intro, face) in enumerate(CATEGORIES):
            services.save_category(
                category=Category(name=name, slug=slug, intro=intro),
                position=position,
                image_key=_store_photos(by_slug[face])[0],
            )
        self.stdout.write(f"{len(missing)} products written")

    def _write_people(self) -> None:
        if not settings.LOCAL:  # their password is known to everybody
            return
        from shop.local.people import make_people  # not part of the image, as the demo is not

        for line in make_people(utc_now()):
            self.stdout.write(f"login: {line}")

    def _write_codes(self) -> None:
        if not settings.LOCAL:  # everybody knows them
            return
        from shop.local.codes import make_codes  # not part of the image, as the demo is not

        for line in make_codes(utc_now()):
            self.stdout.write(f"code: {line}")

    def _write_made_up(self, entries: list[dict[str, Any]], count: int) -> None:
        from shop.local.made_up import made_up_products  # not part of the image, as the demo is not

        keys = queries.image_keys(product_ids=[_product_id(entry["slug"]) for entry in entries])
        image_keys = {entry["slug"]: keys.get(_product_id(entry["slug"]), ()) for entry in entries}
        done = services.load_products(
            entries=made_up_products(count, demo=DEMO, image_keys=image_keys),
            progress=lambda so_far: self.stdout.write(f"{so_far} of {count} made-up products …"),
        )
        self.stdout.write(f"{done} made-up products written")


def _write_reviews(product: Product, slug: str) -> None:
    from shop.local.demo_reviews import demo_reviews  # not part of the image, as the demo is not

    if found := demo_reviews(product, slug=slug):
        reviews, tally = found
        services.load_reviews(product_id=product.product_id, reviews=reviews, tally=tally)


def _in_shelf_order(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One of each category in turn, so that "newest first" shows the whole shop; one colour of a family before its others.

    The newest is the one home shows large.
    """
    shelves: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        shelves.setdefault(entry["category"], []).append(entry)
    for shelf in shelves.values():
        seen: dict[str, int] = {}
        rounds = {}
        for entry in shelf:
            family = _family_name(entry)
            rounds[entry["slug"]] = seen[family] = seen.get(family, -1) + 1
        shelf.sort(key=lambda entry: rounds[entry["slug"]])
    ordered = []
    while any(shelves.values()):
        ordered += [shelf.pop(0) for shelf in shelves.values() if shelf]
    return sorted(ordered, key=lambda entry: entry["slug"] != HERO)


def _store_photos(entry: dict[str, Any]) -> tuple[str, ...]:
    return tuple(store_photo((DEMO / "images" / name).read_bytes()) for name in entry["images"])


def _families(entries: list[dict[str, Any]]) -> set[str]:
    """Names that several entries share before the comma: they differ in colour alone."""
    names = Counter(_family_name(entry) for entry in entries)
    return {name for name, members in names.items() if members > 1}


def _family_name(entry: dict[str, Any]) -> str:
    return str(entry["name"]).split(",", maxsplit=1)[0]


def _product(entry: dict[str, Any], place: int, families: set[str]) -> Product:
    family = slugify(_family_name(entry)) if _family_name(entry) in families else ""
    created_at = _NEWEST - timedelta(hours=7 * place)
    return Product(
        product_id=_product_id(entry["slug"]),
        slug=entry["slug"],
        name=entry["name"],
        description=entry["description"],
        price=Money.of(entry["price"], entry["currency"]),
        category=entry["category"],
        sub_category=entry["subCategory"],
        brand=entry["brand"],
        photos=(),
        availability=availability_of(entry["inventory"]),
        rating=Rating(Decimal(str(entry["ratings"]["average"])), entry["ratings"]["count"]),
        created_at=created_at,
        inventory=entry["inventory"],
        sku=entry["sku"],
        status=ProductStatus(entry["status"]),
        updated_at=created_at,
        attributes=entry["attributes"],
        version=1,
        family=family,
        options={"colour": entry["name"].split(", ", maxsplit=1)[1]} if family else {},
        compare_at_price=Money.of(entry["compareAtPrice"], entry["currency"]) if "compareAtPrice" in entry else None,
    )


def _product_id(slug: str) -> str:
    """The same id at every seeding, so that a second one finds what the first wrote."""
    return f"prod-{hashlib.sha256(slug.encode()).hexdigest()[:12]}"


def _make_bucket() -> None:
    client = boto3.client("s3", region_name=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL or None)
    with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
        client.create_bucket(Bucket=settings.MEDIA_BUCKET)
