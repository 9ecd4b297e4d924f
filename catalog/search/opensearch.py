"""The engine for shops that outgrow the embedded one: an OpenSearch cluster, found by its address.

Words come ready from words.py here too, and the cluster only splits them at blanks: folding and stemming in its own analysers
would be a second set of rules that drifts from the first. Beginnings are indexed by the cluster (`index_prefixes`, its edge
n-grams).

An index has a name of its own, an alias for writing, and the one that is searched the alias of the shop. A rebuild fills a new
index and then moves the shop's alias. No change is lost, for a batch goes to every index there is: into the one that is
searched, and into one being built, where a rebuild only creates what is not there yet, so that what a batch wrote stays. What a
batch takes out of an index being built leaves a tombstone there, since a rebuild that has read the product may come to write it.
Two rebuilds at once: the one that ends first wins, and the other fails.

Each path names the shop's own indexes, so that a role can be kept to them (infra/template.yaml). A cluster that is silent is no
index, and is left alone for a while: it would cost every page its timeout.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.conf import settings

from catalog.domain import Card
from catalog.search.cards import card_of, listed_of, pack
from catalog.search.engine import (
    MAX_VALUES,
    PAGE_SIZE,
    Batch,
    Document,
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
from catalog.search.facets import (
    VALUE_KINDS,
    category_hints,
    facets,
    joined,
)
from catalog.search.opensearch_question import THERE, Asked, Query, Typos, both, every, found, mistyped, values_of
from catalog.search.words import (
    TYPO_LETTERS,
    encodable,
    index_words,
    query_words,
)
from shop.lib.aws import session
from shop.lib.deadline import time_left
from shop.lib.watching import call_to

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

_TIMEOUT_SECONDS = 2
REST_SECONDS = 10.0
"""After a silence pages do without the cluster for so long."""
_BATCH_SECONDS = 10
"""The stream's minute is for other records too; what is not taken in by then comes again."""
_REBUILD_SECONDS = 60
_REBUILD_TRIES, _REBUILD_PAUSE_SECONDS = 6, 1
"""A domain that is filled faster than it can take refuses (429): a rebuild pauses a second then, two, four, and goes on."""
_BULK_SIZE = 500
_LISTED_AT_ONCE = 10_000
MAX_DEPTH = 100_000
"""Pages beyond so many products are empty; the cluster would have to keep all those before them in memory."""

_WORDS = {
    "type": "text",
    "analyzer": "whitespace",
    "norms": False,
    "index_options": "docs",
    "index_prefixes": {"min_chars": 1, "max_chars": 10},
}
_KEY = {"type": "keyword"}
_ORDER = {"type": "long", "index": False}
_INDEX: dict[str, Any] = {
    # One shard counts exactly; several would each leave out what is rare with them.
    "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "max_result_window": MAX_DEPTH},
    "mappings": {
        "dynamic": "strict",
        "properties": {
            **dict.fromkeys(("words", "main", "name"), _WORDS),
            **dict.fromkeys(("id", "sku", "attribute", "shelf", *VALUE_KINDS), _KEY),
            **dict.fromkeys((sort.value for sort in Sort if sort is not Sort.RELEVANCE), _ORDER),
            "tie": _ORDER,
            "price": {"type": "long"},
            "in_stock": {"type": "integer"},
            "gone": {"type": "boolean"},
            "card": {"type": "keyword", "index": False, "doc_values": False},
        },
    },
}


def connect(url: str, *, timeout: float = _TIMEOUT_SECONDS) -> "OpenSearch":
    """A client that asks once more where the connection was lost, and never where it waited in vain.

    Requests to a domain on AWS (https) are signed as this process; those to a cluster on this machine (http) are not.
    Raises IndexMissing without credentials to sign with.
    """
    from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth

    signer = None
    if url.startswith("https://"):
        credentials = session().get_credentials()
        if credentials is None:
            raise IndexMissing("There are no AWS credentials to sign requests to the cluster with")
        signer = Urllib3AWSV4SignerAuth(credentials, settings.AWS_REGION, "es")
    return OpenSearch(url, http_auth=signer, timeout=timeout, max_retries=1, retry_on_timeout=False)


