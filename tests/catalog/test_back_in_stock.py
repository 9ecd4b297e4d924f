"""Somebody asks to be told when a sold-out product is back, and is told once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from catalog import staff_queries
from catalog.domain import ProductStatus
from catalog.models import product_key
from catalog.services import ask_to_be_told, set_stock
from shop.lib.tables import table_name
from tests import factories
from tests.conftest import items_of
from tests.orders.walk import shown_in
from tests.shop.entrypoints.test_stream import item, react, record

pytestmark = pytest.mark.usefixtures("tables", "index")

HTMX = {"HX-Request": "true"}


def ask(client: Client, product_id: str, email: str, **headers: str) -> Any:
    return client.post(f"/products/{product_id}/tell-me/", {"email": email}, headers=headers)


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
        assert ask(client, mug.product_id, email).status_code == 303
    assert sorted(map(str.casefold, wishes())) == ["ada@example.com", "grace@example.com"]

    deliver = restock(tables, mug.product_id, 4, now)
    assert [deliver(), deliver()] == [[], []]

    assert sorted(message.to[0].casefold() for message in mail.outbox) == ["ada@example.com", "grace@example.com"]
    assert {message.subject for message in mail.outbox} == {"Tide <Mug> is back"}
    logged = [(one.kind, one.to.casefold()) for one in staff_queries.mails_of_month(month=now).items]
    assert sorted(logged) == [("back_in_stock", "ad…@example.com"), ("back_in_stock", "gr…@example.com")]
    assert f"http://testserver{mug.path}" in str(mail.outbox[0].body)
    message: Any = mail.outbox[0]
    assert "Tide &lt;Mug&gt;" in message.alternatives[0].content
    assert wishes() == []


def test_a_product_that_was_never_away_tells_nobody(tables: Any, now: datetime) -> None:
    mug = factories.make_product(inventory=2)

    assert restock(tables, mug.product_id, 50, now)() == []
    assert restock(tables, mug.product_id, 0, now)() == []

    assert mail.outbox == []


def test_a_wish_lives_a_year_from_when_it_was_last_asked_and_one_without_an_end_goes_on(
    tables: Any, client: Client, now: datetime
) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=0)
    for email, asked_at in (("late@example.com", now - timedelta(days=365)), ("early@example.com", now - timedelta(days=364))):
        ask_to_be_told(product_id=mug.product_id, email=email, now=asked_at)
    for asked_at in (now - timedelta(days=500), now - timedelta(days=100)):
        ask_to_be_told(product_id=mug.product_id, email="twice@example.com", now=asked_at)
    [row] = [item for item in items_of("Products") if item["SK"] == {"S": "WAIT#early@example.com"}]
    assert int(row.pop("expiresAt")["N"]) == int((now + timedelta(days=1)).timestamp())
    endless = {**row, "SK": {"S": "WAIT#old@example.com"}, "email": {"S": "old@example.com"}}
    tables.put_item(TableName=table_name("Products"), Item=endless)

    assert restock(tables, mug.product_id, 4, now)() == []

    assert sorted(message.to[0] for message in mail.outbox) == ["early@example.com", "old@example.com", "twice@example.com"]


def test_wishes_go_with_their_product(tables: Any, client: Client) -> None:
    mug, lamp = factories.make_product(inventory=0), factories.make_product(inventory=0)
    for email in ("ada@example.com", "grace@example.com"):
        ask(client, mug.product_id, email)
    ask(client, lamp.product_id, "boris@example.com")
    before = item(tables, "Products", f"PRODUCT#{mug.product_id}", "METADATA")
    product_key(mug.product_id).delete()

    assert [react(record("Products", None, before)) for _ in range(2)] == [[], []]

    assert wishes() == ["boris@example.com"]
    assert mail.outbox == []


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["plain", "htmx"])
def test_the_answer_says_what_happens_next(client: Client, headers: dict[str, str]) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=0)

    answer = ask(client, mug.product_id, "ada@example.com", **headers)
    if not headers:
        assert (answer.status_code, answer["Location"]) == (303, f"/products/{mug.product_id}/tell-me/")
        answer = client.get(answer["Location"])
        assert answer["Cache-Control"] == "private, no-store"

    assert "We write to ada@example.com once, when Tide Mug is back." in answer.text
    assert ("<html" in answer.text) is not bool(headers)


NO_ADDRESS = "This does not look like an e-mail address."
BAD_ADDRESSES = {
    "": "Please give your e-mail address.",
    "ada": NO_ADDRESS,
    "a@b.c\r\nBcc: x@y.z": NO_ADDRESS,
    "x" * 260 + "@example.com": "Ensure this value has at most 254 characters",
    "<b>é@": NO_ADDRESS,
}


@pytest.mark.parametrize("email", BAD_ADDRESSES)
def test_a_bad_address_gets_a_clear_answer_and_is_not_kept(client: Client, email: str) -> None:
    mug = factories.make_product(inventory=0)

    answer = ask(client, mug.product_id, email, **HTMX)

    assert answer.status_code == 422
    assert BAD_ADDRESSES[email] in answer.text
    assert wishes() == []


@pytest.mark.parametrize("email", BAD_ADDRESSES)
def test_without_script_a_bad_address_stands_in_the_form_again(client: Client, email: str) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=0)

    answer = ask(client, mug.product_id, email)
    assert answer.status_code == 303
    pages = [client.get(answer["Location"]).text for _ in range(2)]

    for page in pages:
        assert BAD_ADDRESSES[email] in page
        assert shown_in(page) == {"email": email[:300]}
        assert f'href="{mug.path}"' in page
    assert wishes() == []


def test_what_one_visitor_typed_shows_on_that_products_page_alone_and_to_nobody_else(client: Client) -> None:
    mug, lamp = factories.make_product(inventory=0), factories.make_product(inventory=0)
    path = ask(client, mug.product_id, "ada")["Location"]
    cookie = client.cookies["asked"]

    assert (cookie["path"], cookie["httponly"], cookie["max-age"]) == (path, True, 600)
    assert shown_in(Client().get(path).text) == {"email": ""}
    forger = Client()
    forger.cookies["asked"] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    assert shown_in(forger.get(path).text) == {"email": ""}
    assert Client().get(f"/products/{lamp.product_id}/tell-me/").status_code == 200
    assert client.get("/products/prod-unknown/tell-me/").status_code == 404


def test_the_page_for_waiting_leads_to_what_can_be_bought(client: Client) -> None:
    mug = factories.make_product(inventory=3)

    assert client.get(f"/products/{mug.product_id}/tell-me/")["Location"] == mug.path


def test_nobody_waits_for_what_can_be_bought_or_is_not_sold(client: Client) -> None:
    there, hidden = factories.make_product(inventory=3), factories.make_product(inventory=0, status=ProductStatus.INACTIVE)

    assert "It is back already" in ask(client, there.product_id, "ada@example.com", **HTMX).text
    assert "It is back already" in client.get(ask(client, there.product_id, "ada@example.com")["Location"]).text
    assert ask(client, hidden.product_id, "ada@example.com").status_code == 404
    assert client.get(f"/products/{hidden.product_id}/tell-me/").status_code == 404
    assert ask(client, "prod-unknown", "ada@example.com").status_code == 404
    assert wishes() == []
