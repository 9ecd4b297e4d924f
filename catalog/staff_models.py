"""Rows of the Products table that serve staff pages and jobs, and the only place where their key text is built."""

from datetime import datetime
from typing import Any

from pynamodb.attributes import Attribute, UnicodeAttribute

from catalog.domain import Availability, Listed, ProductStatus
from catalog.models import CATEGORIES_PK, ProductMeta, ProductRow, photo_of
from shop.lib.attributes import time_text
from shop.lib.mail_log import MailRow
from shop.lib.money import Money
from shop.lib.tables import Item, Row, value_of

PUBLISH_PK = "PUBLISH"
SHORT_PK = "SHORT"
RENAMES_PK = "RENAMES"


class PublishRow(Row):
    """A draft that becomes active by itself: by the time of it, so that a job finds what is due by one query."""

    class Meta(ProductMeta):
        pass

    product_id = UnicodeAttribute(attr_name="productId")


class ShortRow(Row):
    """An active product that is low or sold out, with what a list of such products is filtered by."""

    class Meta(ProductMeta):
        pass

    product_id = UnicodeAttribute(attr_name="productId")
    name = UnicodeAttribute()
    category = UnicodeAttribute()


class ProductMailRow(MailRow):
    """A mail about a product: that it is back, or running out."""

    class Meta(ProductMeta):
        pass


class MovedCategoryRow(Row):
    """Where a category is that had another address before."""

    class Meta(ProductMeta):
        pass

    slug = UnicodeAttribute()


class RenameRow(Row):
    """A category with a new name, until all its products have moved there."""

    class Meta(ProductMeta):
        pass

    before = UnicodeAttribute()
    after = UnicodeAttribute()


def moved_category_sk(slug: str) -> str:
    return f"MOVED#{slug}"


def moved_category_row(slug: str, to: str) -> MovedCategoryRow:
    return MovedCategoryRow(CATEGORIES_PK, moved_category_sk(slug), slug=to)


def rename_row(rename_id: str, before: str, after: str) -> RenameRow:
    """The later of two renamings sorts behind the earlier, as its id does."""
    return RenameRow(RENAMES_PK, rename_id, before=before, after=after)


def publish_sk(at: datetime, product_id: str = "") -> str:
    """The key of a draft that becomes active at a time; without an id what is due by then sorts before it."""
    return f"{time_text(at)}#{product_id}" if product_id else f"{time_text(at)}~"


def publish_row(at: datetime, product_id: str) -> PublishRow:
    return PublishRow(PUBLISH_PK, publish_sk(at, product_id), product_id=product_id)


def short_sk(availability: Availability, product_id: str = "") -> str:
    """Sold-out products sort behind low ones; without an id what all of them begin with."""
    return f"{availability}#{product_id}"


def short_key(availability: Availability, product_id: str) -> ShortRow:
    """A row that carries nothing but its key."""
    return ShortRow(SHORT_PK, short_sk(availability, product_id))


LISTED_ATTRIBUTES = (
    ProductRow.product_id,
    ProductRow.name,
    ProductRow.sku,
    ProductRow.brand,
    ProductRow.category,
    ProductRow.price,
    ProductRow.compare_at_price,
    ProductRow.currency,
    ProductRow.images,
    ProductRow.inventory,
    ProductRow.status,
    ProductRow.publish_at,
)
"""What staff's lists show of a product."""


def to_listed(item: Item) -> Listed:
    """A product of an item with LISTED_ATTRIBUTES. Raises KeyError and ValueError for one that makes no sense."""
    currency = value_of(item, ProductRow.currency)
    compared = ProductRow.compare_at_price
    images = item.get(ProductRow.images.attr_name, {}).get("L", ())
    return Listed(
        product_id=value_of(item, ProductRow.product_id),
        name=value_of(item, ProductRow.name),
        sku=value_of(item, ProductRow.sku),
        brand=value_of(item, ProductRow.brand),
        category=value_of(item, ProductRow.category),
        price=Money.of(value_of(item, ProductRow.price), currency),
        compare_at_price=Money.of(value_of(item, compared), currency) if _is_there(item, compared) else None,
        photo=photo_of(images[0]["S"]) if images else None,
        inventory=value_of(item, ProductRow.inventory),
        status=ProductStatus(value_of(item, ProductRow.status)),
        publish_at=value_of(item, ProductRow.publish_at) if _is_there(item, ProductRow.publish_at) else None,
    )


def _is_there(item: Item, attribute: Attribute[Any]) -> bool:
    return "NULL" not in item.get(attribute.attr_name, {"NULL": True})
