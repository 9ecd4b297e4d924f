"""The engine inside the process: tantivy (https://docs.rs/tantivy) over the files of one folder.

What is particular about its index:

- `words`, `main` and `name` hold the words of the whole product, of name, brand and category, and of the name alone: each field
  contains the next, so that "found in name, brand or category" is one look-up. Words come ready from words.py; tantivy only
  splits them at blanks.
- Orders are numbers (`sort_keys`), one column a sort, with many ties. tantivy orders by one column and breaks ties by where a
  product lies in the index, so `_ordered` asks again for those that are equal.
- Scores are small whole numbers, asked for in the same way, see `_most_relevant`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from catalog.domain import Card
from catalog.search.cards import card_of, listed_of, pack
from catalog.search.engine import (
    MAX_VALUES,
    PAGE_SIZE,
    Batch,
    Document,
    Facets,
    Filters,
    IndexMissing,
    Listed,
    Results,
    Sort,
    Suggestions,
    folded_sku,
    sort_keys,
    tie_key,
)
from catalog.search.facets import PRICE_BANDS, VALUE_KINDS, by_attribute, category_hints, facets, joined
from catalog.search.question import Question, equal
from catalog.search.words import HEAD_LETTERS, encodable, index_words

if TYPE_CHECKING:
    import tantivy

FORMAT = 1
"""Counted up with every change of the fields or of word rules: an index of another format is not to be read."""
_HEAP_BYTES = 64_000_000
_ATTRIBUTE_VALUES = 10 * MAX_VALUES
_REMEMBERED_COUNTS = 64
_REMEMBERED_RESULTS = 64

T = TypeVar("T")

TIE = "tie"
_ORDERS = tuple(sort for sort in Sort if sort is not Sort.RELEVANCE)
_BANDS = [
    {"key": str(number), "from": low} | ({} if high is None else {"to": high}) for number, (low, high) in enumerate(PRICE_BANDS)
]
_COUNTS: dict[str, dict[str, Any]] = {
    **{kind: {"terms": {"field": kind, "size": MAX_VALUES, "segment_size": MAX_VALUES}} for kind in VALUE_KINDS},
    "attribute": {"terms": {"field": "attribute", "size": _ATTRIBUTE_VALUES, "segment_size": _ATTRIBUTE_VALUES}},
    "price": {"range": {"field": "price", "ranges": _BANDS}},
    "in_stock": {"terms": {"field": "in_stock"}},
    "highest": {"max": {"field": "price"}},
}


class TantivyEngine:
    """An Engine over one folder. Many threads may search at once, also while one of them writes; only one may write."""

    def __init__(self, folder: Path) -> None:
        """Open the index in the folder. Raises IndexMissing when there is none that can be read."""
        import tantivy

        self.folder = folder
        try:
            self._index = tantivy.Index.open(str(folder))
            # Reloaded by `_reload` alone: by default a thread watches the folder.
            self._index.config_reader("manual")
            self._reload()
        except (OSError, ValueError) as error:
            raise IndexMissing(f"{folder} holds no index that can be opened: {error}") from error

    @classmethod
    def create(cls, folder: Path) -> "TantivyEngine":
        """A new, empty index in the folder, which must be empty."""
        import tantivy

        folder.mkdir(parents=True, exist_ok=True)
        tantivy.Index(_schema(), str(folder), reuse=False)
        return cls(folder)

    @property
    def size(self) -> int:
        """The number of products in the index."""
        return int(self._view.searcher.num_docs)

    def search(self, filters: Filters, *, sort: Sort = Sort.FEATURED, page: int = 1, size: int = PAGE_SIZE) -> Results:
        view = self._view
        return view.results.get((filters.key, sort, page, size), lambda: self._search(view, filters, sort, page, size))

    def cards(self, filters: Filters, *, sort: Sort, size: int) -> tuple[Card, ...]:
        view = self._view

        def found() -> tuple[Card, ...]:
            question = Question(view.searcher, self._index.schema, filters)
            return _cards(view.searcher, _hits(view.searcher, question, sort, 0, size))

        return view.cards.get((filters.key, sort, size), found)

    def _search(self, view: "_View", filters: Filters, sort: Sort, page: int, size: int) -> Results:
        question = Question(view.searcher, self._index.schema, filters)
        total, counted, highest = view.counted(question, filters)
        first = (max(page, 1) - 1) * size
        # Asked for a page far beyond the last, tantivy would make room for all the pages before it.
        hits = _hits(view.searcher, question, sort, first, size) if first < total else []
        return Results(_cards(view.searcher, hits), total, counted, highest)

    def by_id(self, product_ids: Sequence[str]) -> tuple[Card, ...]:
        import tantivy

        terms = [tantivy.Query.term_query(self._index.schema, "id", encodable(key), "basic") for key in product_ids]
        if not terms:
            return ()
        searcher = self._view.searcher
        query = tantivy.Query.boolean_query([(tantivy.Occur.Should, term) for term in terms])
        hits = searcher.search(query, len(terms), count=False).hits
        cards = {card.product_id: card for card in _cards(searcher, [address for _, address in hits])}
        return tuple(cards[key] for key in dict.fromkeys(product_ids) if key in cards)

    def suggest(self, prefix: str, *, size: int = 6) -> Suggestions:
        if not prefix.strip():
            return Suggestions()
        view = self._view
        question = Question(view.searcher, self._index.schema, Filters(text=prefix))
        hits = _hits(view.searcher, question, Sort.RELEVANCE, 0, size)
        return Suggestions(_cards(view.searcher, hits), category_hints(prefix, view.shelves, size))

    def listed(self, *, page: int = 1, size: int = 50_000) -> tuple[Listed, ...]:
        searcher, first = self._view.searcher, (max(page, 1) - 1) * size
        if first >= searcher.num_docs:
            return ()
        found = _ordered(searcher, _all(), (TIE,), first, size)
        # Stored documents lie in compressed blocks: read in their own order, each block is unpacked once.
        places = sorted(range(len(found)), key=lambda place: (found[place].segment_ord, found[place].doc))
        listed = {place: listed_of(searcher.doc(found[place]).get_first("card") or b"") for place in places}
        return tuple(listed[place] for place in range(len(found)))

    def upsert(self, documents: Iterable[Document]) -> None:
        self.fill(documents)

    def delete(self, product_ids: Iterable[str]) -> None:
        self.apply(Batch(gone=tuple(product_ids)))

    def apply(self, batch: Batch) -> None:
        """Put in and take out, and show both at once."""
        with self._writer() as writer:
            for product_id in batch.gone:
                writer.delete_documents_by_term("id", product_id)
            for document in batch.documents:
                _put(writer, document)

    def fill(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> None:
        """Put in any number of products, and show them at once; `progress` is told how many so far, each thousand."""
        with self._writer() as writer:
            for number, document in enumerate(documents, start=1):
                _put(writer, document)
                if progress and number % 1_000 == 0:
                    progress(number)

    @contextmanager
    def _writer(self) -> "Iterator[tantivy.IndexWriter]":
        # One thread: two would write two segments where one is faster to search.
        writer = self._index.writer(_HEAP_BYTES, 1)
        try:
            yield writer
            writer.commit()
            writer.garbage_collect_files()
        finally:
            # Without it the folder stays locked, and files of merged segments stay in it.
            writer.wait_merging_threads()
        self._reload()

    def _reload(self) -> None:
        self._index.reload()
        self._view = _View(self._index.searcher())


class _Remembered(Generic[T]):
    """The latest answers by question: an index never changes, so the same question has the same answer, the same object."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._answers: dict[object, T] = {}

    def get(self, question: object, ask: Callable[[], T]) -> T:
        answer = self._answers.get(question)
        if answer is None:
            answer = ask()
            # Replaced and not emptied: another thread may be reading the old one.
            if len(self._answers) >= self._most:
                self._answers = {}
            self._answers[question] = answer
        return answer


