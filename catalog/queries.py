"""Reads of the catalogue. docs/tables.md has a row for each."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache as cache_in_process
from functools import partial
from typing import Any

from django.conf import settings
from pynamodb.exceptions import DoesNotExist
from pynamodb.pagination import ResultIterator

from catalog.domain import Card, Category, Product, ProductStatus, Sibling, StockMovement
from catalog.models import (
    CATEGORIES_PK,
    CATEGORY_INDEX_KEYS,
    GONE_SK,
    PRODUCT_SK,
    SKU_SK,
    STATUS_INDEX_KEYS,
    TABLE_KEYS,
    CategoryRow,
    FamilyRow,
    GoneRow,
    ProductRow,
    SkuRow,
    WaitRow,
    category_partition,
    category_sk,
    family_pk,
    price_sort_key,
    product_pk,
    sku_pk,
    status_partitions,
    to_card,
    to_category,
    to_product,
    to_sibling,
    wait_sk,
)
from catalog.search.engine import Engine, Filters, IndexMissing, Listed, Results, Sort, Suggestions
from catalog.search.reading import SnapshotReader
from catalog.search.store import SnapshotStore
from catalog.search.words import query_words
from catalog.staff_models import MovedCategoryRow, ShortRow, moved_category_sk, short_key
from catalog.stock_models import StockRow, stock_sk, to_movement
from shop.lib.cursors import Page, read_page
from shop.lib.tables import batch_get, batch_items, value_of, whole_table

logger = logging.getLogger(__name__)

PAGE_SIZE = 24
_CATEGORIES_SECONDS = 60
_MOST_WORDS_TRIED = 6
_RENAMINGS = 5
"""So many renamings of a category an old address is followed through."""


class ProductNotFound(Exception):
    """There is no product of this id."""


def product(*, product_id: str, consistent: bool = False) -> Product:
    """The product as it is now, active or not. Raises ProductNotFound."""
    try:
        found = readable(ProductRow.get(product_pk(product_id), PRODUCT_SK, consistent_read=consistent))
    except DoesNotExist:
        found = None
    if found is None:
        raise ProductNotFound(product_id)
    return found


def products(*, product_ids: Iterable[str], consistent: bool = False) -> dict[str, Product]:
    """The products of these ids that exist, by id, in one call for up to 100. `consistent` sees every write finished before."""
    keys = [(product_pk(product_id), PRODUCT_SK) for product_id in dict.fromkeys(product_ids)]
    if not keys:
        return {}
    rows = batch_get(ProductRow, keys, consistent=consistent)
    return {product.product_id: product for product in map(readable, rows) if product}


def skus(*, product_ids: Iterable[str]) -> dict[str, str]:
    """The SKUs of the products of these ids (up to 100) that exist, by id: one BatchGet."""
    keys = [(product_pk(product_id), PRODUCT_SK) for product_id in dict.fromkeys(product_ids)]
    wanted = (ProductRow.product_id, ProductRow.sku)
    items = batch_items(ProductRow.Meta.table_name, keys, consistent=False, attributes=wanted) if keys else []
    return {value_of(item, ProductRow.product_id): value_of(item, ProductRow.sku, "") for item in items}


def titles(*, product_ids: Iterable[str]) -> dict[str, str]:
    """Name and SKU of the products of these ids (up to 100) that exist, as staff speak of them: one BatchGet."""
    keys = [(product_pk(product_id), PRODUCT_SK) for product_id in dict.fromkeys(product_ids)]
    wanted = (ProductRow.product_id, ProductRow.name, ProductRow.sku)
    items = batch_items(ProductRow.Meta.table_name, keys, consistent=False, attributes=wanted) if keys else []
    return {
        value_of(item, ProductRow.product_id): f"{value_of(item, ProductRow.name)} ({value_of(item, ProductRow.sku, '')})"
        for item in items
    }


def subject_of(product_id: str) -> str:
    """What an entry of any audit trail is about when it names this product."""
    return product_pk(product_id)


def image_keys(*, product_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """What the products' `images` hold, by product id: keys of our bucket, or addresses elsewhere."""
    rows = batch_get(ProductRow, [(product_pk(product_id), PRODUCT_SK) for product_id in product_ids], consistent=False)
    return {row.product_id: tuple(row.images) for row in rows}


def waiting_for(*, product_id: str) -> Iterator[str]:
    """Addresses of those who want to be told that the product is back."""
    for row in WaitRow.query(product_pk(product_id), WaitRow.sk.startswith(wait_sk(""))):
        yield row.email


def is_short(*, product: Product) -> bool:
    """Whether the product stands on staff's list with the shortage it has now."""
    if product.shortage is None:
        return False
    key = short_key(product.shortage, product.product_id)
    try:
        return bool(ShortRow.get(key.pk, key.sk, consistent_read=True))
    except DoesNotExist:
        return False


