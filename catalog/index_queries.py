"""What the search index answers, without a table call, and what stands in for it where there is no index.

Which engine answers is `catalog/search/choice.py`'s matter. A cluster may fall silent between two questions of one page, so
each question has its own answer for that.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from pynamodb.pagination import ResultIterator

from catalog.domain import Card
from catalog.models import ProductRow, category_partition, price_sort_key
from catalog.queries import newest, readable_card
from catalog.search.choice import engine
from catalog.search.engine import Filters, IndexMissing, Listed, Results, Sort, Suggestions
from catalog.search.words import query_words

_MOST_WORDS_TRIED = 6


def search(*, filters: Filters, sort: Sort, page: int) -> Results:
    """A page of the products that pass the filters, with counts, from the search index: no table call. Raises IndexMissing."""
    return engine().search(filters, sort=sort, page=page)


def words_that_find(*, text: str) -> tuple[tuple[str, int], ...]:
    """The words of a search that found nothing together which find something alone, and how much: a search each, of few words.

    None while there is no index.
    """
    words = query_words(text)[:_MOST_WORDS_TRIED]
    if len(words) == 1:
        return ()
    try:
        totals = [(word, engine().search(Filters(text=word), sort=Sort.RELEVANCE, page=1).total) for word in words]
    except IndexMissing:
        return ()
    return tuple((word, total) for word, total in totals if total)


def finds_anything(*, text: str) -> bool:
    """Whether a search for it finds a product: from the index, without a table call. Raises IndexMissing."""
    return bool(engine().cards(Filters(text=text), sort=Sort.FEATURED, size=1))


def cards_of(*, product_ids: Sequence[str]) -> tuple[Card, ...]:
    """The products of these ids that lists show, in this order: from the search index, without a table call; none without one."""
    try:
        return engine().by_id(product_ids)
    except IndexMissing:
        return ()


def suggest(*, prefix: str) -> Suggestions:
    """Products and categories that what was typed so far may mean; nothing while there is no index."""
    try:
        return engine().suggest(prefix)
    except IndexMissing:
        return Suggestions()


def latest(*, size: int) -> tuple[Card, ...]:
    """The newest products, those in stock first: from the search index without a table call, or from the table without one."""
    try:
        return engine().cards(Filters(), sort=Sort.NEWEST, size=size)
    except IndexMissing:
        return newest(size=size).items


def related_to(card: Card, *, size: int = 4) -> tuple[Card, ...]:
    """Others of the product's category, nearest above it in price, then nearest below.

    From the search index, which knows them without a table call; from the table while there is no index.
    """
    minor, most = card.price.minor, size + 1  # one more, for the product itself is among them
    try:
        index = engine()
        found = index.cards(Filters(category=card.category, price_min=minor), sort=Sort.PRICE_ASC, size=most)
        if len(found) < most:
            found += index.cards(Filters(category=card.category, price_max=minor), sort=Sort.PRICE_DESC, size=2 * most)
    except IndexMissing:
        return _related_in_table(card, size)
    others = {other.product_id: other for other in found if other.product_id != card.product_id}
    return tuple(others.values())[:size]


def _related_in_table(card: Card, size: int) -> tuple[Card, ...]:
    place = price_sort_key(card.price, card.product_id)
    ask: Any = partial(ProductRow.by_category.query, category_partition(card.category), limit=size)
    above: ResultIterator[ProductRow] = ask(range_key_condition=ProductRow.gsi1_sk > place)
    found = list(filter(None, map(readable_card, above)))
    if len(found) < size:
        below: ResultIterator[ProductRow] = ask(range_key_condition=ProductRow.gsi1_sk < place, scan_index_forward=False)
        found += filter(None, map(readable_card, below))
    return tuple(found[:size])


def listed(*, page: int, size: int) -> tuple[Listed, ...]:
    """A page (from 1) of all active products by id, for the sitemap; none while there is no index."""
    try:
        return engine().listed(page=page, size=size)
    except IndexMissing:
        return ()


def indexed_count() -> int:
    """How many products the search index holds. Raises IndexMissing."""
    return engine().search(Filters(), size=1).total


def listed_count() -> int:
    """How many products the sitemap lists: none without an index."""
    try:
        return indexed_count()
    except IndexMissing:
        return 0
