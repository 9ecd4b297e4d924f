"""A catalogue made up by a seed, and the rules of search told a second time, without any index, to compare engines with."""

import math
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from catalog.domain import Availability, Photo, Product, ProductStatus, Rating, availability_of
from catalog.search.engine import PRICE_EDGES, Document, Filters, Sort, tie_key
from catalog.search.words import query_words, singular, words_of
from shop.lib.money import Money

MATERIALS = ("Stoneware", "Linen", "Oak", "Glass", "Brass", "Wool", "Cotton", "Porcelain")
COLOURS = ("Sand", "Moss", "Ink", "Crème", "Rust", "Sky")
SIZES = ("Small", "Medium", "Large")
THINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "Kitchen & Table": {
        "Cups & Mugs": ("Mug", "Espresso Cup", "Tumbler"),
        "Dishes": ("Serving Dish", "Dinner Plate", "Bowl"),
        "Knives": ("Bread Knife", "Cleaver"),
    },
    "Living": {
        "Shelves": ("Wall Shelf", "Bookshelf"),
        "Lamps": ("Table Lamp", "Floor Lamp"),
        "Vases": ("Vase", "Planter"),
    },
    "Bags": {"Backpacks": ("Backpack", "Rucksack"), "Totes": ("Tote Bag", "Market Bag")},
}
BRANDS = ("Saltmere", "Åsgård", "Brook & Vale", "Nordlys", "Café Noir", "Fernhollow")
_ADJECTIVES = ("calm", "sturdy", "hand-thrown", "women's", "everyday", "quiet", "bright", "foldable", "heavy", "thin-walled")
_START = datetime(2026, 1, 1, tzinfo=UTC)


def make_products(number: int, *, seed: int = 1, extra_words: int = 0) -> Iterable[Product]:
    """So many active products, always the same ones for a seed; `extra_words` makes a vocabulary as wide as a large shop's."""
    rng = random.Random(seed)
    rare = [_made_up_word(rng) for _ in range(extra_words)]
    weights = [1 / (rank + 1) for rank in range(extra_words)]
    shelves = [(category, sub, things) for category, subs in THINGS.items() for sub, things in subs.items()]
    for count in range(number):
        category, sub_category, things = rng.choice(shelves)
        material, colour, brand = rng.choice(MATERIALS), rng.choice(COLOURS), rng.choice(BRANDS)
        wide = rng.choices(rare, weights, k=30) if rare else []
        description = (
            f"A {rng.choice(_ADJECTIVES)} thing for {rng.choice(THINGS_WORDS)} of {rng.choice(MATERIALS)}. {' '.join(wide)}"
        )
        inventory = rng.choice((0, 0, 3, 20, 500))
        product_id = f"prod-{rng.randrange(32**7):07d}{count:010d}"
        name = " ".join(part for part in (rng.choice((colour, "")), material, rng.choice(things), *wide[:2]) if part)
        yield Product(
            product_id=product_id,
            slug=f"thing-{count}",
            name=name,
            price=Money(rng.choice((1999, 2500, 4999, rng.randrange(100, 80_000))), "USD"),
            category=category,
            sub_category=sub_category,
            brand=brand,
            photos=tuple(_photo(product_id, place) for place in range(2)),
            availability=availability_of(inventory),
            rating=Rating(Decimal(rng.randrange(10, 51)) / 10, rng.randrange(1, 400)) if rng.random() < 0.7 else None,
            created_at=_START + timedelta(seconds=rng.randrange(300) * 3600),
            description=description,
            inventory=inventory,
            sku=f"{brand[:3]}-{count:05d}",
            status=ProductStatus.ACTIVE,
            updated_at=_START,
            attributes={"material": material, "colour": colour} | ({"size": rng.choice(SIZES)} if rng.random() < 0.5 else {}),
            version=1,
        )


THINGS_WORDS = ("berries", "tea", "the shelf", "dishes", "flowers", "a lamp", "cookies", "mugs")


def _made_up_word(rng: random.Random) -> str:
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(rng.randrange(2, 5)))


def _photo(product_id: str, place: int) -> Photo:
    base = f"/media/products/{product_id[-16:]}{place}"
    return Photo(f"{base}/640.webp", ", ".join(f"{base}/{width}.webp {width}w" for width in (320, 640, 1200)))


