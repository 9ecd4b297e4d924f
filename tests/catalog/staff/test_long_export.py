"""An export of many products: runs that die and runs that meet lose no line and leave no export unfinished."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from catalog import importing, photos, product_export
from catalog.models import PRODUCT_SK, ProductRow, product_key
from tests import factories
from tests.catalog.staff.typing import EDITOR
from tests.conftest import items_of, words_of
from tests.rivals import Killed, killed, run_around, run_before


@pytest.fixture(autouse=True)
def small_parts(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part for every product; and no part for a file that is put together, as S3 has it and the local cloud has not."""
    monkeypatch.setattr(product_export, "PART_BYTES", 50)
    monkeypatch.setattr(product_export, "_PAGE", 1)
    client, finished = photos.bucket(), set[str]()
    upload_part, complete = client.upload_part, client.complete_multipart_upload

    def strictly(call: Callable[..., Any], **asked: Any) -> Any:
        if asked["UploadId"] in finished:
            raise client.exceptions.NoSuchUpload({"Error": {"Code": "NoSuchUpload"}}, "UploadPart")
        answer = call(**asked)
        if call == complete:
            finished.add(asked["UploadId"])
        return answer

    monkeypatch.setattr(client, "upload_part", partial(strictly, upload_part))
    monkeypatch.setattr(client, "complete_multipart_upload", partial(strictly, complete))


def begin(now: datetime, products: int = 3) -> str:
    """The id of an export of so many products."""
    for number in range(products):
        factories.make_product(sku=f"S-{number}")
    return product_export.begin_export(actor=EDITOR, now=now)


def lines_in(bucket: Any, transfer_id: str) -> list[dict[str, str]]:
    body = bucket.get_object(Bucket=settings.MEDIA_BUCKET, Key=f"uploads/{transfer_id}.csv")["Body"].read()
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def skus_in(bucket: Any, transfer_id: str) -> list[str]:
    return sorted(line["sku"] for line in lines_in(bucket, transfer_id))


def state(transfer_id: str) -> tuple[str, int]:
    found = importing.transfer(transfer_id=transfer_id)
    return found.state, found.same


@pytest.mark.parametrize("nth", [1, 2, 3, 4, 5])
def test_a_run_that_dies_before_it_notes_a_part_is_gone_on_with(bucket: Any, now: datetime, nth: int) -> None:
    transfer_id = begin(now)

    with run_before("UpdateItem", killed, nth=nth), pytest.raises(Killed):
        importing.go_on(transfer_id=transfer_id, now=now)
    assert state(transfer_id) == (product_export.EXPORTING, max(nth - 2, 0))
    importing.work_off_transfers(now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 3)
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]


def test_a_file_put_together_by_a_run_that_died_then_is_not_asked_for_further_parts(bucket: Any, now: datetime) -> None:
    transfer_id = begin(now)
    with run_before("UpdateItem", killed, nth=5), pytest.raises(Killed):
        importing.go_on(transfer_id=transfer_id, now=now)
    factories.make_product(sku="LATER")

    importing.work_off_transfers(now=now)

    assert state(transfer_id)[0] == product_export.EXPORTED
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]


@pytest.mark.parametrize("nth", [1, 2, 5])
def test_of_two_runs_at_once_one_steps_back_and_every_line_is_there_once(bucket: Any, now: datetime, nth: int) -> None:
    transfer_id = begin(now)

    with run_before("UpdateItem", lambda: importing.go_on(transfer_id=transfer_id, now=now), nth=nth):
        importing.go_on(transfer_id=transfer_id, now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 3)
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]
    assert importing.work_off_transfers(now=now) == 0


@pytest.mark.parametrize("nth", [1, 3])
def test_a_slow_run_puts_no_part_in_the_place_of_anothers(
    bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    transfer_id = begin(now)

    def quicker() -> None:
        """The same part as it is now, and time for no further one."""
        for item in items_of("Products"):
            if item["SK"]["S"] == PRODUCT_SK:
                product_key(item["productId"]["S"]).update(actions=[ProductRow.name.set("Renamed")])
        left = iter([9.0])
        with monkeypatch.context() as patch:
            patch.setattr(product_export, "time_left", lambda: next(left, 0.0))
            importing.go_on(transfer_id=transfer_id, now=now)

    with run_around(photos.bucket(), "upload_part", quicker, when="before", nth=nth):
        importing.go_on(transfer_id=transfer_id, now=now)
    importing.work_off_transfers(now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 3)
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]
    assert [line["name"] == "Renamed" for line in lines_in(bucket, transfer_id)] == [at >= nth for at in (1, 2, 3)]


def test_an_export_whose_parts_are_no_more_is_told_so(editor: Client, now: datetime) -> None:
    transfer_id = begin(now)
    found = importing.transfer(transfer_id=transfer_id)
    photos.bucket().abort_multipart_upload(Bucket=settings.MEDIA_BUCKET, Key=found.file, UploadId=found.upload)

    assert importing.work_off_transfers(now=now) == 0

    assert state(transfer_id) == (product_export.LOST, 0)
    page = words_of(editor.get(f"/staff/transfers/{transfer_id}/").text)
    assert "The storage did not keep the parts of this file. Begin the export again." in page
    assert "Fetch the file" not in page


def test_a_file_whose_day_is_over_is_told_so(editor: Client, bucket: Any, now: datetime) -> None:
    transfer_id = begin(now)
    importing.work_off_transfers(now=now)
    assert editor.get(f"/staff/transfers/{transfer_id}/products.csv")["Location"].startswith("http")
    bucket.delete_object(Bucket=settings.MEDIA_BUCKET, Key=f"uploads/{transfer_id}.csv")

    page = editor.get(f"/staff/transfers/{transfer_id}/products.csv", follow=True)

    assert page.redirect_chain == [("/staff/transfers/", 303)]
    assert "The file was kept for a day and is not there any more. Begin the export again." in words_of(page.text)


def test_a_product_that_is_deleted_while_it_is_read_is_left_out(bucket: Any, now: datetime) -> None:
    kept, gone = factories.make_product(sku="KEPT"), factories.make_product(sku="GONE")
    transfer_id = product_export.begin_export(actor=EDITOR, now=now)

    with run_before("BatchGetItem", product_key(gone.product_id).delete):
        importing.go_on(transfer_id=transfer_id, now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 1)
    assert skus_in(bucket, transfer_id) == [kept.sku]


def test_a_run_without_time_for_a_part_leaves_it_to_the_next(bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    transfer_id = begin(now)
    monkeypatch.setattr(product_export, "PART_BYTES", 10_000)
    left = iter([9.0, 7.9])
    with monkeypatch.context() as patch:
        patch.setattr(product_export, "time_left", lambda: next(left, 0.0))
        assert importing.go_on(transfer_id=transfer_id, now=now) == 0
    assert (state(transfer_id), importing.transfer(transfer_id=transfer_id).parts) == ((product_export.EXPORTING, 0), [])

    assert importing.work_off_transfers(now=now) == 3
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]