def stock_movements(*, product_id: str, cursor: str = "", size: int = PAGE_SIZE) -> Page[StockMovement]:
    """What went in and out of a product's stock, latest first."""
    return read_page(
        partial(StockRow.query, product_pk(product_id), StockRow.sk.startswith(stock_sk())),
        to_movement,
        key_names=TABLE_KEYS,
        question=f"stock:{product_id}",
        cursor=cursor,
        size=size,
        forward=False,
    )


def active_products() -> Iterator[Product]:
    """Every active product, by a scan of the table: for building the search index, never for a page.

    Consistent, so that the index is at least as new as every change that was published before it was begun.
    """
    for row in whole_table(ProductRow, sort_key=PRODUCT_SK):
        if row.status == ProductStatus.ACTIVE and (product := readable(row)):
            yield product


def deleted_product(*, product_id: str) -> str | None:
    """The category of a product that was sold here once and is deleted; None when there never was one."""
    try:
        return GoneRow.get(product_pk(product_id), GONE_SK).category
    except DoesNotExist:
        return None


def latest(*, size: int) -> tuple[Card, ...]:
    """The newest products, those in stock first: from the search index without a table call, or from the table without one."""
    try:
        return _engine().cards(Filters(), sort=Sort.NEWEST, size=size)
    except IndexMissing:
        return newest(size=size).items


def newest(*, cursor: str = "", size: int = PAGE_SIZE) -> Page[Card]:
    """Active products, latest first."""
    return read_page(
        [partial(ProductRow.by_status.query, partition) for partition in status_partitions(ProductStatus.ACTIVE)],
        _readable_card,
        key_names=STATUS_INDEX_KEYS,
        question="newest",
        cursor=cursor,
        size=size,
        forward=False,
    )


def products_by_status(*, status: ProductStatus, cursor: str = "", size: int = PAGE_SIZE) -> Page[Product]:
    """Products of a status whole, latest first: a Query and a batch, for the index does not carry the stock."""
    page = read_page(
        [partial(ProductRow.by_status.query, partition) for partition in status_partitions(status)],
        lambda row: row.product_id,
        key_names=STATUS_INDEX_KEYS,
        question=f"status:{status}",
        cursor=cursor,
        size=size,
        forward=False,
    )
    whole = products(product_ids=page.items, consistent=True)
    found = tuple(whole[product_id] for product_id in page.items if product_id in whole)
    return Page(found, page.next_cursor, page.previous_cursor)


def product_with_sku(*, sku: str) -> Product | None:
    """The product of this SKU, in two calls; None when there is none."""
    try:
        product_id = SkuRow.get(sku_pk(sku), SKU_SK, consistent_read=True).product_id
    except DoesNotExist:
        return None
    return products(product_ids=[product_id], consistent=True).get(product_id)


def in_category(*, category: str, cursor: str = "", dearest_first: bool = False, size: int = PAGE_SIZE) -> Page[Card]:
    """Active products of a category by price."""
    return read_page(
        partial(ProductRow.by_category.query, category_partition(category)),
        _readable_card,
        key_names=CATEGORY_INDEX_KEYS,
        question=f"category:{category}:{'desc' if dearest_first else 'asc'}",
        cursor=cursor,
        size=size,
        forward=not dearest_first,
    )


def search(*, filters: Filters, sort: Sort, page: int) -> Results:
    """A page of the products that pass the filters, with counts, from the search index: no table call. Raises IndexMissing."""
    return _engine().search(filters, sort=sort, page=page)


def words_that_find(*, text: str) -> tuple[tuple[str, int], ...]:
    """The words of a search that found nothing together which find something alone, and how much: a search each, of few words."""
    words = query_words(text)[:_MOST_WORDS_TRIED]
    if len(words) == 1:
        return ()
    totals = [(word, _engine().search(Filters(text=word), sort=Sort.RELEVANCE, page=1).total) for word in words]
    return tuple((word, total) for word, total in totals if total)


def finds_anything(*, text: str) -> bool:
    """Whether a search for it finds a product: from the index, without a table call. Raises IndexMissing."""
    return bool(_engine().cards(Filters(text=text), sort=Sort.FEATURED, size=1))


def cards_of(*, product_ids: Sequence[str]) -> tuple[Card, ...]:
    """The products of these ids that lists show, in this order: from the search index, without a table call; none without one."""
    try:
        return _engine().by_id(product_ids)
    except IndexMissing:
        return ()


def suggest(*, prefix: str) -> Suggestions:
    """Products and categories that what was typed so far may mean; nothing while there is no index."""
    try:
        return _engine().suggest(prefix)
    except IndexMissing:
        return Suggestions()


