"""A made-up catalogue of any size, for trying the shop at size: always the same products, spread as a real shop's are."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from catalog.domain import Product, ProductStatus, Rating, availability_of
from shop.lib.money import Money

_SEED = 20261101
_NEWEST = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
_UNRATED = 0.25
_SERIES = ("North", "Harbour", "Field", "Alder", "Quiet", "Morning", "Slate", "Linden", "Brook", "Copper", "Meadow", "Winter")
_COLOURS = ("Sand", "Sage", "Rust", "Ink", "Bone", "Charcoal", "Ochre", "White")


@dataclass(frozen=True, slots=True)
class _Spread:
    """How prices, stock and ratings are spread."""

    rng: random.Random

    def price(self, like: Money) -> Money:
        # A few cheap, a few dear, most near the model's own price; ending in .00 or .50 as price tags do.
        factor = min(max(self.rng.lognormvariate(0, 0.45), 0.25), 5)
        return Money(max(100, round(like.minor * factor / 50) * 50), like.currency)

    def inventory(self) -> int:
        # One in twelve is sold out, one in eight low.
        roll = self.rng.random()
        if roll < 1 / 12:
            return 0
        return self.rng.randint(1, 5) if roll < 1 / 12 + 1 / 8 else self.rng.randint(6, 400)

    def rating(self) -> Rating | None:
        if self.rng.random() < _UNRATED:
            return None
        average = min(max(self.rng.gauss(4.3, 0.4), 1), 5)
        return Rating(Decimal(f"{average:.1f}"), int(self.rng.paretovariate(0.9)))


def made_up_products(
    count: int, *, demo: Path, image_keys: dict[str, tuple[str, ...]]
) -> Iterator[tuple[Product, tuple[str, ...]]]:
    """The first `count` products, modelled on the demo's, each with photograph keys; `image_keys` are the demo's, by slug."""
    models = json.loads((demo / "catalog.json").read_text(encoding="utf-8"))
    spread = _Spread(random.Random(_SEED))  # noqa: S311 - repeatable, no secret
    for number in range(count):
        model = spread.rng.choice(models)
        yield _product(model, number, spread), image_keys.get(model["slug"], ())


def _product(model: dict[str, Any], number: int, spread: _Spread) -> Product:
    series, colour = spread.rng.choice(_SERIES), spread.rng.choice(_COLOURS)
    name = f"{series} {str(model['name']).split(',', maxsplit=1)[0]} {number}"
    inventory = spread.inventory()
    created_at = _NEWEST - timedelta(minutes=7 * number)
    return Product(
        product_id=f"prod-made{number:08d}",
        slug=f"{series}-{model['slug']}-{number}".lower(),
        name=f"{name}, {colour}",
        description=model["description"],
        price=spread.price(Money.of(model["price"], model["currency"])),
        category=model["category"],
        sub_category=model["subCategory"],
        brand=model["brand"],
        photos=(),
        availability=availability_of(inventory),
        rating=spread.rating(),
        created_at=created_at,
        inventory=inventory,
        sku=f"MADE-{number:08d}",
        status=ProductStatus.ACTIVE,
        updated_at=created_at,
        attributes=model["attributes"] | {"colour": colour},
        version=1,
    )
