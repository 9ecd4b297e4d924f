"""An export of many products: runs that die and runs that meet lose no line and leave no export unfinished."""

import csv
import io
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.conf import settings

from catalog import importing, photos, product_export
from catalog.models import product_key
from tests import factories
from tests.catalog.staff.typing import EDITOR
from tests.rivals import Killed, killed, run_before


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


def skus_in(bucket: Any, transfer_id: str) -> list[str]:
    body = bucket.get_object(Bucket=settings.MEDIA_BUCKET, Key=f"uploads/{transfer_id}.csv")["Body"].read()
    return sorted(line["sku"] for line in csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def state(transfer_id: str) -> tuple[str, int]:
    found = importing.transfer(transfer_id=transfer_id)
    return found.state, found.same


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_run_that_dies_before_it_notes_a_part_is_gone_on_with(bucket: Any, now: datetime, nth: int) -> None:
    transfer_id = begin(now)

    with run_before("UpdateItem", killed, nth=nth), pytest.raises(Killed):
        importing.go_on(transfer_id=transfer_id, now=now)
    assert state(transfer_id) == (product_export.EXPORTING, nth - 1)
    importing.work_off_transfers(now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 3)
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]


def test_a_file_put_together_by_a_run_that_died_then_is_not_asked_for_further_parts(bucket: Any, now: datetime) -> None:
    transfer_id = begin(now)
    with run_before("UpdateItem", killed, nth=4), pytest.raises(Killed):
        importing.go_on(transfer_id=transfer_id, now=now)
    factories.make_product(sku="LATER")

    importing.work_off_transfers(now=now)

    assert state(transfer_id)[0] == product_export.EXPORTED
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]


@pytest.mark.parametrize("nth", [1, 4])
def test_of_two_runs_at_once_one_steps_back_and_every_line_is_there_once(bucket: Any, now: datetime, nth: int) -> None:
    transfer_id = begin(now)

    with run_before("UpdateItem", lambda: importing.go_on(transfer_id=transfer_id, now=now), nth=nth):
        importing.go_on(transfer_id=transfer_id, now=now)

    assert state(transfer_id) == (product_export.EXPORTED, 3)
    assert skus_in(bucket, transfer_id) == ["S-0", "S-1", "S-2"]
    assert importing.work_off_transfers(now=now) == 0


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
