"""The editor of a product: saving, two editors at once, publishing, copying, deleting."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from catalog import jobs, queries
from catalog.domain import ProductStatus
from catalog.models import CatalogAuditRow, product_pk
from orders import services as order_services
from shop.lib.audit import Change, entries_about
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from tests import factories
from tests.catalog.staff.typing import URL, XSS, create, fields_in, form_of, id_of, saved, typed
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")


def keys(table: str = "Products") -> list[tuple[str, str]]:
    return sorted((item["PK"]["S"], item["SK"]["S"]) for item in items_of(table))


# --- Creating and saving ----------------------------------------------------------------------------------------------


def test_a_new_product_is_a_draft_without_stock_that_no_shopper_sees(editor: Client) -> None:
    product_id = create(editor)

    made = saved(product_id)
    assert (made.name, made.slug, made.price, made.sku) == ("Reed Basket", "reed-basket", Money(2450, "USD"), "SAL-REED")
    assert (made.status, made.inventory, made.version) == (ProductStatus.DRAFT, 0, 1)
    assert made.attributes == {"material": "Reed"}
    assert editor.get(made.path).status_code == 404
    [item] = [
        item for item in items_of("Products") if item["PK"]["S"] == product_pk(product_id) and item["SK"]["S"] == "METADATA"
    ]
    assert item["GSI2PK"] == {"S": "STATUS#draft"}
    assert "GSI1PK" not in item
    [entry] = entries_about(CatalogAuditRow, product_pk(product_id)).items
    assert (entry.actor_name, entry.action) == ("Ada Lovelace", "created")
    assert Change("price", "", "24.50 USD") in entry.changes


def test_the_editor_begins_with_links_to_its_parts(editor: Client) -> None:
    page = editor.get(f"{URL}{factories.make_product().product_id}/").text

    links = re.search(r'<nav class="tabs" aria-label="On this page">(.*?)</nav>', page)
    assert links
    parts = re.findall(r'href="#([a-z]+)"', links[1])
    assert parts == ["photographs", "stock", "price", "attributes", "family", "publishing", "changes"]
    assert all(page.count(f'id="{part}"') == 1 for part in parts)


def test_saving_writes_what_changed_and_who_changed_it_and_leaves_the_stock_alone(editor: Client) -> None:
    mug = factories.make_product(inventory=7)
    form = form_of(editor, mug.product_id)

    answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Tide Mug", "price": "25", "compare_at_price": "30.00"})

    assert answer["Location"] == f"{URL}{mug.product_id}/"
    now = saved(mug.product_id)
    assert now == replace(
        mug, name="Tide Mug", price=Money(2500, "USD"), compare_at_price=Money(3000, "USD"), version=2, updated_at=now.updated_at
    )
    [entry] = entries_about(CatalogAuditRow, product_pk(mug.product_id)).items
    assert entry.changes == (
        Change("name", mug.name, "Tide Mug"),
        Change("price", "24.00 USD", "25.00 USD"),
        Change("compare_at_price", "", "30.00 USD"),
    )
    assert "Tide Mug" in editor.get(now.path).text


def test_a_save_reads_twice_and_writes_once_and_a_conflict_writes_nothing(editor: Client) -> None:
    mug = factories.make_product(inventory=7)
    form = form_of(editor, mug.product_id)

    with counted_calls() as calls:
        editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Tide Mug"})
    with counted_calls() as calls_of_the_second:
        editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Other Mug"})

    assert calls == ["GetItem", "GetItem", "TransactWriteItems"]
    assert calls_of_the_second == ["GetItem", "GetItem", "BatchGetItem", "Query"]


def test_an_editor_that_is_saved_unchanged_writes_nothing(editor: Client) -> None:
    mug = factories.make_product(options={"colour": "Sand"}, family="mugs", weight=450)
    before = items_of("Products")

    answer = editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id), follow=True)

    assert "Nothing was different" in answer.text
    assert items_of("Products") == before


def test_a_new_address_keeps_the_old_one_leading_here(editor: Client) -> None:
    mug = factories.make_product(slug="old-mug")
    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | {"slug": "new-mug"})

    moved = editor.get(f"/products/{mug.product_id}/old-mug/")

    assert (moved.status_code, moved["Location"]) == (301, f"/products/{mug.product_id}/new-mug/")


def test_a_sku_belongs_to_one_product_and_is_free_again_after_a_change(editor: Client) -> None:
    mug, bowl = factories.make_product(sku="MUG"), factories.make_product(sku="BOWL")
    before = items_of("Products")

    refused = editor.post(f"{URL}{bowl.product_id}/save/", form_of(editor, bowl.product_id) | {"sku": "MUG", "name": "Big Bowl"})

    assert refused.status_code == 422
    assert "Another product has the SKU MUG." in refused.text
    assert 'value="Big Bowl"' in refused.text
    assert items_of("Products") == before
    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | {"sku": "MUG-2"})
    editor.post(f"{URL}{bowl.product_id}/save/", form_of(editor, bowl.product_id) | {"sku": "MUG"})
    assert [pk for pk, _ in keys() if pk.startswith("SKU#")] == ["SKU#MUG", "SKU#MUG-2"]
    assert saved(bowl.product_id).sku == "MUG"


def test_a_family_is_left_and_joined_with_its_rows(editor: Client) -> None:
    mug = factories.make_product(family="mugs", options={"colour": "Sand"})

    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | {"family": "cups"})
    assert [pk for pk, _ in keys() if pk.startswith("FAMILY#")] == ["FAMILY#cups"]
    alone = {"family": "", "option_name": [], "option_value": []}
    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | alone)
    assert [pk for pk, _ in keys() if pk.startswith("FAMILY#")] == []
    assert (saved(mug.product_id).family, saved(mug.product_id).options) == ("", {})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "A product needs a name."),
        ({"name": "two\nlines"}, "Please write this in one line."),
        ({"name": "x" * 201}, "At most 200 characters, please; these are 201."),
        ({"price": "0"}, "The price has to be more than nothing."),
        ({"price": ""}, "A product needs a price."),
        ({"price": "-1"}, "The price has to be more than nothing."),
        ({"compare_at_price": "-1"}, "An amount of nothing or more, please."),
        ({"price": "9.999"}, "At most 2 digits after the point, please."),
        ({"price": "NaN"}, "An amount such as 12.50, please."),
        ({"price": "1e400"}, "This amount is too large."),
        ({"category": "Nowhere"}, "There is no category “Nowhere”: it has to be made first."),
        ({"status": "gone"}, "“gone” is no status: choose draft, active or archived."),
        ({"weight": "-3"}, "Whole grams, please: from 0 to 1000000, a ton."),
        ({"slug": "ä b"}, "Letters without accents, digits, - and _ alone, please, such as oak-bowl."),
        ({"sku": ""}, "A product needs a SKU, a number of your own."),
        ({"sku": "x\x00y"}, "Null characters are not allowed."),
        ({"attribute_name": ["a"], "attribute_value": [""]}, "needs both a name and a value"),
        ({"attribute_name": ["a", "a"], "attribute_value": ["1", "2"]}, "is there twice"),
        ({"attribute_name": ["a" * 201], "attribute_value": ["1"]}, "is too long"),
        ({"attribute_name": [f"a{n}" for n in range(41)], "attribute_value": ["1"] * 41}, "40 attributes at most"),
        ({"family": "mugs"}, "needs an option"),
        ({"publish_at": "2020-01-01T10:00"}, "This time has passed."),
        ({"publish_at": "2099-01-01T10:00", "status": "active"}, "Only a draft waits for its time"),
        ({"publish_at": "soon"}, "A day and time such as 2027-05-31 09:30, please."),
    ],
)
def test_what_cannot_be_is_said_and_nothing_typed_is_lost(editor: Client, wrong: dict[str, Any], words: str) -> None:
    before = items_of("Products")

    answer = editor.post(f"{URL}new/", typed(brand="Kept & safe") | wrong)

    assert answer.status_code == 422
    assert words in words_of(answer.text)
    assert 'value="Kept &amp; safe"' in answer.text
    assert items_of("Products") == before


def test_a_mistake_in_a_product_that_is_there_is_said_and_nothing_typed_is_lost(editor: Client) -> None:
    mug = factories.make_product(sku="MUG")
    form = form_of(editor, mug.product_id)

    answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"price": "", "description": "Bell \x07", "brand": "Kept"})

    assert answer.status_code == 422
    words = words_of(answer.text)
    assert ("A product needs a price." in words, "Please write this without control characters." in words) == (True, True)
    again = fields_in(answer.text)
    assert (again["brand"], again["version"], again["seen"]) == ("Kept", "1", form["seen"])
    assert saved(mug.product_id) == mug


def test_a_new_product_with_anothers_sku_is_not_made(editor: Client) -> None:
    factories.make_product(sku="SAL-REED")
    before = items_of("Products")

    answer = editor.post(f"{URL}new/", typed(brand="Kept"))

    assert (answer.status_code, fields_in(answer.text)["brand"]) == (422, "Kept")
    assert "Another product has the SKU SAL-REED." in answer.text
    assert items_of("Products") == before


def test_a_status_of_another_system_stays_until_staff_choose_one(editor: Client) -> None:
    mug = factories.make_product(status=ProductStatus.INACTIVE)
    form = form_of(editor, mug.product_id)
    assert form["status"] == "inactive"

    answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Other", "then_next": ""})

    assert (answer.status_code, answer["Location"]) == (303, URL)
    assert (saved(mug.product_id).name, saved(mug.product_id).status) == ("Other", ProductStatus.INACTIVE)
    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | {"status": "active"})
    assert 'value="inactive"' not in editor.get(f"{URL}{mug.product_id}/").text


# --- Two at once ------------------------------------------------------------------------------------------------------


def test_the_second_of_two_editors_sees_both_versions_and_loses_nothing(editor: Client) -> None:
    mug = factories.make_product()
    first, second = form_of(editor, mug.product_id), form_of(editor, mug.product_id)
    editor.post(f"{URL}{mug.product_id}/save/", first | {"name": "Their Mug", "brand": "Theirs"})
    before = items_of("Products")

    answer = editor.post(f"{URL}{mug.product_id}/save/", second | {"name": "My Mug", "price": "19.00"})

    assert answer.status_code == 409
    assert items_of("Products") == before
    assert re.findall(r'data-label="(?:Before|Yours|Theirs)">([^<]*)<', answer.text) == [
        *(mug.name, "My Mug", "Their Mug"),
        *(mug.brand, mug.brand, "Theirs"),
        *("24.00 USD", "19.00 USD", "24.00 USD"),
    ]
    assert answer.text.count(">both<") == 1
    again = fields_in(answer.text)
    assert (again["name"], again["brand"], again["price"]) == ("My Mug", "Theirs", "19.00")
    editor.post(f"{URL}{mug.product_id}/save/", again)
    now = saved(mug.product_id)
    assert (now.name, now.brand, now.price, now.version) == ("My Mug", "Theirs", Money(1900, "USD"), 3)


def test_two_editors_and_a_running_checkout_meet_without_harm(editor: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    first, second = form_of(editor, mug.product_id), form_of(editor, mug.product_id)
    checkout = factories.ready_to_order(guest, {mug.product_id: 2}, now)

    assert editor.post(f"{URL}{mug.product_id}/save/", first | {"description": "New words."}).status_code == 303
    order_services.place_order(**checkout)
    assert editor.post(f"{URL}{mug.product_id}/save/", second | {"brand": "Other"}).status_code == 409

    now_saved = saved(mug.product_id)
    assert (now_saved.inventory, now_saved.description, now_saved.brand) == (3, "New words.", mug.brand)
    third = form_of(editor, mug.product_id)
    assert editor.post(f"{URL}{mug.product_id}/save/", third | {"brand": "Other"}).status_code == 303
    assert saved(mug.product_id).inventory == 3


def test_a_sale_does_not_stand_in_an_editors_way(editor: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    form = form_of(editor, mug.product_id)
    factories.make_order(guest, {mug.product_id: 1}, now)

    assert editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Renamed"}).status_code == 303
    assert (saved(mug.product_id).name, saved(mug.product_id).inventory) == ("Renamed", 4)


# --- Publishing, copying, deleting -----------------------------------------------------------------------------------


def test_a_draft_becomes_active_at_its_time_and_not_before(editor: Client, now: datetime) -> None:
    at = (datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0)
    product_id = create(editor, publish_at=at.strftime("%Y-%m-%dT%H:%M"))
    assert saved(product_id).publish_at == at

    assert jobs.publish_due_products(now=at - timedelta(seconds=1)) == 0
    assert jobs.publish_due_products(now=at) == 1
    assert jobs.publish_due_products(now=at) == 0

    made = saved(product_id)
    assert (made.status, made.publish_at, made.version) == (ProductStatus.ACTIVE, None, 2)
    assert not [pk for pk, _ in keys() if pk == "PUBLISH"]
    [latest, _] = entries_about(CatalogAuditRow, product_pk(product_id)).items
    assert (latest.actor_name, latest.action) == ("The shop’s clock", "published at its time")
    [card] = queries.in_category(category="Kitchen & Table").items
    assert card.product_id == product_id


def test_a_time_that_was_put_off_or_taken_back_publishes_nothing(editor: Client) -> None:
    at = (datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0)
    product_id = create(editor, publish_at=at.strftime("%Y-%m-%dT%H:%M"))
    later = at + timedelta(days=1)
    editor.post(f"{URL}{product_id}/save/", form_of(editor, product_id) | {"publish_at": later.strftime("%Y-%m-%dT%H:%M")})
    assert jobs.publish_due_products(now=at) == 0
    editor.post(f"{URL}{product_id}/save/", form_of(editor, product_id) | {"publish_at": ""})
    assert jobs.publish_due_products(now=later) == 0
    assert saved(product_id).status is ProductStatus.DRAFT


def test_a_copy_is_a_draft_with_a_sku_of_its_own_and_nothing_in_stock(editor: Client) -> None:
    mug = factories.make_product(inventory=9, sku="MUG")

    first = id_of(editor.post(f"{URL}{mug.product_id}/duplicate/")["Location"])
    second = id_of(editor.post(f"{URL}{mug.product_id}/duplicate/")["Location"])

    assert [saved(made).sku for made in (first, second)] == ["MUG-COPY", "MUG-COPY2"]
    copy = saved(first)
    assert (copy.name, copy.status, copy.inventory, copy.rating) == (f"{mug.name} (copy)", ProductStatus.DRAFT, 0, None)
    assert copy.attributes == mug.attributes


def test_what_was_never_sold_can_be_deleted_and_what_was_sold_cannot(editor: Client, guest: Owner, now: datetime) -> None:
    mug, sold = factories.make_product(), factories.make_product()
    factories.make_order(guest, {sold.product_id: 1}, now)

    assert "Delete it for good" not in editor.get(f"{URL}{sold.product_id}/delete/").text
    kept = editor.post(f"{URL}{sold.product_id}/delete/", {"version": "1"}, follow=True)
    assert "so it stays" in kept.text
    assert saved(sold.product_id)
    assert "Delete it for good" in editor.get(f"{URL}{mug.product_id}/delete/").text
    assert editor.post(f"{URL}{mug.product_id}/delete/", {"version": "1"})["Location"] == URL
    assert editor.get(mug.path).status_code == 410
    assert f"SKU#{mug.sku}" not in [pk for pk, _ in keys()]


def test_a_delete_on_an_old_page_deletes_nothing(editor: Client) -> None:
    mug = factories.make_product()
    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | {"name": "Other"})
    for version in ("1", "", "x", "²"):
        editor.post(f"{URL}{mug.product_id}/delete/", {"version": version})
    assert saved(mug.product_id).name == "Other"


def test_the_page_says_why_nobody_can_buy_it(editor: Client) -> None:
    product_id = create(editor)
    words = words_of(editor.get(f"{URL}{product_id}/").text)
    assert "No Because: Its status is draft. Make it active." in words
    assert "There is none in stock. Add pieces." in words
    assert "It has no photograph." in words
    mug = factories.make_product(category="Nowhere")
    words = words_of(editor.get(f"{URL}{mug.product_id}/").text)
    assert "Yes But: No category of the menu is called “Nowhere”." in words


# --- Hostile words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload", XSS)
def test_whatever_is_written_stays_letters_wherever_it_is_shown(editor: Client, payload: str) -> None:
    product_id = create(
        editor,
        name=payload,
        description=payload,
        brand=payload,
        sub_category=payload,
        sku=payload[:60],
        attribute_name=[payload],
        attribute_value=[payload],
        option_name=[payload],
        option_value=[payload],
        status="active",
    )
    made = saved(product_id)
    for address in (
        URL,
        f"{URL}{product_id}/",
        made.path,
        f"{URL}bulk/?action=archive&id={product_id}",
        f"{URL}{product_id}/delete/",
    ):
        page = editor.get(address).text
        assert "<" not in payload or payload not in page, address
        assert "<script>alert" not in page
        assert "onerror=alert(1)>" not in page
        assert ">14<" not in page


def test_a_save_that_stays_busy_is_said_and_not_lost(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    mug = factories.make_product()
    form = form_of(editor, mug.product_id)

    def busy(*_: Any, **__: Any) -> None:
        raise Busy

    monkeypatch.setattr("catalog.editing.run_transaction", busy)
    assert editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Other"}).status_code == 503
    assert saved(mug.product_id) == mug
