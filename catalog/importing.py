"""Products from a spreadsheet, in slices: a file in the bucket is read from where the last slice stopped.

So 50,000 lines take no more memory than a hundred, and a death in the middle loses nothing: a line that is done twice changes
nothing the second time.

mapping (which column is what) -> checking (all lines, nothing written) -> checked -> applying -> done; failed when it is no CSV.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice, takewhile
from typing import Any

from botocore.exceptions import ClientError
from django.conf import settings
from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from catalog import product_export
from catalog.editing import MOST_AT_ONCE, PhotosMoved, Writing, change_photos, write_together
from catalog.import_lines import Outcome, Plan, outcome_of, plans_of, sku_of
from catalog.photos import Upload, bucket
from catalog.product_export import EXPORTING
from catalog.queries import ProductNotFound
from catalog.staff_queries import StoredPhoto
from catalog.transfer_domain import NotACsv, Record, delimiter_of, guessed_column, records
from catalog.transfer_models import TRANSFERS_PK, TransferErrorRow, TransferRow, error_sk, errors_pk, transfer_key
from shop.lib.deadline import time_left
from shop.lib.ids import new_id
from shop.lib.tables import is_refused
from shop.lib.transactions import Refused
from shop.lib.viewer import Permission, Viewer

logger = logging.getLogger(__name__)

MAX_BYTES = 100 * 1024 * 1024
MAPPING, CHECKING, CHECKED, APPLYING, DONE, FAILED = "mapping", "checking", "checked", "applying", "done", "failed"
WORKING = (CHECKING, APPLYING)
_EMPTY = "the file is empty"
_GONE = "the file is not there any more, as what is sent is kept for a day: send it again"
_MISSING = {"404", "NoSuchKey"}
"""What S3 calls a missing object, asked about it and asked for it."""
_COUNTS = ("created", "changed", "same", "failed", "repeated")
_KEY = re.compile(r"uploads/csv-[0-9a-z]{17}")
_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024
_ROWS_A_STEP = 100
_LEAST_SECONDS = 8.0
_LATEST = 20
_MOST_REMEMBERED = 200_000
"""Lines whose SKUs are kept in mind, about 20 MB; a repeat further down is written all the same, and not told."""


class UnknownFile(Exception):
    """There is no such upload."""


class NoSuchTransfer(Exception):
    """There is no such import."""


class MayNotStock(Exception):
    """The file says how many pieces there are, and who wants it written may not change the stock; the column's title."""


def start_csv_upload(*, now: datetime, then: str) -> Upload:
    """A form that sends a file straight into the bucket, which sends the browser on to `then`."""
    key = f"uploads/{new_id('csv', now)}"
    form = bucket().generate_presigned_post(
        Bucket=settings.MEDIA_BUCKET,
        Key=key,
        Fields={"success_action_redirect": then},
        Conditions=[{"success_action_redirect": then}, ["content-length-range", 1, MAX_BYTES]],
        ExpiresIn=1800,
    )
    return Upload(url=form["url"], fields=form["fields"], key=key)


def begin_import(*, key: str, actor: Viewer, now: datetime) -> str:
    """Look at the head of an upload and note the import; its id. Repeating it gives the same. Raises UnknownFile, NotACsv."""
    if not _KEY.fullmatch(key):
        raise UnknownFile(key)
    client = bucket()
    try:
        found = client.get_object(Bucket=settings.MEDIA_BUCKET, Key=key, Range=f"bytes=0-{_HEAD_BYTES - 1}")
    except client.exceptions.NoSuchKey:
        raise UnknownFile(key) from None
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidRange":
            raise
        raise NotACsv(_EMPTY) from None  # S3 has no first byte to begin with; our form lets no such file through
    size = int(found["ContentRange"].rpartition("/")[2]) if "ContentRange" in found else int(found["ContentLength"])
    head = found["Body"].read()
    delimiter = delimiter_of(head.split(b"\n", 1)[0].decode("utf-8", "replace"))
    titles = next(records([head], delimiter=delimiter), None)
    if titles is None:
        raise NotACsv(_EMPTY)
    row = transfer_key(key.removeprefix("uploads/"))
    row.state, row.started_at, row.file, row.size, row.delimiter = MAPPING, now, key, size, delimiter
    row.actor_id, row.actor_name = actor.user_id, actor.name
    row.titles = [title.strip()[:100] for title in titles.cells[:100]]
    row.columns = {str(place): column for place, title in enumerate(row.titles) if (column := guessed_column(title))}
    row.offset, row.line = titles.ends_at, titles.line
    try:
        row.save(TransferRow.pk.does_not_exist())
    except PutError as error:  # begun before
        if not is_refused(error):
            raise
    return row.sk


def transfer(*, transfer_id: str) -> TransferRow:
    """An import as it is. Raises NoSuchTransfer."""
    try:
        return TransferRow.get(TRANSFERS_PK, transfer_id, consistent_read=True)
    except DoesNotExist:
        raise NoSuchTransfer(transfer_id) from None


