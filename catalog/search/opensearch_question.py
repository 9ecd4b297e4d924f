"""Filters as OpenSearch queries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.search.engine import MAX_VALUES, Filters, folded_sku
from catalog.search.facets import ATTRIBUTE, PRICE_BANDS, VALUE_KINDS, by_attribute, chosen_values, joined
from catalog.search.words import HEAD_LETTERS, beginnings_with_a_typo, query_words, singular, spellings, typos_of

_MAX_LONG = 2**63 - 1
_ATTRIBUTE_VALUES = 10 * MAX_VALUES
_STOCK_SCORE = 1_000
_SKU_SCORE = 10_000

Query = dict[str, Any]

_BANDS = [
    {"key": str(number), "from": low} | ({} if high is None else {"to": high}) for number, (low, high) in enumerate(PRICE_BANDS)
]
_COUNTS: dict[str, Query] = {
    **{kind: {"terms": {"field": kind, "size": MAX_VALUES}} for kind in VALUE_KINDS},
    "attribute": {"terms": {"field": "attribute", "size": _ATTRIBUTE_VALUES}},
    "price": {"range": {"field": "price", "ranges": _BANDS}},
    "in_stock": {"terms": {"field": "in_stock"}},
}
_HIGHEST: Query = {"max": {"field": "price"}}
THERE: Query = {"bool": {"must_not": [{"term": {"gone": True}}]}}


@dataclass(frozen=True, slots=True)
class Typos:
    """Words of a text that no product has, so that they may be mistyped.

    `begun` is the last of them where it may be a mistyped beginning.
    """

    unknown: frozenset[str] = frozenset()
    begun: str = ""


class Asked:
    """Filters as OpenSearch queries."""

    def __init__(self, filters: Filters, typos: Typos) -> None:
        self.is_text = bool(filters.text.strip())
        self.filters = _filter_queries(filters)
        self.found, self.scored = THERE, THERE
        if self.is_text:
            words, points = _words_query(filters.text, typos)
            sku = {"term": {"sku": folded_sku(filters.text)}}
            text = both(THERE, {"bool": {"should": [sku, *words]}})
            self.found = {"bool": {"filter": [text]}}
            scores = [(point, 1) for point in points] + [({"term": {"in_stock": 1}}, _STOCK_SCORE), (sku, _SKU_SCORE)]
            should = [{"constant_score": {"filter": query, "boost": score}} for query, score in scores]
            self.scored = {"bool": {"filter": [text], "should": should}}

    def counts(self) -> dict[str, Query]:
        """Counts of every kind under all filters but its own, and the highest price under all but the price's."""
        asked: dict[str, Query] = {}
        for kind in {*_COUNTS, *self.filters}:
            name = "attribute" if kind.startswith(ATTRIBUTE) else kind
            others = every(query for other, query in self.filters.items() if other != kind)
            asked[kind] = {"filter": others, "aggs": {"values": _COUNTS[name]}}
        asked["price"]["aggs"] |= {"highest": _HIGHEST}
        return asked

    def counted(self, answer: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, int]], int | None]:
        counted: dict[str, Mapping[str, int]] = {}
        for kind in {*_COUNTS, *self.filters} - {"attribute"}:
            values = values_of(answer[kind]["values"])
            counted[kind] = by_attribute(values).get(kind, {}) if kind.startswith(ATTRIBUTE) else values
        unfiltered = by_attribute(values_of(answer["attribute"]["values"]))
        counted |= {kind: values for kind, values in unfiltered.items() if kind not in self.filters}
        highest = answer["price"]["highest"]["value"]
        return counted, None if highest is None else int(highest)


def _filter_queries(filters: Filters) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for kind, values in chosen_values(filters).items():
        if kind.startswith(ATTRIBUTE):
            name = kind.removeprefix(ATTRIBUTE)
            queries[kind] = {"terms": {"attribute": [joined(name, value) for value in sorted(values)]}}
        else:
            queries[kind] = {"terms": {kind: sorted(values)}}
    if filters.price_min is not None or filters.price_max is not None:
        low, high = (min(max(price, -1), _MAX_LONG) for price in (filters.price_min or 0, _or_most(filters.price_max)))
        queries["price"] = {"range": {"price": {"gte": low, "lte": high}}}
    if filters.in_stock:
        queries["in_stock"] = {"term": {"in_stock": 1}}
    return queries


def _or_most(price: int | None) -> int:
    return _MAX_LONG if price is None else price


def _words_query(text: str, typos: Typos) -> tuple[list[Query], list[Query]]:
    """All words of the text, as a list of one, or of none when there are no words; and what earns points."""
    words = query_words(text)
    founds, points = [], []
    for word in words:
        is_last = word == words[-1]
        if word in typos.unknown:
            is_begun = word == typos.begun
            founds.append(mistyped("words", word, is_begun=is_begun))
            points += [mistyped(field, word, is_begun=is_begun) for field in ("main", "name")]
            points += [mistyped("words", word)] if is_begun else []
        else:
            founds.append(found("words", word, is_last=is_last))
            points += [found(field, word, is_last=is_last) for field in ("main", "name")]
            points += [_whole("words", word)] if is_last else []
    return ([every(founds)] if founds else []), points


def found(field: str, word: str, *, is_last: bool) -> Query:
    if not is_last:
        return _whole(field, word)
    begun = "main" if field == "words" and len(word) <= HEAD_LETTERS else field
    return {"bool": {"should": [_whole(field, word), {"prefix": {begun: {"value": word}}}]}}


def _whole(field: str, word: str) -> Query:
    return {"term": {field: singular(word)}}


def mistyped(field: str, word: str, *, is_begun: bool = False) -> Query:
    options = {"fuzziness": typos_of(word), "transpositions": True, "max_expansions": 1_000}
    should = [{"fuzzy": {field: {"value": form, **options}}} for form in spellings(word)]
    if is_begun:  # a fuzzy query knows whole words alone
        should += [{"regexp": {field: {"value": pattern, "flags": "NONE"}}} for pattern in beginnings_with_a_typo(word)]
    return {"bool": {"should": should}}


def every(queries: Iterable[Query]) -> Query:
    return {"bool": {"filter": list(queries)}}


def both(first: Query, second: Query) -> Query:
    return every([first, second])


def values_of(aggregation: Mapping[str, Any]) -> dict[str, int]:
    return {str(bucket["key"]): bucket["doc_count"] for bucket in aggregation["buckets"] if bucket["doc_count"]}
