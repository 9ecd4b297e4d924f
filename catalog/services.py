"""What changes the catalogue: the only writers of the Products table."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from pynamodb.exceptions import UpdateError
from pynamodb.transactions import TransactWrite

from catalog.domain import Availability, Category, Product, ProductStatus
from catalog.models import (
    CATEGORIES_PK,
    GONE_SK,
    CategoryRow,
    GoneRow,
    ProductRow,
    SkuRow,
    WaitRow,
    product_key,
    product_pk,
    sku_pk,
    to_family_row,
    to_row,
    wait_sk,
)
from catalog.queries import ProductNotFound, active_products, forget_categories, forget_products, product, snapshot_store
from catalog.search.engine import Batch, Document
from catalog.search.publishing import SnapshotWriter
from shop.lib.money import Money
from shop.lib.tables import Busy, all_of, is_refused
from shop.lib.transactions import Refused, run_transaction

_PROGRESS_STEP = 1000


class SkuTaken(Exception):
    """Another product has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class NotSoldOut(Exception):
    """There is no need to wait for the product."""


class ProductExists(Exception):
    """A product of this id exists already."""


def create_product(*, product: Product, image_keys: tuple[str, ...] = ()) -> None:
    """Write a new product and claim its SKU. Raises SkuTaken, ProductExists; then nothing was written."""

    def build(txn: TransactWrite) -> None:
        txn.save(to_row(product, image_keys=image_keys), condition=ProductRow.pk.does_not_exist())
        txn.save(
            SkuRow(sku_pk(product.sku), "SKU", product_id=product.product_id),
            condition=SkuRow.pk.does_not_exist(),
        )
        if product.family:
            txn.save(to_family_row(product))

    try:
        run_transaction(build)
    except Refused as refused:
        if refused.is_about(sku_pk(product.sku)):
            raise SkuTaken(product.sku) from refused
        raise ProductExists(product.product_id) from refused


def load_products(*, entries: Iterable[tuple[Product, tuple[str, ...]]], progress: Callable[[int], None] | None = None) -> int:
    """Write many new products with their photographs' keys, 25 rows a call; how many. `progress` is told each thousand.

    For filling an empty shop: what is there under the same ids is overwritten, and SKUs are claimed without a look.
    """
    done = 0
    with ProductRow.batch_write() as products, SkuRow.batch_write() as skus:
        for product, image_keys in entries:
            products.save(to_row(product, image_keys=image_keys))
            skus.save(SkuRow(sku_pk(product.sku), "SKU", product_id=product.product_id))
            done += 1
            if progress and done % _PROGRESS_STEP == 0:
                progress(done)
    return done


def delete_product(*, product_id: str) -> None:
    """Delete a product for good; its SKU is free again, its address answers that it is gone.

    Raises ProductNotFound, and Busy when somebody changes it at this moment.
    """
    found = product(product_id=product_id, consistent=True)

    def build(txn: TransactWrite) -> None:
        txn.delete(product_key(product_id), condition=ProductRow.version == found.version)
        txn.delete(SkuRow(sku_pk(found.sku), "SKU"))
        if found.family:
            txn.delete(to_family_row(found))
        txn.save(GoneRow(product_pk(product_id), GONE_SK, category=found.category))

    try:
        run_transaction(build)
    except Refused as refused:
        raise Busy from refused
    forget_products([product_id])


def ask_to_be_told(*, product_id: str, email: str, now: datetime) -> Product:
    """Note that somebody wants a mail when the product is back; asking twice is asking once.

    Raises ProductNotFound for what is not for sale at all, and NotSoldOut when it can be bought now.
    """
    found = product(product_id=product_id, consistent=True)
    if not found.is_active:
        raise ProductNotFound(product_id)
    if found.can_be_bought:
        raise NotSoldOut(product_id)
    WaitRow(product_pk(product_id), wait_sk(email), email=email, asked_at=now).save()
    return found


def forget_wish(*, product_id: str, email: str) -> None:
    """Drop a wish that was fulfilled."""
    WaitRow(product_pk(product_id), wait_sk(email)).delete()


def save_category(*, category: Category, position: int, image_key: str | None = None) -> None:
    """Write a category of the menu, or overwrite the one of the same slug."""
    CategoryRow(
        CATEGORIES_PK,
        f"CATEGORY#{category.slug}",
        name=category.name,
        slug=category.slug,
        intro=category.intro,
        image=image_key,
        position=position,
    ).save()
    forget_categories()


def take_stock(txn: TransactWrite, *, product_id: str, quantity: int, price: Money) -> None:
    """Add to a transaction: take pieces out of stock, if so many are there, at this price, and the product is for sale.

    Whoever commits the transaction calls `stock_changed` after it.
    """
    txn.update(
        product_key(product_id),
        actions=[ProductRow.inventory.set(ProductRow.inventory - quantity)],
        condition=all_of(
            ProductRow.inventory >= quantity,
            ProductRow.price == price.amount,
            ProductRow.currency == price.currency,
            ProductRow.status == ProductStatus.ACTIVE,
        ),
    )


def return_stock(txn: TransactWrite, *, product_id: str, quantity: int) -> None:
    """Add to a transaction: put pieces back into stock. A product deleted meanwhile refuses the transaction.

    Whoever commits the transaction calls `stock_changed` after it.
    """
    txn.update(
        product_key(product_id),
        actions=[ProductRow.inventory.set(ProductRow.inventory + quantity)],
        condition=ProductRow.pk.exists(),
    )


def note_in_family(*, product: Product) -> None:
    """Let the other members' pages show this one as it is now: its address, options, and whether there is any."""
    to_family_row(product).save()


def stock_changed(*, product_ids: Iterable[str]) -> None:
    """Let product pages read these products anew: a transaction with them was committed."""
    forget_products(product_ids)


def reindex(*, progress: Callable[[int], None] | None = None) -> int:
    """Build the search index anew from the table and publish it; how many products it holds.

    Reads the whole table, which no page and no job does: it is for the command line. Changes that arrive meanwhile are not lost.
    """
    return _index_writer().rebuild(map(Document.of, active_products()), progress)


def update_index(*, batch: Batch) -> None:
    """Publish a search index with these changes. Raises StoreFailed; the changes shall come again then."""
    if batch:
        _index_writer().apply(batch)


@cache
def _index_writer() -> SnapshotWriter:
    """One a process, so that a batch finds the index of the last one at hand."""
    return SnapshotWriter(snapshot_store())


def mark_availability(*, product_id: str, inventory: int, availability: Availability) -> bool:
    """Note what shoppers are told of the stock, if the stock is still this; False when it has moved on (a record follows)."""
    try:
        product_key(product_id).update(
            actions=[ProductRow.availability.set(availability)],
            condition=ProductRow.inventory == inventory,
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        return False
    forget_products([product_id])
    return True


def set_stock(*, product_id: str, inventory: int, now: datetime) -> None:
    """Set the stock to a counted number. Raises UpdateError when the product does not exist."""
    product_key(product_id).update(
        actions=[ProductRow.inventory.set(inventory), ProductRow.updated_at.set(now)],
        condition=ProductRow.pk.exists(),
    )
    forget_products([product_id])
