"""Tests of the conditions that guard stock and money."""

from types import SimpleNamespace

import pytest

from cart import services as cart_services
from shop.lib import transactions


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once: how long they pause is random and decides nothing here."""
    at_once = SimpleNamespace(uniform=lambda _least, _most: 0.0)
    monkeypatch.setattr(transactions, "random", at_once)
    monkeypatch.setattr(cart_services, "random", at_once)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
