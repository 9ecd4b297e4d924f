"""Small helpers for words people read, and for words things are found by."""

import re
import unicodedata

MOST_WORDS = 8
"""Words one thing is found by: an address and a name; whoever writes a novel into the name field is found by its beginning."""
_SHORTEST_WORD = 2


def label(name: str) -> str:
    """An attribute's key as shoppers read it: `seatHeight` is "Seat height"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").split()
    return " ".join(words).lower().capitalize()


def findable_number(text: str) -> str:
    """A number people read out, of an invoice or a parcel, as one word: without case and spaces."""
    return "".join(text.casefold().split())


def findable_words(*texts: str) -> tuple[str, ...]:
    """The words of texts as they are compared: an e-mail address whole, everything without case and accents, none twice."""
    found: dict[str, None] = {}
    for text in texts:
        plain = "".join(char for char in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(char))
        parts = plain.split() if "@" in plain else re.split(r"[^\w]+", plain)
        found.update(dict.fromkeys(part for part in parts if len(part) >= _SHORTEST_WORD))
    return tuple(found)[:MOST_WORDS]
