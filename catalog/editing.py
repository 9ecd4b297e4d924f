"""Staff's changes of products: by name, with the version as the condition and the audit entry in the same transaction.

Nothing here touches `inventory`: a running checkout and an editor never meet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from django.utils.text import slugify
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from catalog.domain import Product, ProductStatus, StockMovement, StockReason, availability_of
from catalog.editing_domain import Draft, draft_of, texts_of
from catalog.models import (
    GONE_SK,
    PRODUCT_SK,
    SKU_SK,
    CatalogAuditRow,
    FamilyRow,
    GoneRow,
    ProductRow,
    SkuRow,
    category_partition,
    family_pk,
    photo_of,
    price_sort_key,
    product_key,
    product_pk,
    sku_pk,
    status_partition,
    to_family_row,
    to_row,
)
from catalog.product_queries import forget_products
from catalog.queries import ProductNotFound, product
from catalog.staff_models import PUBLISH_PK, PublishRow, publish_row, publish_sk
from catalog.staff_queries import StoredPhoto, stored_photos, was_sold
from catalog.stock_models import to_stock_row
from shop.lib.answers import Claim
from shop.lib.audit import Change, audit_row
from shop.lib.ids import new_id, new_record_id
from shop.lib.tables import Busy, all_of
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

CLOCK = Viewer(user_id="shop", name="The shop’s clock")
"""Who publishes a draft at its time."""
_COPIES = 50
"""So many copies of one product find a SKU of their own."""
_PUBLISHED_A_RUN = 500


class SkuTaken(Exception):
    """Another product has this SKU."""

    def __init__(self, sku: str) -> None:
        super().__init__(sku)
        self.sku = sku


class ProductMoved(Exception):
    """Somebody else has changed the product since; nothing was written. `product` is as it stands."""

    def __init__(self, found: Product) -> None:
        super().__init__(found.product_id)
        self.product = found


class PhotosMoved(Exception):
    """Somebody else has changed the product's photographs since; nothing was written."""


class WasSold(Exception):
    """The product was sold, so orders and records speak of it: it can be archived, not deleted."""


def create_from_draft(
    *, draft: Draft, actor: Viewer, now: datetime, photos: Sequence[StoredPhoto] = (), action: str = "created", pieces: int = 0
) -> Product:
    """Write a new product with so many pieces in stock. Raises SkuTaken; then nothing was written."""
    made = _new_product(draft, photos, pieces, now)
    try:
        run_transaction(partial(_add_new, made=made, photos=photos, actor=actor, action=action))
    except Refused as refused:
        raise SkuTaken(made.sku) from refused
    return made


def save_product(
    *,
    product_id: str,
    draft: Draft,
    version: int,
    actor: Viewer,
    now: datetime,
    action: str = "changed",
    claim: Claim | None = None,
) -> Product:
    """Write what staff made of a product at `version`, with `claim` only if that was not done before; the product as it is then.

    What changes nothing writes nothing. Raises ProductNotFound, ProductMoved, SkuTaken, Repeated; then nothing was written.
    """
    found = product(product_id=product_id, consistent=True)
    if found.version != version:
        raise ProductMoved(found)
    saved, changes = _saved(found, draft, now)
    if not changes:
        return found

    def build(txn: TransactWrite) -> None:
        _add_save(txn, found=found, saved=saved, audit=_audit(product_id, actor, action, now, changes))
        if claim:
            claim.join(txn)

    try:
        run_transaction(build)
    except Refused as refused:
        if claim:
            claim.check(refused)
        if refused.is_about(sku_pk(saved.sku)):
            raise SkuTaken(saved.sku) from refused
        raise ProductMoved(product(product_id=product_id, consistent=True)) from refused
    forget_products([product_id])
    return saved


MOST_AT_ONCE = 12
"""So many products `write_together` takes: up to eight writes each, and a transaction may have a hundred and 4 MB."""


