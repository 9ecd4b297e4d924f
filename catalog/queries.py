"""Reads of the catalogue. docs/tables.md has a row for each."""

import logging
from collections.abc import Iterable, Iterator
from functools import partial

from pynamodb.exceptions import DoesNotExist

from catalog.domain import Card, Product, ProductStatus, Sibling, StockMovement, Wish
from catalog.models import (
    CATEGORY_INDEX_KEYS,
    GONE_SK,
    PRODUCT_SK,
    SKU_SK,
    STATUS_INDEX_KEYS,
    TABLE_KEYS,
    FamilyRow,
    GoneRow,
    ProductRow,
    SkuRow,
    WaitRow,
    category_partition,
    family_pk,
    product_pk,
    sku_pk,
    status_partitions,
    to_card,
    to_product,
    to_sibling,
    wait_sk,
)
from catalog.staff_models import ShortRow, short_key
from catalog.stock_models import StockRow, stock_sk, to_movement
from shop.lib.cursors import Page, read_page
from shop.lib.tables import batch_get, batch_items, value_of, whole_table

logger = logging.getLogger(__name__)

PAGE_SIZE = 24


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


def wishes(*, product_id: str) -> Iterator[Wish]:
    """Who asked to be told that the product is back, and until when they want to be."""
    for row in WaitRow.query(product_pk(product_id), WaitRow.sk.startswith(wait_sk(""))):
        yield Wish(row.email, row.expires_at)


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


def newest(*, cursor: str = "", size: int = PAGE_SIZE) -> Page[Card]:
    """Active products, latest first."""
    return read_page(
        [partial(ProductRow.by_status.query, partition) for partition in status_partitions(ProductStatus.ACTIVE)],
        readable_card,
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
        readable_card,
        key_names=CATEGORY_INDEX_KEYS,
        question=f"category:{category}:{'desc' if dearest_first else 'asc'}",
        cursor=cursor,
        size=size,
        forward=not dearest_first,
    )


def readable(row: ProductRow) -> Product | None:
    """The product of a row; none for a row that makes no sense, which must not take a page of others with it."""
    try:
        return to_product(row)
    except (ValueError, TypeError):
        logger.exception("product %s cannot be read and is left out", row.product_id)
        return None


def readable_card(row: ProductRow) -> Card | None:
    """The card of a row; none for one that makes no sense."""
    try:
        return to_card(row)
    except (ValueError, TypeError):
        logger.exception("product %s cannot be read and is left out", row.product_id)
        return None


def siblings_of(product: Product) -> tuple[Sibling, ...]:
    """The active members of the product's family, itself among them; none for a product of its own, without a call."""
    if not product.family:
        return ()
    rows = FamilyRow.query(family_pk(product.family))
    return tuple(to_sibling(row) for row in rows if row.status == ProductStatus.ACTIVE)
