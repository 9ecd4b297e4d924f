"""What the lines of a spreadsheet make of the products as they are, by the very rules of the editor; nothing is written here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import starmap

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.datastructures import MultiValueDict

from catalog.domain import Product
from catalog.editing_domain import Draft, blank_draft, draft_of, texts_of
from catalog.menu import categories
from catalog.queries import image_keys
from catalog.staff_forms import ProductForm, values_of
from catalog.staff_queries import StoredPhoto, products_of_skus
from catalog.transfer_domain import pairs_of

_IMAGE = re.compile(r"products/[0-9a-f]{32}|https://[^\s\x00-\x1f]{1,500}")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line: a counter's name, and words where it could not be used."""

    counter: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
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
    def outcome(self) -> Outcome:
        return Outcome("changed" if self.current else "created")


def outcome_of(plan: Plan | Outcome) -> Outcome:
    return plan.outcome if isinstance(plan, Plan) else plan


def plans_of(rows: Sequence[dict[str, str]], now: datetime) -> list[Plan | Outcome]:
    """What each line would do to the products as they are now: three calls for a hundred lines."""
    known = products_of_skus(skus=[sku_of(row) for row in rows])
    has_images = known and any("images" in row for row in rows)
    stored = image_keys(product_ids=[product.product_id for product in known.values()]) if has_images else {}
    names = [category.name for category in categories()]
    found: list[Plan | Outcome] = []
    for row in rows:
        current = known.get(sku_of(row))
        keys = stored.get(current.product_id, ()) if current else ()
        try:
            plan = _written(row, current, names, now)
        except _CannotBe as problem:
            found.append(Outcome("failed", str(problem)))
            continue
        is_same = current is not None and texts_of(draft_of(current)) == texts_of(plan.draft)
        is_same = is_same and (plan.images is None or tuple(plan.images) == tuple(keys))
        found.append(Outcome("same") if is_same else plan)
    return found


def sku_of(row: dict[str, str]) -> str:
    return row.get("sku", "").strip()


class _CannotBe(Exception):
    """A line cannot be used."""


def _written(row: dict[str, str], current: Product | None, names: Sequence[str], now: datetime) -> Plan:
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
    if (written := row.get("category", "").strip().casefold()) in (by_words := {name.casefold(): name for name in names}):
        data["category"] = by_words[written]
    form = ProductForm(data, categories=names, draft=before, now=now)  # type: ignore[arg-type]  # getlist is all it needs
    if not form.is_valid():
        raise _CannotBe(" ".join(starmap(_why, form.errors.items())))
    images = row["images"].split() if "images" in row else None
    if images and not all(_IMAGE.fullmatch(image) for image in images):
        raise _CannotBe("images: give keys of photographs kept here, or addresses that begin with https://")
    pieces = row.get("stock", "").strip() or "0"
    if not (pieces.isascii() and pieces.isdigit() and len(pieces) < 8):  # noqa: PLR2004 - no more than the field's number allows
        raise _CannotBe(f"stock: “{pieces[:20]}” is no number of pieces")
    draft = form.written
    return Plan(replace(draft, slug=draft.slug or current.slug) if current else draft, current, int(pieces), images)


def _why(name: str, errors: Sequence[str]) -> str:
    words = " ".join(map(str, errors))
    return words if name == NON_FIELD_ERRORS else f"{name}: {words}"
