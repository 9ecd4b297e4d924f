"""Products from a spreadsheet and to one."""

import csv
import io
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from catalog import importing, product_export, services
from catalog.domain import ProductStatus
from catalog.models import PRODUCT_SK, CatalogAuditRow, product_pk
from catalog.staff_queries import StoredPhoto, stored_photos
from catalog.stock_check import stock_sum
from catalog.transfer_domain import COLUMNS, NotACsv, pairs_of, pairs_text, plain, records, safe
from shop.lib.audit import entries_about
from shop.lib.money import Money
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.staff.typing import EDITOR, XSS, saved
from tests.conftest import items_of, words_of

SignIn = Callable[..., Viewer]
URL = "/staff/transfers/"
KEY = "uploads/csv-00000000000000000"


@pytest.fixture
def editor(bucket: Any, client: Client, sign_in: SignIn) -> Client:
    factories.make_category()
    sign_in(client, "products.view", "products.edit", "stock.edit")
    return client


def file_of(rows: list[dict[str, str]], titles: tuple[str, ...] = COLUMNS) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, titles, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def row(number: int, **more: str) -> dict[str, str]:
    return {
        "sku": f"S-{number}",
        "name": f"Mug {number}",
        "price": "24.00",
        "category": "Kitchen & Table",
        "status": "active",
        "attributes": "material=Stoneware",
        **more,
    }


def put(bucket: Any, content: bytes, key: str = KEY) -> str:
    bucket.put_object(Bucket=django_settings.MEDIA_BUCKET, Key=key, Body=content)
    return key


def counts(found: Any) -> tuple[int, int, int, int]:
    return found.created, found.changed, found.same, found.failed


def test_a_file_is_looked_at_checked_and_written(editor: Client, bucket: Any, now: datetime) -> None:
    old = factories.make_product(sku="S-2", price=Money(1000, "USD"), inventory=3)
    put(
        bucket,
        file_of(
            [
                row(1, stock="7", category=" kitchen & TABLE"),
                row(2, name=old.name, stock="99"),
                row(3, price="free"),
                row(4, category="Nowhere"),
            ]
        ),
    )
    before = [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK]

    page = editor.post(f"{URL}begin/", {"key": KEY}, follow=True)
    assert page.text.count(" selected>") == len(COLUMNS)
    here = page.redirect_chain[-1][0]
    columns = {f"column-{place}": column for place, column in enumerate(COLUMNS)}
    checked = editor.post(f"{here}check/", columns, follow=True)

    words = words_of(checked.text)
    assert re.findall(r"<dd>(\d+)</dd>", checked.text) == ["1", "1", "0", "2"]
    assert "price: An amount such as 12.50, please." in words
    assert "category: There is no category “" in words
    assert [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK] == before
    done = editor.post(f"{here}apply/", follow=True)
    assert re.findall(r"<dd>(\d+)</dd>", done.text) == ["1", "1", "0", "2"]
    assert counts(importing.transfer(transfer_id=here.split("/")[-2])) == (1, 1, 0, 2)
    changed = saved(old.product_id)
    assert (changed.price, changed.inventory) == (Money(2400, "USD"), 3)
    [made] = [item["productId"]["S"] for item in items_of("Products") if item.get("sku") == {"S": "S-1"}]
    assert (saved(made).inventory, saved(made).status) == (7, ProductStatus.ACTIVE)
    assert stock_sum(product_id=made, now=now).drift == 0


def test_pieces_are_for_who_may_change_the_stock(editor: Client, bucket: Any, sign_in: SignIn, now: datetime) -> None:
    put(bucket, b"sku,name,price,category,Pieces there\nS-1,Mug,24.00,Kitchen & Table,7\n")
    columns = {f"column-{place}": column for place, column in enumerate(("sku", "name", "price", "category", "stock"))}
    sign_in(editor, "products.view", "products.edit")
    here = editor.post(f"{URL}begin/", {"key": KEY}, follow=True).redirect_chain[-1][0]
    transfer_id = here.split("/")[-2]

    refused = words_of(editor.post(f"{here}check/", columns, follow=True).text)
    assert "Nothing was done: the column “Pieces there” says how many pieces are in stock" in refused
    assert importing.transfer(transfer_id=transfer_id).state == importing.MAPPING

    sign_in(editor, "products.view", "products.edit", "stock.edit")
    editor.post(f"{here}check/", columns)
    assert importing.transfer(transfer_id=transfer_id).state == importing.CHECKED
    sign_in(editor, "products.view", "products.edit")
    assert "you may not change the stock" in words_of(editor.post(f"{here}apply/", follow=True).text)
    assert importing.transfer(transfer_id=transfer_id).state == importing.CHECKED
    assert [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK] == []


