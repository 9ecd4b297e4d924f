"""Reads of staff pages about products. docs/tables.md has a row for each; none costs more the larger the catalogue is."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from itertools import islice
from typing import Any

from pynamodb.exceptions import DoesNotExist

from catalog.domain import Availability, Listed, Photo, Product, ProductStatus, StockReason
from catalog.index_queries import search
from catalog.models import (
    CATEGORY_INDEX_KEYS,
    PRODUCT_SK,
    SKU_SK,
    STATUS_INDEX_KEYS,
    TABLE_KEYS,
    CatalogAuditRow,
    ProductRow,
    SkuRow,
    category_partition,
    photo_of,
    product_pk,
    sku_pk,
    status_partitions,
)
from catalog.queries import PAGE_SIZE, image_keys, products
from catalog.search.engine import Filters, IndexMissing, Sort
from catalog.staff_models import LISTED_ATTRIBUTES, SHORT_PK, ProductMailRow, ShortRow, short_sk, to_listed
from catalog.stock_models import StockRow, stock_sk
from shop.lib import audit, mail_log
from shop.lib.audit import Entry, entries_about
from shop.lib.cursors import Page, read_items
from shop.lib.mail_log import LoggedMail
from shop.lib.tables import Item, batch_get, batch_items, count_up_to, value_of

logger = logging.getLogger(__name__)

EXAMINED = 99
"""So many rows a page looks at where no index answers the question: with the one of that SKU, as many as one call reads whole."""
_ENTRIES = 10
_LONGEST_SKU = 500


class Tab(StrEnum):
    """The lists of products."""

    ACTIVE = "active"
    DRAFTS = "drafts"
    ARCHIVED = "archived"


STATUSES = {
    Tab.ACTIVE: (ProductStatus.ACTIVE,),
    Tab.DRAFTS: (ProductStatus.DRAFT, ProductStatus.INACTIVE),
    Tab.ARCHIVED: (ProductStatus.ARCHIVED,),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list of products is asked."""

    tab: Tab = Tab.ACTIVE
    text: str = ""
    category: str = ""
    stock: Availability | None = None
    page: int = 1
    cursor: str = ""

    @property
    def question(self) -> str:
        """What a cursor is bound to."""
        return f"staff:{self.tab}:{self.stock or ''}:{self.category}:{self.text}"

    @property
    def is_filtered(self) -> bool:
        return bool(self.text or self.category or self.stock)

    def fits(self, item: Item) -> bool:
        """Whether an item of an index, or of the list of the short, passes the filters."""
        words = self.text.casefold().split()
        read = f"{value_of(item, ProductRow.name, '')} {value_of(item, ProductRow.brand, '')}".casefold()
        return (
            (not self.category or value_of(item, ProductRow.category, "") == self.category)
            and all(word in read for word in words)
            and (self.stock is None or value_of(item, ProductRow.availability, self.stock) == self.stock)
        )


@dataclass(frozen=True, slots=True)
class Found:
    """A page of products. By number, with a total, where the search index answered; else by cursors."""

    products: tuple[Listed, ...]
    next_cursor: str = ""
    previous_cursor: str = ""
    total: int | None = None
    examined: int = 0
    """How many rows were looked at for it, where no index answers the question; 0 otherwise."""


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """A photograph by its key, with what it shows in words."""

    key: str
    alt: str = ""

    @property
    def shown(self) -> Photo:
        """As a page shows it."""
        return photo_of(self.key, self.alt)


def find_products(asked: Asked) -> Found:
    """The products a list shows, at a fixed number of calls: by the search index where it can tell, by the indexes otherwise.

    A product of that very SKU comes first, whatever its status.
    """
    exact = product_of_sku(sku=asked.text) if asked.text and asked.page == 1 and not asked.cursor else ""
    found = _by_index(asked, exact) if asked.tab is Tab.ACTIVE and asked.stock is None and asked.is_filtered else None
    return found or _by_rows(asked, exact)


def ways_on(asked: Asked, found: Found) -> tuple[Asked | None, Asked | None]:
    """What the next and the previous page are asked; None where there is none."""
    if found.total is not None:
        has_more = asked.page * PAGE_SIZE < found.total
        return replace(asked, page=asked.page + 1) if has_more else None, (
            replace(asked, page=asked.page - 1) if asked.page > 1 else None
        )
    return (
        replace(asked, cursor=found.next_cursor) if found.next_cursor else None,
        replace(asked, cursor=found.previous_cursor) if found.previous_cursor else None,
    )


def products_of_skus(*, skus: Sequence[str]) -> dict[str, Product]:
    """The products that have these SKUs, by SKU: two calls for each 100."""
    found: dict[str, Product] = {}
    wanted = [sku for sku in dict.fromkeys(skus) if 0 < len(sku) <= _LONGEST_SKU]
    for start in range(0, len(wanted), 100):
        rows = batch_get(SkuRow, [(sku_pk(sku), SKU_SK) for sku in wanted[start : start + 100]], consistent=True)
        ids = {row.product_id: row.pk.removeprefix(sku_pk("")) for row in rows}
        whole = products(product_ids=ids, consistent=True)
        found |= {ids[product_id]: product for product_id, product in whole.items()}
    return found


