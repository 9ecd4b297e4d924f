"""Rows of the Products table that serve staff pages and jobs, and the only place where their key text is built."""

from datetime import datetime

from pynamodb.attributes import UnicodeAttribute

from catalog.domain import Availability
from catalog.models import CATEGORIES_PK, ProductMeta
from shop.lib.attributes import time_text
from shop.lib.mail_log import MailRow
from shop.lib.tables import Row

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
