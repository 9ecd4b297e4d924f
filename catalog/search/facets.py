"""What engines have in common in filtering and counting: the kinds of filters, and how raw counts become `Facets`.

A kind is "category", "sub_category", "brand", "price", "in_stock" or, for an attribute, "attribute:" and its name.
"""

from collections.abc import Iterable, Mapping

from catalog.search.engine import MAX_VALUES, PRICE_EDGES, CategoryHint, Count, Facets, Filters, PriceBand
from catalog.search.words import encodable, index_words, query_words, singular

VALUE_KINDS = ("category", "sub_category", "brand")
ATTRIBUTE = "attribute:"
SEPARATOR = "\x1f"
"""Between an attribute's name and value, and between category and subcategory, where an index keeps both in one text."""

PRICE_BANDS = tuple(zip((0, *PRICE_EDGES), (*PRICE_EDGES, None), strict=True))


def chosen_values(filters: Filters) -> dict[str, frozenset[str]]:
    """The values chosen of each kind that is filtered by value."""
    chosen = {
        "category": frozenset([filters.category] if filters.category else []),
        "sub_category": filters.sub_categories,
        "brand": filters.brands,
        **{ATTRIBUTE + name: values for name, values in filters.attributes.items()},
    }
    return {encodable(kind): frozenset(map(encodable, values)) for kind, values in chosen.items() if values}


def joined(first: str, second: str) -> str:
    return f"{first}{SEPARATOR}{second}"


def by_attribute(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Counts of joined attributes as counts of values by kind."""
    kinds: dict[str, dict[str, int]] = {}
    for text, products in counts.items():
        name, _, value = text.partition(SEPARATOR)
        kinds.setdefault(ATTRIBUTE + name, {})[value] = products
    return kinds


def facets(filters: Filters, counted: Mapping[str, Mapping[str, int]]) -> Facets:
    """The facets from counts by kind and value; a price band's value is its number, that of "in_stock" is "1"."""
    chosen = chosen_values(filters)
    counts = {}
    for kind in {*counted, *chosen, *VALUE_KINDS}:
        counts[kind] = _sorted({**dict.fromkeys(chosen.get(kind, ()), 0), **counted.get(kind, {})})
    prices = counted.get("price", {})
    return Facets(
        categories=counts["category"],
        sub_categories=counts["sub_category"],
        brands=counts["brand"],
        prices=tuple(PriceBand(low, high, prices.get(str(number), 0)) for number, (low, high) in enumerate(PRICE_BANDS)),
        in_stock=counted.get("in_stock", {}).get("1", 0),
        attributes={kind.removeprefix(ATTRIBUTE): counts[kind] for kind in sorted(counts) if kind.startswith(ATTRIBUTE)},
    )


def _sorted(counts: Mapping[str, int]) -> tuple[Count, ...]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Count(value, products) for value, products in ordered[:MAX_VALUES])


def category_hints(prefix: str, counts: Mapping[str, int], size: int) -> tuple[CategoryHint, ...]:
    """Categories and subcategories what was typed may mean, from the counts of joined "category, subcategory".

    Whole categories before subcategories, then those of most products. Each word typed must be in the name (a subcategory may
    share it with its category, but for one of its own), the last may be a beginning.
    """
    words = query_words(prefix)
    totals: dict[str, int] = {}
    hints = []
    for text, products in counts.items():
        category, _, sub_category = text.partition(SEPARATOR)
        totals[category] = totals.get(category, 0) + products
        if sub_category and _means(words, category, sub_category) and _touches(words, sub_category):
            hints.append(CategoryHint(category, sub_category, products))
    hints += [CategoryHint(category, "", products) for category, products in totals.items() if _means(words, category)]
    hints.sort(key=lambda hint: (bool(hint.sub_category), -hint.products, hint.category, hint.sub_category))
    return tuple(hints[:size]) if words else ()


def _means(words: Iterable[str], *names: str) -> bool:
    known = index_words(*names)
    return all(_hits(words, known).values())


def _touches(words: Iterable[str], name: str) -> bool:
    return any(_hits(words, index_words(name)).values())


def _hits(words: Iterable[str], known: Iterable[str]) -> dict[str, bool]:
    *whole, last = words or ("",)
    found = {word: singular(word) in known for word in whole}
    return {**found, last: singular(last) in known or any(word.startswith(last) for word in known)}
