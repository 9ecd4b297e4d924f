"""The price a product had before, beside the price it has."""

from typing import Any

import pytest
from django.test import Client

from catalog import queries
from catalog.search.cards import card_of, pack
from catalog.search.engine import Document
from shop.lib.money import Money
from tests import factories
from tests.conftest import words_of


@pytest.mark.parametrize(
    ("compare_at", "shown"),
    [
        (Money(3000, "USD"), Money(3000, "USD")),
        (Money(2401, "USD"), Money(2401, "USD")),
        (Money(2400, "USD"), None),
        (Money(1000, "USD"), None),
        (Money(9000, "EUR"), None),
        (None, None),
    ],
)
def test_an_old_price_is_one_only_when_it_is_higher(compare_at: Money | None, shown: Money | None) -> None:
    assert factories.product(price=Money(2400, "USD"), compare_at_price=compare_at).old_price == shown


@pytest.mark.usefixtures("tables")
def test_the_table_keeps_it_beside_the_price_and_the_indexes_carry_it(client: Client) -> None:
    mug = factories.make_product(compare_at_price=Money(3050, "USD"))
    plain = factories.make_product()

    assert queries.product(product_id=mug.product_id) == mug
    kept = {card.product_id: card.compare_at_price for card in queries.newest().items}
    assert kept == {mug.product_id: Money(3050, "USD"), plain.product_id: None}


def test_it_is_shown_struck_and_read_out_wherever_the_price_is(client: Client, index: Any) -> None:
    factories.make_category()
    mug = factories.make_product(name="Sand Mug", compare_at_price=Money(3050, "USD"))
    other = factories.make_product(name="Sage Mug", compare_at_price=Money(1, "USD"))
    index()

    struck = '<s><span class="visually-hidden">was </span>$30.50</s>'
    for path in (mug.path, "/products/?q=sand", "/", "/products/suggestions/?q=sand"):
        page = client.get(path).text
        assert page.count(struck) == 1, path
        assert "$24.00 was $30.50" in words_of(page), path
    assert "$24.00 was $30.50" in words_of(client.get(other.path).text)  # among those like it
    assert "$0.01" not in client.get(other.path).text


@pytest.mark.usefixtures("tables")
def test_search_engines_are_told_the_price_alone(client: Client) -> None:
    mug = factories.make_product(compare_at_price=Money(3050, "USD"))

    data = client.get(mug.path).context["product_data"]

    assert '"price": "24.00"' in data
    assert "30.50" not in data


def test_a_card_packed_before_there_were_old_prices_is_read() -> None:
    document = Document.of(factories.product())
    packed = pack(document)
    assert packed.endswith(",null]")

    assert card_of(packed.removesuffix(",null]") + "]") == card_of(packed) == document.card
