"""Filters as tantivy queries."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from catalog.search.engine import Filters, folded_sku
from catalog.search.facets import ATTRIBUTE, chosen_values, joined
from catalog.search.words import HEAD_LETTERS, TYPO_LETTERS, query_words, singular, spellings, typos_of

if TYPE_CHECKING:
    import tantivy

# Scores: the points of where words are (fewer than a thousand), beneath being in stock, beneath being the very SKU.
_STOCK_SCORE = 1_000
_SKU_SCORE = 10_000
_MAX_PRICE = 2**63 - 1


class Question:
    """One set of filters, asked of one state of an index."""

    def __init__(self, searcher: "tantivy.Searcher", schema: "tantivy.Schema", filters: Filters) -> None:
        self._searcher = searcher
        self._schema = schema
        self.is_text = bool(filters.text.strip())
        self.filters = self._filter_queries(filters)
        """The query of each kind that is filtered."""
        self._points: list[tantivy.Query] = []
        if self.is_text:
            self._sku_text = folded_sku(filters.text)
            self._sku = self._term("sku", self._sku_text)
            self._text = _any([self._sku, *self._words_query(filters.text)])

    def query(self, *, but: str = "") -> "tantivy.Query":
        """The products found; with `but`, as if nothing were chosen of that kind."""
        parts = [query for kind, query in self.filters.items() if kind != but]
        return _all([self._text, *parts] if self.is_text else parts)

    def scored(self) -> "tantivy.Query":
        """The products found, with scores that are whole numbers."""
        import tantivy

        scores = [(point, 1) for point in self._points]
        scores += [(self._term("in_stock", 1), _STOCK_SCORE), (self._sku, _SKU_SCORE)]
        const = tantivy.Query.const_score_query
        return tantivy.Query.boolean_query(
            [
                (tantivy.Occur.Must, const(self.query(), 0)),
                *((tantivy.Occur.Should, const(query, score)) for query, score in scores),
            ]
        )

    @property
    def best_score(self) -> int:
        """The score of products in stock that earn all points; a product of the very SKU has a higher one."""
        return _STOCK_SCORE + len(self._points)

    @property
    def is_sku(self) -> bool:
        """Whether the text is the SKU of some product."""
        return self._searcher.doc_freq("sku", self._sku_text) > 0

    def of_score(self, score: int) -> "tantivy.Query":
        """The products found that have exactly this score."""
        import tantivy

        must, must_not = tantivy.Occur.Must, tantivy.Occur.MustNot
        points = score % _STOCK_SCORE
        parts = [
            (must, self.query()),
            (must if score >= _SKU_SCORE else must_not, self._sku),
            (must if score % _SKU_SCORE >= _STOCK_SCORE else must_not, self._term("in_stock", 1)),
        ]
        if points:
            parts.append((must, self._points_at_least(points)))
        if points < len(self._points):
            parts.append((must_not, self._points_at_least(points + 1)))
        return tantivy.Query.boolean_query(parts)

    def _points_at_least(self, number: int) -> "tantivy.Query":
        import tantivy

        if number == len(self._points):
            return _all(self._points)
        shoulds = [(tantivy.Occur.Should, point) for point in self._points]
        return tantivy.Query.boolean_query(shoulds, minimum_number_should_match=number)

    def _filter_queries(self, filters: Filters) -> "dict[str, tantivy.Query]":
        queries = {kind: self._values(kind, values) for kind, values in chosen_values(filters).items()}
        if filters.price_min is not None or filters.price_max is not None:
            queries["price"] = self._prices(filters.price_min, filters.price_max)
        if filters.in_stock:
            queries["in_stock"] = self._term("in_stock", 1)
        return queries

    def _values(self, kind: str, values: Iterable[str]) -> "tantivy.Query":
        if kind.startswith(ATTRIBUTE):
            name = kind.removeprefix(ATTRIBUTE)
            return _any([self._term("attribute", joined(name, value)) for value in sorted(values)])
        return _any([self._term(kind, value) for value in sorted(values)])

    def _prices(self, lowest: int | None, highest: int | None) -> "tantivy.Query":
        import tantivy

        low, high = max(lowest or 0, 0), _MAX_PRICE if highest is None else min(highest, _MAX_PRICE)
        if low > high:
            return tantivy.Query.empty_query()
        return tantivy.Query.range_query(self._schema, "price", tantivy.FieldType.Unsigned, low, high)

    def _words_query(self, text: str) -> "list[tantivy.Query]":
        """All words of the text, as a list of one, or of none when there are no words; notes what earns points."""
        words = query_words(text)
        founds = []
        for word in words:
            is_last = word == words[-1]
            if self._is_known(word, is_last=is_last):
                founds.append(self._found("words", word, is_last=is_last))
                self._points += [self._found(field, word, is_last=is_last) for field in ("main", "name")]
                self._points += [self._whole("words", word)] if is_last else []
            else:
                is_begun = is_last and not self._is_somewhere(self._mistyped("main", word))
                founds.append(self._mistyped("words", word, is_begun=is_begun))
                self._points += [self._mistyped(field, word, is_begun=is_begun) for field in ("main", "name")]
                self._points += [self._mistyped("words", word)] if is_begun else []
        return [_all(founds)] if founds else []

    def _is_known(self, word: str, *, is_last: bool) -> bool:
        """Whether some product has the word, or it is too short to be mistyped.

        Asked of the index and not of the products that pass the filters: a filter should not change what a word means.
        """
        if len(word) < TYPO_LETTERS:
            return True
        return self._is_somewhere(self._found("words", word, is_last=is_last))

    def _is_somewhere(self, query: "tantivy.Query") -> bool:
        return bool(self._searcher.search(query, 1, count=False).hits)

    def _found(self, field: str, word: str, *, is_last: bool) -> "tantivy.Query":
        return _any([self._whole(field, word), self._begun(field, word)]) if is_last else self._whole(field, word)

    def _whole(self, field: str, word: str) -> "tantivy.Query":
        return self._term(field, singular(word))

    def _begun(self, field: str, word: str) -> "tantivy.Query":
        import tantivy

        if len(word) <= HEAD_LETTERS:
            return self._term("name_heads" if field == "name" else "main_heads", word)
        # At a distance of nothing it is a plain beginning, and sooner made than a regular expression.
        return tantivy.Query.fuzzy_term_query(self._schema, field, word, distance=0, prefix=True)

    def _mistyped(self, field: str, word: str, *, is_begun: bool = False) -> "tantivy.Query":
        import tantivy

        fuzzy = tantivy.Query.fuzzy_term_query
        whole = [fuzzy(self._schema, field, form, distance=typos_of(word)) for form in spellings(word)]
        return _any([*whole, fuzzy(self._schema, field, word, distance=1, prefix=True)] if is_begun else whole)

    def _term(self, field: str, value: Any) -> "tantivy.Query":
        import tantivy

        return tantivy.Query.term_query(self._schema, field, value, "basic")


def equal(schema: "tantivy.Schema", query: "tantivy.Query", column: str, key: int) -> "tantivy.Query":
    """Those found by the query that have exactly this number in the column."""
    import tantivy

    return _all([query, tantivy.Query.range_query(schema, column, tantivy.FieldType.Unsigned, key, key)])


def _all(queries: "list[tantivy.Query]") -> "tantivy.Query":
    import tantivy

    if not queries:
        return tantivy.Query.all_query()
    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])


def _any(queries: "list[tantivy.Query]") -> "tantivy.Query":
    import tantivy

    if len(queries) == 1:
        return queries[0]
    return tantivy.Query.boolean_query([(tantivy.Occur.Should, query) for query in queries])
