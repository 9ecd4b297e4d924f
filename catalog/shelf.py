"""What a list page shows beside its cards: choices with their counts, chips, pages, and the addresses all of them lead to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode

from django.conf import settings

from catalog.domain import Card, Category
from catalog.forms import ATTRIBUTE_PREFIX, SORTS
from catalog.search.engine import PAGE_SIZE, Count, Filters, PriceBand, Results
from shop.lib.money import Money
from shop.lib.words import label

Pairs = tuple[tuple[str, str], ...]

_SHOWN_CHOICES = 6
_LEAST_FOLDED = 3
_LEAST_BANDS = 2
_PAGES_AROUND = 2
"""Numbered pages shown on each side of the current one, beside the first and the last."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that can be chosen; `id` marks its control, the same on every page, so that focus finds it again."""

    label: str
    value: str
    id: str
    count: int
    is_chosen: bool
    list_url: "ListUrl"

    @property
    def url(self) -> str:
        """The list with it chosen, or unchosen when it is. Written when asked for: most choices are ticks, which need none."""
        return str(self.list_url)


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    """Values of one kind; `name` is the field's name in the form. Without one the choices are links, and all are shown."""

    title: str
    name: str
    choices: tuple[Choice, ...]

    @property
    def id(self) -> str:
        return _id(self.name)

    @property
    def shown(self) -> tuple[Choice, ...]:
        """The choices that are always shown; the `rest` is folded away where that saves more than it hides."""
        return self.choices[: len(self.choices) - len(self.rest)]

    @property
    def rest(self) -> tuple[Choice, ...]:
        rest = self.choices[_SHOWN_CHOICES:]
        return rest if self.name and len(rest) >= _LEAST_FOLDED else ()

    @property
    def is_unfolded(self) -> bool:
        return any(choice.is_chosen for choice in self.rest)


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter; `url` leads to the list without it."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class PageLink:
    """A numbered page. Without a number it stands for pages left out."""

    number: int | None
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class SortChoice:
    label: str
    value: str
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """A list page, ready to be drawn."""

    base: str
    cards: tuple[Card, ...]
    total: int
    first: int
    last: int
    page: int
    pages: tuple[PageLink, ...]
    previous_url: str
    next_url: str
    canonical_path: str
    groups: tuple[ChoiceGroup, ...]
    chips: tuple[Chip, ...]
    clear_url: str
    sorts: tuple[SortChoice, ...]
    sort: str
    text: str
    price_min: str
    price_max: str
    price_bands: tuple[Choice, ...]
    highest_price: str
    in_stock: bool
    in_stock_count: int


class ListUrl:
    """A list's address and its state, and the addresses one step away."""

    def __init__(self, base: str, pairs: Pairs) -> None:
        self.base = base
        self.pairs = pairs

    def without(self, name: str, value: str | None = None) -> "ListUrl":
        """Less a parameter, or less one value of it."""
        return ListUrl(
            self.base, tuple(pair for pair in self.pairs if pair[0] != name or (value is not None and pair[1] != value))
        )

    def plus(self, name: str, value: str) -> "ListUrl":
        return ListUrl(self.base, (*self.pairs, (name, value)))

    def toggled(self, name: str, value: str) -> "ListUrl":
        return self.without(name, value) if (name, value) in self.pairs else self.plus(name, value)

    def __str__(self) -> str:
        return f"{self.base}?{urlencode(self.pairs)}" if self.pairs else self.base


