"""What a search engine of the shop is asked and what it answers; the same for every engine (tests hold them to one contract).

A product is found when every word typed is among its words (words.py says what a word is; the last one may be a beginning, and
a word of four letters and more that no product has may be one typo away from one that some product has, of eight letters and more
two; the last one may also be one from the beginning of one, as "stonw" from "stoneware", unless it is as near to a whole word in
some name, brand or category), or when what was typed is its SKU, and when it passes every filter. Filters of one kind are joined
by OR, kinds by AND.

The order among those found is a rule and not a guess, so that pages never overlap and two engines agree:

- In every order products in stock come before sold-out ones, and what is equal otherwise is ordered by product id (`tie_key`).
- Featured: the best rated by many (average times the logarithm of one more than the count, to three digits), then the newest.
- Rating: average, then count; unrated last. Newest: creation. Price: minor units (a shop has one currency).
- Relevance: the product of that very SKU (even when sold out), then points, then featured. A word earns a point for being found
  in name, brand or category, another in the name, and the last word one more when it is whole and not a beginning; so names weigh
  more than brands and categories, and those more than descriptions and attributes. Without words relevance is featured.
"""

import hashlib
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, Self

from catalog.domain import Card, Product
from catalog.search.words import folded

PAGE_SIZE = 24
CARD_PHOTOS = 2
"""A card shows the first photograph, and the second under the pointer."""
PRICE_EDGES = (2_500, 5_000, 10_000, 25_000, 50_000)
"""Where one price band ends and the next begins, in minor units: "under 25, 25 to 50, … 500 and more"."""
MAX_VALUES = 1_000
"""Values of one facet that are counted; where there are more, those of the fewest products are left out."""


class IndexMissing(Exception):
    """There is no index to ask, or it does not answer; the message says why. Lists come from the tables then."""


class Sort(StrEnum):
    FEATURED = "featured"
    RELEVANCE = "relevance"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NEWEST = "newest"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Filters:
    """What a shopper wants to see; empty means all. Prices are minor units, both ends included."""

    text: str = ""
    category: str = ""
    sub_categories: frozenset[str] = frozenset()
    brands: frozenset[str] = frozenset()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool = False
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def key(self) -> Hashable:
        """Equal for filters that ask for the same."""
        chosen = tuple(sorted((name, tuple(sorted(values))) for name, values in self.attributes.items() if values))
        sub_categories, brands = tuple(sorted(self.sub_categories)), tuple(sorted(self.brands))
        return (self.text, self.category, sub_categories, brands, self.price_min, self.price_max, self.in_stock, chosen)


@dataclass(frozen=True, slots=True)
class Document:
    """An active product as an index takes it. Two are equal when lists would show and find the same."""

    card: Card
    description: str
    sku: str
    attributes: Mapping[str, str]
    updated_at: datetime = field(compare=False)

    @classmethod
    def of(cls, product: Product) -> Self:
        """The document of an active product. Raises ValueError for any other: an index holds what shoppers may see."""
        if not product.is_active:
            raise ValueError(f"{product.product_id} is not active")
        names = [name for name in Card.__dataclass_fields__ if name != "photos"]
        photos = tuple(replace(photo, alt="") for photo in product.photos[:CARD_PHOTOS])
        card = Card(**{name: getattr(product, name) for name in names}, photos=photos)
        return cls(card, product.description, product.sku, dict(product.attributes), product.updated_at)

    @property
    def product_id(self) -> str:
        return self.card.product_id


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that an index takes together: products as they are now, and ids of those nobody may see any more."""

    documents: tuple[Document, ...] = ()
    gone: tuple[str, ...] = ()

    @classmethod
    def of(cls, products: Iterable[Product], deleted: Iterable[str] = ()) -> Self:
        """The changes these products amount to, in the order they happened; `deleted` are ids of products that are no more."""
        last = {product.product_id: product for product in products}
        removed = set(deleted)
        shown = [Document.of(product) for key, product in last.items() if product.is_active and key not in removed]
        hidden = [key for key, product in last.items() if not product.is_active and key not in removed]
        return cls(tuple(shown), (*hidden, *sorted(removed)))

    def __bool__(self) -> bool:
        return bool(self.documents or self.gone)


@dataclass(frozen=True, slots=True)
class Count:
    value: str
    products: int


@dataclass(frozen=True, slots=True)
class PriceBand:
    """Products from `low` to below `high` minor units; without `high`, from `low` up."""

    low: int
    high: int | None
    products: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How many products each choice would show: every count honours all filters but those of its own kind.

    Most products first, then by value. A chosen value is always there, with 0 if need be, so that it can be unchosen.
    """

    categories: tuple[Count, ...]
    sub_categories: tuple[Count, ...]
    brands: tuple[Count, ...]
    prices: tuple[PriceBand, ...]
    in_stock: int
    attributes: Mapping[str, tuple[Count, ...]]


