"""Rules of the address book: how many addresses, and which is the default of its kind."""

import hashlib
from dataclasses import astuple, replace
from enum import StrEnum
from functools import partial

from accounts.domain import SavedAddress

MOST_ADDRESSES = 20
"""They are kept on the profile, which every login reads: an item of the table is bounded."""

Book = tuple[SavedAddress, ...]


class AddressKind(StrEnum):
    """What an address is for; the specification's `type`."""

    SHIPPING = "shipping"
    BILLING = "billing"


class BookFull(Exception):
    """There are as many addresses as we keep."""


def with_address(book: Book, entry: SavedAddress) -> Book:
    """The book with an entry added, or put in the place of the one with its id. Raises BookFull.

    The first of its kind is the default, and a new default takes the place of the old one.
    """
    is_new = all(kept.address_id != entry.address_id for kept in book)
    if is_new and len(book) >= MOST_ADDRESSES:
        raise BookFull
    kept = tuple(entry if one.address_id == entry.address_id else one for one in book) + ((entry,) if is_new else ())
    return _with_one_default_a_kind(kept, entry.address_id if entry.is_default else "")


def without_address(book: Book, address_id: str) -> Book:
    """The book without an entry; if that was a default, the oldest of its kind is it now."""
    return _with_one_default_a_kind(tuple(one for one in book if one.address_id != address_id), "")


def with_default(book: Book, address_id: str) -> Book:
    """The book with this entry as the default of its kind."""
    return _with_one_default_a_kind(book, address_id)


def is_same_place(one: SavedAddress, other: SavedAddress) -> bool:
    """Whether two entries say the same, whatever they are kept for."""
    plain = partial(replace, address_id="", kind="", is_default=False)
    return plain(one) == plain(other)


def mark_of(entry: SavedAddress) -> str:
    """A short mark of all an entry says, so that what another tab changed meanwhile is not written over unseen."""
    return hashlib.sha256(repr(astuple(entry)).encode()).hexdigest()[:16]


def _with_one_default_a_kind(book: Book, chosen: str) -> Book:
    defaults: dict[str, str] = {}
    for entry in book:
        if entry.address_id == chosen:
            defaults[entry.kind] = chosen
        elif entry.is_default:
            defaults.setdefault(entry.kind, entry.address_id)
    for entry in book:
        defaults.setdefault(entry.kind, entry.address_id)
    return tuple(replace(entry, is_default=defaults[entry.kind] == entry.address_id) for entry in book)
