"""Somebody asks to be told when a sold-out product is back, and is told once."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from catalog.domain import ProductStatus
from catalog.services import set_stock
from tests import factories
from tests.conftest import items_of
from tests.shop.entrypoints.test_stream import item, react, record

pytestmark = pytest.mark.usefixtures("tables", "index")

HTMX = {"HX-Request": "true"}


def ask(client: Client, product_id: str, email: str, **headers: str) -> Any:
    return client.post(f"/products/{product_id}/tell-me/", {"email": email, "back": "/products/"}, headers=headers)


def wishes() -> list[str]:
    return [item["email"]["S"] for item in items_of("Products") if item["SK"]["S"].startswith("WAIT#")]


def restock(tables: Any, product_id: str, pieces: int, now: datetime) -> Callable[[], list[str]]:
    """Set the stock; gives what delivers the record of it."""
    old = item(tables, "Products", f"PRODUCT#{product_id}", "METADATA")
    set_stock(product_id=product_id, inventory=pieces, now=now)
    new = item(tables, "Products", f"PRODUCT#{product_id}", "METADATA")
    return lambda: react(record("Products", new, old))


def test_everybody_who_asked_is_told_once_when_it_is_back(tables: Any, client: Client, now: datetime) -> None:
    mug = factories.make_product(name="Tide <Mug>", inventory=0)
    for email in ("ada@example.com", "ADA@example.com", "grace@example.com"):
        assert ask(client, mug.product_id, email).status_code == 200
    assert sorted(map(str.casefold, wishes())) == ["ada@example.com", "grace@example.com"]

    deliver = restock(tables, mug.product_id, 4, now)
    assert [deliver(), deliver()] == [[], []]

    assert sorted(message.to[0].casefold() for message in mail.outbox) == ["ada@example.com", "grace@example.com"]
    assert {message.subject for message in mail.outbox} == {"Tide <Mug> is back"}
    assert f"http://testserver{mug.path}" in str(mail.outbox[0].body)
    message: Any = mail.outbox[0]
    assert "Tide &lt;Mug&gt;" in message.alternatives[0].content
    assert wishes() == []


def test_a_product_that_was_never_away_tells_nobody(tables: Any, now: datetime) -> None:
    mug = factories.make_product(inventory=2)

    assert restock(tables, mug.product_id, 50, now)() == []
    assert restock(tables, mug.product_id, 0, now)() == []

    assert mail.outbox == []


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_answer_says_what_happens_next(client: Client, headers: dict[str, str]) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=0)

    answer = ask(client, mug.product_id, "ada@example.com", **headers)

    assert "We write to ada@example.com once, when Tide Mug is back." in answer.text
    assert ("<html" in answer.text) is not bool(headers)


@pytest.mark.parametrize("email", ["", "ada", "a@b.c\r\nBcc: x@y.z", "x" * 300 + "@example.com"])
def test_a_bad_address_gets_a_clear_answer_and_is_not_kept(client: Client, email: str) -> None:
    mug = factories.make_product(inventory=0)

    answer = ask(client, mug.product_id, email)

    assert answer.status_code == 422
    assert "e-mail address" in answer.text or "at most 254" in answer.text
    assert wishes() == []


def test_nobody_waits_for_what_can_be_bought_or_is_not_sold(client: Client) -> None:
    there, hidden = factories.make_product(inventory=3), factories.make_product(inventory=0, status=ProductStatus.INACTIVE)

    assert "It is back already" in ask(client, there.product_id, "ada@example.com").text
    assert ask(client, hidden.product_id, "ada@example.com").status_code == 404
    assert ask(client, "prod-unknown", "ada@example.com").status_code == 404
    assert wishes() == []


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "\\\\evil.example", "////e"])
def test_the_way_back_stays_in_the_shop(client: Client, back: str) -> None:
    mug = factories.make_product(inventory=0)

    page = client.post(f"/products/{mug.product_id}/tell-me/", {"email": "ada@example.com", "back": back})

    assert 'href="/products/">Go back' in page.text
