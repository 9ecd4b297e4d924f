"""All products as a file: put together in the bucket in parts of some megabytes, each run going on where the last one stopped."""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from pynamodb.exceptions import UpdateError
from pynamodb.expressions.update import Action

from catalog.domain import ProductStatus
from catalog.models import ProductRow, status_partitions
from catalog.photos import bucket
from catalog.queries import image_keys, products
from catalog.transfer_domain import COLUMNS, cells_of
from catalog.transfer_models import TransferRow, transfer_key
from shop.lib.deadline import time_left
from shop.lib.ids import new_id
from shop.lib.tables import is_refused
from shop.lib.viewer import Viewer

EXPORTING, EXPORTED, LOST = "exporting", "exported", "lost"
PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part that is not the last."""
_PAGE = 100
_LEAST_SECONDS = 8.0
_LINK_SECONDS = 600


class FileGone(Exception):
    """The file of an export is not there any more."""


def begin_export(*, actor: Viewer, now: datetime) -> str:
    """Note an export; its id. `go_on` works it off."""
    row = transfer_key(new_id("exp", now))
    row.state, row.started_at, row.file = EXPORTING, now, f"uploads/{row.sk}.csv"
    row.actor_id, row.actor_name = actor.user_id, actor.name
    made = bucket().create_multipart_upload(
        Bucket=settings.MEDIA_BUCKET,
        Key=row.file,
        ContentType="text/csv; charset=utf-8",
        ContentDisposition='attachment; filename="products.csv"',
    )
    row.upload = made["UploadId"]
    row.save(TransferRow.pk.does_not_exist())
    return row.sk


def go_on(found: TransferRow) -> int:
    """Write further parts while there is time; how many products they have. The part of a run that dies is made again.

    Of two runs at once the one that claimed a part last goes on. Each part is sent under a number of its own: what the other
    still sends is no part of the file, and cannot take the place of one.
    """
    place = json.loads(found.cursor) if found.cursor else [0, None]
    before = found.same
    try:
        _claim(found)
        while found.state == EXPORTING and time_left() > _LEAST_SECONDS:
            body, place, count, is_last = _part(place, is_first=not found.parts)
            if not is_last and len(body) < PART_BYTES:
                break  # out of time: a part too small for S3 is made again
            _put(found, body, place, count, is_last=is_last)
    except UpdateError as error:
        if not is_refused(error):
            raise  # else another run is ahead
    return found.same - before


def link_to(found: TransferRow) -> str:
    """Where the file can be fetched, for ten minutes. Raises FileGone when its day is over."""
    asked = {"Bucket": settings.MEDIA_BUCKET, "Key": found.file}
    if not _is_there(asked):
        raise FileGone(found.sk)
    return str(bucket().generate_presigned_url("get_object", Params=asked, ExpiresIn=_LINK_SECONDS))


def _claim(found: TransferRow, *noted: Action) -> None:
    """Take the number of the next part, and note what there is before it. Refused when another run took one since."""
    is_as_read = (TransferRow.state == EXPORTING) & (TransferRow.claimed == found.claimed)
    found.update(actions=[TransferRow.claimed.set(found.claimed + 1), *noted], condition=is_as_read)


def _put(found: TransferRow, body: bytes, place: list[Any], count: int, *, is_last: bool) -> None:
    client, parts, state = bucket(), list(found.parts), EXPORTED if is_last else EXPORTING
    file = {"Bucket": settings.MEDIA_BUCKET, "Key": found.file}
    try:
        if body:  # nothing, where the last page of products had filled a part
            sent = client.upload_part(**file, UploadId=found.upload, PartNumber=found.claimed, Body=body)
            parts.append(f"{found.claimed} {sent['ETag']}")
        if is_last:
            client.complete_multipart_upload(**file, UploadId=found.upload, MultipartUpload={"Parts": _listed(parts)})
    except client.exceptions.NoSuchUpload:
        state = EXPORTED if _is_there(file) else LOST
    _claim(
        found,
        TransferRow.parts.set(parts),
        TransferRow.cursor.set(json.dumps(place)),
        TransferRow.same.set(found.same + (0 if state == LOST else count)),
        TransferRow.state.set(state),
    )


def _listed(parts: Sequence[str]) -> list[dict[str, Any]]:
    """The parts of the file as S3 wants them listed; their numbers rise, and need not be all there are."""
    numbered = [part.split(" ", 1) for part in parts]
    return [{"PartNumber": int(number), "ETag": etag} for number, etag in numbered]


def _is_there(file: dict[str, str]) -> bool:
    """Whether there is the file: of parts that are gone, another run put it together; else they ended with their day."""
    try:
        bucket().head_object(**file)
    except ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    return True


def _part(place: list[Any], *, is_first: bool) -> tuple[bytes, list[Any], int, bool]:
    """The next lines, up to the size of a part: the bytes, the place behind them, how many, and whether these are the last."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    if is_first:
        out.write("\ufeff")  # spreadsheets take a file without it for another alphabet
        writer.writerow(COLUMNS)
    count, is_last = 0, True
    for ids, behind in _pages(place):
        place = behind
        whole, keys = products(product_ids=ids), image_keys(product_ids=ids)
        for product_id in ids:
            if product_id in whole:
                writer.writerow(cells_of(whole[product_id], keys.get(product_id, ())))
                count += 1
        if out.tell() >= PART_BYTES or time_left() < _LEAST_SECONDS:
            is_last = False
            break
    return out.getvalue().encode(), place, count, is_last


def _pages(place: list[Any]) -> Iterator[tuple[list[str], list[Any]]]:
    """Ids a hundred at a time, through all statuses, each with the place behind them."""
    partitions = [partition for status in ProductStatus for partition in status_partitions(status)]
    at, key = place
    for number in range(at, len(partitions)):
        start = key if number == at else None
        while True:
            found = ProductRow.by_status.query(
                partitions[number], limit=_PAGE, last_evaluated_key=start, scan_index_forward=False
            )
            ids = [row.product_id for row in found]
            start = found.last_evaluated_key
            if ids:
                yield ids, [number, start] if start else [number + 1, None]
            if not start:
                break
