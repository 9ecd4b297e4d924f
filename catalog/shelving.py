"""Staff's changes of categories. A renamed one takes its products along, some at a time, by a job that any run can go on with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, islice

from django.utils.text import slugify
from pynamodb.expressions.update import Action
from pynamodb.transactions import TransactWrite

from catalog.domain import ProductStatus
from catalog.editing import ProductMoved, save_product
from catalog.editing_domain import draft_of
from catalog.menu import forget_categories
from catalog.models import (
    CATEGORIES_PK,
    CatalogAuditRow,
    CategoryRow,
    ProductRow,
    category_partition,
    category_sk,
    status_partitions,
)
from catalog.queries import ProductNotFound, products
from catalog.staff_models import RENAMES_PK, RenameRow, moved_category_row, rename_row
from shop.lib.audit import Change, audit_row
from shop.lib.deadline import time_left
from shop.lib.ids import new_id
from shop.lib.transactions import Refused, run_transaction
from shop.lib.viewer import Viewer

MOST_CATEGORIES = 90
"""All of them are put in order in one transaction."""
_MOVED_A_RUN = 100
_LEAST_SECONDS = 3.0


class CategoryTaken(Exception):
    """Another category has this name or this address."""


class CategoryMoved(Exception):
    """Somebody changed the categories meanwhile; nothing was written."""


class CategoryInUse(Exception):
    """There are products in it."""


class TooManyCategories(Exception):
    """There is no room in the menu for another one."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """A category as staff write it, at its place in the menu."""

    slug: str
    name: str
    intro: str
    position: int


def shelves() -> tuple[Shelf, ...]:
    """All categories in the menu's order, as they are now."""
    rows = CategoryRow.query(CATEGORIES_PK, CategoryRow.sk.startswith(category_sk("")), consistent_read=True)
    return tuple(sorted((Shelf(row.slug, row.name, row.intro, row.position) for row in rows), key=lambda shelf: shelf.position))


def create_category(*, name: str, slug: str, intro: str, image: str = "", actor: Viewer, now: datetime) -> str:
    """A new category at the end of the menu; its slug. Raises CategoryTaken, TooManyCategories; then nothing was written."""
    known = shelves()
    slug = slug or slugify(name) or new_id("cat", now)
    if len(known) >= MOST_CATEGORIES:
        raise TooManyCategories
    if any(slug == shelf.slug or name.casefold() == shelf.name.casefold() for shelf in known):
        raise CategoryTaken
    position = max((shelf.position for shelf in known), default=-1) + 1
    row = CategoryRow(CATEGORIES_PK, category_sk(slug), name=name, slug=slug, intro=intro, image=image or None, position=position)

    def build(txn: TransactWrite) -> None:
        txn.save(row, condition=CategoryRow.pk.does_not_exist())
        # An address that led elsewhere since a renaming leads here now.
        txn.delete(moved_category_row(slug, ""))
        changes = [Change("name", "", name), Change("slug", "", slug), Change("intro", "", intro)]
        txn.save(_audit(actor, f"category {name} created", now, changes))

    _run(build)
    return slug


def change_category(*, seen: Shelf, name: str, slug: str, intro: str, image: str = "", actor: Viewer, now: datetime) -> str:
    """Give the category that was `seen` another name, address, text or picture; its slug then. Old addresses keep leading there.

    Raises CategoryTaken, CategoryMoved; then nothing was written.
    """
    slug = slug or slugify(name) or seen.slug
    if any((slug == shelf.slug or name.casefold() == shelf.name.casefold()) and shelf.slug != seen.slug for shelf in shelves()):
        raise CategoryTaken
    old = CategoryRow(CATEGORIES_PK, category_sk(seen.slug))
    as_seen = (CategoryRow.name == seen.name) & (CategoryRow.intro == seen.intro)
    changes = [Change("name", seen.name, name), Change("slug", seen.slug, slug), Change("intro", seen.intro, intro)]
    was = _image_of(seen.slug)
    image = image or was
    changes.append(Change("image", was, image))

    def build(txn: TransactWrite) -> None:
        if slug == seen.slug:
            told: list[Action] = [CategoryRow.name.set(name), CategoryRow.intro.set(intro)]
            txn.update(old, actions=[*told, CategoryRow.image.set(image)] if image else told, condition=as_seen)
        else:
            row = CategoryRow(
                CATEGORIES_PK, category_sk(slug), name=name, slug=slug, intro=intro, image=image or None, position=seen.position
            )
            txn.delete(old, condition=as_seen)
            txn.save(row, condition=CategoryRow.pk.does_not_exist())
            txn.save(moved_category_row(seen.slug, slug))
            txn.delete(moved_category_row(slug, ""))
        if name != seen.name:
            txn.save(rename_row(new_id("ren", now), seen.name, name))
        txn.save(_audit(actor, f"category {seen.name} changed", now, changes))

    if any(change.before != change.after for change in changes):
        _run(build)
    return slug


