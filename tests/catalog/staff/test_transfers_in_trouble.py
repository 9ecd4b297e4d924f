"""Imports whose file is no more, buttons two people press at once, and one transfer's trouble among others."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from django.conf import settings
from django.test import Client

from catalog import importing, product_export
from catalog.photos import bucket as photos_bucket
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.staff.typing import EDITOR
from tests.conftest import items_of, words_of
from tests.rivals import run_before

URL = "/staff/transfers/"
KEY = "uploads/csv-{:017d}"
CSV = b"sku,name,price,category\nS-1,Mug,24.00,Kitchen & Table\n"
COLUMNS = {f"column-{place}": column for place, column in enumerate(("sku", "name", "price", "category"))}
GONE = "the file is not there any more, as what is sent is kept for a day: send it again"


@pytest.fixture
def editor(bucket: Any, client: Client, sign_in: Callable[..., Viewer]) -> Client:
    factories.make_category()
    sign_in(client, "products.view", "products.edit", "stock.edit")
    return client


def begin(bucket: Any, now: datetime, number: int = 0, content: bytes = CSV) -> str:
    """The id of an import whose columns are to be chosen."""
    key = KEY.format(number)
    bucket.put_object(Bucket=settings.MEDIA_BUCKET, Key=key, Body=content)
    return importing.begin_import(key=key, actor=EDITOR, now=now)


def lose(bucket: Any, number: int = 0) -> None:
    """What the bucket's rule does after a day."""
    bucket.delete_object(Bucket=settings.MEDIA_BUCKET, Key=KEY.format(number))


def state(transfer_id: str) -> tuple[str, str | None]:
    found = importing.transfer(transfer_id=transfer_id)
    return found.state, found.problem


@pytest.mark.parametrize("step", ["check", "apply"])
def test_an_import_whose_file_is_no_more_is_told_so(editor: Client, bucket: Any, now: datetime, step: str) -> None:
    transfer_id = begin(bucket, now)
    if step == "apply":
        editor.post(f"{URL}{transfer_id}/check/", COLUMNS)
        assert state(transfer_id) == (importing.CHECKED, None)
    lose(bucket)

    page = editor.post(f"{URL}{transfer_id}/{step}/", COLUMNS, follow=True)

    assert page.status_code == 200
    assert GONE in words_of(page.text)
    assert state(transfer_id) == (importing.FAILED, GONE)


def test_an_import_whose_file_went_while_it_was_worked_off_ends(bucket: Any, now: datetime) -> None:
    factories.make_category()
    transfer_id = begin(bucket, now)
    importing.check_import(transfer_id=transfer_id, columns=importing.transfer(transfer_id=transfer_id).columns, actor=EDITOR)
    lose(bucket)

    assert importing.work_off_transfers(now=now) == 0

    assert state(transfer_id) == (importing.FAILED, GONE)


@pytest.mark.parametrize("step", ["check", "apply"])
def test_of_two_who_press_the_button_at_once_both_see_the_import_as_it_stands(
    editor: Client, bucket: Any, now: datetime, step: str
) -> None:
    transfer_id = begin(bucket, now)
    columns = importing.transfer(transfer_id=transfer_id).columns
    if step == "apply":
        editor.post(f"{URL}{transfer_id}/check/", COLUMNS)

    def quicker() -> None:
        if step == "check":
            importing.check_import(transfer_id=transfer_id, columns=columns, actor=EDITOR)
        else:
            importing.apply_import(transfer_id=transfer_id, actor=EDITOR)

    with run_before("UpdateItem", quicker):
        page = editor.post(f"{URL}{transfer_id}/{step}/", COLUMNS, follow=True)

    assert page.status_code == 200
    assert state(transfer_id) == (importing.CHECKED if step == "check" else importing.DONE, None)
    assert importing.transfer(transfer_id=transfer_id).created == 1


def test_the_trouble_of_one_keeps_no_other_from_going_on(bucket: Any, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.make_product(sku="S-9")
    export = product_export.begin_export(actor=EDITOR, now=now)
    broken = product_export.begin_export(actor=EDITOR, now=now + timedelta(minutes=1))  # the first that is gone on with
    go_on = product_export.go_on

    def going_on(found: Any) -> int:
        if found.sk == broken:
            raise ConnectionError("the storage does not answer")
        return go_on(found)

    monkeypatch.setattr(product_export, "go_on", going_on)

    with pytest.raises(ConnectionError):  # so that the job is seen to have failed
        importing.work_off_transfers(now=now)

    assert state(export) == (product_export.EXPORTED, None)


@pytest.mark.parametrize("press", ["begin", "export"])
def test_a_bucket_that_is_silent_is_told_as_busy_and_nothing_is_begun(
    editor: Client, bucket: Any, monkeypatch: pytest.MonkeyPatch, press: str
) -> None:
    bucket.put_object(Bucket=settings.MEDIA_BUCKET, Key=KEY.format(0), Body=CSV)
    before = items_of("Products")

    def silent(*_: Any, **__: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://s3")

    monkeypatch.setattr(photos_bucket()._endpoint.http_session, "send", silent)
    page = editor.post(f"{URL}{press}/", {"key": KEY.format(0)})

    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert "We are very busy right now" in page.text
    assert items_of("Products") == before


def test_a_bucket_that_refuses_us_is_our_mistake(editor: Client, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    editor.raise_request_exception = False
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(settings, "MEDIA_BUCKET", "no-such-bucket")
        answer = editor.post(f"{URL}begin/", {"key": KEY.format(0)})

    assert answer.status_code == 500
