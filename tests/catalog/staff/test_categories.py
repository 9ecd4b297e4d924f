"""Staff's categories: made, renamed with their products, put in order, removed."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from catalog import menu, queries, services, shelving
from catalog.domain import ProductStatus
from catalog.editing_domain import draft_of
from catalog.jobs import move_renamed_products
from catalog.models import CATEGORIES_PK, CatalogAuditRow
from shop.lib.audit import entries_about
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.staff.typing import EDITOR, XSS, saved
from tests.conftest import items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
URL = "/staff/categories/"
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def editor(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "products.view", "products.edit")
    return client


def add(client: Client, name: str, **more: str) -> Any:
    return client.post("/staff/new-category/", {"name": name, "slug": "", "intro": "", **more})


def names() -> list[str]:
    return [shelf.name for shelf in shelving.shelves()]


def test_a_category_is_added_at_the_end_of_the_menu(editor: Client) -> None:
    add(editor, "Tea & Coffee", intro="For mornings.")
    add(editor, "Glass")

    assert [(shelf.name, shelf.slug, shelf.position) for shelf in shelving.shelves()] == [
        ("Tea & Coffee", "tea-coffee", 0),
        ("Glass", "glass", 1),
    ]
    assert "For mornings." in editor.get("/categories/tea-coffee/").text
    [latest, _] = entries_about(CatalogAuditRow, CATEGORIES_PK).items
    assert (latest.actor_name, latest.action) == ("Ada Lovelace", "category Glass created")


def test_a_category_shows_its_newest_product_until_staff_choose_a_photograph(editor: Client, now: datetime) -> None:
    add(editor, "Mugs")

    def mug(name: str, days: int, *keys: str) -> str:
        made = factories.product(name=name, category="Mugs", created_at=now - timedelta(days=days))
        services.create_product(product=made, image_keys=keys)
        return made.sku

    mug("Tide mug", 0, "products/new.webp")
    old, bare = mug("Old mug", 9, "products/old.webp"), mug("Bare mug", 10)

    def tile() -> str:
        return str(editor.get("/").content.decode()).partition('class="tiles"')[2].partition("</li>")[0]

    assert "products/new" in tile()
    form = {"name": "Mugs", "slug": "mugs", "intro": "", "seen": '["Mugs", ""]'}
    for sku, words in (("NONE-9", "No product has the SKU NONE-9."), (bare, "That product has no photograph yet.")):
        refused = editor.post(f"{URL}mugs/", {**form, "image": sku})
        assert (refused.status_code, words in refused.content.decode()) == (422, True)
    assert "products/new" in tile()

    assert editor.post(f"{URL}mugs/", {**form, "image": old}).status_code == 303
    assert "products/old" in tile()
    assert editor.post(f"{URL}mugs/", {**form, "slug": "cups"}).status_code == 303
    assert "products/old" in tile()
    assert editor.get(f"{URL}cups/").status_code == 200


def test_a_name_or_an_address_is_there_once(editor: Client) -> None:
    add(editor, "Glass")
    before = items_of("Products")
    for again in ({"name": "GLASS", "slug": "other"}, {"name": "Other", "slug": "glass"}, {"name": ""}):
        assert editor.post("/staff/new-category/", {"slug": "", "intro": "", **again}).status_code == 422
    assert items_of("Products") == before


def test_a_renamed_category_takes_its_products_along_and_its_old_address_leads_there(editor: Client, now: datetime) -> None:
    add(editor, "Cups")
    mug = factories.make_product(category="Cups")
    hidden = factories.make_product(category="Cups", status=ProductStatus.ARCHIVED)
    other = factories.make_product(category="Glass")

    answer = editor.post(f"{URL}cups/", {"name": "Cups & Mugs", "slug": "cups-mugs", "intro": "New."})

    assert answer["Location"] == URL
    while move_renamed_products(now=now):
        pass
    assert [saved(made.product_id).category for made in (mug, hidden, other)] == ["Cups & Mugs", "Cups & Mugs", "Glass"]
    assert saved(mug.product_id).inventory == mug.inventory
    assert [card.product_id for card in queries.in_category(category="Cups & Mugs").items] == [mug.product_id]
    assert "RENAMES" not in {item["PK"]["S"] for item in items_of("Products")}
    moved = editor.get("/categories/cups/")
    assert (moved.status_code, moved["Location"]) == (301, "/categories/cups-mugs/")
    editor.post(f"{URL}cups-mugs/", {"name": "Cups & Mugs", "slug": "mugs", "intro": "New."})
    assert editor.get("/categories/cups/")["Location"] == "/categories/mugs/"
    add(editor, "Cups")
    assert editor.get("/categories/cups/").status_code == 200
    assert editor.get("/categories/never/").status_code == 404


def test_many_products_are_moved_some_a_run(editor: Client, now: datetime) -> None:
    add(editor, "Cups")
    for _ in range(30):
        factories.make_product(category="Cups")
    editor.post(f"{URL}cups/", {"name": "Mugs", "slug": "cups", "intro": ""})
    assert len([item for item in items_of("Products") if item.get("category") == {"S": "Mugs"}]) == 25
    assert move_renamed_products(now=now) == 5
    assert move_renamed_products(now=now) == 0
    assert not [item for item in items_of("Products") if item.get("category") == {"S": "Cups"}]


def test_categories_are_put_in_order(editor: Client) -> None:
    for name in ("A", "B", "C"):
        add(editor, name)
    editor.post(f"{URL}c/place/", {"to": "up"})
    assert names() == ["A", "C", "B"]
    editor.post(f"{URL}a/place/", {"to": "up"})
    editor.post(f"{URL}a/place/", {"to": "down"})
    assert names() == ["C", "A", "B"]
    assert [category.name for category in menu.categories()] == ["C", "A", "B"]


def test_the_second_of_two_editors_is_told(editor: Client) -> None:
    add(editor, "Cups")
    seen = '["Cups", ""]'
    editor.post(f"{URL}cups/", {"name": "Cups", "slug": "cups", "intro": "First.", "seen": seen})
    answer = editor.post(f"{URL}cups/", {"name": "Cups", "slug": "cups", "intro": "Second.", "seen": seen})
    assert answer.status_code == 422
    assert "Somebody saved it meanwhile. Save again to keep yours. It now reads: Cups · First." in answer.text
    assert shelving.shelves()[0].intro == "First."


def test_only_an_empty_category_is_removed(editor: Client) -> None:
    add(editor, "Cups")
    add(editor, "Glass")
    factories.make_product(category="Cups", status=ProductStatus.DRAFT)
    assert "There are products in it." in editor.post(f"{URL}cups/remove/", follow=True).text
    editor.post(f"{URL}glass/remove/")
    editor.post(f"{URL}glass/remove/")
    assert names() == ["Cups"]


@pytest.mark.parametrize("payload", XSS)
def test_hostile_words_stay_letters(editor: Client, payload: str) -> None:
    add(editor, payload, intro=payload, slug="shelf")
    for address in (URL, f"{URL}shelf/", "/categories/shelf/", "/"):
        page = editor.get(address).text
        assert "<" not in payload or payload not in page
        assert ">14<" not in page


def test_an_old_address_is_followed_through_five_renamings(editor: Client) -> None:
    add(editor, "Cups", slug="s0")
    for number in range(6):
        editor.post(f"{URL}s{number}/", {"name": "Cups", "slug": f"s{number + 1}", "intro": ""})

    assert editor.get("/categories/s1/")["Location"] == "/categories/s6/"
    assert editor.get("/categories/s0/").status_code == 404


def test_the_menu_holds_ninety_categories(editor: Client) -> None:
    for number in range(shelving.MOST_CATEGORIES):
        factories.make_category(f"Shelf {number}", f"shelf-{number}")
    before = items_of("Products")

    refused = add(editor, "One more")

    assert (refused.status_code, shelving.MOST_CATEGORIES) == (422, 90)
    assert "The menu holds 90 categories at most." in refused.text
    assert items_of("Products") == before


@pytest.mark.parametrize("taken", [{"name": "GLASS", "slug": "cups"}, {"name": "Cups", "slug": "glass"}])
def test_a_category_is_not_renamed_to_anothers_name_or_address(editor: Client, taken: dict[str, str]) -> None:
    add(editor, "Cups")
    add(editor, "Glass")
    before = items_of("Products")

    refused = editor.post(f"{URL}cups/", {"intro": "", **taken})

    assert refused.status_code == 422
    assert "Another category has this name or this address." in refused.text
    assert items_of("Products") == before
    assert editor.post(f"{URL}cups/", {"name": "CUPS", "slug": "cups", "intro": ""}).status_code == 303
    assert names() == ["CUPS", "Glass"]


def test_a_category_saved_unchanged_writes_nothing(editor: Client) -> None:
    add(editor, "Cups", intro="For tea.")
    before = items_of("Products")
    for seen in ({"seen": '["Cups", "For tea."]'}, {"seen": "nonsense"}, {"seen": "7"}, {}):
        answer = editor.post(f"{URL}cups/", {"name": "Cups", "slug": "", "intro": "For tea.", **seen})
        assert answer["Location"] == URL
    assert items_of("Products") == before


# --- At the very moment somebody else does something ------------------------------------------------------------------


def other(**changes: Any) -> None:
    """Somebody else saves the cups."""
    [shelf] = [one for one in shelving.shelves() if one.name == "Cups"]
    asked = {"name": shelf.name, "slug": shelf.slug, "intro": shelf.intro} | changes
    services.change_category(seen=shelf, **asked, actor=EDITOR, now=NOW)


def test_a_category_saved_at_the_same_moment_shows_what_it_says_now(editor: Client) -> None:
    add(editor, "Cups", intro="Old.")
    mine = {"name": "Cups", "slug": "cups", "intro": "Mine."}

    with run_before("TransactWriteItems", lambda: other(intro="Theirs.")):
        answer = editor.post(f"{URL}cups/", mine)

    assert answer.status_code == 422
    assert "Somebody saved it meanwhile. Save again to keep yours. It now reads: Cups · Theirs." in words_of(answer.text)
    assert shelving.shelves()[0].intro == "Theirs."
    [seen] = re.findall(r'name="seen" value="([^"]*)"', answer.text)
    assert editor.post(f"{URL}cups/", mine | {"seen": unescape(seen)}).status_code == 303
    assert shelving.shelves()[0].intro == "Mine."


@pytest.mark.parametrize("instant", ["TransactWriteItems", "GetItem"])
@pytest.mark.parametrize("how", ["removed", "moved"])
def test_a_category_that_goes_while_it_is_saved_is_not_found(editor: Client, instant: str, how: str) -> None:
    add(editor, "Cups")

    def goes() -> None:
        if how == "moved":
            other(slug="mugs")
        else:
            services.remove_category(slug="cups", actor=EDITOR, now=NOW)

    with run_before(instant, goes):
        answer = editor.post(f"{URL}cups/", {"name": "Cups", "slug": "cups", "intro": "Mine."})

    assert answer.status_code == 404
    assert [(shelf.slug, shelf.intro) for shelf in shelving.shelves()] == ([("mugs", "")] if how == "moved" else [])


def test_a_menu_that_two_put_in_order_at_once_is_shown_as_it_is_now(editor: Client) -> None:
    for name in ("A", "B", "C"):
        add(editor, name)

    with run_before("TransactWriteItems", lambda: services.place_category(slug="c", up=True, actor=EDITOR, now=NOW)):
        answer = editor.post(f"{URL}b/place/", {"to": "down"}, follow=True)

    assert "Somebody changed the menu at this moment. This is how it is now." in words_of(answer.text)
    assert names() == ["A", "C", "B"]


def test_a_renamed_categorys_product_that_somebody_saves_comes_along_with_the_next_run(editor: Client, now: datetime) -> None:
    add(editor, "Cups")
    mug, gone = factories.make_product(category="Cups"), factories.make_product(category="Cups")
    [shelf] = shelving.shelves()
    services.change_category(seen=shelf, name="Mugs", slug="cups", intro="", actor=EDITOR, now=now)

    def meanwhile() -> None:
        draft = replace(draft_of(saved(mug.product_id)), name="Other")
        services.save_product(product_id=mug.product_id, draft=draft, version=1, actor=EDITOR, now=now)
        services.remove_product(product_id=gone.product_id, version=1, actor=EDITOR, now=now)

    with run_before("TransactWriteItems", meanwhile):
        assert move_renamed_products(now=now) == 0
    assert (saved(mug.product_id).category, saved(mug.product_id).name) == ("Cups", "Other")
    assert move_renamed_products(now=now) == 1
    assert (saved(mug.product_id).category, saved(mug.product_id).name) == ("Mugs", "Other")
    assert "SKU#" + gone.sku not in {item["PK"]["S"] for item in items_of("Products")}


def test_a_product_that_left_the_renamed_category_meanwhile_is_left_where_it_is(editor: Client, now: datetime) -> None:
    add(editor, "Cups")
    mug = factories.make_product(category="Cups")
    [shelf] = shelving.shelves()
    services.change_category(seen=shelf, name="Mugs", slug="cups", intro="", actor=EDITOR, now=now)

    def meanwhile() -> None:
        draft = replace(draft_of(saved(mug.product_id)), category="Glass")
        services.save_product(product_id=mug.product_id, draft=draft, version=1, actor=EDITOR, now=now)

    with run_before("BatchGetItem", meanwhile):
        assert move_renamed_products(now=now) == 0

    assert (saved(mug.product_id).category, saved(mug.product_id).version) == ("Glass", 2)


def test_a_run_out_of_time_leaves_the_rest_to_the_next(editor: Client, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    add(editor, "Cups")
    mugs = [factories.make_product(category="Cups") for _ in range(3)]
    [shelf] = shelving.shelves()
    services.change_category(seen=shelf, name="Mugs", slug="cups", intro="", actor=EDITOR, now=now)

    left = iter([3.0, 2.9])
    monkeypatch.setattr(shelving, "time_left", lambda: next(left, 0.0))
    assert move_renamed_products(now=now) == 1
    assert sorted(saved(mug.product_id).category for mug in mugs) == ["Cups", "Cups", "Mugs"]
    monkeypatch.undo()
    assert move_renamed_products(now=now) == 2
    assert {saved(mug.product_id).category for mug in mugs} == {"Mugs"}