@dataclass(frozen=True, slots=True)
class Writing:
    """A product to write with others: a draft over `found` as it was read; without `found` a new one."""

    draft: Draft
    found: Product | None = None
    photos: Sequence[StoredPhoto] = ()
    pieces: int = 0


def write_together(*, writings: Sequence[Writing], actor: Viewer, now: datetime, created: str, changed: str) -> None:
    """Write up to `MOST_AT_ONCE` products of different SKUs, all or none, in one call; the words stand in their audit trails.

    Raises Refused when somebody changed one of them, or took the SKU of a new one; then nothing was written.
    """

    adds: list[Callable[[TransactWrite], None]] = []
    for one in writings:
        if one.found is None:
            made = _new_product(one.draft, one.photos, one.pieces, now)
            adds.append(partial(_add_new, made=made, photos=one.photos, actor=actor, action=created))
            continue
        saved, changes = _saved(one.found, one.draft, now)
        if changes:
            audit = _audit(saved.product_id, actor, changed, now, changes)
            adds.append(partial(_add_save, found=one.found, saved=saved, audit=audit))

    def build(txn: TransactWrite) -> None:
        for add in adds:
            add(txn)

    if adds:
        run_transaction(build)
        forget_products([one.found.product_id for one in writings if one.found])


def duplicate_product(*, product_id: str, actor: Viewer, now: datetime) -> Product:
    """A draft that says the same, with the same photographs, none in stock and a SKU of its own. Raises ProductNotFound, Busy."""
    found = product(product_id=product_id, consistent=True)
    photos = stored_photos(found)
    for number in range(1, _COPIES):
        draft = replace(
            draft_of(found),
            name=f"{found.name} (copy)",
            slug="",
            sku=f"{found.sku}-COPY{'' if number == 1 else number}",
            status=ProductStatus.DRAFT,
            publish_at=None,
        )
        try:
            return create_from_draft(
                draft=draft, photos=photos, actor=actor, now=now, action=f"created as a copy of {product_id}"
            )
        except SkuTaken:
            continue
    raise Busy


def remove_product(*, product_id: str, version: int, actor: Viewer, now: datetime) -> Product:
    """Delete a product that was never sold; its SKU is free again and its address answers that it is gone.

    Raises ProductNotFound, ProductMoved, WasSold; then nothing was written.
    """
    found = product(product_id=product_id, consistent=True)
    if found.version != version:
        raise ProductMoved(found)
    if was_sold(product_id=product_id):
        raise WasSold(product_id)

    def build(txn: TransactWrite) -> None:
        # A sale between the look and this write changes the stock.
        txn.delete(product_key(product_id), condition=all_of(_is_version(version), ProductRow.inventory == found.inventory))
        txn.delete(SkuRow(sku_pk(found.sku), SKU_SK))
        if found.family:
            txn.delete(_family_key(found))
        if found.publish_at:
            txn.delete(publish_row(found.publish_at, product_id))
        txn.save(GoneRow(product_pk(product_id), GONE_SK, category=found.category))
        changes = [Change(name, text, "") for name, text in texts_of(draft_of(found)).items()]
        txn.save(_audit(product_id, actor, "deleted", now, changes))

    try:
        run_transaction(build)
    except Refused as refused:
        raise ProductMoved(product(product_id=product_id, consistent=True)) from refused
    forget_products([product_id])
    return found


