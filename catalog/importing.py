"""Products from a spreadsheet, in slices: a file in the bucket is read from where the last slice stopped.

So 50,000 lines take no more memory than a hundred, and a death in the middle loses nothing: a line that is done twice changes
nothing the second time.

mapping (which column is what) -> checking (all lines, nothing written) -> checked -> applying -> done; failed when it is no CSV.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from django.conf import settings
from django.utils.datastructures import MultiValueDict
from pynamodb.exceptions import DoesNotExist, PutError, UpdateError

from catalog import product_export
from catalog.domain import Product
from catalog.editing import MOST_AT_ONCE, PhotosMoved, Writing, change_photos, write_together
from catalog.editing_domain import Draft, blank_draft, draft_of, texts_of
from catalog.photos import Upload, bucket
from catalog.product_export import EXPORTING
from catalog.queries import ProductNotFound, categories, image_keys
from catalog.staff_forms import ProductForm, values_of
from catalog.staff_queries import StoredPhoto, products_of_skus
from catalog.transfer_domain import NotACsv, Record, delimiter_of, guessed_column, pairs_of, records
from catalog.transfer_models import TRANSFERS_PK, TransferErrorRow, TransferRow, error_sk, errors_pk, transfer_key
from shop.lib.deadline import time_left
from shop.lib.ids import new_id
from shop.lib.tables import is_refused
from shop.lib.transactions import Refused
from shop.lib.viewer import Permission, Viewer

MAX_BYTES = 100 * 1024 * 1024
MAPPING, CHECKING, CHECKED, APPLYING, DONE, FAILED = "mapping", "checking", "checked", "applying", "done", "failed"
WORKING = (CHECKING, APPLYING)
_KEY = re.compile(r"uploads/csv-[0-9a-z]{17}")
_IMAGE = re.compile(r"products/[0-9a-f]{32}|https://[^\s\x00-\x1f]{1,500}")
_HEAD_BYTES = 64 * 1024
_CHUNK_BYTES = 256 * 1024
_ROWS_A_STEP = 100
_LEAST_SECONDS = 8.0
_LATEST = 20


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
    size = int(found["ContentRange"].rpartition("/")[2]) if "ContentRange" in found else int(found["ContentLength"])
    head = found["Body"].read()
    delimiter = delimiter_of(head.split(b"\n", 1)[0].decode("utf-8", "replace"))
    titles = next(records([head], delimiter=delimiter), None)
    if titles is None:
        raise NotACsv("the file is empty")
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


def check_import(*, transfer_id: str, columns: Mapping[str, str], actor: Viewer) -> None:
    """Read every line with this choice of columns, writing nothing. Again, where it was checked before. Raises MayNotStock."""
    found = transfer(transfer_id=transfer_id)
    _require_stock_right(found, columns, actor)
    _reset(found, (MAPPING, CHECKED), CHECKING, columns)


def apply_import(*, transfer_id: str, actor: Viewer) -> None:
    """Write what was checked. Raises MayNotStock, as another person may have checked it."""
    found = transfer(transfer_id=transfer_id)
    _require_stock_right(found, found.columns, actor)
    _reset(found, (CHECKED,), APPLYING, dict(found.columns))


def _require_stock_right(found: TransferRow, columns: Mapping[str, str], actor: Viewer) -> None:
    place = next((place for place, column in columns.items() if column == "stock"), None)
    if place is not None and not actor.may(Permission.STOCK_EDIT):
        raise MayNotStock(found.titles[int(place)])


def _reset(found: TransferRow, states: Sequence[str], state: str, columns: Mapping[str, str]) -> None:
    if found.state not in states:
        return
    head = next(records(_chunks(found.file, 0), delimiter=found.delimiter))
    _update(
        found,
        state=state,
        columns=columns,
        offset=head.ends_at,
        line=head.line,
        created=0,
        changed=0,
        same=0,
        failed=0,
    )


def work_off_transfers(*, now: datetime) -> int:
    """Go on with every import and export that is not at its end; how many lines were worked off."""
    return sum(go_on(transfer_id=row.sk, now=now) for row in latest_transfers() if row.state in (*WORKING, EXPORTING))


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
        while done < at_most and time_left() > _LEAST_SECONDS:
            step = list(islice(lines, _ROWS_A_STEP))
            if not step:
                _update(found, state=CHECKED if found.state == CHECKING else DONE)
                break
            _step(found, step, now)
            done += len(step)
    except NotACsv as error:
        _update(found, state=FAILED, problem=str(error))
    except UpdateError as error:
        if not is_refused(error):
            raise  # else another run is ahead
    return done


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a line: a counter's name, and words where it could not be used."""

    counter: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A line that changes something: what it makes of the product as it was read, or of none."""

    draft: Draft
    current: Product | None
    pieces: int
    images: list[str] | None
    """Keys or addresses; None leaves them as they are."""

    @property
    def photos(self) -> list[StoredPhoto]:
        return [StoredPhoto(image) for image in self.images or ()]

    @property
    def outcome(self) -> _Outcome:
        return _Outcome("changed" if self.current else "created")


def _step(found: TransferRow, step: Sequence[Record], now: datetime) -> None:
    where = {column: int(place) for place, column in found.columns.items()}
    rows = [{name: _cell(record, place) for name, place in where.items()} for record in step]
    plans = _plans(rows, now)
    outcomes = _write(found, rows, plans, now) if found.state == APPLYING else [_outcome(plan) for plan in plans]
    counts = {"created": found.created, "changed": found.changed, "same": found.same, "failed": found.failed}
    for record, row, outcome in zip(step, rows, outcomes, strict=True):
        counts[outcome.counter] += 1
        if outcome.words:
            key = (errors_pk(found.sk), error_sk(found.state, record.line))
            sku = row.get("sku", "")[:64] or None
            TransferErrorRow(*key, line=record.line, sku=sku, words=outcome.words[:500]).save()
    _update(found, offset=step[-1].ends_at, line=step[-1].line, **counts)


def _cell(record: Record, place: int) -> str:
    return record.cells[place] if place < len(record.cells) else ""


def _outcome(plan: _Plan | _Outcome) -> _Outcome:
    return plan.outcome if isinstance(plan, _Plan) else plan


def _plans(rows: Sequence[dict[str, str]], now: datetime) -> list[_Plan | _Outcome]:
    """What each line would do to the products as they are now: three calls for a hundred lines."""
    known = products_of_skus(skus=[_sku(row) for row in rows])
    has_images = known and any("images" in row for row in rows)
    stored = image_keys(product_ids=[product.product_id for product in known.values()]) if has_images else {}
    names = [category.name for category in categories()]
    found: list[_Plan | _Outcome] = []
    for row in rows:
        current = known.get(_sku(row))
        keys = stored.get(current.product_id, ()) if current else ()
        try:
            plan = _written(row, current, names, now)
        except _CannotBe as problem:
            found.append(_Outcome("failed", str(problem)))
            continue
        is_same = current is not None and texts_of(draft_of(current)) == texts_of(plan.draft)
        is_same = is_same and (plan.images is None or tuple(plan.images) == tuple(keys))
        found.append(_Outcome("same") if is_same else plan)
    return found


def _sku(row: dict[str, str]) -> str:
    return row.get("sku", "").strip()


class _CannotBe(Exception):
    """A line cannot be used."""


def _written(row: dict[str, str], current: Product | None, names: Sequence[str], now: datetime) -> _Plan:
    """What a line says: by the very rules of the editor, on top of what is there. Raises _CannotBe."""
    before = draft_of(current) if current else blank_draft(settings.CURRENCY)
    data = MultiValueDict({name: [text] for name, text in values_of(before).items()})
    for kind in ("attribute", "option"):
        cell = row.get(f"{kind}s")
        pairs = list(getattr(before, f"{kind}s").items()) if cell is None else pairs_of(cell)
        data.setlist(f"{kind}_name", [name for name, _ in pairs])
        data.setlist(f"{kind}_value", [value for _, value in pairs])
    for name, text in row.items():
        if name in data and (text.strip() or name not in ("status", "slug")):
            data[name] = text.strip().lower() if name == "status" else text
    form = ProductForm(data, categories=names, draft=before, now=now)  # type: ignore[arg-type]  # getlist is all it needs
    if not form.is_valid():
        raise _CannotBe("; ".join(f"{name}: {' '.join(map(str, errors))}" for name, errors in form.errors.items()))
    images = row["images"].split() if "images" in row else None
    if images and not all(_IMAGE.fullmatch(image) for image in images):
        raise _CannotBe("images: give keys of photographs kept here, or addresses that begin with https://")
    pieces = row.get("stock", "").strip() or "0"
    if not (pieces.isascii() and pieces.isdigit() and len(pieces) < 8):  # noqa: PLR2004 - no more than the field's number allows
        raise _CannotBe(f"stock: “{pieces[:20]}” is no number of pieces")
    draft = form.written
    return _Plan(replace(draft, slug=draft.slug or current.slug) if current else draft, current, int(pieces), images)


def _write(
    found: TransferRow, rows: Sequence[dict[str, str]], plans: Sequence[_Plan | _Outcome], now: datetime
) -> list[_Outcome]:
    """Carry out the plans, a dozen products in a transaction; what became of each line."""
    outcomes = [_outcome(plan) for plan in plans]
    planned = [(place, plan) for place, plan in enumerate(plans) if isinstance(plan, _Plan)]
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


def _write_some(found: TransferRow, plans: Sequence[_Plan], now: datetime) -> None:
    if len({plan.draft.sku for plan in plans}) < len(plans):
        raise _Twice
    actor = Viewer(user_id=found.actor_id, name=found.actor_name)
    writings = [Writing(plan.draft, plan.current, plan.photos, plan.pieces) for plan in plans]
    write_together(writings=writings, actor=actor, now=now, created="imported", changed="changed by import")
    for plan in plans:
        if plan.current and plan.images is not None:
            photos, product_id = plan.photos, plan.current.product_id
            change_photos(product_id=product_id, change=partial(_kept, photos), actor=actor, now=now)


def _write_alone(found: TransferRow, row: dict[str, str], now: datetime) -> _Outcome:
    """Write a line by what is there now: an earlier line, another run of this import or a person was there in between."""
    [plan] = _plans([row], now)
    if not isinstance(plan, _Plan):
        return plan
    try:
        _write_some(found, [plan], now)
    except (Refused, PhotosMoved, ProductNotFound):
        return _Outcome("failed", "somebody changed this product at the same moment; import the line again")
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
    size = int(client.head_object(Bucket=settings.MEDIA_BUCKET, Key=key)["ContentLength"])
    # By ranges, so that no connection is held open while lines are written.
    for start in range(offset, size, _CHUNK_BYTES):
        asked = f"bytes={start}-{min(start + _CHUNK_BYTES, size) - 1}"
        yield client.get_object(Bucket=settings.MEDIA_BUCKET, Key=key, Range=asked)["Body"].read()
