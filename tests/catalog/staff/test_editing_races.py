"""Staff save, copy, publish or delete a product at the very moment somebody else does something to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client

from catalog import jobs, services
from catalog.domain import Product, ProductStatus
from catalog.editing_domain import draft_of
from catalog.models import CatalogAuditRow, ProductRow, product_key, product_pk
from orders import services as order_services
from shop.lib.audit import entries_about
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.tables import Busy
from tests import factories
from tests.catalog.staff.typing import EDITOR, URL, create, fields_in, form_of, saved
from tests.conftest import items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("tables")


def written(what: Product, **changes: Any) -> Product:
    """The product as another editor has just saved it."""
    found = saved(what.product_id)
    draft = replace(draft_of(found), **changes)
    return services.save_product(
        product_id=found.product_id, draft=draft, version=found.version, actor=EDITOR, now=found.created_at
    )


def removed(what: Product) -> None:
    services.remove_product(product_id=what.product_id, version=what.version, actor=EDITOR, now=what.created_at)


def actions_about(product_id: str) -> list[str]:
    return [entry.action for entry in entries_about(CatalogAuditRow, product_pk(product_id)).items]


def rows(*beginnings: str) -> list[str]:
    """The keys of the rows beside the products that begin so."""
    return sorted(item["PK"]["S"] for item in items_of("Products") if item["PK"]["S"].startswith(beginnings))


def drafted(client: Client, **more: Any) -> tuple[Product, datetime]:
    """A draft that waits for its time, and that time."""
    at = (datetime.now(UTC) + timedelta(hours=2)).replace(second=0, microsecond=0)
    return saved(create(client, publish_at=at.strftime("%Y-%m-%dT%H:%M"), **more)), at


# --- Saving -----------------------------------------------------------------------------------------------------------


def test_a_save_overtaken_by_another_shows_both_and_writes_nothing(editor: Client) -> None:
    mug = factories.make_product(brand="Saltmere")
    form = form_of(editor, mug.product_id)

    with run_before("TransactWriteItems", partial(written, mug, brand="Theirs")):
        answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "My Mug"})

    assert answer.status_code == 409
    again = fields_in(answer.text)
    assert (again["name"], again["brand"], again["version"]) == ("My Mug", "Theirs", "2")
    assert (saved(mug.product_id).name, saved(mug.product_id).brand) == (mug.name, "Theirs")
    assert actions_about(mug.product_id) == ["changed"]


def test_after_a_conflict_nothing_is_made_of_what_the_browser_says_it_saw_if_that_is_nonsense(editor: Client) -> None:
    mug = factories.make_product(brand="Saltmere")
    form = form_of(editor, mug.product_id)
    written(mug, brand="Theirs")

    for seen in ("{", "[]", "7", ""):
        answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"seen": seen, "name": "My Mug"})
        assert answer.status_code == 409
        assert fields_in(answer.text)["name"] == "My Mug"
    assert saved(mug.product_id).name == mug.name


def test_a_sku_taken_at_the_moment_of_saving_is_told_from_a_moved_product(editor: Client) -> None:
    mug = factories.make_product(sku="MUG")
    form = form_of(editor, mug.product_id)

    with run_before("TransactWriteItems", lambda: factories.make_product(sku="CUP")):
        answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"sku": "CUP"})

    assert answer.status_code == 422
    assert "Another product has the SKU CUP." in answer.text
    assert saved(mug.product_id) == mug


def test_what_is_deleted_while_it_is_saved_is_not_found_and_does_not_come_back(editor: Client) -> None:
    mug = factories.make_product()
    form = form_of(editor, mug.product_id)

    with run_before("TransactWriteItems", partial(removed, mug)):
        answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "My Mug"})

    assert answer.status_code == 404
    assert rows("SKU#") == []
    assert [item for item in items_of("Products") if item["SK"]["S"] == "METADATA"] == []


def test_an_item_written_elsewhere_counts_from_nothing_and_two_editors_still_meet(editor: Client) -> None:
    mug = factories.make_product()
    product_key(mug.product_id).update(actions=[ProductRow.version.remove()])
    first, second = form_of(editor, mug.product_id), form_of(editor, mug.product_id)
    assert first["version"] == "0"

    assert editor.post(f"{URL}{mug.product_id}/save/", first | {"name": "First"}).status_code == 303
    assert editor.post(f"{URL}{mug.product_id}/save/", second | {"name": "Second"}).status_code == 409

    assert (saved(mug.product_id).name, saved(mug.product_id).version) == ("First", 1)


def test_of_two_first_saves_of_an_item_written_elsewhere_at_one_moment_one_holds(editor: Client) -> None:
    mug = factories.make_product()
    product_key(mug.product_id).update(actions=[ProductRow.version.remove()])
    form = form_of(editor, mug.product_id)

    with run_before("TransactWriteItems", partial(written, mug, name="First")):
        answer = editor.post(f"{URL}{mug.product_id}/save/", form | {"name": "Second"})

    assert answer.status_code == 409
    assert (saved(mug.product_id).name, saved(mug.product_id).version) == ("First", 1)


# --- Copying ----------------------------------------------------------------------------------------------------------


def test_a_product_that_has_all_its_copies_is_busy_and_none_is_added(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.editing._COPIES", 3)
    mug = factories.make_product(sku="MUG")
    for _ in range(2):
        services.duplicate_product(product_id=mug.product_id, actor=EDITOR, now=mug.created_at)
    before = items_of("Products")

    with pytest.raises(Busy):
        services.duplicate_product(product_id=mug.product_id, actor=EDITOR, now=mug.created_at)
    assert editor.post(f"{URL}{mug.product_id}/duplicate/").status_code == 503

    assert rows("SKU#") == ["SKU#MUG", "SKU#MUG-COPY", "SKU#MUG-COPY2"]
    assert items_of("Products") == before


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_what_is_deleted_leaves_its_family_its_sku_and_its_place_in_the_queue(editor: Client) -> None:
    draft, at = drafted(editor, family="mugs", option_name=["colour"], option_value=["Sand"])
    assert rows("FAMILY#", "SKU#", "PUBLISH") == ["FAMILY#mugs", "PUBLISH", "SKU#SAL-REED"]

    assert editor.post(f"{URL}{draft.product_id}/delete/", {"version": "1"})["Location"] == URL

    assert rows("FAMILY#", "SKU#", "PUBLISH") == []
    assert jobs.publish_due_products(now=at) == 0
    assert actions_about(draft.product_id) == ["deleted", "created"]


def test_a_sale_at_the_moment_of_deleting_keeps_the_product(editor: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=5)
    cart = factories.ready_to_order(guest, {mug.product_id: 1}, now)

    with run_before("TransactWriteItems", lambda: order_services.place_order(**cart)):
        answer = editor.post(f"{URL}{mug.product_id}/delete/", {"version": "1"}, follow=True)

    assert "Somebody changed it meanwhile, so it was not deleted. Look at it again." in words_of(answer.text)
    assert saved(mug.product_id).inventory == 4
    assert actions_about(mug.product_id) == []
    assert f"SKU#{mug.sku}" in rows("SKU#")


# --- Publishing at its time -------------------------------------------------------------------------------------------


def test_a_draft_saved_at_the_moment_it_is_due_is_published_by_the_next_run(editor: Client) -> None:
    draft, at = drafted(editor)

    with run_before("TransactWriteItems", partial(written, draft, price=Money(100, "USD"))):
        assert jobs.publish_due_products(now=at) == 0
    assert saved(draft.product_id).status is ProductStatus.DRAFT
    assert jobs.publish_due_products(now=at) == 1

    found = saved(draft.product_id)
    assert (found.status, found.price) == (ProductStatus.ACTIVE, Money(100, "USD"))
    assert actions_about(draft.product_id) == ["published at its time", "changed", "created"]


@pytest.mark.parametrize("what", ["deleted", "active", "not to be published"])
def test_what_another_hand_changed_past_the_queue_is_left_alone_and_leaves_it(editor: Client, what: str) -> None:
    draft, at = drafted(editor)
    key = product_key(draft.product_id)
    if what == "deleted":
        key.delete()
    elif what == "active":
        key.update(actions=[ProductRow.status.set("active")])
    else:
        key.update(actions=[ProductRow.publish_at.remove()])
    before = [item for item in items_of("Products") if item["PK"]["S"] != "PUBLISH"]

    assert jobs.publish_due_products(now=at) == 0

    assert rows("PUBLISH") == []
    assert items_of("Products") == before
