"""What changes the catalogue: the door through which views, jobs, reactions and other apps come.

Behind it `catalog/stock.py` moves pieces in and out of stock and keeps the record of it, `catalog/reviews.py` takes and decides
on reviews, and `catalog/editing.py` writes what staff make of products.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from pynamodb.transactions import TransactWrite

from catalog.domain import WISH_LIFETIME, Category, Product, StockMovement, StockReason
from catalog.editing import (
    PhotosMoved,
    ProductMoved,
    SkuTaken,
    WasSold,
    change_photos,
    create_from_draft,
    duplicate_product,
    publish_due_products,
    remove_product,
    save_product,
)
from catalog.menu import forget_categories
from catalog.models import (
    CATEGORIES_PK,
    GONE_SK,
    SKU_SK,
    CategoryRow,
    GoneRow,
    ProductRow,
    SkuRow,
    WaitRow,
    category_sk,
    product_pk,
    sku_pk,
    to_family_row,
    to_row,
    wait_sk,
)
from catalog.product_queries import forget_products
from catalog.queries import ProductNotFound, active_products, product, wishes
from catalog.reviews import AlreadyReviewed, ReviewMoved, approve_review, load_reviews, reject_review, submit_review
from catalog.search.choice import writer
from catalog.search.engine import Batch, Document
from catalog.shelving import (
    CategoryInUse,
    CategoryMoved,
    CategoryTaken,
    TooManyCategories,
    change_category,
    create_category,
    move_renamed_products,
    place_category,
    remove_category,
)
from catalog.stock import (
    NotEnoughStock,
    StockMoved,
    adjust_stock,
    mark_availability,
    note_shortage,
    retake_stock,
    return_stock,
    set_stock,
    stock_changed,
    take_stock,
)
from catalog.stock_models import StockRow, to_stock_row
from shop.lib.ids import new_record_id
from shop.lib.transactions import Refused, run_transaction

__all__ = [
    "AlreadyReviewed",
    "CategoryInUse",
    "CategoryMoved",
    "CategoryTaken",
    "NotEnoughStock",
    "NotSoldOut",
    "PhotosMoved",
    "ProductExists",
    "ProductMoved",
    "ReviewMoved",
    "SkuTaken",
    "StockMoved",
    "TooManyCategories",
    "WasSold",
    "adjust_stock",
    "approve_review",
    "ask_to_be_told",
    "change_category",
    "change_photos",
    "create_category",
    "create_from_draft",
    "create_product",
    "duplicate_product",
    "forget_wish",
    "load_products",
    "load_reviews",
    "mark_availability",
    "move_renamed_products",
    "note_gone",
    "note_in_family",
    "note_shortage",
    "place_category",
    "publish_due_products",
    "reindex",
    "reject_review",
    "remove_category",
    "remove_product",
    "retake_stock",
    "return_stock",
    "save_category",
    "save_product",
    "set_stock",
    "stock_changed",
    "submit_review",
    "take_stock",
    "update_index",
]

SHOP = "shop"
"""The actor of what nobody in particular did, such as filling an empty shop."""
_PROGRESS_STEP = 1000


class NotSoldOut(Exception):
    """There is no need to wait for the product."""


class ProductExists(Exception):
    """A product of this id exists already."""


def create_product(*, product: Product, image_keys: tuple[str, ...] = (), actor: str = SHOP) -> None:
    """Write a new product, claim its SKU and record the pieces it starts with.

    Raises SkuTaken, ProductExists; then nothing was written.
    """

    def build(txn: TransactWrite) -> None:
        txn.save(to_row(product, image_keys=image_keys), condition=ProductRow.pk.does_not_exist())
        txn.save(
            SkuRow(sku_pk(product.sku), SKU_SK, product_id=product.product_id),
            condition=SkuRow.pk.does_not_exist(),
        )
        if product.inventory:
            txn.save(to_stock_row(_first_pieces(product, actor)))
        if product.family:
            txn.save(to_family_row(product))

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(sku_pk(product.sku)):
            raise SkuTaken(product.sku) from refused
        raise ProductExists(product.product_id) from refused


def _first_pieces(product: Product, actor: str) -> StockMovement:
    at = product.created_at
    return StockMovement(new_record_id("stk"), product.product_id, product.inventory, StockReason.RECEIVED, actor, at)


def load_products(*, entries: Iterable[tuple[Product, tuple[str, ...]]], progress: Callable[[int], None] | None = None) -> int:
    """Write many new products with their photographs' keys, 25 rows a call; how many. `progress` is told each thousand.

    For filling an empty shop: what is there under the same ids is overwritten, and SKUs are claimed without a look.
    """
    done = 0
    with ProductRow.batch_write() as products, SkuRow.batch_write() as skus, StockRow.batch_write() as movements:
        for product, image_keys in entries:
            products.save(to_row(product, image_keys=image_keys))
            skus.save(SkuRow(sku_pk(product.sku), SKU_SK, product_id=product.product_id))
            if product.inventory:
                movements.save(to_stock_row(_first_pieces(product, SHOP)))
            done += 1
            if progress and done % _PROGRESS_STEP == 0:
                progress(done)
    return done


def ask_to_be_told(*, product_id: str, email: str, now: datetime) -> Product:
    """Note that somebody wants a mail when the product is back, within a year; asking twice is asking once, from then on.

    Raises ProductNotFound for what is not for sale at all, and NotSoldOut when it can be bought now.
    """
    found = product(product_id=product_id, consistent=True)
    if not found.is_active:
        raise ProductNotFound(product_id)
    if found.can_be_bought:
        raise NotSoldOut(product_id)
    WaitRow(product_pk(product_id), wait_sk(email), email=email, asked_at=now, expires_at=now + WISH_LIFETIME).save()
    return found


def forget_wish(*, product_id: str, email: str) -> None:
    """Drop a wish that was fulfilled, or cannot be any more."""
    WaitRow(product_pk(product_id), wait_sk(email)).delete()


def save_category(*, category: Category, position: int, image_key: str | None = None) -> None:
    """Write a category of the menu, or overwrite the one of the same slug."""
    CategoryRow(
        CATEGORIES_PK,
        category_sk(category.slug),
        name=category.name,
        slug=category.slug,
        intro=category.intro,
        image=image_key,
        position=position,
    ).save()
    forget_categories()


def note_in_family(*, product: Product) -> None:
    """Let the other members' pages show this one as it is now: its address, options, and whether there is any."""
    to_family_row(product).save()


def note_gone(*, product: Product) -> None:
    """Let the address of a product whose item is no more say so, whoever deleted it; its family forgets it, and nobody waits."""
    GoneRow(product_pk(product.product_id), GONE_SK, category=product.category).save()
    if product.family:
        to_family_row(product).delete()
    for wish in wishes(product_id=product.product_id):
        forget_wish(product_id=product.product_id, email=wish.email)
    forget_products([product.product_id])


def reindex(*, progress: Callable[[int], None] | None = None) -> int:
    """Build the search index anew from the table and put it in place of the old; how many products it holds.

    Reads the whole table, which no page and no job does: it is for the command line. Changes that arrive meanwhile are not lost.
    """
    return writer().rebuild(map(Document.of, active_products()), progress)


def update_index(*, batch: Batch) -> None:
    """Bring the search index up to date with these changes. Raises what its engine raises; the changes shall come again then."""
    if batch:
        writer().apply(batch)
