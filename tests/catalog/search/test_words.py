"""What a word is."""

import random
import re

import pytest

from catalog.search.words import beginnings_with_a_typo, index_words, query_words, singular, words_of
from tests.catalog.search.catalogue import is_typo_begun


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Café CRÈME", ["cafe", "creme"]),
        ("Åsgård Øre Łódź straße", ["asgard", "ore", "lodz", "strasse"]),
        ("Men's T-shirt, 12oz (1.5 l)", ["mens", "t", "shirt", "12oz", "1", "5", "l"]),
        ("under_score", ["under", "score"]),
        ("茶杯 чашка", ["茶杯", "чашка"]),
        ("ﬁne ½", ["fine", "1", "2"]),
        ("x" * 100, ["x" * 40]),
        ("\ud800 \x00", []),
        ("", []),
    ],
)
def test_texts_become_folded_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("plural", "expected"),
    [
        ("mugs", "mug"),
        ("dishes", "dish"),
        ("shelves", "shelf"),
        ("knives", "knife"),
        ("gloves", "glove"),
        ("boxes", "box"),
        ("glasses", "glass"),
        ("benches", "bench"),
        ("vases", "vase"),
        ("berries", "berry"),
        ("pies", "pie"),
        ("tomatoes", "tomato"),
        ("shoes", "shoe"),
        ("toes", "toe"),
        ("women", "woman"),
        ("children", "child"),
        ("buses", "bus"),
        ("lenses", "lens"),
        ("axes", "axe"),
        ("plates", "plate"),
    ],
)
def test_plurals_meet_their_singular(plural: str, expected: str) -> None:
    assert singular(plural) == expected
    assert singular(expected) == expected


@pytest.mark.parametrize("word", ["glass", "cactus", "basis", "bus", "gas", "lens", "canvas", "as", "s", "planter", "wool"])
def test_what_only_looks_like_a_plural_stays(word: str) -> None:
    assert singular(word) == word


@pytest.mark.parametrize(("plural", "other"), [("cookies", "cookie"), ("movies", "movie"), ("hoodies", "hoodie")])
def test_words_in_ie_meet_their_plural_elsewhere(plural: str, other: str) -> None:
    assert singular(plural) == singular(other) == other[:-2] + "y"


def test_an_index_has_words_and_their_singulars_once() -> None:
    assert list(index_words("Two mugs", "a Mug")) == ["two", "mugs", "mug", "a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a mug for the tea", ("mug", "tea")),
        ("the", ("the",)),
        ("mug mug MUG", ("mug",)),
        ("one two three four five six seven eight nine", ("one", "two", "three", "four", "five", "six", "seven", "eight")),
        ("x " * 100 + "mug", ("x",)),  # beyond the letters that are looked at
        ("!?", ()),
    ],
)
def test_what_is_typed_becomes_few_telling_words(text: str, words: tuple[str, ...]) -> None:
    assert query_words(text) == words


def test_beginnings_with_a_typo_are_those_of_the_definition() -> None:
    rng = random.Random(1)
    for _ in range(3_000):
        typed, known = ("".join(rng.choices("abc", k=rng.randrange(4, 8))) for _ in range(2))
        matched = any(re.fullmatch(pattern, known) for pattern in beginnings_with_a_typo(typed))
        assert matched == is_typo_begun(typed, known), (typed, known)


def test_each_expression_is_short_enough_for_a_cluster() -> None:
    patterns = beginnings_with_a_typo("x" + "ab" * 20)

    assert max(map(len, patterns)) < 1_000