def listed(*, page: int, size: int) -> tuple[Listed, ...]:
    """A page (from 1) of all active products by id, for the sitemap; none while there is no index."""
    try:
        return _engine().listed(page=page, size=size)
    except IndexMissing:
        return ()


def indexed_count() -> int:
    """How many products the search index holds. Raises IndexMissing."""
    return _engine().search(Filters(), size=1).total


def listed_count() -> int:
    """How many products the sitemap lists: none without an index."""
    try:
        return indexed_count()
    except IndexMissing:
        return 0


def readable(row: ProductRow) -> Product | None:
    """The product of a row; none for a row that makes no sense, which must not take a page of others with it."""
    try:
        return to_product(row)
    except (ValueError, TypeError):
        logger.exception("product %s cannot be read and is left out", row.product_id)
        return None


def _readable_card(row: ProductRow) -> Card | None:
    try:
        return to_card(row)
    except (ValueError, TypeError):
        logger.exception("product %s cannot be read and is left out", row.product_id)
        return None


def _engine() -> Engine:
    return _reader().engine()


@cache_in_process
def _reader() -> SnapshotReader:
    return SnapshotReader(snapshot_store(), look_seconds=settings.SEARCH_LOOK_SECONDS)


def snapshot_store() -> SnapshotStore:
    """Where the search index is published."""
    return SnapshotStore(
        bucket=settings.MEDIA_BUCKET, region=settings.AWS_REGION, endpoint_url=settings.AWS_ENDPOINT_URL, prefix="search"
    )


def siblings_of(product: Product) -> tuple[Sibling, ...]:
    """The active members of the product's family, itself among them; none for a product of its own, without a call."""
    if not product.family:
        return ()
    rows = FamilyRow.query(family_pk(product.family))
    return tuple(to_sibling(row) for row in rows if row.status == ProductStatus.ACTIVE)


def related_to(card: Card, *, size: int = 4) -> tuple[Card, ...]:
    """Others of the product's category, nearest above it in price, then nearest below.

    From the search index, which knows them without a table call; from the table while there is no index.
    """
    try:
        engine = _engine()
    except IndexMissing:
        return _related_in_table(card, size)
    minor, most = card.price.minor, size + 1  # one more, for the product itself is among them
    found = engine.cards(Filters(category=card.category, price_min=minor), sort=Sort.PRICE_ASC, size=most)
    if len(found) < most:
        found += engine.cards(Filters(category=card.category, price_max=minor), sort=Sort.PRICE_DESC, size=2 * most)
    others = {other.product_id: other for other in found if other.product_id != card.product_id}
    return tuple(others.values())[:size]


def _related_in_table(card: Card, size: int) -> tuple[Card, ...]:
    place = price_sort_key(card.price, card.product_id)
    ask: Any = partial(ProductRow.by_category.query, category_partition(card.category), limit=size)
    above: ResultIterator[ProductRow] = ask(range_key_condition=ProductRow.gsi1_sk > place)
    found = list(filter(None, map(_readable_card, above)))
    if len(found) < size:
        below: ResultIterator[ProductRow] = ask(range_key_condition=ProductRow.gsi1_sk < place, scan_index_forward=False)
        found += filter(None, map(_readable_card, below))
    return tuple(found[:size])


_kept_categories: tuple[float, tuple[Category, ...]] | None = None


def categories() -> tuple[Category, ...]:
    """The categories in the menu's order; kept for a minute, for every page shows them.

    In the process's own memory: every page asks two or three times, and each look into a cache costs more than the menu.
    """
    if _kept_categories and time.monotonic() < _kept_categories[0]:
        return _kept_categories[1]
    rows = sorted(CategoryRow.query(CATEGORIES_PK, CategoryRow.sk.startswith(category_sk(""))), key=lambda row: row.position)
    found = tuple(to_category(row) for row in rows)
    keep_categories(found)
    return found


def moved_category(*, slug: str) -> str:
    """The present slug of a category that had this one before; empty when there never was one."""
    known = {category.slug for category in categories()}
    for _ in range(_RENAMINGS):
        try:
            slug = MovedCategoryRow.get(CATEGORIES_PK, moved_category_sk(slug)).slug
        except DoesNotExist:
            return ""
        if slug in known:
            return slug
    return ""


def keep_categories(found: tuple[Category, ...], *, seconds: float = _CATEGORIES_SECONDS) -> None:
    """Answer with these categories for a while."""
    global _kept_categories  # noqa: PLW0603 - one value a process, as the docstring of categories() says
    _kept_categories = (time.monotonic() + seconds, found)


def forget_categories() -> None:
    """Drop the kept categories after a write; other processes learn of it within the minute."""
    global _kept_categories  # noqa: PLW0603 - one value a process, as the docstring of categories() says
    _kept_categories = None