class OpenSearchEngine:
    """An Engine and a Writer in a cluster, under the alias `name`.

    With `refresh` every write is seen at once, else within a second.
    """

    def __init__(self, client: "OpenSearch", *, name: str = "products", refresh: bool = False) -> None:
        self._client = client
        self._name = name
        self._refresh = refresh
        self._rests_until = float("-inf")

    def search(self, filters: Filters, *, sort: Sort = Sort.FEATURED, page: int = 1, size: int = PAGE_SIZE) -> Results:
        first = (max(page, 1) - 1) * size
        asked = Asked(filters, self._typos(filters.text))
        body = {
            "query": asked.scored if sort is Sort.RELEVANCE else asked.found,
            "post_filter": every(asked.filters.values()),
            "aggs": asked.counts(),
            "sort": _order(sort, is_text=asked.is_text),
            "track_total_hits": True,
            **({"from": first, "size": size} if first + size <= MAX_DEPTH else {"size": 0}),
        }
        answer = self._ask(body)
        counted, highest = asked.counted(answer["aggregations"])
        return Results(_cards(answer), answer["hits"]["total"]["value"], facets(filters, counted), highest)

    def cards(self, filters: Filters, *, sort: Sort, size: int) -> tuple[Card, ...]:
        asked = Asked(filters, self._typos(filters.text))
        body = {
            "query": asked.scored if sort is Sort.RELEVANCE else asked.found,
            "post_filter": every(asked.filters.values()),
            "sort": _order(sort, is_text=asked.is_text),
            "size": size,
        }
        return _cards(self._ask(body))

    def by_id(self, product_ids: Sequence[str]) -> tuple[Card, ...]:
        if not product_ids:
            return ()
        query = both(THERE, {"terms": {"id": [encodable(key) for key in product_ids]}})
        cards = {card.product_id: card for card in _cards(self._ask({"query": query, "size": len(product_ids)}))}
        return tuple(cards[key] for key in dict.fromkeys(product_ids) if key in cards)

    def suggest(self, prefix: str, *, size: int = 6) -> Suggestions:
        if not prefix.strip():
            return Suggestions()
        asked = Asked(Filters(text=prefix), self._typos(prefix))
        shelves = {"filter": THERE, "aggs": {"shelf": {"terms": {"field": "shelf", "size": MAX_VALUES}}}}
        order = _order(Sort.RELEVANCE, is_text=True)
        body = {"query": asked.scored, "size": size, "sort": order, "aggs": {"all": {"global": {}, "aggs": {"there": shelves}}}}
        answer = self._ask(body)
        counts = values_of(answer["aggregations"]["all"]["there"]["shelf"])
        return Suggestions(_cards(answer), category_hints(prefix, counts, size))

    def listed(self, *, page: int = 1, size: int = 50_000) -> tuple[Listed, ...]:
        first = (max(page, 1) - 1) * size
        return tuple(listed_of(packed) for packed in islice(self._all_cards(), first, first + size))

    def upsert(self, documents: Iterable[Document]) -> None:
        self.apply(Batch(tuple(documents)))

    def delete(self, product_ids: Iterable[str]) -> None:
        self.apply(Batch(gone=tuple(product_ids)))

    def apply(self, batch: Batch) -> None:
        """Put in and take out, in every index there is; nothing before the first rebuild. Raises opensearchpy's exceptions."""
        for index, about in self._client.indices.get_alias(index=f"{self._name}-*").items():
            is_searched = self._name in about["aliases"]
            puts = ({"_op_type": "index", **_put(document)} for document in batch.documents)
            removals = (_removal(product_id, is_searched=is_searched) for product_id in batch.gone)
            self._bulk(index, [*puts, *removals], seconds=_BATCH_SECONDS)

    def rebuild(self, documents: Iterable[Document], progress: Callable[[int], None] | None = None) -> int:
        """A new index of these products, plus what happens to them meanwhile, in place of the old; the number of those read.

        `documents` must be read from the tables while this runs (a generator), not before. `progress` is told the number of
        products so far. Raises opensearchpy's exceptions, and the old index is searched on then.
        """
        before = list(self._client.indices.get_alias(index=f"{self._name}-*"))
        index = f"{self._name}-{secrets.token_hex(8)}"
        patient: Any = {"request_timeout": _REBUILD_SECONDS}
        self._client.indices.create(index=index, body=_INDEX | {"aliases": {_write_alias(index): {}}}, **patient)
        number, read = 0, iter(documents)
        while chunk := list(islice(read, _BULK_SIZE)):
            creations = [{"_op_type": "create", **_put(document)} for document in chunk]
            self._bulk(index, creations, seconds=_REBUILD_SECONDS, tries=_REBUILD_TRIES)
            number += len(chunk)
            if progress:
                progress(number)
        self._client.indices.refresh(index=index, **patient)
        actions: list[Any] = [{"add": {"index": index, "alias": self._name}}]
        actions += [{"remove_index": {"index": old}} for old in before]
        self._client.indices.update_aliases(body={"actions": actions}, **patient)
        tombstones = {"query": {"term": {"gone": True}}}
        self._client.delete_by_query(index=index, body=tombstones, conflicts="proceed", refresh=True, **patient)
        return number

    def _all_cards(self) -> Iterator[str]:
        after: list[Any] = []
        while True:
            body: Query = {"query": THERE, "sort": [{"tie": "asc"}, {"id": "asc"}], "size": _LISTED_AT_ONCE, "_source": ["card"]}
            hits = self._ask(body | ({"search_after": after} if after else {}))["hits"]["hits"]
            if not hits:
                return
            yield from (hit["_source"]["card"] for hit in hits)
            after = hits[-1]["sort"]

    def _typos(self, text: str) -> "Typos":
        """What of the text may be mistyped, in one call for all its words."""
        words = query_words(text)
        long = [word for word in words if len(word) >= TYPO_LETTERS]
        if not long:
            return Typos()
        probes = [found("words", word, is_last=word == words[-1]) for word in long]
        probes.append(mistyped("main", long[-1]))
        lines: list[Query] = []
        for probe in probes:
            query = both(THERE, probe)
            lines += [{}, {"query": query, "size": 0, "terminate_after": 1, "track_total_hits": 1}]
        answers = self._reading("msearch", lambda: self._client.msearch(index=self._name, body=lines))["responses"]
        if any("error" in answer for answer in answers):
            raise IndexMissing(f"The cluster cannot search {self._name}: {answers}")
        *known, is_near_main = [bool(answer["hits"]["total"]["value"]) for answer in answers]
        unknown = frozenset(word for word, is_known in zip(long, known, strict=True) if not is_known)
        is_begun = words[-1] in unknown and not is_near_main
        return Typos(unknown, words[-1] if is_begun else "")

    def _ask(self, body: Query) -> Any:
        body = {"_source": ["card"], **body}
        return self._reading("search", lambda: self._client.search(index=self._name, body=body))

    def _reading(self, operation: str, call: Callable[[], Any]) -> Any:
        from opensearchpy.exceptions import ConnectionError as Silence
        from opensearchpy.exceptions import OpenSearchException

        if time.monotonic() < self._rests_until:
            raise IndexMissing("The cluster did not answer a moment ago")
        if time_left() < _TIMEOUT_SECONDS:
            raise IndexMissing("The request has no time left to ask the cluster")
        try:
            with call_to("OpenSearch", operation):
                return call()
        except OpenSearchException as error:
            if isinstance(error, Silence):
                self._rests_until = time.monotonic() + REST_SECONDS
            raise IndexMissing(f"The cluster cannot search {self._name}: {error}") from error

    def _bulk(self, index: str, actions: list[Query], *, seconds: int, tries: int = 1) -> None:
        """Send the actions. Those that find the index gone, the product not there, or (creating) there, are none that failed."""
        from opensearchpy.helpers import BulkIndexError, bulk

        # Asked for by its alias, an index that was deleted a moment ago is an error; by its name it would come into being again.
        _, errors = bulk(
            self._client,
            actions,
            index=_write_alias(index),
            require_alias=True,
            refresh=self._refresh,
            raise_on_error=False,
            request_timeout=seconds,
            max_retries=tries - 1,
            initial_backoff=_REBUILD_PAUSE_SECONDS,
        )
        failed = [error for error in errors if not _is_passing(error)] if isinstance(errors, list) else []
        if failed:
            raise BulkIndexError(f"{len(failed)} of {len(actions)} actions failed", failed)


