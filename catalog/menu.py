"""The categories of the menu, kept in the process for a minute: every page shows them."""

import time

from pynamodb.exceptions import DoesNotExist

from catalog.domain import Category
from catalog.models import CATEGORIES_PK, CategoryRow, category_sk, to_category
from catalog.staff_models import MovedCategoryRow, moved_category_sk

_CATEGORIES_SECONDS = 60
_RENAMINGS = 5
"""So many renamings of a category an old address is followed through."""
_kept_categories: tuple[float, tuple[Category, ...]] | None = None


def categories() -> tuple[Category, ...]:
    """The categories in the menu's order; kept for a minute, for every page shows them.

    In the process's own memory: every page asks two or three times, and each look into a cache costs more than the menu.
    """
    if _kept_categories and time.monotonic() < _kept_categories[0]:
        return _kept_categories[1]
    rows = sorted(CategoryRow.query(CATEGORIES_PK, CategoryRow.sk.startswith(category_sk(""))), key=lambda row: row.position)
    found = tuple(to_category(row) for row in rows)
    keep_categories(found)
    return found


def moved_category(*, slug: str) -> str:
    """The present slug of a category that had this one before; empty when there never was one."""
    known = {category.slug for category in categories()}
    for _ in range(_RENAMINGS):
        try:
            slug = MovedCategoryRow.get(CATEGORIES_PK, moved_category_sk(slug)).slug
        except DoesNotExist:
            return ""
        if slug in known:
            return slug
    return ""


def keep_categories(found: tuple[Category, ...], *, seconds: float = _CATEGORIES_SECONDS) -> None:
    """Answer with these categories for a while."""
    global _kept_categories  # noqa: PLW0603 - one value a process, as the docstring of categories() says
    _kept_categories = (time.monotonic() + seconds, found)


def forget_categories() -> None:
    """Drop the kept categories after a write; other processes learn of it within the minute."""
    global _kept_categories  # noqa: PLW0603 - one value a process, as the docstring of categories() says
    _kept_categories = None
