"""What changes a profile: the name, the phone number, the address book. Two tabs at once lose nothing of each other's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from pynamodb.exceptions import UpdateError

from accounts import queries
from accounts.book_domain import Book, is_same_place, mark_of, with_address, with_default, without_address
from accounts.domain import SavedAddress
from accounts.maps import to_address_map
from accounts.models import UserRow, user_key
from accounts.queries import UserNotFound
from shop.lib.ids import new_id
from shop.lib.tables import Busy, is_refused

_TRIES = 8
"""How often a change is made anew on the book that somebody else has just changed."""


class AddressNotFound(Exception):
    """There is no such address in this person's book."""


class AddressChanged(Exception):
    """The address is not as it was when its form was opened; `entry` is how it stands now."""

    def __init__(self, entry: SavedAddress) -> None:
        super().__init__(entry.address_id)
        self.entry = entry


def change_name(*, user_id: str, first_name: str, last_name: str, phone: str) -> None:
    """Call somebody by this name from now on. Raises UserNotFound."""
    try:
        user_key(user_id).update(
            actions=[
                UserRow.first_name.set(first_name),
                UserRow.last_name.set(last_name),
                UserRow.phone.set(phone) if phone else UserRow.phone.remove(),
            ],
            condition=UserRow.pk.exists(),
        )
    except UpdateError as error:
        if not is_refused(error):
            raise
        raise UserNotFound(user_id) from error


def add_address(*, user_id: str, entry: SavedAddress, now: datetime) -> SavedAddress:
    """Add an address; one that is there already stays the only one. Raises BookFull, UserNotFound, Busy."""
    entry = replace(entry, address_id=new_id("addr", now))

    def rule(book: Book) -> Book:
        same = next((kept for kept in book if kept.kind == entry.kind and is_same_place(kept, entry)), None)
        if same and same.address_id != entry.address_id:
            return with_default(book, same.address_id) if entry.is_default else book
        return with_address(book, entry)

    _change_book(user_id, rule)
    return entry


def change_address(*, user_id: str, entry: SavedAddress, seen: str) -> None:
    """Write an address anew if it still is as it was seen. Raises AddressNotFound, AddressChanged, UserNotFound, Busy."""

    def rule(book: Book) -> Book:
        kept = _entry_of(book, entry.address_id)
        # A default stays one until another takes its place.
        wanted = replace(entry, is_default=entry.is_default or (kept.is_default and kept.kind == entry.kind))
        if kept != wanted and mark_of(kept) != seen:
            raise AddressChanged(kept)
        return with_address(book, wanted)

    _change_book(user_id, rule)


def remove_address(*, user_id: str, address_id: str) -> None:
    """Take an address out of the book; out of it already, it stays so. Raises UserNotFound, Busy."""
    _change_book(user_id, lambda book: without_address(book, address_id))


def make_default(*, user_id: str, address_id: str) -> None:
    """Let an address be the default of its kind. Raises AddressNotFound, UserNotFound, Busy."""

    def rule(book: Book) -> Book:
        _entry_of(book, address_id)
        return with_default(book, address_id)

    _change_book(user_id, rule)


def address_of(*, user_id: str, address_id: str) -> SavedAddress:
    """An address of somebody's book. Raises AddressNotFound, UserNotFound."""
    return _entry_of(queries.user(user_id=user_id).addresses, address_id)


def _entry_of(book: Book, address_id: str) -> SavedAddress:
    found = next((entry for entry in book if entry.address_id == address_id), None)
    if found is None:
        raise AddressNotFound(address_id)
    return found


def _change_book(user_id: str, rule: Callable[[Book], Book]) -> None:
    """Write what the rule makes of the book as it stands; when somebody else was quicker, of what they made of it."""
    for _ in range(_TRIES):
        user = queries.user(user_id=user_id)
        book = rule(user.addresses)
        if book == user.addresses:
            return
        is_unchanged = UserRow.book_version == user.book_version if user.book_version else UserRow.book_version.does_not_exist()
        try:
            user_key(user_id).update(
                actions=[
                    UserRow.addresses.set([to_address_map(entry) for entry in book]),
                    UserRow.book_version.set(user.book_version + 1),
                ],
                condition=UserRow.pk.exists() & is_unchanged,
            )
        except UpdateError as error:
            if not is_refused(error):
                raise
        else:
            return
    raise Busy
