"""Whose a cart or an order is: a customer's or a guest's."""

from dataclasses import dataclass
from typing import Self

_USER, _GUEST = "USER", "GUEST"


@dataclass(frozen=True, slots=True)
class Owner:
    """A customer by user id, or a guest by the id in a signed cookie."""

    id: str
    is_guest: bool

    @property
    def key(self) -> str:
        """The partition all of this owner's things are kept in, in whichever table: `USER#<id>` or `GUEST#<id>`."""
        return f"{_GUEST if self.is_guest else _USER}#{self.id}"

    @classmethod
    def of_key(cls, key: str) -> Self:
        """The owner whose partition key this is. Raises ValueError for any other key."""
        kind, _, id_ = key.partition("#")
        if kind not in (_USER, _GUEST) or not id_:
            raise ValueError(f"{key!r} is no owner's key")
        return cls(id=id_, is_guest=kind == _GUEST)