class _View:
    """One state of an index, and what is remembered of it; replaced as a whole, so that no thread mixes two states."""

    def __init__(self, searcher: "tantivy.Searcher") -> None:
        self.searcher = searcher
        self.results = _Remembered[Results](_REMEMBERED_RESULTS)
        self.cards = _Remembered[tuple[Card, ...]](_REMEMBERED_RESULTS)
        self._counts = _Remembered[tuple[int, Facets, int | None]](_REMEMBERED_COUNTS)

    @cached_property
    def shelves(self) -> dict[str, int]:
        """Numbers of products by joined category and subcategory."""
        terms = {"terms": {"field": "shelf", "size": MAX_VALUES, "segment_size": MAX_VALUES}}
        return _values(self.searcher.aggregate(_all(), {"shelf": terms})["shelf"])

    def counted(self, question: Question, filters: Filters) -> tuple[int, Facets, int | None]:
        """Total, facets and highest price; remembered, for other pages and orders of the same filters have the same."""
        return self._counts.get(filters.key, lambda: _count(self.searcher, question, filters))


def _count(searcher: "tantivy.Searcher", question: Question, filters: Filters) -> tuple[int, Facets, int | None]:
    """Count each kind under all filters but its own: all kinds without a filter in one go, each other in its own."""
    filtered = question.filters.keys()
    answer = searcher.aggregate(question.query(), {name: agg for name, agg in _COUNTS.items() if name not in filtered})
    stock = searcher.aggregate(question.query(), {"in_stock": _COUNTS["in_stock"]}) if "in_stock" in filtered else answer
    total = sum(_values(stock["in_stock"]).values())
    counted = {kind: _values(answer[kind]) for kind in (*VALUE_KINDS, "price", "in_stock") if kind in answer}
    counted |= {kind: values for kind, values in by_attribute(_values(answer["attribute"])).items() if kind not in filtered}
    highest = answer["highest"]
    for kind in filtered:
        name = kind if kind in _COUNTS else "attribute"
        asked = {name: _COUNTS[name], "highest": _COUNTS["highest"]}
        own = searcher.aggregate(question.query(but=kind), asked)
        values = _values(own[name])
        counted[kind] = by_attribute(values).get(kind, {}) if name == "attribute" else values
        if kind == "price":
            highest = own["highest"]
    return total, facets(filters, counted), None if highest["value"] is None else int(highest["value"])