def change_photos(
    *, product_id: str, change: Callable[[tuple[StoredPhoto, ...]], Sequence[StoredPhoto]], actor: Viewer, now: datetime
) -> tuple[StoredPhoto, ...]:
    """Make another list of a product's photographs, and the words beside them; what it is then.

    Photographs have no part in `version`: who edits texts meanwhile is not in the way. `change` sees the list as it is, and may
    raise. Raises ProductNotFound, PhotosMoved (somebody else was quicker).
    """
    try:
        row = ProductRow.get(product_pk(product_id), PRODUCT_SK, consistent_read=True)
    except DoesNotExist:
        raise ProductNotFound(product_id) from None
    keys, texts = list(row.images), dict(row.image_texts or {})
    before = tuple(StoredPhoto(key, texts.get(key, "")) for key in keys)
    after = tuple({photo.key: photo for photo in change(before)}.values())  # a photograph stands in the list once
    if after == before:
        return before
    as_read: Condition = ProductRow.images == keys
    as_read &= ProductRow.image_texts == texts if texts else ProductRow.image_texts.does_not_exist()
    kept_texts = {photo.key: photo.alt for photo in after if photo.alt}
    actions: list[Action] = [ProductRow.images.set([photo.key for photo in after]), ProductRow.updated_at.set(now)]
    actions.append(ProductRow.image_texts.set(kept_texts) if kept_texts else ProductRow.image_texts.remove())
    changes = [Change("photographs", _photo_words(before), _photo_words(after))]

    def build(txn: TransactWrite) -> None:
        txn.update(product_key(product_id), actions=actions, condition=as_read)
        txn.save(_audit(product_id, actor, "photographs changed", now, changes))

    try:
        run_transaction(build)
    except Refused as refused:
        raise PhotosMoved(product_id) from refused
    forget_products([product_id])
    return after


def publish_due_products(*, now: datetime) -> int:
    """Make the drafts active whose time has come; how many. May run twice: what was published or put off is left alone."""
    due = PublishRow.query(PUBLISH_PK, PublishRow.sk <= publish_sk(now), limit=_PUBLISHED_A_RUN, consistent_read=True)
    return sum(_publish(row, now) for row in list(due))


def _publish(row: PublishRow, now: datetime) -> bool:
    try:
        found = product(product_id=row.product_id, consistent=True)
    except ProductNotFound:
        row.delete()
        return False
    if found.is_active or found.publish_at is None or publish_sk(found.publish_at, found.product_id) != row.sk:
        row.delete()
        return False
    draft = replace(draft_of(found), status=ProductStatus.ACTIVE, publish_at=None)
    action = "published at its time"
    try:
        save_product(product_id=row.product_id, draft=draft, version=found.version, actor=CLOCK, now=now, action=action)
    except ProductMoved:
        return False  # somebody saves at this very moment: the next run looks again
    return True


def _new_product(draft: Draft, photos: Sequence[StoredPhoto], pieces: int, now: datetime) -> Product:
    product_id = new_id("prod", now)
    return Product(
        **{name: getattr(draft, name) for name in Draft.__dataclass_fields__ if name != "slug"},
        product_id=product_id,
        slug=draft.slug or slugify(draft.name) or product_id,
        photos=tuple(photo_of(photo.key, photo.alt) for photo in photos),
        availability=availability_of(pieces),
        rating=None,
        created_at=now,
        inventory=pieces,
        updated_at=now,
        version=1,
    )


def _add_new(txn: TransactWrite, *, made: Product, photos: Sequence[StoredPhoto], actor: Viewer, action: str) -> None:
    row = to_row(made, image_keys=tuple(photo.key for photo in photos))
    txn.save(row, condition=ProductRow.pk.does_not_exist())
    _claim_sku(txn, made)
    if made.family:
        txn.save(to_family_row(made))
    now = made.created_at
    if made.inventory:
        number = new_record_id("stk")
        reason = StockReason.RECEIVED
        stocked = StockMovement(number, made.product_id, made.inventory, reason, actor.user_id, now, actor_name=actor.name)
        txn.save(to_stock_row(stocked))
    if made.publish_at:
        txn.save(publish_row(made.publish_at, made.product_id))
    changes = [Change(name, "", text) for name, text in texts_of(draft_of(made)).items()]
    txn.save(_audit(made.product_id, actor, action, now, changes))


