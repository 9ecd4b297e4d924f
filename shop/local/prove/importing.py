"""A spreadsheet with one line in a hundred broken: brought in by the jobs function, which is killed on the way, taken out, and
brought in again."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

import boto3
import requests
from botocore.config import Config
from django.conf import settings
from pynamodb.transactions import TransactWrite

from catalog import importing, product_export
from catalog import services as catalog_services
from catalog.domain import Category, Product
from catalog.photos import bucket
from catalog.staff_queries import product_of_sku
from catalog.transfer_domain import plain
from shop.lib.clock import utc_now
from shop.lib.tables import Busy, connection, table_name, trouble_as_busy
from shop.lib.viewer import Permission
from shop.local.prepare import create_media_bucket
from shop.local.prove import made_csv
from shop.local.prove.verdicts import Verdict
from shop.local.prove.world import STAFF, World

CATEGORIES = ("Kitchen & Table", "Lighting", "Desk")
_GROWTH_MB = 150.0
"""So much more than at its start a process that imports may take, whatever the file."""
_RUN_SECONDS = 60.0
_LOOK_SECONDS = 0.02
_CONTROL_ROWS = 300
_EDITOR = replace(STAFF, permissions=frozenset({Permission.PRODUCTS_EDIT, Permission.STOCK_EDIT}))
_PRODUCT, _SKU = "METADATA", "SKU"


def prove(world: World, *, rounds: int) -> Iterator[Verdict]:
    """The way in, a death in the middle, the way out, and in again; and the death once more without the guards."""
    create_media_bucket()
    for position, name in enumerate(CATEGORIES):
        catalog_services.save_category(category=Category(name=name, slug=f"shelf-{position}", intro=""), position=position)
    _empty()
    good = {row["sku"]: row for row in made_csv.good_rows(world.rows, categories=CATEGORIES)}
    errors = made_csv.expected_errors(world.rows)
    transfer_id = _begin(b"".join(made_csv.content(world.rows, categories=CATEGORIES)))

    took = _check(world, transfer_id)
    holds = _counts(transfer_id) == (len(good), 0, 0, len(errors)) and not _items(_PRODUCT)
    yield _verdict(f"{world.rows} lines are checked, and nothing is written", took, holds)

    importing.apply_import(transfer_id=transfer_id, actor=_EDITOR)
    begun = time.monotonic()
    killed_at = _kill_halfway(world, transfer_id)
    lived = time.monotonic() - begun
    took = _work_off(world, transfer_id)
    created, changed, same, failed = _counts(transfer_id)
    holds = (created + same, changed, failed) == (len(good), 0, len(errors)) and _is_once(good)
    claim = f"written; killed after {lived:.0f} s at line {killed_at}, another run goes on: a good line is one product, once"
    yield _verdict(f"{claim} ({same} lines found done)", took, holds)
    yield _report(transfer_id, errors)

    body, took = _export(world)
    yield _verdict("the export says of each product what its line said, in every column", took, _lines(body) == good)

    before = _items(_PRODUCT)
    transfer_id = _begin(body)
    took = _check(world, transfer_id)
    importing.apply_import(transfer_id=transfer_id, actor=_EDITOR)
    took = _sum(took, _work_off(world, transfer_id))
    holds = _counts(transfer_id) == (0, 0, len(good), 0) and _items(_PRODUCT) == before
    yield _verdict("brought in again, checked and written, it changes nothing", took, holds)
    yield _control()


def _begin(content: bytes) -> str:
    """Send a file as a browser does, past the functions, and begin its import; the import's id."""
    upload = importing.start_csv_upload(now=utc_now(), then=f"{settings.SITE_ORIGIN}/staff/transfers/")
    answer = requests.post(
        upload.url, data=upload.fields, files={"file": ("products.csv", content)}, allow_redirects=False, timeout=60
    )
    if answer.status_code != HTTPStatus.SEE_OTHER:
        raise RuntimeError(f"the bucket answered {answer.status_code}: {answer.text[:200]}")
    return importing.begin_import(key=upload.key, actor=_EDITOR, now=utc_now())


def _check(world: World, transfer_id: str) -> dict[str, Any]:
    importing.check_import(transfer_id=transfer_id, columns=importing.transfer(transfer_id=transfer_id).columns, actor=_EDITOR)
    return _work_off(world, transfer_id)


def _start(world: World, transfer_id: str) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"AWS_ENDPOINT_URL": world.gateway.upstream}
    command = [sys.executable, "-m", "shop.local.prove.importing_run", transfer_id]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)


def _work_off(world: World, transfer_id: str) -> dict[str, Any]:
    """Let the jobs function work until the import is at its end; what that took."""
    process = _start(world, transfer_id)
    told, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the jobs function ended with {process.returncode}")
    found: dict[str, Any] = json.loads(told)
    return found


def _kill_halfway(world: World, transfer_id: str) -> int:
    """Start the jobs function and kill it in the middle, between writing lines and noting so; the line it had noted last."""
    process = _start(world, transfer_id)
    while not _is_beyond_its_note(transfer_id):
        if process.poll() is not None:
            raise RuntimeError("the jobs function ended by itself")
        time.sleep(_LOOK_SECONDS)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return importing.transfer(transfer_id=transfer_id).line


