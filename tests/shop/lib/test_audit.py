"""The audit trail keeps who changed what, in order, by object and by month."""

from datetime import UTC, datetime, timedelta

import pytest

from catalog.models import ProductMeta, ProductRow
from shop.lib.audit import AuditRow, Change, audit_row, entries_about, entries_of_month
from shop.lib.viewer import Viewer

pytestmark = pytest.mark.usefixtures("tables")

NOW = datetime(2026, 3, 31, 23, 59, tzinfo=UTC)
ANNA = Viewer(user_id="user-1", name="Anna Berg", email="anna@shop.example")


class ProductAuditRow(AuditRow):
    class Meta(ProductMeta):
        pass


def note(subject: str, action: str, *changes: Change, at: datetime = NOW) -> None:
    audit_row(ProductAuditRow, subject, actor=ANNA, action=action, changes=changes, now=at).save()


def test_an_entry_says_who_did_what_when_and_what_changed() -> None:
    note("PRODUCT#prod-1", "edited", Change("name", "Mug", "Big mug"), Change("price", "12.00", "12.00"))

    (entry,) = entries_about(ProductAuditRow, "PRODUCT#prod-1").items
    assert (entry.subject, entry.at, entry.actor_id, entry.actor_name) == ("PRODUCT#prod-1", NOW, "user-1", "Anna Berg")
    assert entry.action == "edited"
    assert entry.changes == (Change("name", "Mug", "Big mug"),)  # what stayed the same is no change


def test_long_texts_are_kept_to_where_they_can_be_recognized() -> None:
    note("PRODUCT#prod-1", "edited", Change("description", "", "a" * 501))

    (entry,) = entries_about(ProductAuditRow, "PRODUCT#prod-1").items
    assert entry.changes == (Change("description", "", "a" * 500),)


def test_entries_about_an_object_come_newest_first_in_pages() -> None:
    for minute in range(5):
        note("PRODUCT#prod-1", f"step {minute}", at=NOW + timedelta(minutes=minute))
    note("PRODUCT#prod-2", "other")

    first = entries_about(ProductAuditRow, "PRODUCT#prod-1", size=3)
    second = entries_about(ProductAuditRow, "PRODUCT#prod-1", size=3, cursor=first.next_cursor)
    assert [entry.action for entry in (*first.items, *second.items)] == ["step 4", "step 3", "step 2", "step 1", "step 0"]
    assert second.next_cursor == ""


def test_a_months_list_has_every_object_and_no_other_month() -> None:
    note("PRODUCT#prod-1", "march")
    note("PRODUCT#prod-2", "still march", at=NOW + timedelta(seconds=30))
    note("PRODUCT#prod-1", "april", at=NOW + timedelta(minutes=1))

    page = entries_of_month(ProductAuditRow, ProductRow.by_category, NOW)
    assert [(entry.subject, entry.action) for entry in page.items] == [
        ("PRODUCT#prod-2", "still march"),
        ("PRODUCT#prod-1", "march"),
    ]