def latest_transfers() -> tuple[TransferRow, ...]:
    """The imports and exports begun last."""
    return tuple(TransferRow.query(TRANSFERS_PK, scan_index_forward=False, limit=_LATEST))


def errors_of(*, transfer_id: str, state: str, at_most: int = 200) -> tuple[TransferErrorRow, ...]:
    """The first lines that could not be used in a pass."""
    return tuple(TransferErrorRow.query(errors_pk(transfer_id), TransferErrorRow.sk.startswith(error_sk(state)), limit=at_most))


def repeats_of(*, transfer_id: str, state: str, at_most: int = 200) -> tuple[TransferErrorRow, ...]:
    """The first lines of a pass that are about a product of an earlier line."""
    return errors_of(transfer_id=transfer_id, state=_repeats(state), at_most=at_most)


def pass_of(found: TransferRow) -> str:
    """The latest pass over the lines: what it told is kept apart from what a check with other columns told before."""
    state = APPLYING if found.state in (APPLYING, DONE, FAILED) else CHECKING
    return f"{state}{found.checks}" if found.checks > 1 else state


def _repeats(state: str) -> str:
    return f"{state}-again"


def check_import(*, transfer_id: str, columns: Mapping[str, str], actor: Viewer) -> None:
    """Read every line with this choice of columns, writing nothing. Again, where it was checked before. Raises MayNotStock."""
    found = transfer(transfer_id=transfer_id)
    _require_stock_right(found, columns, actor)
    _reset(found, (MAPPING, CHECKED), CHECKING, columns, checks=found.checks + 1)


def apply_import(*, transfer_id: str, actor: Viewer) -> None:
    """Write what was checked. Raises MayNotStock, as another person may have checked it."""
    found = transfer(transfer_id=transfer_id)
    _require_stock_right(found, found.columns, actor)
    _reset(found, (CHECKED,), APPLYING, dict(found.columns))


def _require_stock_right(found: TransferRow, columns: Mapping[str, str], actor: Viewer) -> None:
    place = next((place for place, column in columns.items() if column == "stock"), None)
    if place is not None and not actor.may(Permission.STOCK_EDIT):
        raise MayNotStock(found.titles[int(place)])


def _reset(found: TransferRow, states: Sequence[str], state: str, columns: Mapping[str, str], **more: int) -> None:
    if found.state not in states:
        return
    step: dict[str, Any]
    try:
        head = next(records(_chunks(found.file, 0), delimiter=found.delimiter))
    except NotACsv as error:
        step = {"state": FAILED, "problem": str(error)}
    else:
        step = {"state": state, "columns": columns, "offset": head.ends_at, "line": head.line}
    try:
        _update(found, **step, **dict.fromkeys(_COUNTS, 0), **more)
    except UpdateError as error:  # who pressed the same button at this moment was quicker
        if not is_refused(error):
            raise


def work_off_transfers(*, now: datetime) -> int:
    """Go on with every import and export that is not at its end; how many lines were worked off.

    One that fails keeps no other from going on; then the first trouble is raised.
    """
    done, troubles = 0, list[Exception]()
    for row in latest_transfers():
        if row.state not in (*WORKING, EXPORTING):
            continue
        try:
            done += go_on(transfer_id=row.sk, now=now)
        except Exception as trouble:
            logger.warning("transfer %s failed and shall go on in the next run", row.sk, exc_info=True)
            troubles.append(trouble)
    if troubles:
        raise troubles[0]
    return done


def go_on(*, transfer_id: str, now: datetime, at_most: int = 1_000_000) -> int:
    """Work off lines while there is time, keeping the place after each hundred; how many."""
    found = transfer(transfer_id=transfer_id)
    if found.state == EXPORTING:
        return product_export.go_on(found)
    if found.state not in WORKING:
        return 0
    done = 0
    lines = records(_chunks(found.file, found.offset), delimiter=found.delimiter, offset=found.offset, line=found.line)
    try:
        seen = _seen(found)
        while done < at_most and time_left() > _LEAST_SECONDS:
            step = list(islice(lines, _ROWS_A_STEP))
            if not step:
                _update(found, state=CHECKED if found.state == CHECKING else DONE)
                break
            _step(found, step, seen, now)
            done += len(step)
    except NotACsv as error:
        _update(found, state=FAILED, problem=str(error))
    except UpdateError as error:
        if not is_refused(error):
            raise  # else another run is ahead
    return done


def _seen(found: TransferRow) -> dict[str, int]:
    """The SKUs of the usable lines before this run's first, each with its line; read again, as a run leaves its place alone."""
    lines = records(_chunks(found.file, 0), delimiter=found.delimiter)
    head = next(lines)
    if head.ends_at == found.offset:
        return {}
    told = TransferErrorRow.query(errors_pk(found.sk), TransferErrorRow.sk.startswith(error_sk(pass_of(found))))
    failed = {row.line for row in told}
    before = takewhile(lambda record: record.ends_at <= found.offset, lines)
    seen: dict[str, int] = {}
    for record in islice(before, _MOST_REMEMBERED):
        if record.line not in failed:
            seen.setdefault(sku_of(_row(found, record)), record.line)
    return seen