def test_a_column_that_is_not_there_changes_nothing(editor: Client, bucket: Any, now: datetime) -> None:
    mug = factories.make_product(sku="S-1", description="Kept.", family="mugs", options={"colour": "Sand"}, weight=300)
    transfer_id = importing.begin_import(key=put(bucket, b"SKU;Price\nS-1;19.00\n"), actor=EDITOR, now=now)
    found = importing.transfer(transfer_id=transfer_id)
    assert (found.delimiter, found.columns) == (";", {"0": "sku", "1": "price"})
    importing.check_import(transfer_id=transfer_id, columns=found.columns, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)
    changed = saved(mug.product_id)
    assert changed.price == Money(1900, "USD")
    assert (changed.description, changed.family, changed.options, changed.weight, changed.attributes) == (
        "Kept.",
        "mugs",
        {"colour": "Sand"},
        300,
        mug.attributes,
    )


def test_columns_chosen_wrongly_are_chosen_anew_without_sending_the_file_again(
    editor: Client, bucket: Any, now: datetime
) -> None:
    begun = editor.post(
        f"{URL}begin/", {"key": put(bucket, b"SKU,Title,Cost,Category\r\nA-1,Mug,12.50,Lighting\r\nA-2,,9.00,Lighting\r\n")}
    )
    address = begun["Location"]
    factories.make_category("Lighting", "lighting")
    editor.post(f"{address}check/", {"column-0": "sku", "column-1": "name", "column-3": "category"})

    page = editor.get(address).text
    assert re.findall(r'data-label="Line">(\d+)</td>.*?data-label="Why">([^<]+)<', page) == [
        ("2", "price: A product needs a price."),
        ("3", "name: A product needs a name. price: A product needs a price."),
    ]
    assert "No line can be used so far." in page
    assert "Check every line anew" in page

    editor.post(f"{address}check/", {"column-0": "sku", "column-1": "name", "column-2": "price", "column-3": "category"})
    page = editor.get(address).text
    assert re.findall(r'data-label="Line">(\d+)</td>.*?data-label="Why">([^<]+)<', page) == [
        ("3", "name: A product needs a name.")
    ]
    assert "Write 1 product<" in page


def test_slices_go_on_where_the_last_one_stopped_and_repeats_change_nothing(editor: Client, bucket: Any, now: datetime) -> None:
    rows = [row(n, description='Two\n"lines", and more') for n in range(250)]
    transfer_id = importing.begin_import(key=put(bucket, file_of(rows)), actor=EDITOR, now=now)
    importing.check_import(transfer_id=transfer_id, columns=importing.transfer(transfer_id=transfer_id).columns, actor=EDITOR)
    while importing.go_on(transfer_id=transfer_id, now=now, at_most=100):
        pass
    assert counts(importing.transfer(transfer_id=transfer_id)) == (250, 0, 0, 0)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now, at_most=100)
    stopped = importing.transfer(transfer_id=transfer_id)
    assert (stopped.state, stopped.created) == (importing.APPLYING, 100)
    # The process dies after writing a hundred more, before it notes the place.
    place = stopped.offset
    importing.go_on(transfer_id=transfer_id, now=now, at_most=100)
    again = importing.transfer(transfer_id=transfer_id)
    again.update(actions=[type(again).offset.set(place), type(again).line.set(stopped.line), type(again).created.set(100)])
    while importing.work_off_transfers(now=now):
        pass
    done = importing.transfer(transfer_id=transfer_id)
    assert (done.state, counts(done)) == (importing.DONE, (150, 0, 100, 0))
    assert len([item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK]) == 250