def random_filters(rng: random.Random, documents: Sequence[Document]) -> Filters:
    """A question somebody may ask of these products; most find something."""
    chosen: dict[str, Any] = {"text": _random_text(rng, rng.choice(documents))} if rng.random() < 0.7 else {}
    if rng.random() < 0.3:
        chosen["category"] = rng.choice(list(THINGS))
        if rng.random() < 0.5:
            chosen["sub_categories"] = frozenset(rng.sample(list(THINGS[chosen["category"]]), 2))
    if rng.random() < 0.3:
        chosen["brands"] = frozenset(rng.sample(BRANDS, rng.randrange(1, 4)))
    if rng.random() < 0.2:
        chosen["price_min"] = rng.choice((0, 1999, 2500, 10_000))
    if rng.random() < 0.2:
        chosen["price_max"] = rng.choice((1999, 4999, 50_000))
    if rng.random() < 0.3:
        chosen["in_stock"] = True
    if rng.random() < 0.3:
        chosen["attributes"] = {"colour": frozenset(rng.sample(COLOURS, 2)), "size": frozenset(rng.choice(((), ("Small",))))}
    return Filters(**chosen)


def _random_text(rng: random.Random, document: Document) -> str:
    if rng.random() < 0.05:
        return document.sku.lower()
    text = " ".join([document.card.name, document.card.brand, document.card.category, *document.attributes.values()])
    words = rng.sample(text.split(), rng.randrange(1, 4))
    place = rng.randrange(len(words))
    return " ".join([*words[:place], _mangled(rng, words[place]), *words[place + 1 :]])


def _mangled(rng: random.Random, word: str) -> str:
    place = rng.randrange(len(word))
    ways = (
        word,
        word.upper(),
        word + "s",
        word[: place + 1],
        word[:place] + word[place + 1 :],
        word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
        word[:place] + "x" + word[place:],
    )
    return rng.choice(ways)


