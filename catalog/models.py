"""Rows of the Products table; here, and in the `*_models` beside it, is the only place where their key text is built."""

from typing import Any

from django.conf import settings
from django.utils.text import slugify
from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection

from catalog.domain import (
    Availability,
    Card,
    Category,
    Photo,
    Product,
    ProductStatus,
    Rating,
    Sibling,
    availability_of,
)
from shop.lib.answers import AnswerRow
from shop.lib.attributes import (
    DecimalAttribute,
    Document,
    EpochAttribute,
    IntegerAttribute,
    TextListAttribute,
    TextMapAttribute,
    TimeAttribute,
    time_text,
)
from shop.lib.audit import AuditRow
from shop.lib.money import Money
from shop.lib.partitions import all_partitions, own_partition
from shop.lib.tables import BaseMeta, Row, table_name

PHOTO_WIDTHS = (320, 640, 960, 1200)
"""The widths in pixels every uploaded photograph is kept in."""
_DEFAULT_PHOTO_WIDTH = 640
_PRICE_DIGITS = 12
"""Prices in index keys are padded to this many digits of minor units, so that the order of the texts is the order of prices."""

# What lists show. `inventory` is not among it, so that a sale rewrites no index.
_CARD_ATTRIBUTES = [
    "productId",
    "slug",
    "name",
    "price",
    "compareAtPrice",
    "currency",
    "category",
    "subCategory",
    "brand",
    "images",
    "availability",
    "ratings",
    "status",
    "createdAt",
]
# What lists of reviews show, of the same indexes.
_REVIEW_ATTRIBUTES = ["reviewId", "productName", "orderId", "owner", "stars", "title", "text", "author", "decidedAt", "decidedBy"]
PROJECTION = IncludeProjection([*_CARD_ATTRIBUTES, *_REVIEW_ATTRIBUTES])
"""What both indexes carry beside the keys."""


class ProductMeta(BaseMeta):
    table_name = table_name("Products")


class RatingsMap(Document):
    average = DecimalAttribute()
    count = IntegerAttribute()


class CategoryIndex(GlobalSecondaryIndex["ProductRow"]):
    """Active products of a category by price."""

    class Meta:
        index_name = "GSI1"
        projection = PROJECTION

    gsi1_pk = UnicodeAttribute(hash_key=True, attr_name="GSI1PK")
    gsi1_sk = UnicodeAttribute(range_key=True, attr_name="GSI1SK")


class StatusIndex(GlobalSecondaryIndex["ProductRow"]):
    """Products of a status by the time they were created."""

    class Meta:
        index_name = "GSI2"
        projection = PROJECTION

    gsi2_pk = UnicodeAttribute(hash_key=True, attr_name="GSI2PK")
    gsi2_sk = UnicodeAttribute(range_key=True, attr_name="GSI2SK")


class ProductRow(Row):
    """A product. `inventory` changes by conditional `update` alone; everything else with a `version` condition."""

    class Meta(ProductMeta):
        ttl_attribute = "expiresAt"  # of answers to other systems, and of wishes

    product_id = UnicodeAttribute(attr_name="productId")
    name = UnicodeAttribute()
    description = UnicodeAttribute()
    price = DecimalAttribute()
    currency = UnicodeAttribute()
    category = UnicodeAttribute()
    sub_category = UnicodeAttribute(attr_name="subCategory")
    brand = UnicodeAttribute()
    images = TextListAttribute()
    inventory = IntegerAttribute()
    sku = UnicodeAttribute()
    details = TextMapAttribute(attr_name="attributes")
    ratings = RatingsMap(null=True)
    status = UnicodeAttribute()
    created_at = TimeAttribute(attr_name="createdAt")
    updated_at = TimeAttribute(attr_name="updatedAt")
    # Beyond the spec's item: absent on an item written by somebody else, so each may be missing.
    slug = UnicodeAttribute(null=True)
    availability = UnicodeAttribute(null=True)
    version = IntegerAttribute(null=True)
    family = UnicodeAttribute(null=True)
    options = TextMapAttribute(null=True)
    compare_at_price = DecimalAttribute(attr_name="compareAtPrice", null=True)
    tax_class = UnicodeAttribute(attr_name="taxClass", null=True)
    weight = IntegerAttribute(null=True)
    publish_at = TimeAttribute(attr_name="publishAt", null=True)
    image_texts = TextMapAttribute(attr_name="imageTexts", null=True)
    gsi1_pk = UnicodeAttribute(attr_name="GSI1PK", null=True)
    gsi1_sk = UnicodeAttribute(attr_name="GSI1SK", null=True)
    gsi2_pk = UnicodeAttribute(attr_name="GSI2PK", null=True)
    gsi2_sk = UnicodeAttribute(attr_name="GSI2SK", null=True)

    by_category = CategoryIndex()
    by_status = StatusIndex()


