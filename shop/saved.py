"""The filters that staff keep: which lists have them, and what a list shows of its viewer's."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import reverse

from accounts.saved_filters import filters_of
from shop.lib.access import Permission, confirmed_viewer_of

LONGEST_QUERY = 500


@dataclass(frozen=True, slots=True)
class FilteredList:
    """A list whose filters can be kept: its address, who may see it, and what of its query is a filter."""

    address: str
    permission: Permission
    names: tuple[str, ...]

    def query_of(self, asked: Mapping[str, str]) -> str:
        """The filter in a query, in one spelling; empty for none, or for one that is too long to keep."""
        chosen = [(name, asked.get(name, "").strip()) for name in self.names]
        query = urlencode([(name, value) for name, value in chosen if value])
        return query if len(query) <= LONGEST_QUERY else ""

    def url(self, query: str) -> str:
        """The list with this filter."""
        return f"{reverse(self.address)}{'?' if query else ''}{query}"


LISTS: dict[str, FilteredList] = {
    "orders": FilteredList("orders_staff:orders", Permission.ORDERS_VIEW, ("q", "status", "since", "until")),
    "customers": FilteredList("accounts_staff:customers", Permission.CUSTOMERS_VIEW, ("q", "tab", "since", "until")),
    "products": FilteredList("catalog_staff:products", Permission.PRODUCTS_VIEW, ("q", "tab", "category", "stock")),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """A filter of the list at hand."""

    filter_id: str
    name: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """What a list shows: the filters kept of it, and the filter at hand where it could be kept."""

    listed: str
    filters: tuple[Kept, ...]
    query: str


def saved_of(request: HttpRequest) -> Saved | None:
    """The viewer's filters of the list that is asked for, read with who they are; None where nothing is kept."""
    view = request.resolver_match.view_name if request.resolver_match else ""
    listed = next((name for name, one in LISTS.items() if one.address == view), "")
    if not listed:
        return None
    asked: QueryDict = request.GET
    query = LISTS[listed].query_of({name: asked.get(name, "") for name in asked})
    viewer = confirmed_viewer_of(request)
    filters = filters_of(user_id=viewer.user_id) if viewer.filters is None else viewer.filters
    kept = tuple(
        Kept(one.filter_id, one.name, LISTS[listed].url(one.query), one.query == query) for one in filters if one.listed == listed
    )
    return Saved(listed, kept, "" if any(one.is_current for one in kept) else query)