def shelf_of(
    results: Results,
    filters: Filters,
    *,
    base: str,
    sort: str,
    page: int,
    currency: str,
    categories: tuple[Category, ...] = (),
) -> Shelf:
    """The list page of these results. `categories` are offered as choices, each its own address."""
    here = ListUrl(base, _pairs(filters, sort, currency))
    last_page = max(1, -(-results.total // PAGE_SIZE))
    first = (page - 1) * PAGE_SIZE + 1

    def page_url(number: int) -> str:
        return str(here if number == 1 else here.plus("page", str(number)))

    return Shelf(
        base=base,
        cards=results.cards,
        total=results.total,
        first=first if results.cards else 0,
        last=first + len(results.cards) - 1 if results.cards else 0,
        page=page,
        pages=tuple(_page_links(page, last_page, page_url)) if last_page > 1 else (),
        previous_url=page_url(page - 1) if 1 < page <= last_page else "",
        next_url=page_url(page + 1) if page < last_page else "",
        canonical_path=str(ListUrl(base, (("page", str(page)),) if page > 1 else ())),
        groups=tuple(_groups(results, filters, here, categories)),
        chips=tuple(_chips(filters, here, currency)),
        clear_url=str(ListUrl(base, (("q", filters.text),) if filters.text else ())),
        sorts=tuple(
            SortChoice(words, value, str(here.without("sort").plus("sort", value)), value == sort)
            for value, (words, _) in SORTS.items()
            if value != "relevance" or filters.text
        ),
        sort=sort,
        text=filters.text,
        price_min=_amount(filters.price_min, currency),
        price_max=_amount(filters.price_max, currency),
        price_bands=tuple(_price_bands(results.facets.prices, filters, here, currency)),
        highest_price=str(Money(results.highest_price, currency)) if results.highest_price is not None else "",
        in_stock=filters.in_stock,
        in_stock_count=results.facets.in_stock,
    )


def _pairs(filters: Filters, sort: str, currency: str) -> Pairs:
    """The state in the address, in one order, so that one list has one address. What is the default is left out."""
    pairs: list[tuple[str, str]] = []
    if filters.text:
        pairs.append(("q", filters.text))
    pairs += [("type", value) for value in sorted(filters.sub_categories)]
    pairs += [("brand", value) for value in sorted(filters.brands)]
    for name, values in sorted(filters.attributes.items()):
        pairs += [(f"{ATTRIBUTE_PREFIX}{name}", value) for value in sorted(values)]
    for name, minor in (("price_min", filters.price_min), ("price_max", filters.price_max)):
        if minor is not None:
            pairs.append((name, _amount(minor, currency)))
    if filters.in_stock:
        pairs.append(("in_stock", "on"))
    if sort != ("relevance" if filters.text else "featured"):
        pairs.append(("sort", sort))
    return tuple(pairs)


def _groups(results: Results, filters: Filters, here: ListUrl, categories: tuple[Category, ...]) -> Iterable[ChoiceGroup]:
    if categories and not filters.category:
        products = {count.value: count.products for count in results.facets.categories}
        links = (
            Choice(
                found.name, found.slug, "", products.get(found.name, 0), is_chosen=False, list_url=ListUrl(found.path, here.pairs)
            )
            for found in categories
        )
        yield ChoiceGroup("Category", "", tuple(links))
    facets = results.facets
    for title, name, counts, chosen in (
        ("Type", "type", facets.sub_categories, filters.sub_categories),
        ("Brand", "brand", facets.brands, filters.brands),
    ):
        if len(counts) > 1 or chosen:
            yield ChoiceGroup(title, name, _choices(name, counts, chosen, here))
    for name in dict.fromkeys([*settings.FILTER_ATTRIBUTES, *sorted(filters.attributes)]):
        counts = facets.attributes.get(name, ())
        chosen = filters.attributes.get(name, frozenset())
        if len(counts) > 1 or chosen:
            parameter = f"{ATTRIBUTE_PREFIX}{name}"
            yield ChoiceGroup(label(name), parameter, _choices(parameter, counts, chosen, here))


def _choices(name: str, counts: Iterable[Count], chosen: frozenset[str], here: ListUrl) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            count.value,
            count.value,
            _id(name, count.value),
            count.products,
            count.value in chosen,
            here.toggled(name, count.value),
        )
        for count in counts
    )


def _price_bands(bands: Iterable[PriceBand], filters: Filters, here: ListUrl, currency: str) -> Iterable[Choice]:
    """The bands that have products, each its own address; none where one band has them all."""
    there = [band for band in bands if band.products]
    if len(there) < _LEAST_BANDS:
        return
    anywhere = here.without("price_min").without("price_max")
    for band in there:
        low, high = band.low or None, None if band.high is None else band.high - 1
        is_chosen = (filters.price_min, filters.price_max) == (low, high)
        within = anywhere if low is None else anywhere.plus("price_min", _amount(low, currency))
        within = within if high is None else within.plus("price_max", _amount(high, currency))
        words = _band_words(low, high, currency)
        yield Choice(words, "", _id("price", str(band.low)), band.products, is_chosen, anywhere if is_chosen else within)


def _band_words(low: int | None, high: int | None, currency: str) -> str:
    if high is None:
        return f"{Money(low or 0, currency)} and more"
    return f"Up to {Money(high, currency)}" if low is None else f"{Money(low, currency)} to {Money(high, currency)}"


@lru_cache(4096)
def _id(*parts: str) -> str:
    return "-".join(quote(part, safe="") for part in parts)


def _chips(filters: Filters, here: ListUrl, currency: str) -> Iterable[Chip]:
    for name, values in (("type", filters.sub_categories), ("brand", filters.brands)):
        for value in sorted(values):
            yield Chip(value, str(here.without(name, value)))
    for attribute, values in sorted(filters.attributes.items()):
        for value in sorted(values):
            yield Chip(f"{label(attribute)}: {value}", str(here.without(f"{ATTRIBUTE_PREFIX}{attribute}", value)))
    if filters.price_min is not None:
        yield Chip(f"From {Money(filters.price_min, currency)}", str(here.without("price_min")))
    if filters.price_max is not None:
        yield Chip(f"Up to {Money(filters.price_max, currency)}", str(here.without("price_max")))
    if filters.in_stock:
        yield Chip("In stock", str(here.without("in_stock")))


def _page_links(page: int, last: int, url: Callable[[int], str]) -> Iterable[PageLink]:
    """The first page, those around the current one, the last; a gap where some are left out."""
    shown = sorted({1, last, *range(max(1, page - _PAGES_AROUND), min(last, page + _PAGES_AROUND) + 1)})
    before = 0
    for number in shown:
        if number > before + 1:
            yield PageLink(None, "", is_current=False)
        yield PageLink(number, url(number), number == page)
        before = number


def _amount(minor: int | None, currency: str) -> str:
    """Minor units as they stand in an address: without needless zeros."""
    if minor is None:
        return ""
    text = f"{Money(minor, currency).amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