class SkuRow(Row):
    """Makes a SKU unique: written with "does not exist" in the transaction that writes its product."""

    class Meta(ProductMeta):
        pass

    product_id = UnicodeAttribute(attr_name="productId")


class FamilyRow(Row):
    """A product's membership in its family, with what a choice between its members shows."""

    class Meta(ProductMeta):
        pass

    product_id = UnicodeAttribute(attr_name="productId")
    slug = UnicodeAttribute()
    options = TextMapAttribute()
    availability = UnicodeAttribute()
    status = UnicodeAttribute()


class GoneRow(Row):
    """What is left of a deleted product, so that its address can say so and show its shelf."""

    class Meta(ProductMeta):
        pass

    category = UnicodeAttribute()


class WaitRow(Row):
    """Somebody who wants to be told by mail when a sold-out product is back."""

    class Meta(ProductMeta):
        pass

    email = UnicodeAttribute()
    asked_at = TimeAttribute(attr_name="askedAt")
    expires_at = EpochAttribute(attr_name="expiresAt", null=True)


class CatalogAuditRow(AuditRow):
    """What staff did to a product or its reviews."""

    class Meta(ProductMeta):
        pass


class CatalogAnswerRow(AnswerRow):
    """A write to the catalogue that is done once: what another system was answered, or a press of a staff form's button."""

    class Meta(ProductMeta):
        pass


class CategoryRow(Row):
    """A category as the menu shows it; `position` orders the menu."""

    class Meta(ProductMeta):
        pass

    name = UnicodeAttribute()
    slug = UnicodeAttribute()
    intro = UnicodeAttribute()
    image = UnicodeAttribute(null=True)
    position = IntegerAttribute()


PRODUCT_SK = "METADATA"
SKU_SK = "SKU"
GONE_SK = "GONE"
CATEGORIES_PK = "CATEGORIES"
TABLE_KEYS = ("PK", "SK")
CATEGORY_INDEX_KEYS = ("PK", "SK", "GSI1PK", "GSI1SK")
STATUS_INDEX_KEYS = ("PK", "SK", "GSI2PK", "GSI2SK")


def product_pk(product_id: str) -> str:
    return f"PRODUCT#{product_id}"


def sku_pk(sku: str) -> str:
    return f"SKU#{sku}"


def wait_sk(email: str) -> str:
    """One wish an address and product: addresses that differ in case alone are one."""
    return f"WAIT#{email.casefold()}"


def category_sk(slug: str) -> str:
    """The key of a category; with an empty slug what those of all begin with."""
    return f"CATEGORY#{slug}"


def family_pk(family: str) -> str:
    return f"FAMILY#{family}"


def category_partition(category: str) -> str:
    return f"CATEGORY#{category}"


def status_partition(status: ProductStatus, product_id: str) -> str:
    return own_partition(f"STATUS#{status}", product_id)


def status_partitions(status: ProductStatus) -> tuple[str, ...]:
    """All partitions that products of a status lie in."""
    return all_partitions(f"STATUS#{status}")


def price_sort_key(price: Money, product_id: str) -> str:
    return f"{price.minor:0{_PRICE_DIGITS}d}#{product_id}"


def product_key(product_id: str) -> ProductRow:
    """A row that carries nothing but its key, for updates by condition."""
    return ProductRow(product_pk(product_id), PRODUCT_SK)


