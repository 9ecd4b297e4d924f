"""A guest finds an order by number and address: one answer for everybody, and the link to the right address alone."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from orders import queries
from orders.domain import Order, order_id_as_typed
from orders.reactions import order_changed
from shop.lib.owner import Owner
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.conftest import counted_calls, items_of
from tests.orders.paid import paid_order

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def order(stripe: FakeStripe, guest: Owner, now: datetime) -> Order:
    return paid_order(stripe, guest, {factories.make_product().product_id: 1}, now)


def lookups() -> list[dict[str, Any]]:
    return [row for row in items_of("Orders") if row["SK"]["S"] == "LOOKUP"]


def ask(client: Client, number: str, email: str, source: str = "192.0.2.1") -> Any:
    return client.post("/orders/find/", {"number": number, "email": email}, REMOTE_ADDR=source)


def react(now: datetime) -> None:
    for row in lookups():
        for _ in range(2):
            order_changed(None, row, now=now)


def test_the_link_goes_to_the_orders_address(client: Client, order: Order, now: datetime, mailoutbox: list[Any]) -> None:
    answer = ask(client, f"  {order.order_id.upper()} ", "Ada@EXAMPLE.com")
    react(now)

    assert (answer.status_code, answer["Location"]) == (303, "/orders/find/sent/")
    (mail,) = mailoutbox
    assert (mail.to, mail.subject) == (["ada@example.com"], "The link to your Fernhollow order")
    link = f"http://testserver/orders/{order.order_id}/?key={queries.key_of(order.order_id)}"
    assert link in mail.body
    assert f'href="{link}"' in mail.alternatives[0].content
    assert Client().get(link.removeprefix("http://testserver")).status_code == 200


def test_a_miss_and_a_wrong_address_look_like_a_hit_and_cost_the_same(
    client: Client, order: Order, now: datetime, mailoutbox: list[Any]
) -> None:
    asked = [(order.order_id, "ada@example.com"), (order.order_id, "eve@example.com"), ("ord-nobody", "bob@example.com")]
    client.get("/orders/find/sent/")  # the menu is read once a minute
    seen = []
    for at, (number, email) in enumerate(asked):
        with counted_calls() as calls:
            answer = ask(Client(), number, email, source=f"192.0.2.{at + 1}")
            page = Client().get(answer["Location"])
        seen.append((calls, answer.status_code, sorted(answer.items()), answer.content, page.content))

    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == ["BatchGetItem", "PutItem", "PutItem", "PutItem"]
    react(now)
    assert [mail.to for mail in mailoutbox] == [["ada@example.com"]]


def test_it_may_be_asked_so_often_from_a_place_and_for_an_address(client: Client, order: Order) -> None:
    from_one_place = [ask(client, "ord-1", f"a{at}@example.com").status_code for at in range(11)]
    for_one_address = [ask(client, "ord-1", "ada@example.com", source=f"192.0.2.{at + 10}").status_code for at in range(6)]

    assert from_one_place == [303] * 10 + [429]
    assert for_one_address == [303] * 5 + [429]
    assert len(lookups()) == 15
    refused = ask(client, "ord-1", "ada@example.com")
    assert "That was asked too often. Please wait" in refused.text
    assert 'value="ada@example.com"' in refused.text


@pytest.mark.parametrize(
    ("number", "email", "words"),
    [
        ("", "ada@example.com", "Please give the order number."),
        ("ord-<script>", "ada@example.com", "An order number has letters and digits alone"),
        ("ord-1", "", "Please give the e-mail address you ordered with."),
        ("ord-1", "ada@", "This does not look like an e-mail address."),
        ("ord-1" * 20, "ada@example.com", "at most 60 characters"),
    ],
)
def test_what_cannot_be_right_is_told_and_nothing_is_noted(client: Client, number: str, email: str, words: str) -> None:
    answer = ask(client, number, email)

    assert answer.status_code == 422
    assert words in answer.text
    assert answer.text.count("This does not look like") in (0, 2)  # above the form and beside the field
    assert lookups() == []


def test_an_old_order_and_an_old_wish_are_not_answered(
    client: Client, order: Order, now: datetime, mailoutbox: list[Any]
) -> None:
    ask(client, order.order_id, "ada@example.com")

    react(now + timedelta(days=2))
    react(now + queries.LINK_LIFETIME)

    assert mailoutbox == []


@pytest.mark.parametrize(
    ("typed", "order_id"),
    [
        ("ord-1sq0v3k7d9x2mw5ea", "ord-1sq0v3k7d9x2mw5ea"),
        (" ORD-1SQ0V3K7 D9X2MW5EA ", "ord-1sq0v3k7d9x2mw5ea"),
        ("#lsqOv3k7", "ord-1sq0v3k7"),
        ("ord-", ""),
        ("ord-x#REF", ""),
        ("ord-1ﬁ", ""),
    ],
)
def test_numbers_are_read_as_people_type_them(typed: str, order_id: str) -> None:
    assert order_id_as_typed(typed) == order_id
