"""The contract of search engines, held by each of them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from catalog.domain import Photo, ProductStatus, Rating
from catalog.search.engine import (
    Batch,
    CategoryHint,
    Count,
    Document,
    Engine,
    Filters,
    Listed,
    PriceBand,
    Sort,
    Suggestions,
    tie_key,
)
from shop.lib.money import Money
from tests import factories

TIE_OF_PROD_1 = 7_955_442_870_851_132_769


def document(product_id: str, name: str = "Thing", **overrides: Any) -> Document:
    """A product that has no words but its name and what the overrides bring."""
    fields = {"description": "", "category": "", "sub_category": "", "brand": "", "attributes": {}, "sku": product_id.upper()}
    return Document.of(factories.product(**{"product_id": product_id, "name": name, **fields, **overrides}))


def found(engine: Engine, text: str = "", sort: Sort = Sort.RELEVANCE, **filters: Any) -> list[str]:
    results = engine.search(Filters(text=text, **filters), sort=sort)
    assert results.total == len(results.cards)
    return [card.product_id for card in results.cards]


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mug", {"mug", "mugs"}),
        ("mugs", {"mug", "mugs"}),
        ("MÜG", {"mug", "mugs"}),
        ("dish", {"dish"}),
        ("dishes", {"dish"}),
        ("shelf", {"shelf"}),
        ("shelves", {"shelf"}),
        ("shelve", set()),  # neither a beginning of "shelf" nor its plural, and nothing is one letter away but "shelf" is two
        ("she", {"shelf"}),
        ("s", {"shelf", "dish"}),  # "Serving Dish"
        ("cafe", {"cafe"}),
        ("CAFÉ", {"cafe"}),
        ("bakcpack", {"backpack"}),
        ("bakcpacks", {"backpack"}),
        ("backpak", {"backpack"}),
        ("backpacck", {"backpack"}),
        ("backback", {"backpack"}),
        ("bakcpak", set()),  # two typos
        ("mgu", set()),  # three letters must be right
        ("blue mug", {"mugs"}),
        ("mug blue", {"mugs"}),
        ("mug back", set()),  # words are joined by AND
        ("mu blue", set()),  # only the last word may be a beginning
        ("blue mu", {"mugs"}),
        ("a mug for the", {"mug", "mugs"}),
        ("mens", {"cafe"}),
        ("men's", {"cafe"}),
        ("men’s", {"cafe"}),
        ("!?", set()),
        ("\x00\ud800*()[]{}^~\"'\\", set()),
        ("mug*", {"mug", "mugs"}),
        ("m.g", set()),
    ],
)
def test_words(engine: Engine, text: str, expected: set[str]) -> None:
    engine.upsert(
        [
            document("mug", "Mug"),
            document("mugs", "Two blue mugs"),
            document("dish", "Serving Dish"),
            document("shelf", "Wall shelf"),
            document("cafe", "Café chair, men's"),
            document("backpack", "Backpack"),
        ]
    )

    assert set(found(engine, text)) == expected


def test_a_word_that_some_product_has_is_never_corrected(engine: Engine) -> None:
    engine.upsert([document("lamp", "Lamp"), document("camp", "Camp bed")])

    assert found(engine, "lamp") == ["lamp"]
    assert set(found(engine, "lamq")) == {"lamp"}
    assert set(found(engine, "xamp")) == {"lamp", "camp"}


def test_a_word_half_typed_with_a_typo_means_what_begins_like_it(engine: Engine) -> None:
    engine.upsert(
        [
            document("mug", "Stoneware mug"),
            document("keyboard", "Keyboard", description="The tone of its keys."),
            document("stone", "Door stop", description="Of stone."),
            document("lamp", "Lamp"),
            document("rug", "Lambskin"),
        ]
    )

    # A name before a description; of two in descriptions, the one that is a whole word but for the typo first.
    assert found(engine, "stonw") == ["mug", "stone"]
    assert found(engine, "stnoewa") == ["mug"]
    assert found(engine, "xtoneware") == ["mug"]
    assert found(engine, "stonewre mug") == ["mug"]
    assert found(engine, "stonewear mug") == ["mug"]  # two typos are few in a word of eight letters and more
    assert found(engine, "stnoware mug") == ["mug"]
    assert found(engine, "stonwre mug") == []  # and too many in one of seven
    assert found(engine, "stxxwxre mug") == []
    assert found(engine, "stonw mug") == []  # only the last word may be a beginning
    assert found(engine, "stxxw") == []
    assert found(engine, "lamq") == ["lamp"]  # a whole word of a name, so no beginning of "lambskin"
    assert [card.product_id for card in engine.suggest("stonw").products] == ["mug", "stone"]


def test_blank_text_is_no_filter(engine: Engine) -> None:
    engine.upsert([document("a"), document("b")])

    assert set(found(engine, "  ")) == {"a", "b"}


def test_names_weigh_more_than_categories_and_those_more_than_descriptions(engine: Engine) -> None:
    engine.upsert(
        [
            document("1-described", description="Goes with a mug."),
            document("2-attribute", attributes={"goes with": "mug"}),
            document("3-shelved", sub_category="Mugs"),
            document("4-branded", brand="Mug & Co"),
            document("5-begun", "Mugwort tea"),
            document("6-named", "A mug"),
        ]
    )

    order = found(engine, "mug")
    assert order[0] == "6-named"
    assert set(order[1:4]) == {"3-shelved", "4-branded", "5-begun"}
    assert set(order[4:]) == {"1-described", "2-attribute"}


def test_the_very_sku_comes_first_even_when_sold_out(engine: Engine) -> None:
    engine.upsert([document("named", "SAL-MUG-1 lookalike"), document("meant", "Other", sku="SAL-MUG-1", inventory=0)])

    assert found(engine, " sal-mug-1 ") == ["meant", "named"]
    assert found(engine, "sal-mug-1", Sort.FEATURED) == ["named", "meant"]
    assert found(engine, "sal-mug") == ["named"]


# --- Order ------------------------------------------------------------------------------------------------------------

ORDERED: dict[str, dict[str, Any]] = {
    "a": {"price": Money(300, "USD"), "rating": Rating(Decimal("4.5"), 10), "created_at": datetime(2026, 1, 3, tzinfo=UTC)},
    "b": {"price": Money(100, "USD"), "rating": Rating(Decimal("4.4"), 200), "created_at": datetime(2026, 1, 2, tzinfo=UTC)},
    "c": {"price": Money(200, "USD"), "rating": None, "created_at": datetime(2026, 1, 1, tzinfo=UTC)},
    "d": {"price": Money(200, "USD"), "rating": None, "created_at": datetime(2026, 1, 4, tzinfo=UTC)},
    "e": {"price": Money(200, "USD"), "rating": None, "created_at": datetime(2026, 1, 4, tzinfo=UTC)},
    "out": {
        "price": Money(150, "USD"),
        "rating": Rating(Decimal(5), 999),
        "created_at": datetime(2026, 1, 9, tzinfo=UTC),
        "inventory": 0,
    },
}


D_AND_E = sorted(["d", "e"], key=tie_key)
"""Two that differ in nothing but the id."""
C_D_AND_E = sorted(["c", "d", "e"], key=tie_key)


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.FEATURED, ["b", "a", *D_AND_E, "c", "out"]),
        (Sort.RELEVANCE, ["b", "a", *D_AND_E, "c", "out"]),
        (Sort.PRICE_ASC, ["b", *C_D_AND_E, "a", "out"]),
        (Sort.PRICE_DESC, ["a", *C_D_AND_E, "b", "out"]),
        (Sort.NEWEST, [*D_AND_E, "a", "b", "c", "out"]),
        (Sort.RATING, ["a", "b", *C_D_AND_E, "out"]),
    ],
)
def test_orders_put_sold_out_products_last_and_end_in_the_id(engine: Engine, sort: Sort, expected: list[str]) -> None:
    for product_id, fields in reversed(ORDERED.items()):
        engine.upsert([document(product_id, **fields)])

    assert found(engine, "", sort) == expected
    assert found(engine, "thing", sort) == expected


def test_ties_are_broken_by_a_number_that_never_changes() -> None:
    assert tie_key("prod-000001") == TIE_OF_PROD_1


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("text", ["", "mug blue"])
def test_pages_follow_on_each_other(engine: Engine, sort: Sort, text: str) -> None:
    names = ("Blue mug", "Mug")
    documents = [document(f"p{number:02d}", names[number % 2], description="blue") for number in range(23)]
    engine.upsert(documents)

    whole = [card.product_id for card in engine.search(Filters(text=text), sort=sort, size=100).cards]
    pages = [engine.search(Filters(text=text), sort=sort, page=page, size=5) for page in range(1, 7)]

    assert [len(page.cards) for page in pages] == [5, 5, 5, 5, 3, 0]
    assert {page.total for page in pages} == {23}
    assert [card.product_id for page in pages for card in page.cards] == whole
    assert sorted(whole) == [document.product_id for document in documents]


@pytest.mark.parametrize(("page", "expected"), [(-1, 1), (0, 1), (2, 0), (10**9, 0), (2**63, 0)])
def test_impossible_pages_are_the_first_or_empty(engine: Engine, page: int, expected: int) -> None:
    engine.upsert([document("a")])

    results = engine.search(Filters(), page=page)

    assert (len(results.cards), results.total) == (expected, 1)


# --- Filters and counts -----------------------------------------------------------------------------------------------


def _shelves(engine: Engine) -> None:
    engine.upsert(
        [
            document("mug", brand="A", category="Kitchen", sub_category="Mugs", attributes={"colour": "blue", "size": "S"}),
            document("cup", brand="B", category="Kitchen", sub_category="Cups", attributes={"colour": "red"}, inventory=0),
            document(
                "rug", brand="B", category="Living", sub_category="Rugs", attributes={"colour": "blue"}, price=Money(9900, "USD")
            ),
        ]
    )


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"category": "Kitchen"}, {"mug", "cup"}),
        ({"category": "kitchen"}, set()),
        ({"sub_categories": frozenset({"Mugs", "Rugs"})}, {"mug", "rug"}),
        ({"brands": frozenset({"A"})}, {"mug"}),
        ({"brands": frozenset({"A", "B", "none"})}, {"mug", "cup", "rug"}),
        ({"price_min": 2400}, {"mug", "cup", "rug"}),
        ({"price_min": 2401}, {"rug"}),
        ({"price_max": 2400}, {"mug", "cup"}),
        ({"price_min": -5, "price_max": 10**30}, {"mug", "cup", "rug"}),
        ({"price_min": 10**30}, set()),
        ({"price_max": -1}, set()),
        ({"price_min": 3000, "price_max": 2000}, set()),
        ({"in_stock": True}, {"mug", "rug"}),
        ({"attributes": {"colour": frozenset({"blue"})}}, {"mug", "rug"}),
        ({"attributes": {"colour": frozenset({"blue", "red"})}}, {"mug", "cup", "rug"}),
        ({"attributes": {"colour": frozenset({"blue"}), "size": frozenset({"S"})}}, {"mug"}),
        ({"attributes": {"colour": frozenset()}}, {"mug", "cup", "rug"}),
        ({"attributes": {"none": frozenset({"blue"})}}, set()),
        ({"category": "Kitchen", "brands": frozenset({"B"}), "in_stock": True}, set()),
    ],
)
def test_filters(engine: Engine, filters: dict[str, Any], expected: set[str]) -> None:
    _shelves(engine)

    assert set(found(engine, "", **filters)) == expected


def test_every_count_honours_all_filters_but_its_own(engine: Engine) -> None:
    _shelves(engine)

    results = engine.search(Filters(brands=frozenset({"B"}), price_max=5000, attributes={"colour": frozenset({"red", "green"})}))

    assert [card.product_id for card in results.cards] == ["cup"]
    assert results.highest_price == 2400
    facets = results.facets
    assert facets.categories == (Count("Kitchen", 1),)
    assert facets.sub_categories == (Count("Cups", 1),)
    assert facets.brands == (Count("B", 1),)
    assert [band.products for band in facets.prices] == [1, 0, 0, 0, 0, 0]
    assert facets.prices[0] == PriceBand(0, 2500, 1)
    assert facets.prices[-1] == PriceBand(50_000, None, 0)
    assert facets.in_stock == 0
    assert facets.attributes == {"colour": (Count("red", 1), Count("green", 0))}


def test_nothing_found_counts_nothing(engine: Engine) -> None:
    results = engine.search(Filters(text="mug"), sort=Sort.RELEVANCE)

    assert (results.cards, results.total, results.highest_price) == ((), 0, None)
    assert (results.facets.brands, results.facets.in_stock, results.facets.attributes) == ((), 0, {})


# --- Changes ----------------------------------------------------------------------------------------------------------


def test_a_card_comes_back_as_it_went_in(engine: Engine) -> None:
    photos = (Photo("/m/1.webp", "/m/1-320.webp 320w"), Photo("https://example.com/ü.jpg"), Photo("/m/3.webp"))
    created_at = datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC)
    went_in = document("x", "Ünïcode “name” 杯", photos=photos, created_at=created_at, price=Money(1234, "JPY"))

    engine.upsert([went_in])

    assert engine.search(Filters()).cards == (went_in.card,)
    assert went_in.card.photos == photos[:2]


def test_changing_and_deleting(engine: Engine) -> None:
    engine.upsert([document("a", "Mug"), document("b", "Mug"), document("a", "Bowl")])
    assert found(engine, "mug") == ["b"]

    engine.upsert([document("b", "Plate")])
    engine.upsert([document("b", "Plate")])
    assert found(engine, "mug") == []
    assert found(engine, "plate") == ["b"]

    engine.delete(["a", "never-there"])
    engine.delete(["a"])
    assert found(engine) == ["b"]
    assert engine.search(Filters()).facets.prices[0].products == 1


def test_a_batch_takes_out_what_is_not_active_any_more() -> None:
    first, second = factories.product(), factories.product()
    hidden = replace(second, status=ProductStatus.INACTIVE)

    batch = Batch.of([first, second, hidden], deleted=["gone"])

    assert batch == Batch((Document.of(first),), (second.product_id, "gone"))
    with pytest.raises(ValueError, match="not active"):
        Document.of(hidden)


def test_documents_are_equal_when_lists_would_show_the_same() -> None:
    product = factories.product(inventory=20)

    assert Document.of(product) == Document.of(replace(product, inventory=19, version=9, updated_at=datetime.now(UTC)))
    assert Document.of(product) != Document.of(replace(product, description="Another."))


def test_the_sitemap_lists_every_product_once_in_an_order_that_stays(engine: Engine) -> None:
    engine.upsert([document(f"p{number}", slug=f"s{number}") for number in range(5)])
    updated_at = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)

    pages = [engine.listed(page=page, size=2) for page in (1, 2, 3, 4)]

    ordered = sorted(range(5), key=lambda number: tie_key(f"p{number}"))
    lines = [Listed(f"/products/p{number}/s{number}/", updated_at) for number in ordered]
    assert pages == [tuple(lines[:2]), tuple(lines[2:4]), tuple(lines[4:]), ()]


# --- Suggestions ------------------------------------------------------------------------------------------------------


def test_suggestions(engine: Engine) -> None:
    engine.upsert(
        [
            document("mug-1", "Blue mug", category="Kitchen", sub_category="Mugs", inventory=0),
            document("mug-2", "Green mug", category="Kitchen", sub_category="Mugs"),
            document("rug", "Rug", category="Living & Kitchen", sub_category="Rugs"),
        ]
    )

    assert engine.suggest("  ") == Suggestions()
    assert engine.suggest("!") == Suggestions()
    mugs = engine.suggest("mu")
    assert [card.product_id for card in mugs.products] == ["mug-2", "mug-1"]
    assert mugs.categories == (CategoryHint("Kitchen", "Mugs", 2),)
    assert engine.suggest("kit").categories == (CategoryHint("Kitchen", "", 2), CategoryHint("Living & Kitchen", "", 1))
    assert engine.suggest("kitchen mugs").categories == (CategoryHint("Kitchen", "Mugs", 2),)
    assert engine.suggest("kitchn").categories == ()
    assert [card.product_id for card in engine.suggest("m", size=1).products] == ["mug-2"]


def test_products_are_given_by_their_ids_in_the_order_asked(engine: Engine) -> None:
    engine.upsert([document("a", "Mug"), document("b", "Lamp"), document("c", "Sold-out vase", inventory=0)])

    def names(*product_ids: str) -> list[str]:
        return [card.name for card in engine.by_id(product_ids)]

    assert names("c", "nothing", "a", "c", "\ud800") == ["Sold-out vase", "Mug"]
    assert names() == []