def to_row(product: Product, *, image_keys: tuple[str, ...]) -> ProductRow:
    """The row of a new product; `image_keys` are the stored photographs in their order."""
    row = ProductRow(
        product_pk(product.product_id),
        PRODUCT_SK,
        product_id=product.product_id,
        slug=product.slug,
        name=product.name,
        description=product.description,
        price=product.price.amount,
        currency=product.price.currency,
        category=product.category,
        sub_category=product.sub_category,
        brand=product.brand,
        images=list(image_keys),
        inventory=product.inventory,
        sku=product.sku,
        details=product.attributes,
        status=product.status,
        availability=product.availability,
        version=product.version,
        family=product.family or None,
        options=product.options or None,
        compare_at_price=product.compare_at_price.amount if product.compare_at_price else None,
        tax_class=product.tax_class or None,
        weight=product.weight,
        publish_at=product.publish_at,
        image_texts=_texts_by_key(image_keys, product.photos) or None,
        created_at=product.created_at,
        updated_at=product.updated_at,
        gsi2_pk=status_partition(product.status, product.product_id),
        gsi2_sk=time_text(product.created_at),
    )
    if product.rating:
        row.ratings = RatingsMap(average=product.rating.average, count=product.rating.count)
    if product.is_active:
        row.gsi1_pk = category_partition(product.category)
        row.gsi1_sk = price_sort_key(product.price, product.product_id)
    return row


def _texts_by_key(image_keys: tuple[str, ...], photos: tuple[Photo, ...]) -> dict[str, str]:
    return {key: photo.alt for key, photo in zip(image_keys, photos, strict=False) if photo.alt}


def to_card(row: ProductRow) -> Card:
    return Card(**_card_fields(row))


def to_product(row: ProductRow) -> Product:
    return Product(
        **_card_fields(row),
        description=row.description,
        inventory=row.inventory,
        sku=row.sku,
        status=ProductStatus(row.status),
        updated_at=row.updated_at,
        attributes=dict(row.details),
        version=row.version or 0,
        family=row.family or "",
        options=dict(row.options or {}),
        tax_class=row.tax_class or "",
        weight=row.weight,
        publish_at=row.publish_at,
    )


def to_family_row(product: Product) -> FamilyRow:
    return FamilyRow(
        family_pk(product.family),
        product_pk(product.product_id),
        product_id=product.product_id,
        slug=product.slug,
        options=product.options,
        availability=product.availability,
        status=product.status,
    )


def to_sibling(row: FamilyRow) -> Sibling:
    return Sibling(row.product_id, row.slug, dict(row.options), Availability(row.availability))


def _card_fields(row: ProductRow) -> dict[str, Any]:
    return {
        "product_id": row.product_id,
        # Addresses take ASCII letters, digits and dashes; an item written elsewhere may have other slugs.
        "slug": slugify(row.slug or row.name) or row.product_id,
        "name": row.name,
        "price": Money.of(row.price, row.currency),
        "category": row.category,
        "sub_category": row.sub_category,
        "brand": row.brand,
        "photos": tuple(photo_of(image, (row.image_texts or {}).get(image, "")) for image in row.images or ()),
        "availability": _availability(row),
        "rating": Rating(row.ratings.average, row.ratings.count) if row.ratings and row.ratings.count else None,
        "created_at": row.created_at,
        "compare_at_price": None if row.compare_at_price is None else Money.of(row.compare_at_price, row.currency),
    }


def _availability(row: ProductRow) -> Availability:
    """The stock itself where it was read; the coarse attribute on rows that come from an index, which carry no stock."""
    if row.inventory is not None:
        return availability_of(row.inventory)
    return Availability(row.availability) if row.availability else Availability.IN_STOCK


def photo_of(image: str, alt: str = "") -> Photo:
    """A stored image as a page shows it: a key of our bucket in its widths, or a foreign address as it stands."""
    if image.startswith(("https://", "http://")):
        return Photo(src=image, alt=alt)
    base = f"{settings.MEDIA_URL}{image}"
    return Photo(
        src=f"{base}/{_DEFAULT_PHOTO_WIDTH}.webp",
        srcset=", ".join(f"{base}/{width}.webp {width}w" for width in PHOTO_WIDTHS),
        alt=alt,
    )


def to_category(row: CategoryRow) -> Category:
    return Category(name=row.name, slug=row.slug, intro=row.intro, photo=photo_of(row.image) if row.image else None)
