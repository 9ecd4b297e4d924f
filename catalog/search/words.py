"""How texts become words, the same for every engine: both the catalogue and what a shopper types pass through here.

1. Accents and case are folded ("Café" and "CAFE" are "cafe"), an apostrophe is dropped ("men's" is "mens"), and every run of
   letters and digits is a word.
2. A word is kept as it stands and in its singular, by a light rule for English plurals (`singular`). Nothing else is cut off:
   "planter" and "plant" stay two words.
3. In what a shopper types the smallest words ("a mug for tea") are dropped, unless there are no others.
"""

import re
import unicodedata
from functools import lru_cache

MAX_QUERY_LETTERS = 200
"""What is typed beyond this is not looked at."""
MAX_QUERY_WORDS = 8
"""Nor are words after these: each costs every product some work."""
TYPO_LETTERS = 4
"""Words shorter than this must be spelt right: at three letters nearly every word is one letter from another."""
TWO_TYPOS_LETTERS = 8
"""Words of so many letters may have two typos: hardly any two of them are so near to each other."""
HEAD_LETTERS = 2
"""So short a beginning is looked for in names, brands and categories alone: in descriptions it would be in all of them."""
_MAX_WORD_LETTERS = 40
_WAYS_AT_ONCE = 20

_APOSTROPHES = re.compile("['’ʼ`]")
_WORD = re.compile(r"[^\W_]+")
# Letters that Unicode does not take apart into a base letter and an accent.
_LETTERS = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i", "ħ": "h"})
_SMALL_WORDS = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"})

# Plurals no rule below gets right, and singulars that only look like plurals.
_IRREGULAR = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "men": "man",
    "mice": "mouse",
    "people": "person",
    "teeth": "tooth",
    "women": "woman",
    "calves": "calf",
    "elves": "elf",
    "halves": "half",
    "hooves": "hoof",
    "knives": "knife",
    "leaves": "leaf",
    "lives": "life",
    "loaves": "loaf",
    "scarves": "scarf",
    "selves": "self",
    "shelves": "shelf",
    "thieves": "thief",
    "wives": "wife",
    "wolves": "wolf",
    "buses": "bus",
    "gases": "gas",
    "axes": "axe",
    "lens": "lens",
    "lenses": "lens",
    "canvas": "canvas",
    "canvases": "canvas",
    "atlas": "atlas",
    "atlases": "atlas",
    "christmas": "christmas",
    "caches": "cache",
    "quiches": "quiche",
    "moustaches": "moustache",
}
_NO_PLURAL = ("ss", "us", "is")
_WITH_ES = ("sses", "xes", "zzes", "ches", "shes")
_WITH_OES = ("goes", "roes", "toes")  # mangoes, heroes, tomatoes; shoes and canoes lose the s alone


def folded(text: str) -> str:
    """The text without accents and case."""
    decomposed = unicodedata.normalize("NFKD", encodable(text).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).translate(_LETTERS)


def encodable(text: str) -> str:
    """The text without halves of surrogate pairs, which JSON can bring and no index can take."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def words_of(text: str) -> list[str]:
    """The words of the text in their order, folded, each as often as it occurs."""
    plain = _APOSTROPHES.sub("", text if text.isascii() else folded(text))
    return [word[:_MAX_WORD_LETTERS] for word in _WORD.findall(plain.lower())]


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """The singular of a folded English word; the word itself where no rule applies.

    A table of irregular ones ("shelves" → "shelf"), then the first that fits: "-sses, -xes, -zzes, -ches, -shes" lose "es"
    ("dishes" → "dish"), "-toes, -roes, -goes" of six letters and more too, "-ies" and "-ie" of five letters and more become "y"
    ("berries" → "berry", and "cookies" and "cookie" meet in "cooky"), "-ss, -us, -is" stay, "-s" of four letters and more goes.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    letters = len(word)
    if letters > 4 and word.endswith(_WITH_ES):  # noqa: PLR2004 - the rule above in numbers
        return word[:-2]
    if letters > 5 and word.endswith(_WITH_OES):  # noqa: PLR2004 - the same
        return word[:-2]
    if letters > 4 and word.endswith(("ies", "ie")):  # noqa: PLR2004 - the same
        return word[: word.rindex("ie")] + "y"
    if letters > 3 and word.endswith("s") and not word.endswith(_NO_PLURAL):  # noqa: PLR2004 - the same
        return word[:-1]
    return word


def index_words(*texts: str) -> dict[str, None]:
    """Every word of the texts once, as it stands and in its singular, in the order of the texts."""
    found: dict[str, None] = {}
    for text in texts:
        for word in words_of(text):
            found[word] = None
            found[singular(word)] = None
    return found


def query_words(text: str) -> tuple[str, ...]:
    """The words a product must have to be found by what was typed, in their order; the last may be only a beginning."""
    words = list(dict.fromkeys(words_of(text[:MAX_QUERY_LETTERS])))
    telling = [word for word in words if word not in _SMALL_WORDS] or words
    return tuple(telling[:MAX_QUERY_WORDS])


def typos_of(word: str) -> int:
    """How many typos a word may have, when no product has it as it was typed: "stonewear" is two away from "stoneware"."""
    return 2 if len(word) >= TWO_TYPOS_LETTERS else 1


def spellings(word: str) -> tuple[str, ...]:
    """The forms of a typed word of which the catalogue's words may be a typo or two away: as typed, and its singular."""
    return tuple(dict.fromkeys((word, singular(word))))


def beginnings_with_a_typo(word: str) -> tuple[str, ...]:
    """Regular expressions that together match the words of which some beginning is the typed word but for one typo.
    Several short ones, since OpenSearch takes expressions of a thousand letters at most.
    """
    places = range(len(word))
    ways = {word[:place] + word[place + 1 :] for place in places}
    ways |= {word[:place] + "." + word[place + 1 :] for place in places}
    ways |= {word[:place] + "." + word[place:] for place in places}
    ways |= {word[:place] + word[place + 1] + word[place] + word[place + 2 :] for place in places[:-1]}
    ordered = sorted(ways)
    return tuple(f"({'|'.join(ordered[start : start + _WAYS_AT_ONCE])}).*" for start in range(0, len(ordered), _WAYS_AT_ONCE))