def test_an_exported_catalogue_comes_back_the_same(editor: Client, bucket: Any, now: datetime) -> None:
    hostile = {"=cmd()": "=1+1", "a=b": "x;y", "back\\slash": "+5"}
    factories.make_product(name="=HYPERLINK(1)", description="'quoted\nlines", attributes=hostile, inventory=4)
    factories.make_product(name="-5", family="f", options={"colour": "@x"}, compare_at_price=Money(9900, "USD"), weight=5)
    factories.make_product(status=ProductStatus.ARCHIVED)
    page = editor.post(f"{URL}export/", follow=True)
    assert "3 products." in words_of(page.text)
    transfer_id = page.redirect_chain[-1][0].split("/")[-2]
    body = bucket.get_object(Bucket=django_settings.MEDIA_BUCKET, Key=f"uploads/{transfer_id}.csv")["Body"].read()
    cells = [cell for line in csv.reader(io.StringIO(body.decode("utf-8-sig"))) for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]

    before = [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK]
    again = importing.begin_import(key=put(bucket, body), actor=EDITOR, now=now)
    importing.check_import(transfer_id=again, columns=importing.transfer(transfer_id=again).columns, actor=EDITOR)
    importing.go_on(transfer_id=again, now=now)
    assert counts(importing.transfer(transfer_id=again)) == (0, 0, 3, 0)
    importing.apply_import(transfer_id=again, actor=EDITOR)
    importing.go_on(transfer_id=again, now=now)
    assert counts(importing.transfer(transfer_id=again)) == (0, 0, 3, 0)
    assert [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK] == before


def test_a_large_export_is_made_in_parts_by_several_runs(editor: Client, bucket: Any, now: datetime) -> None:
    for n in range(130):
        factories.make_product(sku=f"S-{n}", description="x" * 60_000)
    transfer_id = product_export.begin_export(actor=EDITOR, now=now)
    runs = 0
    while product_export.go_on(importing.transfer(transfer_id=transfer_id)):
        runs += 1
    found = importing.transfer(transfer_id=transfer_id)
    assert (found.state, found.same, len(found.parts)) == (product_export.EXPORTED, 130, 2)
    body = bucket.get_object(Bucket=django_settings.MEDIA_BUCKET, Key=found.file)["Body"].read()
    lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    assert lines[0] == list(COLUMNS)
    assert sorted(line[0] for line in lines[1:]) == sorted(f"S-{n}" for n in range(130))
    assert editor.get(f"{URL}{transfer_id}/products.csv")["Location"].startswith("http")


def read(content: bytes) -> None:
    if not list(records([content], delimiter=",")):
        raise NotACsv("the file is empty")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"sku,name\n\xff\xfe,x\n", "is not UTF-8"),
        (b"x" * 1_100_000, "longer than a million"),
        (b'sku,name\n"A,b\n', "cannot be read"),
        (b'sku,name\n"' + b"x" * 200_000 + b'",b\n', "cannot be read"),
    ],
    ids=["empty", "blank", "not utf-8", "endless", "open quote", "huge cell"],
)
def test_what_is_no_csv_is_said(content: bytes, words: str) -> None:
    with pytest.raises(NotACsv, match=words):
        read(content)


@pytest.mark.parametrize("key", ["", "uploads/upl-00000000000000000", "search/pointer", "../x", KEY])
def test_only_a_file_that_was_sent_is_looked_at(editor: Client, key: str) -> None:
    answer = editor.post(f"{URL}begin/", {"key": key}, follow=True)
    assert "The file did not arrive." in answer.text
    assert importing.latest_transfers() == ()


def test_columns_without_a_sku_are_refused(editor: Client, bucket: Any) -> None:
    put(bucket, b"name\nMug\n")
    here = editor.post(f"{URL}begin/", {"key": KEY})["Location"]
    assert "Say which column has the SKU" in editor.post(f"{here}check/", {"column-0": "name"}, follow=True).text


@pytest.mark.parametrize("payload", XSS)
def test_hostile_cells_stay_letters(editor: Client, bucket: Any, payload: str) -> None:
    put(bucket, file_of([{"sku": payload, "name": payload, "price": payload}], ("sku", "name", "price")))
    here = editor.post(f"{URL}begin/", {"key": KEY})["Location"]
    page = editor.post(f"{here}check/", {"column-0": "sku", "column-1": "name", "column-2": "price"}, follow=True).text
    assert "<" not in payload or payload not in page
    assert ">14<" not in page


@pytest.mark.parametrize("text", ["", "plain", "=1+1", "+5", "-3", "@x", "'", "'=x", "''", "\tx", "it's"])
def test_cells_are_safe_and_say_the_same(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert plain(safe(text)) == text


@pytest.mark.parametrize("pairs", [{}, {"a": "b"}, {"a=b": "c=d"}, {"a\\": "\\=b"}, {"x y": "1: 2; 3"}])
def test_pairs_in_a_cell_come_back(pairs: dict[str, str]) -> None:
    assert dict(pairs_of(pairs_text(pairs))) == pairs


def test_records_are_found_again_from_any_of_their_ends() -> None:
    content = file_of([row(n, description="a\nb") for n in range(20)])
    chunks = [content[at : at + 7] for at in range(0, len(content), 7)]
    whole = list(records(chunks, delimiter=","))
    for record in whole:
        rest = records([content[record.ends_at :]], delimiter=",", offset=record.ends_at, line=record.line)
        assert list(rest) == whole[whole.index(record) + 1 :]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "This file cannot be read: the file is empty."),
        (b"\n \n", "This file cannot be read: the file is empty."),
        (
            b"sku,\xff\xfe\nA,B\n",
            "This file cannot be read: line 1 is not UTF-8: save the file as “CSV UTF-8” and send it again.",
        ),
    ],
)
def test_a_file_without_readable_titles_is_not_begun(editor: Client, bucket: Any, content: bytes, words: str) -> None:
    answer = editor.post(f"{URL}begin/", {"key": put(bucket, content)}, follow=True)
    assert words in words_of(answer.text)
    assert importing.latest_transfers() == ()