def _is_beyond_its_note(transfer_id: str) -> bool:
    """Whether half of the file is done, and one of the lines after those that are noted."""
    try:
        with trouble_as_busy():
            found = importing.transfer(transfer_id=transfer_id)
            noted = found.created + found.changed + found.same + found.failed
            return found.offset > found.size / 2 and bool(product_of_sku(sku=made_csv.sku_of(noted)))
    except Busy:
        return False


def _export(world: World) -> tuple[bytes, dict[str, Any]]:
    transfer_id = product_export.begin_export(actor=_EDITOR, now=utc_now())
    took = _work_off(world, transfer_id)
    key = importing.transfer(transfer_id=transfer_id).file
    return bucket().get_object(Bucket=settings.MEDIA_BUCKET, Key=key)["Body"].read(), took


def _lines(content: bytes) -> dict[str, dict[str, str]]:
    """An export's lines by SKU."""
    found = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    lines = [{column: plain(cell) for column, cell in line.items()} for line in found]
    return {line["sku"]: line for line in lines}


def _is_once(good: Mapping[str, object]) -> bool:
    """Whether there is one product for each of these SKUs, one claim to it, and no more."""
    skus = Counter(item["sku"]["S"] for item in _items(_PRODUCT).values())
    return skus == Counter(good.keys()) and len(_items(_SKU)) == len(good)


def _report(transfer_id: str, expected: list[tuple[int, str, str]]) -> Verdict:
    rows = importing.errors_of(transfer_id=transfer_id, state=importing.APPLYING, at_most=len(expected) + 1)
    found = [(row.line, row.sku, row.words) for row in rows]
    kinds = Counter(words.partition(":")[0] for _, _, words in found)
    seen = f"lines {found[0][0]} to {found[-1][0]}; " if found else ""
    seen += ", ".join(f"{count} × {column.replace('__all__', 'attributes')}" for column, count in kinds.most_common())
    return Verdict(f"{len(expected)} broken lines are named with number, SKU and reason", seen, found == expected)


def _counts(transfer_id: str) -> tuple[int, int, int, int]:
    found = importing.transfer(transfer_id=transfer_id)
    return found.created, found.changed, found.same, found.failed


def _items(sort_key: str) -> dict[str, Any]:
    """All items with this sort key, by partition key."""
    client = boto3.client("dynamodb", config=Config(read_timeout=60))  # a look at everything takes longer than a page may
    pages = client.get_paginator("scan").paginate(TableName=table_name("Products"), ConsistentRead=True)
    return {item["PK"]["S"]: item for page in pages for item in page["Items"] if item["SK"]["S"] == sort_key}


def _empty() -> None:
    """No products of other proofs."""
    for sort_key in (_PRODUCT, _SKU):
        for pk in _items(sort_key):
            key = {"PK": {"S": pk}, "SK": {"S": sort_key}}
            connection().client.delete_item(TableName=table_name("Products"), Key=key)


def _sum(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """What two stretches of work took; of memory and runs the larger."""
    largest = {name: max(first[name], second[name]) for name in ("memory_mb", "grown_mb", "longest_run")}
    summed = {name: first[name] + second[name] for name in ("seconds", "cpu_seconds", "runs", "busy")}
    return summed | largest | {"calls": Counter(first["calls"]) + Counter(second["calls"])}


def _verdict(claim: str, took: dict[str, Any], holds: bool) -> Verdict:  # noqa: FBT001 - a finding, no switch
    calls = ", ".join(f"{count} {name}" for name, count in Counter(took["calls"]).most_common(4))
    stalls = f" ({took['busy']} met tables that did not answer)" if took["busy"] else ""
    seen = (
        f"{took['seconds']:.0f} s, {took['cpu_seconds']:.0f} s of a processor; {took['runs']} runs{stalls}, the longest "
        f"{took['longest_run']:.0f} s; {took['memory_mb']:.0f} MB, {took['grown_mb']:.0f} more than at the start; {calls}"
    )
    return Verdict(claim, seen, holds and took["grown_mb"] < _GROWTH_MB and took["longest_run"] < _RUN_SECONDS)


def _control() -> Verdict:
    """A death between writing and noting the place, where nobody looks for what is there and no SKU is claimed."""
    _empty()
    good = {row["sku"]: row for row in made_csv.good_rows(_CONTROL_ROWS, categories=CATEGORIES)}
    transfer_id = _begin(b"".join(made_csv.content(_CONTROL_ROWS, categories=CATEGORIES)))
    importing.check_import(transfer_id=transfer_id, columns=importing.transfer(transfer_id=transfer_id).columns, actor=_EDITOR)
    importing.go_on(transfer_id=transfer_id, now=utc_now())
    importing.apply_import(transfer_id=transfer_id, actor=_EDITOR)
    before = importing.transfer(transfer_id=transfer_id)

    def claim_nothing(txn: TransactWrite, claiming: Product) -> None:
        """No row makes the SKU unique."""

    with patch("catalog.editing._claim_sku", claim_nothing), patch("catalog.import_lines.products_of_skus", lambda **_: {}):
        importing.go_on(transfer_id=transfer_id, now=utc_now(), at_most=100)
        row = type(before)
        importing.transfer(transfer_id=transfer_id).update(actions=[row.offset.set(before.offset), row.line.set(before.line)])
        importing.go_on(transfer_id=transfer_id, now=utc_now())
    products = len(_items(_PRODUCT))
    claim = "the same where no SKU is claimed and nobody looks for it"
    return Verdict(claim, f"{products} products of {len(good)} lines", products == len(good), is_control=True)
