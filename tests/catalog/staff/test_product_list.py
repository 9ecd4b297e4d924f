"""Staff's list of products: by status, by words, page by page; and changes of several at once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from catalog import queries, services
from catalog.domain import ProductStatus
from catalog.editing_domain import draft_of
from catalog.models import CatalogAuditRow, ProductRow, product_key, product_pk
from catalog.search.choice import forget_engines
from shop.lib.audit import entries_about
from shop.lib.money import Money
from tests import factories
from tests.catalog.staff.typing import EDITOR, URL, saved
from tests.conftest import counted_calls, items_of

pytestmark = pytest.mark.usefixtures("tables")


def names_in(page: str) -> list[str]:
    return re.findall(r'<div><a href="/staff/products/[^"]+/">([^<]+)</a>', page)


def test_lists_by_status_page_by_page(editor: Client) -> None:
    for n in range(30):
        factories.make_product(name=f"Mug {n:02}", created_at=datetime(2026, 1, 1, 12, n, tzinfo=UTC))
    factories.make_product(name="Sketch", status=ProductStatus.DRAFT)
    factories.make_product(name="Hidden", status=ProductStatus.INACTIVE)
    factories.make_product(name="Old", status=ProductStatus.ARCHIVED)

    first = editor.get(URL).text
    assert names_in(first) == [f"Mug {n:02}" for n in range(29, 5, -1)]
    further = re.search(r'rel="next" href="([^"]+)"', first)
    assert further
    second = editor.get(further[1].replace("&amp;", "&")).text
    assert names_in(second) == [f"Mug {n:02}" for n in range(5, -1, -1)]
    back = re.search(r'rel="prev" href="([^"]+)"', second)
    assert back
    assert names_in(editor.get(back[1]).text) == names_in(first)
    assert sorted(names_in(editor.get(URL, {"tab": "drafts"}).text)) == ["Hidden", "Sketch"]
    assert names_in(editor.get(URL, {"tab": "archived"}).text) == ["Old"]


def test_searches_by_word_and_by_sku_with_an_index_and_without(editor: Client, index: Callable[[], None]) -> None:
    factories.make_product(name="Tide Mug", sku="A-1")
    factories.make_product(name="Orb Lamp", category="Lighting", sku="A-2")
    factories.make_product(name="Tide Bowl", status=ProductStatus.DRAFT, sku="A-3")

    def look() -> None:
        assert names_in(editor.get(URL, {"q": "tide"}).text) == ["Tide Mug"]
        assert names_in(editor.get(URL, {"category": "Lighting"}).text) == ["Orb Lamp"]
        assert names_in(editor.get(URL, {"q": "A-3"}).text) == ["Tide Bowl"]
        assert names_in(editor.get(URL, {"q": "tide", "tab": "drafts"}).text) == ["Tide Bowl"]

    forget_engines()
    look()
    index()
    look()


def test_lists_never_cost_more_the_more_products_there_are(editor: Client) -> None:
    either = (ProductStatus.ACTIVE, ProductStatus.DRAFT)

    def calls(**asked: str) -> list[str]:
        with counted_calls() as made:
            editor.get(URL, asked)
        return made

    questions: list[dict[str, str]] = [
        {},
        {"tab": "drafts"},
        {"q": "mug"},
        {"category": "Lighting"},
        {"stock": "low"},
        {"q": "x", "tab": "drafts"},
    ]
    editor.get(URL)
    for n in range(3):
        factories.make_product(status=either[n % 2], name=f"Mug {n}", category="Lighting", inventory=3)
    few = [calls(**asked) for asked in questions]
    services.load_products(entries=[(factories.product(status=either[n % 2], category="Lighting"), ()) for n in range(400)])
    many = [calls(**asked) for asked in questions]

    assert many == few
    assert few[0] == ["Query", "BatchGetItem", "GetItem"]  # the last for the filters its viewer keeps
    assert max(map(len, few)) <= 5


@pytest.mark.parametrize(
    "asked", [{"tab": "x"}, {"stock": "x"}, {"page": "-1"}, {"cursor": "x" * 2000}, {"q": "\x00" + "y" * 5000}]
)
def test_a_bad_address_shows_the_list(editor: Client, asked: dict[str, str]) -> None:
    factories.make_product(name="Tide Mug")
    assert editor.get(URL, asked).status_code == 200


# --- Several at once --------------------------------------------------------------------------------------------------


def test_several_products_are_changed_after_a_look_at_what_would_change(editor: Client) -> None:
    mug, bowl = factories.make_product(price=Money(1000, "USD")), factories.make_product(price=Money(999, "USD"))
    asked = {"action": "price", "percent": "-10", "id": [mug.product_id, bowl.product_id]}
    before = items_of("Products")

    page = editor.get(f"{URL}bulk/", asked)

    assert "$10.00 → $9.00" in page.text
    assert "$9.99 → $8.99" in page.text
    assert items_of("Products") == before
    done = editor.post(f"{URL}bulk/", asked | {"seen": re.findall(r'name="seen" value="([^"]+)"', page.text)}, follow=True)
    assert "2 products priced anew." in done.text
    assert [saved(made.product_id).price.minor for made in (mug, bowl)] == [900, 899]
    assert entries_about(CatalogAuditRow, product_pk(mug.product_id)).items[0].changes[0].field == "price"


def test_what_somebody_changed_meanwhile_is_left_alone(editor: Client) -> None:
    mug, bowl = factories.make_product(name="Mug"), factories.make_product(name="Bowl")
    asked = {"action": "archive", "id": [mug.product_id, bowl.product_id]}
    seen = re.findall(r'name="seen" value="([^"]+)"', editor.get(f"{URL}bulk/", asked).text)
    services.save_product(
        product_id=bowl.product_id, draft=replace(draft_of(bowl), brand="New"), version=1, actor=EDITOR, now=datetime.now(UTC)
    )

    done = editor.post(f"{URL}bulk/", asked | {"seen": seen}, follow=True)

    assert "1 product archived." in done.text
    assert "left alone: Bowl." in done.text
    assert (saved(mug.product_id).status, saved(bowl.product_id).status) == (ProductStatus.ARCHIVED, ProductStatus.ACTIVE)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"action": "explode"},
        {"action": "price", "percent": "abc"},
        {"action": "price"},
        {"action": "price", "percent": "-100"},
        {"action": "category", "category": "Nowhere"},
        {"action": "archive", "id": ["", "../x", "prod-none"]},
    ],
)
def test_several_at_once_without_sense_change_nothing(editor: Client, asked: dict[str, Any]) -> None:
    mug = factories.make_product()
    before = items_of("Products")
    given = {"id": [mug.product_id]} | asked
    for answer in (editor.get(f"{URL}bulk/", given), editor.post(f"{URL}bulk/", given)):
        assert answer["Location"] == URL
    assert items_of("Products") == before


def test_drafts_are_made_active_at_once_and_wait_for_no_time(editor: Client) -> None:
    sketch = factories.make_product(status=ProductStatus.DRAFT, publish_at=datetime(2099, 1, 1, 10, 0, tzinfo=UTC))
    old, sold = factories.make_product(status=ProductStatus.ARCHIVED), factories.make_product()
    asked = {"action": "activate", "id": [sketch.product_id, old.product_id, sold.product_id]}

    page = editor.get(f"{URL}bulk/", asked).text
    done = editor.post(f"{URL}bulk/", asked | {"seen": re.findall(r'name="seen" value="([^"]+)"', page)}, follow=True)

    assert ("draft → active" in page, "archived → active" in page, page.count("→ active")) == (True, True, 2)
    assert "2 products made active." in done.text
    found = [saved(made.product_id) for made in (sketch, old, sold)]
    assert [(made.status, made.publish_at, made.version) for made in found] == [
        (ProductStatus.ACTIVE, None, 2),
        (ProductStatus.ACTIVE, None, 2),
        (ProductStatus.ACTIVE, None, 1),
    ]
    assert {card.product_id for card in queries.in_category(category="Kitchen & Table").items} == {
        made.product_id for made in found
    }


def test_several_are_moved_to_another_category_where_their_sub_category_means_nothing(editor: Client) -> None:
    factories.make_category("Lighting", "lighting")
    mug, lamp = factories.make_product(), factories.make_product(category="Lighting", sub_category="Lamps")
    asked = {"action": "category", "category": "Lighting", "id": [mug.product_id, lamp.product_id]}

    page = editor.get(f"{URL}bulk/", asked).text
    done = editor.post(f"{URL}bulk/", asked | {"seen": re.findall(r'name="seen" value="([^"]+)"', page)}, follow=True)

    assert "Kitchen &amp; Table → Lighting" in page
    assert "1 product moved." in done.text
    assert [(made.category, made.sub_category, made.version) for made in map(saved, (mug.product_id, lamp.product_id))] == [
        ("Lighting", "", 2),
        ("Lighting", "Lamps", 1),
    ]


def test_where_all_were_changed_meanwhile_nothing_is_said_to_be_done(editor: Client) -> None:
    mug = factories.make_product(name="Mug")
    before = items_of("Products")

    done = editor.post(f"{URL}bulk/", {"action": "archive", "id": [mug.product_id], "seen": [f"{mug.product_id}:7"]}, follow=True)

    assert re.findall(r'class="notice[^"]*"[^>]*>(?:<p>)?([^<]+)', done.text) == [
        "Somebody changed these meanwhile, so they were left alone: Mug."
    ]
    assert items_of("Products") == before


def test_an_item_that_makes_no_sense_takes_no_list_with_it(editor: Client, caplog: pytest.LogCaptureFixture) -> None:
    broken = factories.make_product(name="Broken")
    factories.make_product(name="Mug")
    product_key(broken.product_id).update(actions=[ProductRow.status.set("for sale, maybe")])

    assert names_in(editor.get(URL).text) == ["Mug"]

    assert [record.getMessage() for record in caplog.records if record.name == "catalog.staff_queries"] == [
        f"product {broken.product_id} cannot be read and is left out"
    ]