def _values(aggregation: dict[str, Any]) -> dict[str, int]:
    return {str(bucket["key"]): bucket["doc_count"] for bucket in aggregation["buckets"] if bucket["doc_count"]}


def _hits(searcher: "tantivy.Searcher", question: Question, sort: Sort, first: int, size: int) -> "list[tantivy.DocAddress]":
    if sort is Sort.RELEVANCE and question.is_text:
        return _most_relevant(searcher, question, first, size)
    return _ordered(searcher, question.query(), _columns(sort), first, size)


def _columns(sort: Sort) -> tuple[str, ...]:
    return (Sort.FEATURED if sort is Sort.RELEVANCE else sort, TIE)


def _most_relevant(searcher: "tantivy.Searcher", question: Question, first: int, size: int) -> "list[tantivy.DocAddress]":
    """The page in the order of relevance: by score, and within a score in featured order."""
    # Mostly products of the best score fill the page, and the others need no scores.
    if not question.is_sku:
        best = _ordered(searcher, question.of_score(question.best_score), _columns(Sort.FEATURED), first, size)
        if len(best) == size:
            return best
    scores = [score for score, _ in searcher.search(question.scored(), first + size, count=False).hits]
    page = scores[first : first + size]
    found: list[tantivy.DocAddress] = []
    for score in dict.fromkeys(page):
        before = max(0, first - scores.index(score))
        found += _ordered(searcher, question.of_score(round(score)), _columns(Sort.FEATURED), before, page.count(score))
    return found


