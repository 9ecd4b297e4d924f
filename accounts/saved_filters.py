"""The filters of lists that somebody of staff has named, to come back to."""

from collections.abc import Callable
from datetime import datetime

from pynamodb.exceptions import DoesNotExist, PutError

from accounts.desk_models import FILTERS_SK, SavedFilterMap, SavedFiltersRow, to_filters
from accounts.models import user_pk
from shop.lib.ids import new_id
from shop.lib.tables import Busy, is_refused
from shop.lib.viewer import SavedFilter

MOST_FILTERS = 20
_TRIES = 5


class TooManyFilters(Exception):
    """Somebody has as many as there is room for: one has to go first."""


def filters_of(*, user_id: str) -> tuple[SavedFilter, ...]:
    """Somebody's filters of all lists, in the order they were kept: one GetItem."""
    return to_filters(_row(user_id))


def save_filter(*, user_id: str, listed: str, name: str, query: str, now: datetime) -> None:
    """Keep a filter under a name; one of that name in the same list is replaced. Raises TooManyFilters, Busy."""

    def change(kept: tuple[SavedFilter, ...]) -> tuple[SavedFilter, ...]:
        others = tuple(one for one in kept if (one.listed, one.name) != (listed, name))
        if len(others) >= MOST_FILTERS:
            raise TooManyFilters
        return (*others, SavedFilter(new_id("flt", now), listed, name, query))

    _change(user_id, change)


def drop_filter(*, user_id: str, filter_id: str) -> None:
    """Forget a filter; one that is gone already stays so. Raises Busy."""
    _change(user_id, lambda kept: tuple(one for one in kept if one.filter_id != filter_id))


def _change(user_id: str, change: Callable[[tuple[SavedFilter, ...]], tuple[SavedFilter, ...]]) -> None:
    """Write what `change` makes of the filters, if they are still as it saw them; two tabs lose nothing of each other's."""
    for _ in range(_TRIES):
        row = _row(user_id)
        before = to_filters(row)
        after = change(before)
        if after == before:
            return
        entries = [SavedFilterMap(filter_id=one.filter_id, listed=one.listed, name=one.name, query=one.query) for one in after]
        written = SavedFiltersRow(user_pk(user_id), FILTERS_SK, filters=entries, version=row.version + 1 if row else 1)
        unchanged = SavedFiltersRow.version == row.version if row else SavedFiltersRow.pk.does_not_exist()
        try:
            written.save(unchanged)
        except PutError as error:
            if not is_refused(error):
                raise
        else:
            return
    raise Busy


def _row(user_id: str) -> SavedFiltersRow | None:
    try:
        return SavedFiltersRow.get(user_pk(user_id), FILTERS_SK, consistent_read=True)
    except DoesNotExist:
        return None