def _is_passing(error: Mapping[str, Any]) -> bool:
    (kind, answer), *_ = error.items()
    return (kind, answer["status"]) in {("delete", 404), ("create", 409)}


def _write_alias(index: str) -> str:
    return f"write-{index}"


def _order(sort: Sort, *, is_text: bool) -> list[Query]:
    if sort is Sort.RELEVANCE:
        return [*([{"_score": "desc"}] if is_text else []), {Sort.FEATURED.value: "asc"}, {"tie": "asc"}]
    return [{sort.value: "asc"}, {"tie": "asc"}]


def _cards(answer: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(card_of(hit["_source"]["card"]) for hit in answer["hits"]["hits"])


def _put(document: Document) -> Query:
    card = document.card
    name = index_words(card.name)
    main = name | index_words(card.brand, card.category, card.sub_category)
    source: dict[str, Any] = {
        "id": card.product_id,
        "sku": folded_sku(document.sku),
        "words": " ".join(main | index_words(document.description, *document.attributes.values())),
        "main": " ".join(main),
        "name": " ".join(name),
        "category": card.category,
        "sub_category": card.sub_category,
        "brand": card.brand,
        "shelf": joined(card.category, card.sub_category),
        "attribute": [joined(name, value) for name, value in document.attributes.items()],
        "price": max(card.price.minor, 0),
        "in_stock": int(not card.is_sold_out),
        "card": pack(document),
        "tie": tie_key(card.product_id),
        **{sort.value: key for sort, key in sort_keys(card).items()},
    }
    return {"_id": encodable(card.product_id), "_source": source}


def _removal(product_id: str, *, is_searched: bool) -> Query:
    if is_searched:
        return {"_op_type": "delete", "_id": product_id}
    return {"_op_type": "index", "_id": product_id, "_source": {"gone": True}}
