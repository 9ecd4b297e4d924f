"""Whose something is, as keys say it."""

import pytest

from shop.lib.owner import Owner


@pytest.mark.parametrize("owner", [Owner("user-1", is_guest=False), Owner("a#b", is_guest=True)])
def test_an_owner_is_known_by_their_key(owner: Owner) -> None:
    assert Owner.of_key(owner.key) == owner


@pytest.mark.parametrize("key", ["", "USER", "USER#", "GUEST#", "ORDER#ord-1", "user#1", "#1"])
def test_a_key_of_something_else_is_nobodys(key: str) -> None:
    with pytest.raises(ValueError, match="is no owner's key"):
        Owner.of_key(key)
