"""Small helpers for words people read."""

import re


def label(name: str) -> str:
    """An attribute's key as shoppers read it: `seatHeight` is "Seat height"."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").split()
    return " ".join(words).lower().capitalize()