def _ordered(
    searcher: "tantivy.Searcher", query: "tantivy.Query", columns: tuple[str, ...], first: int, size: int
) -> "list[tantivy.DocAddress]":
    """Products from `first` on, ascending by the columns.

    1. Those up to the end of the page, and one more, by the first column.
    2. Of a group of equals that lies on the page as a whole, the other columns' values are looked up.
    3. A group that begins before the page or may go on after it is asked for by the other columns.
    """
    import tantivy

    column, *others = columns
    hits = searcher.search(query, first + size + 1, count=False, order_by_field=column, order=tantivy.Order.Asc).hits
    page = hits[first : first + size]
    if not others:
        return [address for _, address in page]
    keys = [key for key, _ in hits]
    found: list[tantivy.DocAddress] = []
    for key, group in groupby(page, itemgetter(0)):
        addresses = [address for _, address in group]
        start, end = bisect_left(keys, key), bisect_right(keys, key)
        is_whole = start >= first and (end <= first + size)
        if len(addresses) > 1 and is_whole:
            ties = list(zip(*(searcher.fast_field_values(other, addresses) for other in others), strict=True))
            addresses = [addresses[place] for place in sorted(range(len(addresses)), key=ties.__getitem__)]
        elif not is_whole:
            addresses = _ordered(
                searcher, equal(_schema(), query, column, key), tuple(others), max(0, first - start), len(addresses)
            )
        found += addresses
    return found


def _cards(searcher: "tantivy.Searcher", hits: "Sequence[tantivy.DocAddress]") -> tuple[Card, ...]:
    return tuple(card_of(searcher.doc(address).get_first("card") or b"") for address in hits)


def _all() -> "tantivy.Query":
    import tantivy

    return tantivy.Query.all_query()


@cache
def _schema() -> "tantivy.Schema":
    import tantivy

    fields = tantivy.SchemaBuilder()
    fields.add_text_field("id", tokenizer_name="raw", index_option="basic")
    fields.add_text_field("sku", tokenizer_name="raw", index_option="basic")
    for name in ("words", "main", "name", "main_heads", "name_heads"):
        fields.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in (*VALUE_KINDS, "attribute", "shelf"):
        fields.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    fields.add_unsigned_field("price", indexed=True, fast=True)
    fields.add_unsigned_field("in_stock", indexed=True, fast=True)
    for column in (*_ORDERS, TIE):
        fields.add_unsigned_field(column, fast=True)
    fields.add_bytes_field("card", stored=True)
    return fields.build()


def _put(writer: "tantivy.IndexWriter", document: Document) -> None:
    writer.delete_documents_by_term("id", document.product_id)
    writer.add_document(_tantivy_document(document))


def _tantivy_document(document: Document) -> "tantivy.Document":
    import tantivy

    card = document.card
    name = index_words(card.name)
    main = name | index_words(card.brand, card.category, card.sub_category)
    words = main | index_words(document.description, *document.attributes.values())
    fields: dict[str, Any] = {
        "id": card.product_id,
        "sku": folded_sku(document.sku),
        "words": " ".join(words),
        "main": " ".join(main),
        "name": " ".join(name),
        "main_heads": " ".join(heads(main)),
        "name_heads": " ".join(heads(name)),
        "category": card.category,
        "sub_category": card.sub_category,
        "brand": card.brand,
        "shelf": joined(card.category, card.sub_category),
        "price": max(card.price.minor, 0),
        "in_stock": int(not card.is_sold_out),
        "card": pack(document).encode(),
        "attribute": [joined(name, value) for name, value in document.attributes.items()],
        TIE: tie_key(card.product_id),
        **{sort.value: key for sort, key in sort_keys(card).items()},
    }
    return tantivy.Document.from_dict(fields, _schema())


def heads(words: Iterable[str]) -> dict[str, None]:
    """The beginnings of the words that are too short to be looked for as beginnings in a dictionary of all words."""
    return {word[:letters]: None for word in words for letters in range(1, HEAD_LETTERS + 1)}