def _saved(found: Product, draft: Draft, now: datetime) -> tuple[Product, list[Change]]:
    """The product with a draft written over it, and what that changes."""
    draft = replace(draft, slug=draft.slug or slugify(draft.name) or found.product_id)
    before, after = texts_of(draft_of(found)), texts_of(draft)
    changes = [Change(name, before[name], after[name]) for name in before if before[name] != after[name]]
    written = {name: getattr(draft, name) for name in Draft.__dataclass_fields__}
    return replace(found, **written, version=found.version + 1, updated_at=now), changes


def _add_save(txn: TransactWrite, *, found: Product, saved: Product, audit: CatalogAuditRow) -> None:
    txn.update(product_key(saved.product_id), actions=_actions(saved), condition=_is_version(found.version))
    if saved.sku != found.sku:
        txn.delete(SkuRow(sku_pk(found.sku), SKU_SK))
        _claim_sku(txn, saved)
    if saved.family != found.family:
        if found.family:
            txn.delete(_family_key(found))
        if saved.family:
            txn.save(to_family_row(saved))
    if saved.publish_at != found.publish_at:
        if found.publish_at:
            txn.delete(publish_row(found.publish_at, found.product_id))
        if saved.publish_at:
            txn.save(publish_row(saved.publish_at, saved.product_id))
    txn.save(audit)


def _actions(saved: Product) -> list[Action]:
    """The named fields staff write, and the index keys that follow from them; never `inventory` and `availability`."""
    optional: tuple[tuple[Any, object], ...] = (
        (ProductRow.compare_at_price, saved.compare_at_price.amount if saved.compare_at_price else None),
        (ProductRow.family, saved.family or None),
        (ProductRow.options, saved.options or None),
        (ProductRow.weight, saved.weight),
        (ProductRow.tax_class, saved.tax_class or None),
        (ProductRow.publish_at, saved.publish_at),
        (ProductRow.gsi1_pk, category_partition(saved.category) if saved.is_active else None),
        (ProductRow.gsi1_sk, price_sort_key(saved.price, saved.product_id) if saved.is_active else None),
    )
    return [
        ProductRow.name.set(saved.name),
        ProductRow.slug.set(saved.slug),
        ProductRow.description.set(saved.description),
        ProductRow.brand.set(saved.brand),
        ProductRow.price.set(saved.price.amount),
        ProductRow.currency.set(saved.price.currency),
        ProductRow.category.set(saved.category),
        ProductRow.sub_category.set(saved.sub_category),
        ProductRow.sku.set(saved.sku),
        ProductRow.details.set(saved.attributes),
        ProductRow.status.set(saved.status),
        ProductRow.version.set(saved.version),
        ProductRow.updated_at.set(saved.updated_at),
        ProductRow.gsi2_pk.set(status_partition(saved.status, saved.product_id)),
        *(name.remove() if value is None else name.set(value) for name, value in optional),
    ]


def _is_version(version: int) -> Condition:
    """An item written elsewhere has no version, which counts as 0."""
    if version:
        return ProductRow.version == version
    return all_of(ProductRow.pk.exists(), ProductRow.version.does_not_exist() | (ProductRow.version == 0))


def _claim_sku(txn: TransactWrite, claiming: Product) -> None:
    txn.save(SkuRow(sku_pk(claiming.sku), SKU_SK, product_id=claiming.product_id), condition=SkuRow.pk.does_not_exist())


def _family_key(of: Product) -> FamilyRow:
    return FamilyRow(family_pk(of.family), product_pk(of.product_id))


def _photo_words(photos: Sequence[StoredPhoto]) -> str:
    return "; ".join(f"{photo.key.rpartition('/')[2][:8]}{f' ({photo.alt})' if photo.alt else ''}" for photo in photos)


def _audit(product_id: str, actor: Viewer, action: str, now: datetime, changes: Sequence[Change]) -> CatalogAuditRow:
    return audit_row(CatalogAuditRow, product_pk(product_id), actor=actor, action=action, now=now, changes=changes)