def test_a_file_that_ends_to_be_readable_says_where_and_what_is_not_done_stays_undone(editor: Client, bucket: Any) -> None:
    put(bucket, b"sku,name,price,category\nS-1,Mug,24.00,Kitchen & Table\nS-2,\xff,24.00,Kitchen & Table\n")
    here = editor.post(f"{URL}begin/", {"key": KEY})["Location"]

    columns = {f"column-{place}": column for place, column in enumerate(("sku", "name", "price", "category"))}
    page = editor.post(f"{here}check/", columns, follow=True).text

    assert "line 3 is not UTF-8: save the file as “CSV UTF-8” and send it again" in words_of(page)
    assert importing.transfer(transfer_id=here.split("/")[-2]).state == importing.FAILED
    assert [item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK] == []


def test_beginning_again_with_the_same_file_leads_to_the_same_import_as_it_stands(editor: Client, bucket: Any) -> None:
    put(bucket, file_of([row(1)]))
    first = editor.post(f"{URL}begin/", {"key": KEY})["Location"]
    editor.post(f"{first}check/", {f"column-{place}": column for place, column in enumerate(COLUMNS)})

    assert editor.post(f"{URL}begin/", {"key": KEY})["Location"] == first

    assert [(one.state, one.created) for one in importing.latest_transfers()] == [(importing.CHECKED, 1)]
    assert editor.get(f"{first}products.csv").status_code == 404


def test_a_last_line_without_an_end_counts(editor: Client, bucket: Any) -> None:
    put(bucket, b"sku,name,price,category\nS-1,Mug,24.00,Kitchen & Table\nS-2,Cup,12.00,Kitchen & Table")
    here = editor.post(f"{URL}begin/", {"key": KEY})["Location"]
    columns = {f"column-{place}": column for place, column in enumerate(("sku", "name", "price", "category"))}
    editor.post(f"{here}check/", columns)
    for _ in range(2):  # a second press of the button begins nothing anew
        editor.post(f"{here}apply/")
        assert counts(importing.transfer(transfer_id=here.split("/")[-2])) == (2, 0, 0, 0)


# --- Photographs ------------------------------------------------------------------------------------------------------

ONE, TWO, THREE = (f"products/{letter * 32}" for letter in "abc")


def photographs(product_id: str) -> list[tuple[str, str]]:
    return [(photo.key, photo.alt) for photo in stored_photos(saved(product_id))]


def test_a_line_with_other_photographs_alone_changes_them_and_keeps_the_words_of_those_that_stay(
    editor: Client, bucket: Any, now: datetime
) -> None:
    mug = factories.product(sku="S-1")
    services.create_product(product=mug, image_keys=(ONE, TWO))
    described = [StoredPhoto(ONE, "Front"), StoredPhoto(TWO, "Back")]
    services.change_photos(product_id=mug.product_id, change=lambda _: described, actor=EDITOR, now=now)
    transfer_id = importing.begin_import(key=put(bucket, f"sku,images\nS-1,{THREE} {TWO}\n".encode()), actor=EDITOR, now=now)
    importing.check_import(transfer_id=transfer_id, columns={"0": "sku", "1": "images"}, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)
    assert photographs(mug.product_id) == [(ONE, "Front"), (TWO, "Back")]
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)

    importing.go_on(transfer_id=transfer_id, now=now)

    assert counts(importing.transfer(transfer_id=transfer_id)) == (0, 1, 0, 0)
    assert photographs(mug.product_id) == [(THREE, ""), (TWO, "Back")]
    assert saved(mug.product_id).version == mug.version
    actions = [entry.action for entry in entries_about(CatalogAuditRow, product_pk(mug.product_id)).items]
    assert actions == ["photographs changed", "photographs changed"]
