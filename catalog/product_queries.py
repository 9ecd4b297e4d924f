"""A product as its page shows it, and the cache of them. docs/tables.md has a row for each."""

from collections.abc import Iterable

from django.conf import settings
from django.core.cache import cache

from catalog.models import PRODUCT_SK, ProductRow, product_pk
from catalog.queries import ProductNotFound, readable
from catalog.review_domain import ShownProduct, Summary, Tally
from catalog.review_models import SUMMARY_SK, SummaryRow, to_summary
from shop.lib.tables import batch_items


def shown_product(*, product_id: str) -> ShownProduct:
    """The product and what is said of it, for its page, in one call: from the shared cache where there is one, for money is
    never decided here.

    Raises ProductNotFound.
    """
    if not settings.PRODUCT_CACHE_SECONDS:
        return _shown(product_id, consistent=False)
    key = _product_cache_key(product_id)
    kept: ShownProduct | None = cache.get(key)
    if kept is None:
        # Consistently: what is kept now must not be older than a write that has just dropped it.
        kept = _shown(product_id, consistent=True)
        cache.set(key, kept, settings.PRODUCT_CACHE_SECONDS)
    return kept


def _shown(product_id: str, *, consistent: bool) -> ShownProduct:
    pk = product_pk(product_id)
    items = batch_items(ProductRow.Meta.table_name, [(pk, PRODUCT_SK), (pk, SUMMARY_SK)], consistent=consistent)
    by_key = {item["SK"]["S"]: item for item in items}
    found = readable(ProductRow.from_raw_data(by_key[PRODUCT_SK])) if PRODUCT_SK in by_key else None
    if found is None:
        raise ProductNotFound(product_id)
    if SUMMARY_SK not in by_key:
        return ShownProduct(found, Summary(Tally.carrying(found.rating)))
    return ShownProduct(found, to_summary(SummaryRow.from_raw_data(by_key[SUMMARY_SK])))


def forget_products(product_ids: Iterable[str]) -> None:
    """Drop products from the shared cache after a write."""
    if settings.PRODUCT_CACHE_SECONDS:
        cache.delete_many([_product_cache_key(product_id) for product_id in product_ids])


def _product_cache_key(product_id: str) -> str:
    # The number changes when ShownProduct or Product changes shape, so that no release reads what another wrote.
    return f"catalog.product.3.{product_id}"
