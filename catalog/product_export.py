"""All products as a file: put together in the bucket in parts of some megabytes, each run going on where the last one stopped."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from pynamodb.exceptions import UpdateError

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

EXPORTING, EXPORTED = "exporting", "exported"
PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes as a part that is not the last."""
_PAGE = 100
_LEAST_SECONDS = 8.0
_LINK_SECONDS = 600


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
    """Write further parts while there is time; how many products they have. The part of a run that dies is made again."""
    place = json.loads(found.cursor) if found.cursor else [0, None]
    done = 0
    try:
        while found.state == EXPORTING and time_left() > _LEAST_SECONDS:
            body, place, count, is_last = _part(place, is_first=not found.parts)
            if not is_last and len(body) < PART_BYTES:
                break  # out of time: a part too small for S3 is made again
            _put(found, body, place, count, is_last=is_last)
            done += count
    except UpdateError as error:
        if not is_refused(error):
            raise  # else another run is ahead
    return done


def link_to(found: TransferRow) -> str:
    """Where the file can be fetched, for ten minutes."""
    asked = {"Bucket": settings.MEDIA_BUCKET, "Key": found.file}
    return str(bucket().generate_presigned_url("get_object", Params=asked, ExpiresIn=_LINK_SECONDS))


def _put(found: TransferRow, body: bytes, place: list[Any], count: int, *, is_last: bool) -> None:
    client, parts = bucket(), list(found.parts)
    file = {"Bucket": settings.MEDIA_BUCKET, "Key": found.file}
    try:
        if body:  # nothing, where the last page of products had filled a part
            sent = client.upload_part(**file, UploadId=found.upload, PartNumber=len(parts) + 1, Body=body)
            parts.append(str(sent["ETag"]))
        if is_last:
            listed = [{"PartNumber": at, "ETag": part} for at, part in enumerate(parts, start=1)]
            client.complete_multipart_upload(**file, UploadId=found.upload, MultipartUpload={"Parts": listed})
    except client.exceptions.NoSuchUpload:
        client.head_object(**file)  # put together by a run that is ahead, or died before it could note it
        is_last = True
    found.update(
        actions=[
            TransferRow.parts.set(parts),
            TransferRow.cursor.set(json.dumps(place)),
            TransferRow.same.set(found.same + count),
            TransferRow.state.set(EXPORTED if is_last else EXPORTING),
        ],
        condition=(TransferRow.state == EXPORTING) & (TransferRow.same == found.same),
    )


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
