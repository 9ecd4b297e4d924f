"""What of a search may be counted, and how counts of several days add up: pure rules."""

from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST = 40
_MOST_WORDS = 5
_MOST_DIGITS = 4
LEAST_FOR_NOTHING = 2
"""So often was asked for what finds nothing before staff are shown it: words that are no product's may be a person's."""


@dataclass(frozen=True, slots=True)
class Searched:
    """Words that were searched for, and how often; `found` tells whether there was anything."""

    term: str
    times: int
    found: bool


def may_be_counted(typed: str, words: list[str]) -> bool:
    """Whether what was typed looks like words for a product, and not like an address, a number or a letter to somebody.

    `words` are the words of it.
    """
    return (
        bool(words)
        and "@" not in typed
        and not typed.strip().casefold().startswith("ord-")
        and len(words) <= _MOST_WORDS
        and len(" ".join(words)) <= _LONGEST
        and sum(letter.isdigit() for word in words for letter in word) <= _MOST_DIGITS
    )


def most_searched(days: Iterable[Searched], *, most: int) -> tuple[Searched, ...]:
    """The terms asked for most."""
    return _top(days, found=True, least=1, most=most)


def found_nothing(days: Iterable[Searched], *, most: int) -> tuple[Searched, ...]:
    """The terms without a result asked for most."""
    return _top(days, found=False, least=LEAST_FOR_NOTHING, most=most)


def _top(days: Iterable[Searched], *, found: bool, least: int, most: int) -> tuple[Searched, ...]:
    times: dict[str, int] = {}
    for one in days:
        if one.found is found:
            times[one.term] = times.get(one.term, 0) + one.times
    ranked = sorted(((count, term) for term, count in times.items() if count >= least), key=lambda one: (-one[0], one[1]))
    return tuple(Searched(term, count, found) for count, term in ranked[:most])