def place_category(*, slug: str, up: bool, actor: Viewer, now: datetime) -> None:
    """Move a category one place up or down in the menu; at its end nothing happens. Raises CategoryMoved."""
    known = list(shelves())
    at = next((place for place, shelf in enumerate(known) if shelf.slug == slug), None)
    if at is None:
        raise CategoryMoved
    to = at - 1 if up else at + 1
    if not 0 <= to < len(known):
        return
    known[at], known[to] = known[to], known[at]

    def build(txn: TransactWrite) -> None:
        for position, shelf in enumerate(known):
            if shelf.position != position:
                row = CategoryRow(CATEGORIES_PK, category_sk(shelf.slug))
                txn.update(row, actions=[CategoryRow.position.set(position)], condition=CategoryRow.position == shelf.position)
        changes = [Change("place", str(at + 1), str(to + 1))]
        txn.save(_audit(actor, f"category {known[to].name} moved", now, changes))

    _run(build)


def remove_category(*, slug: str, actor: Viewer, now: datetime) -> None:
    """Take an empty category out of the menu. Raises CategoryMoved, CategoryInUse."""
    shelf = next((shelf for shelf in shelves() if shelf.slug == slug), None)
    if shelf is None:
        raise CategoryMoved
    if list(islice(_ids_in(shelf.name), 1)):
        raise CategoryInUse

    def build(txn: TransactWrite) -> None:
        txn.delete(CategoryRow(CATEGORIES_PK, category_sk(slug)), condition=CategoryRow.name == shelf.name)
        txn.save(_audit(actor, f"category {shelf.name} removed", now, [Change("name", shelf.name, "")]))

    _run(build)


def move_renamed_products(*, now: datetime, actor: Viewer, at_most: int = _MOVED_A_RUN) -> int:
    """Bring products of renamed categories along, some a run; how many. A renaming is done when a run finds none left."""
    moved = 0
    for row in list(RenameRow.query(RENAMES_PK, consistent_read=True)):
        ids = tuple(islice(_ids_in(row.before), at_most - moved))
        if not ids:
            row.delete()
            continue
        moved += _move(ids, row.before, row.after, actor, now)
        if moved >= at_most or time_left() < _LEAST_SECONDS:
            break
    return moved


def _move(ids: Sequence[str], before: str, after: str, actor: Viewer, now: datetime) -> int:
    moved = 0
    for found in products(product_ids=ids, consistent=True).values():
        if time_left() < _LEAST_SECONDS:
            break
        if found.category != before:  # the index is behind
            continue
        draft = replace(draft_of(found), category=after)
        try:
            save_product(
                product_id=found.product_id,
                draft=draft,
                version=found.version,
                actor=actor,
                now=now,
                action="moved with its category",
            )
            moved += 1
        except (ProductMoved, ProductNotFound):
            continue  # somebody saves it at this moment: the next run finds it again
    return moved


def _ids_in(category: str) -> Iterator[str]:
    """Products of a category: those for sale by its index, others from among all of their status, which a job has time for."""
    active = ProductRow.by_category.query(category_partition(category), page_size=_MOVED_A_RUN)
    hidden = (
        ProductRow.by_status.query(partition, filter_condition=ProductRow.category == category)
        for status in ProductStatus
        if status is not ProductStatus.ACTIVE
        for partition in status_partitions(status)
    )
    for row in chain(active, chain.from_iterable(hidden)):
        yield row.product_id


def _image_of(slug: str) -> str:
    try:
        return CategoryRow.get(CATEGORIES_PK, category_sk(slug), consistent_read=True).image or ""
    except CategoryRow.DoesNotExist:
        raise CategoryMoved from None


def _run(build: Callable[[TransactWrite], None]) -> None:
    try:
        run_transaction(build)
    except Refused as refused:
        raise CategoryMoved from refused
    forget_categories()


def _audit(actor: Viewer, action: str, now: datetime, changes: Sequence[Change]) -> CatalogAuditRow:
    return audit_row(CatalogAuditRow, CATEGORIES_PK, actor=actor, action=action, now=now, changes=changes)
