"""Many lines from a spreadsheet: deaths, two runs at once and lines about one product lose and double nothing."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from django.conf import settings

from catalog import editing, importing, product_export
from catalog.editing_domain import draft_of
from catalog.import_lines import plans_of
from catalog.models import PRODUCT_SK
from catalog.stock_check import stock_sum
from catalog.transfer_domain import plain
from shop.local.prove import made_csv
from tests import factories
from tests.catalog.staff.typing import EDITOR, saved
from tests.conftest import counted_calls, items_of

CATEGORIES = ("Kitchen & Table", "Lighting")
KEY = "uploads/csv-{:017d}"


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def shelves(bucket: Any) -> None:
    factories.make_category(*CATEGORIES[:1])
    factories.make_category(CATEGORIES[1], "lighting")


def begin(bucket: Any, content: bytes, now: datetime, number: int = 0) -> str:
    """The id of an import of this file, its columns chosen."""
    bucket.put_object(Bucket=settings.MEDIA_BUCKET, Key=KEY.format(number), Body=content)
    transfer_id = importing.begin_import(key=KEY.format(number), actor=EDITOR, now=now)
    importing.check_import(transfer_id=transfer_id, columns=importing.transfer(transfer_id=transfer_id).columns, actor=EDITOR)
    return transfer_id


def check_and_write(transfer_id: str, now: datetime) -> tuple[int, int, int, int]:
    """What checking announced, which is what writing then did."""
    importing.go_on(transfer_id=transfer_id, now=now)
    announced = counts(transfer_id)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)
    assert counts(transfer_id) == announced
    return announced


def counts(transfer_id: str) -> tuple[int, int, int, int]:
    found = importing.transfer(transfer_id=transfer_id)
    return found.created, found.changed, found.same, found.failed


def errors(transfer_id: str, state: str) -> list[tuple[int, str | None, str]]:
    return [(row.line, row.sku, row.words) for row in importing.errors_of(transfer_id=transfer_id, state=state)]


def products() -> dict[str, dict[str, Any]]:
    return {item["sku"]["S"]: item for item in items_of("Products") if item["SK"]["S"] == PRODUCT_SK}


def exported(bucket: Any, now: datetime) -> bytes:
    transfer_id = product_export.begin_export(actor=EDITOR, now=now)
    importing.go_on(transfer_id=transfer_id, now=now)
    found = importing.transfer(transfer_id=transfer_id)
    return bytes(bucket.get_object(Bucket=settings.MEDIA_BUCKET, Key=found.file)["Body"].read())


def lines_of(body: bytes) -> dict[str, dict[str, str]]:
    lines = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""))
    return {line["sku"]: {column: plain(cell) for column, cell in line.items()} for line in lines}


def test_lines_survive_a_death_and_come_out_as_they_went_in(bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"".join(made_csv.content(300, categories=CATEGORIES))
    good = {row["sku"]: row for row in made_csv.good_rows(300, categories=CATEGORIES)}
    transfer_id = begin(bucket, content, now)
    importing.go_on(transfer_id=transfer_id, now=now)
    assert counts(transfer_id) == (297, 0, 0, 3)
    assert errors(transfer_id, importing.CHECKING) == made_csv.expected_errors(300)
    assert products() == {}

    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    real, written = editing.write_together, list[int]()

    def dies(**asked: Any) -> None:
        if len(written) == 12:  # in the middle of the second hundred
            raise Killed
        real(**asked)
        written.append(len(asked["writings"]))

    monkeypatch.setattr(importing, "write_together", dies)
    with pytest.raises(Killed):
        importing.go_on(transfer_id=transfer_id, now=now)
    assert (counts(transfer_id), len(products())) == ((99, 0, 0, 1), sum(written))
    monkeypatch.undo()
    importing.go_on(transfer_id=transfer_id, now=now)

    assert counts(transfer_id) == (297 - (sum(written) - 99), 0, sum(written) - 99, 3)
    assert errors(transfer_id, importing.APPLYING) == made_csv.expected_errors(300)
    kinds = Counter(item["SK"]["S"].partition("#")[0] for item in items_of("Products"))
    assert (len(products()), kinds[PRODUCT_SK], kinds["SKU"], kinds["AUDIT"]) == (297, 297, 297, 297)
    assert kinds["STOCK"] == sum(row["stock"] != "0" for row in good.values())
    body = exported(bucket, now)
    assert lines_of(body) == good
    before = items_of("Products")
    assert check_and_write(begin(bucket, body, now, 1), now) == (0, 0, 297, 0)
    assert [item for item in items_of("Products") if item["PK"]["S"] != "TRANSFERS"] == [
        item for item in before if item["PK"]["S"] != "TRANSFERS"
    ]


def test_a_hundred_lines_take_a_fixed_number_of_calls(bucket: Any, now: datetime) -> None:
    transfer_id = begin(bucket, b"".join(made_csv.content(200, categories=CATEGORIES)), now)
    importing.go_on(transfer_id=transfer_id, now=now)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    with counted_calls() as calls:
        importing.go_on(transfer_id=transfer_id, now=now, at_most=100)
    # Nothing is known of their SKUs yet; one line is broken, and 99 are written a dozen at a time.
    assert Counter(calls) == {"GetItem": 1, "BatchGetItem": 1, "TransactWriteItems": 9, "PutItem": 1, "UpdateItem": 1}


def test_two_runs_at_once_write_each_line_once_and_neither_calls_it_broken(
    bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer_id = begin(bucket, b"".join(made_csv.content(40, categories=CATEGORIES)), now)
    importing.go_on(transfer_id=transfer_id, now=now)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    real = plans_of

    def overtaken(rows: Sequence[dict[str, str]], at: datetime) -> Any:
        plans = real(rows, at)
        monkeypatch.undo()
        importing.go_on(transfer_id=transfer_id, now=now)  # the other run, from the same place to the end
        return plans

    monkeypatch.setattr(importing, "plans_of", overtaken)
    importing.go_on(transfer_id=transfer_id, now=now)
    found = importing.transfer(transfer_id=transfer_id)
    assert (found.state, counts(transfer_id), errors(transfer_id, importing.APPLYING)) == (importing.DONE, (40, 0, 0, 0), [])
    assert len(products()) == 40


def test_of_lines_about_one_product_the_last_holds(bucket: Any, now: datetime) -> None:
    mug = factories.make_product(sku="MUG", inventory=3)
    other = factories.make_product(sku="OTHER")
    lines = "sku,name,price,category,stock\r\n" + "".join(
        f"{sku},{name},{price},Lighting,{stock}\r\n"
        for sku, name, price, stock in (
            ("NEW", "First", "1.00", 4),
            ("MUG", "Mug", "2.00", 50),
            ("NEW", "Second", "3.00", 60),
            ("MUG", "Mug", "5.00", 70),
        )
    )
    transfer_id = begin(bucket, lines.encode(), now)
    importing.go_on(transfer_id=transfer_id, now=now)
    announced = counts(transfer_id)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)
    assert counts(transfer_id) == announced == (1, 1, 0, 0)
    told = [
        (4, "NEW", "Line 2 is about this product too; this later line holds."),
        (5, "MUG", "Line 3 is about this product too; this later line holds."),
    ]
    for state in (importing.CHECKING, importing.APPLYING):
        assert [(row.line, row.sku, row.words) for row in importing.repeats_of(transfer_id=transfer_id, state=state)] == told
    found = {sku: (item["name"]["S"], item["price"]["N"], item["inventory"]["N"]) for sku, item in products().items()}
    assert found == {"NEW": ("Second", "3", "4"), "MUG": ("Mug", "5", "3"), "OTHER": (other.name, "24", "20")}
    assert stock_sum(product_id=mug.product_id, now=now).drift == 0


def test_every_kind_of_broken_line_is_told_in_the_words_of_the_shop(bucket: Any, now: datetime) -> None:
    rows = [
        row | {"sku": f"{number}"} for number, row in enumerate(made_csv.rows(1000, categories=CATEGORIES)) if number % 100 == 50
    ]
    body = ",".join(rows[0]) + "\r\n" + "".join(",".join(f'"{cell}"' for cell in row.values()) + "\r\n" for row in rows)
    transfer_id = begin(bucket, body.encode(), now)
    importing.go_on(transfer_id=transfer_id, now=now)
    assert [words for _, _, words in errors(transfer_id, importing.CHECKING)] == [
        words for _, _, words in made_csv.expected_errors(1000)
    ]


def test_a_repeat_is_known_across_slices_and_a_broken_line_is_none_to_repeat(bucket: Any, now: datetime) -> None:
    lines = "sku,name,price,category\r\n" + "".join(
        f"{sku},{name},1.00,Lighting\r\n"
        for sku, name in (
            ("BROKEN", ""),
            ("LAMP", "Lamp"),
            *((f"SKU-{number}", "Other") for number in range(100)),
            ("BROKEN", "Mended"),
            ("LAMP", "Lamp"),
            ("LAMP", "Lamp"),
        )
    )
    transfer_id = begin(bucket, lines.encode(), now)
    assert importing.go_on(transfer_id=transfer_id, now=now, at_most=100) == 100
    importing.go_on(transfer_id=transfer_id, now=now)  # another run, which has seen none of that
    assert counts(transfer_id) == (102, 0, 0, 1)
    assert [
        (row.line, row.sku, row.words) for row in importing.repeats_of(transfer_id=transfer_id, state=importing.CHECKING)
    ] == [(line, "LAMP", "Line 3 is about this product too; this later line holds.") for line in (105, 106)]


def test_a_line_whose_product_somebody_keeps_changing_is_left_to_its_person_and_told(
    bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug, cup = factories.make_product(sku="MUG"), factories.make_product(sku="CUP")
    transfer_id = begin(bucket, b"sku,name\r\nMUG,From the file\r\nCUP,From the file\r\n", now)
    importing.go_on(transfer_id=transfer_id, now=now)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    real = editing.write_together

    def overtaken(**asked: Any) -> None:
        found = saved(mug.product_id)
        draft = replace(draft_of(found), name=f"{found.name}!")
        editing.save_product(product_id=mug.product_id, draft=draft, version=found.version, actor=EDITOR, now=now)
        real(**asked)

    monkeypatch.setattr(importing, "write_together", overtaken)
    importing.go_on(transfer_id=transfer_id, now=now)

    assert importing.transfer(transfer_id=transfer_id).state == importing.DONE
    assert counts(transfer_id) == (0, 1, 0, 1)
    why = "somebody changed this product at the same moment; import the line again"
    assert errors(transfer_id, importing.APPLYING) == [(2, "MUG", why)]
    assert (saved(mug.product_id).name, saved(cup.product_id).name) == (f"{mug.name}!!!", "From the file")


def test_beyond_what_is_remembered_a_repeat_counts_as_a_line_of_its_own_and_the_last_still_holds(
    bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_MOST_REMEMBERED", 1)
    lines = "".join(f"{sku},{name},1.00,Lighting\r\n" for sku, name in (("A", "A1"), ("B", "B1"), ("A", "A2"), ("B", "B2")))
    transfer_id = begin(bucket, f"sku,name,price,category\r\n{lines}".encode(), now)
    importing.go_on(transfer_id=transfer_id, now=now)
    importing.apply_import(transfer_id=transfer_id, actor=EDITOR)
    importing.go_on(transfer_id=transfer_id, now=now)

    found = importing.transfer(transfer_id=transfer_id)
    assert (counts(transfer_id), found.repeated) == ((2, 1, 0, 0), 1)
    assert {sku: item["name"]["S"] for sku, item in products().items()} == {"A": "A2", "B": "B2"}
