"""Staff's stock pages: the grid, the record, lines of a spreadsheet, and who is told that something runs low."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django import Settings

from catalog import queries
from catalog.domain import ProductStatus, StockReason
from catalog.models import CatalogAuditRow, product_key, product_pk, to_row
from catalog.reactions import product_changed
from catalog.stock_check import stock_sum
from shop.lib.audit import Change, entries_about
from shop.lib.owner import Owner
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.staff.typing import saved
from tests.conftest import counted_calls, items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
URL = "/staff/stock/"


@pytest.fixture
def keeper(client: Client, sign_in: SignIn) -> Client:
    sign_in(client, "products.view", "stock.edit")
    return client


def typed(**numbers: Any) -> dict[str, Any]:
    return {"reason": "received", "note": "Delivery 7"} | numbers


def field_of(client: Client, product_id: str) -> str:
    found = re.search(rf'name="(stock\.{product_id}\.[^"]+)"', client.get(URL).text)
    assert found
    return found[1]


def press_of(page: str) -> str:
    found = re.search(r'name="press" value="([0-9a-f]{32})"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("page", [URL, "/staff/stock/{}/"])
def test_a_button_pressed_twice_changes_the_stock_once(keeper: Client, page: str) -> None:
    mug = factories.make_product(inventory=10)
    drawn = keeper.get(page.format(mug.product_id)).text
    asked = typed(press=press_of(drawn), **{field_of(keeper, mug.product_id): "+5"})

    keeper.post(f"{URL}change/", asked)
    again = keeper.post(f"{URL}change/", asked, follow=True)

    assert "was not changed again" in again.text
    assert saved(mug.product_id).inventory == 15
    assert len(queries.stock_movements(product_id=mug.product_id).items) == 2  # what it began with, and the delivery
    keeper.post(f"{URL}change/", asked | {name: "+4" for name in asked if name.startswith("stock.")})
    assert saved(mug.product_id).inventory == 19  # another number is another wish
    keeper.post(f"{URL}change/", asked | {"press": press_of(keeper.get(URL).text)})
    assert saved(mug.product_id).inventory == 24  # and the form drawn anew another press


def test_pasted_amounts_sent_twice_count_once(keeper: Client) -> None:
    mug = factories.make_product(inventory=10)
    asked = typed(lines=f"{mug.sku}\t+5\t10", press=press_of(keeper.get(f"{URL}paste/").text))
    assert press_of(keeper.post(f"{URL}paste/", asked).text) == asked["press"]  # the look at it keeps the key

    for _ in range(2):
        keeper.post(f"{URL}paste/", asked | {"apply": "1"})

    assert saved(mug.product_id).inventory == 15


def test_a_number_is_a_count_and_one_with_a_sign_an_amount(keeper: Client, now: datetime) -> None:
    mug, bowl, jug = (factories.make_product(inventory=10) for _ in range(3))
    numbers = dict(zip((field_of(keeper, made.product_id) for made in (mug, bowl, jug)), ("12", "+5", "-3"), strict=True))

    done = keeper.post(f"{URL}change/", typed(**numbers), follow=True)

    assert "The stock of 3 products is changed." in done.text
    assert [saved(made.product_id).inventory for made in (mug, bowl, jug)] == [12, 15, 7]
    [latest, _] = queries.stock_movements(product_id=mug.product_id).items
    assert (latest.change, latest.reason, latest.note, latest.actor_name) == (
        2,
        StockReason.RECEIVED,
        "Delivery 7",
        "Ada Lovelace",
    )
    assert stock_sum(product_id=mug.product_id, now=now).drift == 0
    [entry] = entries_about(CatalogAuditRow, product_pk(mug.product_id)).items
    assert (entry.actor_name, entry.action) == ("Ada Lovelace", "changed the stock")
    assert entry.changes == (Change("stock", "10", "12 (+2, received: Delivery 7)"),)
    assert saved(mug.product_id).version == mug.version


def test_a_count_never_undoes_a_sale_in_between(keeper: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(name="Tide Mug", inventory=10)
    field = field_of(keeper, mug.product_id)
    factories.make_order(guest, {mug.product_id: 1}, now)

    said = keeper.post(f"{URL}change/", typed(**{field: "12"}), follow=True)

    assert "Tide Mug is left as it was: the stock changed meanwhile and is 9 now; count again." in said.text
    assert saved(mug.product_id).inventory == 9
    keeper.post(f"{URL}change/", typed(**{field: "+2"}))
    assert saved(mug.product_id).inventory == 11


@pytest.mark.parametrize("text", ["x", "1.5", "++1", "1e3", "99999999", "²", "=1+1", "-11", "<script>alert(1)</script>"])
def test_what_is_no_number_changes_nothing_and_is_said(keeper: Client, text: str) -> None:
    mug = factories.make_product(inventory=10)
    before = items_of("Products")

    said = keeper.post(f"{URL}change/", typed(**{field_of(keeper, mug.product_id): text}), follow=True)

    assert "is left as it was" in said.text
    assert "<script>alert" not in said.text
    assert items_of("Products") == before


def test_without_a_reason_nothing_is_changed(keeper: Client) -> None:
    mug = factories.make_product(inventory=10)
    for reason in ("", "sale", "release", "x"):
        keeper.post(f"{URL}change/", {"reason": reason, "note": "", field_of(keeper, mug.product_id): "1"})
    assert saved(mug.product_id).inventory == 10


def test_the_record_names_who_and_which_order(keeper: Client, guest: Owner, now: datetime) -> None:
    mug = factories.make_product(inventory=10)
    order = factories.make_order(guest, {mug.product_id: 2}, now)

    page = keeper.get(f"{URL}{mug.product_id}/")

    assert f'href="/staff/orders/{order.order_id}/"' in page.text
    assert re.findall(r'data-label="Change">([^<]+)<', page.text) == ["-2", "+10"]
    assert keeper.get(f"{URL}prod-none/").status_code == 404


def test_pasted_lines_are_looked_at_then_done(keeper: Client) -> None:
    factories.make_product(sku="A", inventory=10)
    bowl = factories.make_product(sku="B", inventory=10)
    lines = "A\t12\nB;+5\nC\t1\nA\t3\n\nB\tmany\nB 7\n"
    before = items_of("Products")

    look = keeper.post(f"{URL}paste/", typed(lines=lines))

    assert items_of("Products") == before
    words = words_of(look.text)
    assert "Line 3, C: no product has this SKU." in words
    assert "Line 4, A: this SKU stands in an earlier line." in words
    assert "Line 5, B: “many” is no number such as 12, +5 or -3." in words
    assert "Line 6, B 7: a tab or ; between the SKU and the number is missing." in words
    again = re.search(r'name="lines" value="([^"]+)"', look.text)
    assert again
    done = keeper.post(f"{URL}paste/", typed(lines=again[1], apply="1"), follow=True)
    assert "The stock of 2 products is changed." in done.text
    assert saved(bowl.product_id).inventory == 15


def test_pasted_lines_that_are_done_twice_count_once(keeper: Client) -> None:
    mug = factories.make_product(sku="A", inventory=10)
    for _ in range(2):
        keeper.post(f"{URL}paste/", typed(lines="A\t12\t10", apply="1"))
    assert saved(mug.product_id).inventory == 12


def test_too_many_lines_are_refused(keeper: Client) -> None:
    answer = keeper.post(f"{URL}paste/", typed(lines="A\t1\n" * 201))
    assert answer.status_code == 422
    assert "paste 200 at most" in answer.text


def react(before: Any, product_id: str) -> None:
    """What the stream does after a change."""
    product_changed(before, item(product_id))


def item(product_id: str) -> Any:
    row = product_key(product_id)
    row.refresh(consistent_read=True)
    return {**row.serialize(), "PK": {"S": row.pk}, "SK": {"S": row.sk}}


def test_staff_are_told_once_each_time_a_product_becomes_low_or_sold_out(settings: Settings, now: datetime) -> None:
    from catalog import services

    settings.STAFF_MAIL = "desk@example.com"
    mug = factories.make_product(name="Tide Mug", inventory=10)
    for inventory, mails in ((6, 0), (5, 1), (3, 0), (0, 1), (2, 0), (20, 0), (4, 1)):
        before = item(mug.product_id)
        services.set_stock(product_id=mug.product_id, inventory=inventory, now=now)
        mail.outbox.clear()
        react(before, mug.product_id)
        react(before, mug.product_id)
        assert len(mail.outbox) == mails, inventory
    assert (mail.outbox[0].to, mail.outbox[0].subject) == (["desk@example.com"], "Only 4 left: Tide Mug")


def test_products_that_are_new_or_drafts_tell_nobody(settings: Settings) -> None:
    settings.STAFF_MAIL = "desk@example.com"
    new = factories.make_product(inventory=2)
    product_changed(None, item(new.product_id))
    draft = factories.make_product(inventory=0, status=ProductStatus.DRAFT)
    before = item(draft.product_id)
    product_key(draft.product_id).update(actions=[type(to_row(draft, image_keys=())).status.set("active")])
    react(before, draft.product_id)
    assert mail.outbox == []


def test_what_is_low_or_sold_out_is_a_list_of_fixed_cost(keeper: Client) -> None:
    def short(count: int) -> None:
        for n in range(count):
            made = factories.make_product(name=f"Low {n}", inventory=3)
            product_changed(None, item(made.product_id))

    short(2)
    out = factories.make_product(name="Gone", inventory=0)
    product_changed(None, item(out.product_id))
    keeper.get(URL)
    with counted_calls() as few:
        page = keeper.get(URL, {"stock": "low"})
    short(20)
    with counted_calls() as many:
        keeper.get(URL, {"stock": "low"})

    assert "Low 0" in page.text
    assert "Gone" not in page.text
    assert "Gone" in keeper.get(URL, {"stock": "out"}).text
    assert few == many == ["Query", "BatchGetItem"]


def test_the_grid_says_what_went_wrong_for_five_and_how_many_more(keeper: Client) -> None:
    mugs = [factories.make_product(name=f"Mug {number}", inventory=3) for number in range(7)]
    fields = [field_of(keeper, made.product_id) for made in mugs]
    before = items_of("Products")

    said = words_of(keeper.post(f"{URL}change/", typed(**dict.fromkeys(fields, "-4")), follow=True).text)

    assert said.count("is left as it was: there are only 3.") == 5
    assert "So are 2 more." in said
    assert items_of("Products") == before


def test_a_number_that_is_the_stock_already_changes_nothing_and_is_said(keeper: Client) -> None:
    mug = factories.make_product(inventory=3)
    before = items_of("Products")

    said = keeper.post(f"{URL}change/", typed(**{field_of(keeper, mug.product_id): "3"}), follow=True)

    assert "Nothing was different, so nothing was changed." in words_of(said.text)
    assert items_of("Products") == before


def test_a_product_deleted_since_the_grid_was_drawn_has_no_stock_to_change(keeper: Client) -> None:
    mug = factories.make_product(inventory=3)
    field = field_of(keeper, mug.product_id)
    product_key(mug.product_id).delete()
    before = items_of("Products")

    said = keeper.post(f"{URL}change/", typed(**{field: "+5"}), follow=True)

    assert f"{mug.product_id} is left as it was: it is no more." in words_of(said.text)
    assert items_of("Products") == before


def test_a_pasted_line_that_takes_out_too_much_is_said_before_anything_is_done(keeper: Client) -> None:
    factories.make_product(sku="A", inventory=3)
    before = items_of("Products")

    look = keeper.post(f"{URL}paste/", typed(lines="A\t-4\n"))

    assert "Line 1, A: there are only 3." in words_of(look.text)
    assert items_of("Products") == before