def _row(found: TransferRow, record: Record) -> dict[str, str]:
    return {column: _cell(record, int(place)) for place, column in found.columns.items()}


def _step(found: TransferRow, step: Sequence[Record], seen: dict[str, int], now: datetime) -> None:
    rows = [_row(found, record) for record in step]
    plans = plans_of(rows, now)
    outcomes = _write(found, rows, plans, now) if found.state == APPLYING else [outcome_of(plan) for plan in plans]
    counts: dict[str, int] = {name: getattr(found, name) for name in _COUNTS}
    for record, row, outcome in zip(step, rows, outcomes, strict=True):
        first = seen.get(sku_of(row))
        if outcome.words:
            counts["failed"] += 1
            _tell(found, pass_of(found), record, row, outcome.words)
        elif first is not None:
            counts["repeated"] += 1
            _tell(found, _repeats(pass_of(found)), record, row, f"Line {first} is about this product too; this later line holds.")
        else:
            counts[outcome.counter] += 1
            if len(seen) < _MOST_REMEMBERED:
                seen[sku_of(row)] = record.line
    _update(found, offset=step[-1].ends_at, line=step[-1].line, **counts)


def _tell(found: TransferRow, told: str, record: Record, row: dict[str, str], words: str) -> None:
    sku = row.get("sku", "")[:64] or None
    TransferErrorRow(errors_pk(found.sk), error_sk(told, record.line), line=record.line, sku=sku, words=words[:500]).save()


def _cell(record: Record, place: int) -> str:
    return record.cells[place] if place < len(record.cells) else ""


def _write(found: TransferRow, rows: Sequence[dict[str, str]], plans: Sequence[Plan | Outcome], now: datetime) -> list[Outcome]:
    """Carry out the plans, a dozen products in a transaction; what became of each line."""
    outcomes = [outcome_of(plan) for plan in plans]
    planned = [(place, plan) for place, plan in enumerate(plans) if isinstance(plan, Plan)]
    for start in range(0, len(planned), MOST_AT_ONCE):
        some = planned[start : start + MOST_AT_ONCE]
        try:
            _write_some(found, [plan for _, plan in some], now)
        except (Refused, PhotosMoved, ProductNotFound, _Twice):
            for place, _ in some:
                outcomes[place] = _write_alone(found, rows[place], now)
    return outcomes


class _Twice(Exception):
    """Two lines are about one product, which a transaction cannot write twice."""


def _write_some(found: TransferRow, plans: Sequence[Plan], now: datetime) -> None:
    if len({plan.draft.sku for plan in plans}) < len(plans):
        raise _Twice
    actor = Viewer(user_id=found.actor_id, name=found.actor_name)
    writings = [Writing(plan.draft, plan.current, plan.photos, plan.pieces) for plan in plans]
    write_together(writings=writings, actor=actor, now=now, created="imported", changed="changed by import")
    for plan in plans:
        if plan.current and plan.images is not None:
            photos, product_id = plan.photos, plan.current.product_id
            change_photos(product_id=product_id, change=partial(_kept, photos), actor=actor, now=now)


def _write_alone(found: TransferRow, row: dict[str, str], now: datetime) -> Outcome:
    """Write a line by what is there now: an earlier line, another run of this import or a person was there in between."""
    [plan] = plans_of([row], now)
    if not isinstance(plan, Plan):
        return plan
    try:
        _write_some(found, [plan], now)
    except (Refused, PhotosMoved, ProductNotFound):
        return Outcome("failed", "somebody changed this product at the same moment; import the line again")
    return plan.outcome


def _kept(photos: Sequence[StoredPhoto], before: tuple[StoredPhoto, ...]) -> list[StoredPhoto]:
    """The photographs of a line, with the words that those kept had."""
    words = {photo.key: photo.alt for photo in before}
    return [StoredPhoto(photo.key, words.get(photo.key, "")) for photo in photos]


def _update(found: TransferRow, **values: Any) -> None:
    """A step of an import, if nobody took one since."""
    as_read = (TransferRow.state == found.state) & (TransferRow.offset == found.offset)
    found.update(actions=[getattr(TransferRow, name).set(value) for name, value in values.items()], condition=as_read)


def _chunks(key: str, offset: int) -> Iterator[bytes]:
    client = bucket()
    try:
        size = int(client.head_object(Bucket=settings.MEDIA_BUCKET, Key=key)["ContentLength"])
        # By ranges, so that no connection is held open while lines are written.
        for start in range(offset, size, _CHUNK_BYTES):
            asked = f"bytes={start}-{min(start + _CHUNK_BYTES, size) - 1}"
            yield client.get_object(Bucket=settings.MEDIA_BUCKET, Key=key, Range=asked)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        raise NotACsv(_GONE) from None
