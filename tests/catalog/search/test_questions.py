"""Totals, counts and order of random questions, on every engine, against counting one by one."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from catalog.search.engine import (
    Count,
    Document,
    Engine,
    Sort,
)
from tests.catalog.search.catalogue import Reference, make_products, random_filters

QUESTIONS = 300


@pytest.fixture(scope="module")
def filled(new_engine: Callable[[], Engine]) -> tuple[Engine, Reference]:
    """An engine that came to its products by way of several changes, and the reference of the same products."""
    engine = new_engine()
    documents = [Document.of(product) for product in make_products(600, seed=7)]
    older = [replace(document, description="bakcpack outdated", attributes={}) for document in documents[100:200]]
    engine.upsert(documents[:100])
    engine.upsert([*older, *documents[300:600]])
    engine.upsert(documents[100:350])
    engine.delete([document.product_id for document in documents[550:]])
    return engine, Reference(documents[:550])


@pytest.mark.parametrize("number", range(QUESTIONS))
def test_totals_counts_and_order_are_those_of_counting_one_by_one(filled: tuple[Engine, Reference], number: int) -> None:
    engine, reference = filled
    rng = random.Random(number)
    filters, sort = random_filters(rng, reference.documents), rng.choice(list(Sort))
    expected, counts = reference.ids(filters, sort), reference.counts(filters)
    size, page = rng.choice(((1000, 1), (24, 1), (5, 3), (7, 20)))

    results = engine.search(filters, sort=sort, page=page, size=size)

    assert results.total == len(expected)
    assert [card.product_id for card in results.cards] == expected[(page - 1) * size : page * size]
    assert engine.cards(filters, sort=sort, size=5) == engine.search(filters, sort=sort, size=5).cards
    facets = results.facets
    assert _without_zeros(facets.categories) == counts["category"]
    assert _without_zeros(facets.sub_categories) == counts["sub_category"]
    assert _without_zeros(facets.brands) == counts["brand"]
    assert [band.products for band in facets.prices] == counts["price"]
    assert facets.in_stock == counts["in_stock"]
    assert results.highest_price == counts["highest"]
    for name, values in counts["attributes"].items():
        assert _without_zeros(facets.attributes.get(name, ())) == values


def _without_zeros(counts: tuple[Count, ...]) -> dict[str, int]:
    assert list(counts) == sorted(counts, key=lambda count: (-count.products, count.value))
    return {count.value: count.products for count in counts if count.products}