def product_of_sku(*, sku: str) -> str:
    """The id of the product that has this SKU; empty for none."""
    try:
        return SkuRow.get(sku_pk(sku.strip()), SKU_SK).product_id
    except DoesNotExist:
        return ""


def short_count(*, stock: Availability, at_most: int) -> int:
    """How many active products are low, or sold out; counting stops at `at_most`. One Query."""
    return count_up_to(ShortRow, SHORT_PK, begins=short_sk(stock), at_most=at_most)


def stored_photos(found: Product) -> tuple[StoredPhoto, ...]:
    """The product's photographs by their keys."""
    keys = image_keys(product_ids=[found.product_id]).get(found.product_id, ())
    return tuple(StoredPhoto(key, photo.alt) for key, photo in zip(keys, found.photos, strict=False))


def was_sold(*, product_id: str) -> bool:
    """Whether a piece of it was ever ordered. The latest movements are looked at first, and mostly the first of them tells."""
    sales = StockRow.query(
        product_pk(product_id),
        StockRow.sk.startswith(stock_sk()),
        filter_condition=StockRow.reason == StockReason.SALE,
        scan_index_forward=False,
        consistent_read=True,
        page_size=200,
        attributes_to_get=["PK", "SK"],
    )
    return bool(list(islice(sales, 1)))


def changes_of(*, product_id: str) -> tuple[Entry, ...]:
    """What staff did to a product last."""
    return entries_about(CatalogAuditRow, product_pk(product_id), size=_ENTRIES).items


def entries_of_month(*, month: datetime, cursor: str = "") -> Page[Entry]:
    """What staff did to products and reviews in a month, newest first: one Query and one BatchGet."""
    return audit.entries_of_month(CatalogAuditRow, ProductRow.by_category, month, cursor=cursor)


def mails_of_month(*, month: datetime, cursor: str = "") -> Page[LoggedMail]:
    """Mails about products in a month, latest first: one Query and one BatchGet."""
    return mail_log.mails_of_month(ProductMailRow, ProductRow.by_category, month, cursor=cursor)


def failed_mails(*, cursor: str = "", size: int = mail_log.PAGE_SIZE) -> Page[LoggedMail]:
    """Mails about products that could not be sent: one Query."""
    return mail_log.failed_mails(ProductMailRow, cursor=cursor, size=size)


def _by_index(asked: Asked, exact: str) -> Found | None:
    filters = Filters(text=asked.text, category=asked.category)
    try:
        results = search(filters=filters, sort=Sort.RELEVANCE if asked.text else Sort.NEWEST, page=asked.page)
    except IndexMissing:
        return None
    return Found(_with_stock([exact, *(card.product_id for card in results.cards)]), total=results.total)


def _by_rows(asked: Asked, exact: str) -> Found:
    page: Page[str] = read_items(
        _asks(asked),
        lambda item: value_of(item, ProductRow.product_id, "") if asked.fits(item) else None,
        key_names=_keys(asked),
        question=asked.question,
        cursor=asked.cursor,
        size=EXAMINED if asked.is_filtered else PAGE_SIZE,
        forward=False,
    )
    return Found(
        _with_stock([exact, *page.items]), page.next_cursor, page.previous_cursor, examined=EXAMINED if asked.is_filtered else 0
    )


def _is_short(asked: Asked) -> bool:
    return asked.tab is Tab.ACTIVE and asked.stock in (Availability.LOW, Availability.OUT)


def _asks(asked: Asked) -> list[Callable[..., Any]]:
    if _is_short(asked) and asked.stock:
        return [partial(ShortRow.query, SHORT_PK, ShortRow.sk.startswith(short_sk(asked.stock)))]
    if asked.tab is Tab.ACTIVE and asked.category:
        return [partial(ProductRow.by_category.query, category_partition(asked.category))]
    partitions = [partition for status in STATUSES[asked.tab] for partition in status_partitions(status)]
    return [partial(ProductRow.by_status.query, partition) for partition in partitions]


def _keys(asked: Asked) -> tuple[str, ...]:
    if _is_short(asked):
        return TABLE_KEYS
    return CATEGORY_INDEX_KEYS if asked.tab is Tab.ACTIVE and asked.category else STATUS_INDEX_KEYS


def _with_stock(product_ids: list[str]) -> tuple[Listed, ...]:
    """The products of these ids in this order, with their stock; an index may name one that is no more. One BatchGet."""
    keys = [(product_pk(product_id), PRODUCT_SK) for product_id in dict.fromkeys(product_ids) if product_id]
    if not keys:
        return ()
    items = batch_items(ProductRow.Meta.table_name, keys, consistent=False, attributes=LISTED_ATTRIBUTES)
    found = {one.product_id: one for one in map(_readable, items) if one}
    return tuple(found[product_id] for product_id in dict.fromkeys(product_ids) if product_id in found)


def _readable(item: Item) -> Listed | None:
    """None for an item that makes no sense, which must not take a page of others with it."""
    try:
        return to_listed(item)
    except (KeyError, ValueError, TypeError, ArithmeticError):
        logger.exception("product %s cannot be read and is left out", value_of(item, ProductRow.product_id, ""))
        return None