@dataclass(frozen=True, slots=True)
class Results:
    """One page of what was found. `highest_price` (minor units, None when nothing was found) ignores the price filter."""

    cards: tuple[Card, ...]
    total: int
    facets: Facets
    highest_price: int | None


@dataclass(frozen=True, slots=True)
class CategoryHint:
    """A category, or a subcategory of one, that what was typed may mean, and its number of products."""

    category: str
    sub_category: str
    products: int


@dataclass(frozen=True, slots=True)
class Suggestions:
    products: tuple[Card, ...] = ()
    categories: tuple[CategoryHint, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A product as the sitemap lists it."""

    path: str
    updated_at: datetime


class Engine(Protocol):
    """A search engine. Everything may raise IndexMissing."""

    def search(self, filters: Filters, *, sort: Sort = Sort.FEATURED, page: int = 1, size: int = PAGE_SIZE) -> Results:
        """A page (from 1) of the products that pass the filters, with counts; a page beyond the last has no cards."""
        ...

    def cards(self, filters: Filters, *, sort: Sort, size: int) -> tuple[Card, ...]:
        """The first products that pass the filters, without counts."""
        ...

    def by_id(self, product_ids: Sequence[str]) -> tuple[Card, ...]:
        """These products, in this order and each once; those that are not there are left out."""
        ...

    def suggest(self, prefix: str, *, size: int = 6) -> Suggestions:
        """While somebody types: the most relevant products and categories, up to `size` of each."""
        ...

    def listed(self, *, page: int = 1, size: int = 50_000) -> tuple[Listed, ...]:
        """A page (from 1) of all products in an order that only their ids decide, for the sitemap; empty beyond the last."""
        ...

    def upsert(self, documents: Iterable[Document]) -> None:
        """Put these products in, in place of what was there under their ids. Of one id the last counts."""
        ...

    def delete(self, product_ids: Iterable[str]) -> None:
        """Take these products out; ids that are not there are passed over."""
        ...


class Writer(Protocol):
    """What keeps an index in step with the tables. Both raise their engine's own exceptions, and may be repeated then."""

    def apply(self, batch: Batch) -> None:
        """Put in and take out what changed; before the first rebuild it is not lost, though nothing shows it."""
        ...

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """Put a new index of these products, plus what happens to them meanwhile, in place of the old; their number.

        `documents` must be read from the tables while this runs (a generator), not before. `progress` is told the number of
        products so far.
        """
        ...


def folded_sku(text: str) -> str:
    """What SKUs are compared by: without case and outer spaces."""
    return folded(text.strip())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SOLD_OUT_BIT = 62
_HIGH_BITS, _LOW_BITS = 20, 40


def sort_keys(card: Card) -> dict[Sort, int]:
    """Numbers of at most 63 bits whose ascending order is the order of products, one a sort; `tie_key` orders those equal.

    Relevance has none, for it depends on the question.
    """
    age = (card.created_at - _EPOCH) // timedelta(microseconds=1)
    average, count = (card.rating.average, card.rating.count) if card.rating else (Decimal(0), 0)
    measures = {
        Sort.FEATURED: _two(int(float(average) * math.log1p(count) * 1_000), age // 1_000_000),
        Sort.PRICE_ASC: _within(card.price.minor, _SOLD_OUT_BIT),
        Sort.PRICE_DESC: _falling(card.price.minor, _SOLD_OUT_BIT),
        Sort.NEWEST: _falling(age, _SOLD_OUT_BIT),
        Sort.RATING: _two(int(average * 1_000), count),
    }
    return {sort: (int(card.is_sold_out) << _SOLD_OUT_BIT) + measure for sort, measure in measures.items()}


def tie_key(product_id: str) -> int:
    """What orders products that are equal otherwise: 63 bits of a hash of the id, since engines order by numbers fastest."""
    return int.from_bytes(hashlib.blake2b(product_id.encode(), digest_size=8).digest()) >> 1


def _two(first: int, second: int) -> int:
    """Falling by the first number, then by the second."""
    return (_falling(first, _HIGH_BITS) << _LOW_BITS) + _falling(second, _LOW_BITS)


def _falling(number: int, bits: int) -> int:
    return (1 << bits) - 1 - _within(number, bits)


def _within(number: int, bits: int) -> int:
    return min(max(number, 0), (1 << bits) - 1)