class Reference:
    """The answers engines must give, by going through all products one by one."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = list(documents)
        self._words = {document.product_id: _words(document) for document in self.documents}
        self._all_words = set().union(*(fields[0] for fields in self._words.values()))
        self._all_main = set().union(*(fields[1] for fields in self._words.values()))
        self._remembered: dict[tuple[str, str], int | None] = {}

    def ids(self, filters: Filters, sort: Sort) -> list[str]:
        found = [document for document in self.documents if self._passes(document, filters, "")]
        return [document.product_id for document in sorted(found, key=lambda document: self._place(document, filters, sort))]

    def counts(self, filters: Filters) -> dict[str, Any]:
        """Counts by kind and value, without zeros."""
        under = {kind: self._cards(filters, kind) for kind in ("category", "sub_category", "brand", "price", "in_stock")}
        edges = (*PRICE_EDGES, math.inf)
        return {
            "category": Counter(document.card.category for document in under["category"]),
            "sub_category": Counter(document.card.sub_category for document in under["sub_category"]),
            "brand": Counter(document.card.brand for document in under["brand"]),
            "price": [
                sum(low <= document.card.price.minor < high for document in under["price"])
                for low, high in zip((0, *PRICE_EDGES), edges, strict=True)
            ],
            "in_stock": sum(document.card.availability is not Availability.OUT for document in under["in_stock"]),
            "highest": max((document.card.price.minor for document in under["price"]), default=None),
            "attributes": {
                name: Counter(document.attributes[name] for document in self._cards(filters, name) if name in document.attributes)
                for name in ("material", "colour", "size")
            },
        }

    def _cards(self, filters: Filters, but: str) -> list[Document]:
        return [document for document in self.documents if self._passes(document, filters, but)]

    def _passes(self, document: Document, filters: Filters, but: str) -> bool:
        card = document.card
        attributes = [(name, values) for name, values in filters.attributes.items() if values and name != but]
        price = 0 if but == "price" else card.price.minor
        return (
            (not filters.text.strip() or self._points(document, filters.text) is not None)
            and (but == "category" or filters.category in {"", card.category})
            and (but == "sub_category" or not filters.sub_categories or card.sub_category in filters.sub_categories)
            and (but == "brand" or not filters.brands or card.brand in filters.brands)
            and (but == "price" or filters.price_min is None or price >= filters.price_min)
            and (but == "price" or filters.price_max is None or price <= filters.price_max)
            and (but == "in_stock" or not filters.in_stock or card.availability is not Availability.OUT)
            and all(document.attributes.get(name) in values for name, values in attributes)
        )

    def _place(self, document: Document, filters: Filters, sort: Sort) -> tuple[Any, ...]:
        card = document.card
        average, count = (card.rating.average, card.rating.count) if card.rating else (Decimal(0), 0)
        newest = -card.created_at.timestamp()
        featured = (-int(float(average) * math.log1p(count) * 1_000), newest)
        order: dict[Sort, tuple[Any, ...]] = {
            Sort.FEATURED: featured,
            Sort.PRICE_ASC: (card.price.minor,),
            Sort.PRICE_DESC: (-card.price.minor,),
            Sort.NEWEST: (newest,),
            Sort.RATING: (-average, -count),
        }
        if sort is not Sort.RELEVANCE:
            return (card.is_sold_out, *order[sort], tie_key(card.product_id))
        is_sku = document.sku.casefold() == filters.text.strip().casefold()
        points = self._points(document, filters.text) or 0
        return (not is_sku, card.is_sold_out, -points, *featured, tie_key(card.product_id))

    def _points(self, document: Document, text: str) -> int | None:
        """The points the words of the text earn; None when the product is not found by it."""
        key = (document.product_id, text)
        if key not in self._remembered:
            self._remembered[key] = self._count_points(document, text)
        return self._remembered[key]

    def _count_points(self, document: Document, text: str) -> int | None:
        fields = words, main, name = self._words[document.product_id]
        typed = query_words(text)
        points, found = 0, bool(typed)
        for word in typed:
            is_last = word == typed[-1]
            is_known = len(word) < 4 or _is_found(word, self._all_words, self._all_words, is_last=is_last)
            if is_known:
                hits = [_is_found(word, field, main, is_last=is_last) for field in (words, main)]
                hits.append(_is_found(word, name, name, is_last=is_last))
                points += is_last and singular(word) in words
            else:
                whole = [any(_is_mistyped(word, known) for known in field) for field in fields]
                is_begun = is_last and not self._is_mistyped_in_main(word)
                begun = [is_begun and any(is_typo_begun(word, known) for known in field) for field in fields]
                hits = [left or right for left, right in zip(whole, begun, strict=True)]
                points += is_begun and whole[0]
            found = found and hits[0]
            points += hits[1] + hits[2]
        is_sku = document.sku.casefold() == text.strip().casefold()
        return points if found or is_sku else None

    def _is_mistyped_in_main(self, word: str) -> bool:
        return any(_is_mistyped(word, known) for known in self._all_main)


def _words(document: Document) -> tuple[set[str], set[str], set[str]]:
    card = document.card
    name = _forms(card.name)
    main = name | _forms(f"{card.brand} {card.category} {card.sub_category}")
    return main | _forms(" ".join([document.description, *document.attributes.values()])), main, name


def _forms(text: str) -> set[str]:
    return {form for word in words_of(text) for form in (word, singular(word))}


def _is_found(word: str, field: set[str], main: set[str], *, is_last: bool) -> bool:
    if singular(word) in field:
        return True
    return is_last and any(known.startswith(word) for known in (main if len(word) <= 2 else field))


@cache
def _is_mistyped(word: str, known: str) -> bool:
    """Whether what was typed, or its singular, is one typo away from the word; from eight letters on two."""
    most = 2 if len(word) >= 8 else 1
    forms = (form for form in (word, singular(word)) if abs(len(form) - len(known)) <= most)
    return any(_typos_between(form, known) <= most for form in forms)


def _typos_between(first: str, second: str) -> int:
    """How many letters must be changed, added, dropped or swapped with a neighbour, none twice, to make one of the other."""
    rows = [list(range(len(second) + 1))]
    for row, left in enumerate(first, start=1):
        rows.append([row])
        for column, right in enumerate(second, start=1):
            ways = [rows[row - 1][column] + 1, rows[row][column - 1] + 1, rows[row - 1][column - 1] + (left != right)]
            if row > 1 and column > 1 and left == second[column - 2] and right == first[row - 2]:
                ways.append(rows[row - 2][column - 2] + 1)
            rows[row].append(min(ways))
    return rows[-1][-1]


def _is_typo(first: str, second: str) -> bool:
    """Whether one letter changed, missing, too many or swapped with its neighbour makes one of the other."""
    if abs(len(first) - len(second)) > 1:
        return False
    same = next((place for place, (left, right) in enumerate(zip(first, second, strict=False)) if left != right), None)
    if same is None:
        return True
    left, right = first[same:], second[same:]
    return (
        left[1:] == right[1:] or left == right[1:] or left[1:] == right or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    )


def is_typo_begun(typed: str, known: str) -> bool:
    """Whether a beginning of the word is one typo away from what was typed."""
    return any(_is_typo(typed, known[:letters]) for letters in range(len(typed) - 1, len(typed) + 2))
