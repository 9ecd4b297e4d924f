"""What a visitor looked at before: a private fragment and a cookie of their own."""

from http.cookies import Morsel
from typing import Any

import pytest
from django.test import Client

from catalog.domain import ProductStatus, looked_at
from catalog.recent import COOKIE
from tests import factories
from tests.conftest import counted_calls

HTMX = {"HX-Request": "true"}
PATH = "/products/recent/"


def kept(client: Client) -> list[str]:
    cookie: Morsel[str] | None = client.cookies.get(COOKIE)
    return cookie.value.split(".") if cookie and cookie.value else []


def shown(client: Client, seen: str) -> list[str]:
    answer = client.get(PATH, {"seen": seen}, headers=HTMX)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "private, no-store"
    return [card.product_id for card in answer.context["cards"]]


@pytest.fixture
def mugs(index: Any) -> list[str]:
    """Ids of ten products on sale."""
    factories.make_category()
    made = [factories.make_product().product_id for _ in range(10)]
    index()
    return made


def test_the_last_looked_at_comes_first_once_and_eight_are_remembered() -> None:
    assert looked_at("c", ("b", "c", "a")) == ("c", "b", "a")
    assert looked_at("x", tuple("abcdefgh")) == ("x", *"abcdefg")


def test_what_was_looked_at_before_is_shown_without_a_table_call(client: Client, mugs: list[str]) -> None:
    assert shown(client, mugs[0]) == []
    with counted_calls() as calls:
        assert shown(client, mugs[1]) == [mugs[0]]
    assert calls == []
    for mug in mugs[2:]:
        shown(client, mug)

    assert kept(client) == mugs[:1:-1]
    assert shown(client, mugs[9]) == [mugs[8], mugs[7], mugs[6], mugs[5]]
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", 30 * 24 * 3600)


def test_a_product_page_itself_sets_no_cookie_and_is_the_same_for_everybody(client: Client, mugs: list[str]) -> None:
    path = client.get("/products/").context["cards"][0].path
    shown(client, mugs[0])

    mine, strangers = client.get(path), Client().get(path)

    assert mine.content == strangers.content
    assert not mine.cookies
    assert f"{PATH}?seen=" in mine.text


@pytest.mark.parametrize(
    "value",
    ["", "...", "<script>alert(1)</script>", "prod-x", "a" * 70, "prod-1." * 4000, "é", "' OR 1=1", "%00", '"a.b"', "prod-1;x"],
)
def test_a_strange_cookie_is_none(client: Client, mugs: list[str], value: str) -> None:
    client.cookies[COOKIE] = value

    assert shown(client, mugs[0]) == []
    assert kept(client) == [mugs[0]]


@pytest.mark.parametrize("seen", ["", "x", "prod-unknown", "<b>", "😀", "a" * 8000, "\x00", "' OR 1=1 --"])
def test_what_is_no_product_is_not_noted(client: Client, mugs: list[str], seen: str) -> None:
    shown(client, mugs[0])

    assert shown(client, seen) == [mugs[0]]
    assert kept(client) == [mugs[0]]


def test_what_is_no_longer_on_sale_drops_out(client: Client, index: Any) -> None:
    hidden = factories.make_product(status=ProductStatus.INACTIVE).product_id
    mug = factories.make_product().product_id
    index()
    client.cookies[COOKIE] = hidden

    assert shown(client, mug) == []
    assert kept(client) == [mug]


def test_without_an_index_nothing_is_shown_and_nothing_forgotten(client: Client, index: Any) -> None:
    mug = factories.make_product().product_id
    client.cookies[COOKIE] = mug

    assert shown(client, "prod-other") == []
    assert kept(client) == [mug]


def test_it_is_forgotten_when_asked(client: Client, mugs: list[str]) -> None:
    shown(client, mugs[0])

    answer = client.post(f"{PATH}forget/", headers=HTMX)

    assert (answer.status_code, answer.content, kept(client)) == (200, b"", [])
    plain = client.post(f"{PATH}forget/")
    assert (plain.status_code, plain["Location"]) == (303, "/")
    assert client.get(f"{PATH}forget/").status_code == 405
