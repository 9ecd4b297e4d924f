"""Pages that everybody shares: compressed, tagged, kept, and never older than what was just read."""

import gzip
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
from django.template.loader import render_to_string
from django.test import Client
from pytest_django import Settings

from catalog import shared
from catalog.domain import Category
from catalog.models import ProductRow, product_key
from catalog.services import save_category
from shop.lib.money import Money
from tests import factories

Build = Callable[[], None]
pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def drawn() -> Any:
    """The templates that were really drawn, in order."""
    names: list[str] = []

    def note(template: str, *args: Any) -> str:
        names.append(template)
        return render_to_string(template, *args)

    with patch("catalog.shared.loader.render_to_string", note):
        yield names


def test_a_shared_page_comes_compressed_to_who_takes_it_and_is_the_same_page(client: Client) -> None:
    factories.make_product(name="Sand Mug")

    plain = client.get("/")
    packed = client.get("/", headers={"Accept-Encoding": "br, gzip"})
    refused = client.get("/", headers={"Accept-Encoding": "gzip;q=0, br"})

    assert "Content-Encoding" not in plain.headers
    assert packed["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in refused.headers
    assert gzip.decompress(packed.content) == plain.content == refused.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content) / 2
    assert packed["Vary"] == plain["Vary"] == "Accept-Encoding, HX-Request, HX-History-Restore-Request"
    assert packed["ETag"] == plain["ETag"]


@pytest.mark.parametrize("path", ["/cart/", "/no-such-page/", "/healthz"])
def test_what_is_not_shared_is_never_compressed(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Accept-Encoding": "gzip"})

    assert "Content-Encoding" not in answer.headers
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/", "/products/", "/categories/kitchen-table/", "/products/suggestions/?q=mu", "product"])
def test_who_has_a_page_already_is_told_so_without_it(client: Client, path: str) -> None:
    factories.make_category()
    mug = factories.make_product()
    path = mug.path if path == "product" else path
    tag = client.get(path)["ETag"]
    shared.forget_pages()  # another process gives the same tag

    answer = client.get(path, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
    other = client.get(path, headers={"If-None-Match": 'W/"other"'})

    assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", tag)
    assert answer["Cache-Control"].startswith("public, max-age=60")
    assert answer["Vary"] == "Accept-Encoding, HX-Request, HX-History-Restore-Request"
    assert "Content-Encoding" not in answer.headers
    assert other.status_code == 200


def test_a_page_is_drawn_once_and_anew_when_its_product_changes(client: Client, drawn: list[str]) -> None:
    mug = factories.make_product(price=Money(2400, "USD"))
    first = client.get(mug.path)
    assert client.get(mug.path).content == first.content
    assert drawn == ["catalog/product_detail.html"]

    product_key(mug.product_id).update(actions=[ProductRow.price.set(Decimal("31.50"))])  # past every service
    changed = client.get(mug.path, headers={"If-None-Match": first["ETag"]})

    assert changed.status_code == 200
    assert "$31.50" in changed.text
    assert drawn == ["catalog/product_detail.html"] * 2


def test_a_fragment_and_its_page_are_kept_apart(client: Client) -> None:
    factories.make_product()

    page = client.get("/products/")
    fragment = client.get("/products/", headers={"HX-Request": "true"})

    assert page.text.startswith("<!doctype html>")
    assert fragment.text.lstrip().startswith("<div")
    assert client.get("/products/").content == page.content


def test_a_list_is_drawn_anew_when_a_new_index_or_menu_is_there(client: Client, index: Build, drawn: list[str]) -> None:
    factories.make_category()
    factories.make_product(name="Sand Mug")
    index()
    assert [client.get("/products/").text.count("Sand Mug") for _ in range(2)] == [1, 1]
    assert len(drawn) == 1

    factories.make_product(name="Sage Mug")
    index()
    assert "Sage Mug" in client.get("/products/").text
    assert len(drawn) == 2

    save_category(category=Category(name="Lighting", slug="lighting", intro=""), position=1)
    assert "/categories/lighting/" in client.get("/products/").text
    assert len(drawn) == 3


def test_only_so_many_pages_are_kept_and_the_last_used_stay(client: Client, settings: Settings, drawn: list[str]) -> None:
    settings.KEPT_PAGES = 2
    for path in ("/products/?page=1", "/products/?page=2", "/products/?page=1", "/products/?page=3", "/products/?page=1"):
        client.get(path)
    assert len(drawn) == 3

    client.get("/products/?page=2")
    assert len(drawn) == 4


def test_long_addresses_are_answered_and_not_kept(client: Client, drawn: list[str]) -> None:
    for _ in range(2):
        assert client.get(f"/products/?q={'a' * 4000}").status_code == 200
    assert len(drawn) == 2
