"""Products as lines of a spreadsheet: columns, cells that no spreadsheet runs as a formula, and records read from any byte on."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from catalog.domain import Product

COLUMNS = (
    "sku",
    "name",
    "slug",
    "description",
    "brand",
    "price",
    "compare_at_price",
    "category",
    "sub_category",
    "weight",
    "tax_class",
    "family",
    "options",
    "attributes",
    "status",
    "publish_at",
    "images",
    "stock",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
LONGEST_LINE = 1_000_000
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_EQUALS = re.compile(r"(?<!\\)(?:\\\\)*=")


class NotACsv(Exception):
    """The file cannot be read as lines of cells; the message says why."""


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe before what could begin one."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def plain(cell: str) -> str:
    """What a cell made by `safe` says."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def pairs_text(pairs: Mapping[str, str]) -> str:
    """Attributes or options in one cell: a line each, `name=value`."""
    return "\n".join(f"{name.replace(chr(92), chr(92) * 2).replace('=', chr(92) + '=')}={value}" for name, value in pairs.items())


def pairs_of(text: str) -> list[tuple[str, str]]:
    """The pairs of such a cell; a line without `=` is a name without a value."""
    found = []
    for line in filter(str.strip, text.splitlines()):
        at = _EQUALS.search(line)
        name, value = (line[: at.end() - 1], line[at.end() :]) if at else (line, "")
        found.append((_ESCAPED.sub(r"\1", name).strip(), value.strip()))
    return found


def cells_of(product: Product, image_keys: Sequence[str]) -> list[str]:
    """The line of a product."""
    known = {
        "price": f"{product.price.amount:f}",
        "compare_at_price": f"{product.compare_at_price.amount:f}" if product.compare_at_price else "",
        "weight": "" if product.weight is None else str(product.weight),
        "options": pairs_text(product.options),
        "attributes": pairs_text(product.attributes),
        "publish_at": f"{product.publish_at:%Y-%m-%d %H:%M}" if product.publish_at else "",
        "images": " ".join(image_keys),
        "stock": str(product.inventory),
    }
    return [safe(known[name] if name in known else str(getattr(product, name))) for name in COLUMNS]


def delimiter_of(header: str) -> str:
    """What separates the cells of a file, by its first line."""
    return max(",;\t", key=header.count)


def guessed_column(title: str) -> str:
    """The column that a title of a file most probably means; empty for none."""
    word = re.sub(r"[^a-z]+", "_", title.casefold()).strip("_")
    meant = {
        "title": "name",
        "product": "name",
        "product_name": "name",
        "unit_price": "price",
        "old_price": "compare_at_price",
        "compareatprice": "compare_at_price",
        "subcategory": "sub_category",
        "address": "slug",
        "article_number": "sku",
        "vendor": "brand",
        "manufacturer": "brand",
        "weight_g": "weight",
        "weight_in_grams": "weight",
        "quantity": "stock",
        "qty": "stock",
        "inventory": "stock",
        "photographs": "images",
    }
    return word if word in COLUMNS else meant.get(word, "")


@dataclass(frozen=True, slots=True)
class Record:
    """A record of a file: its cells, the line it ends on, and the byte the next one begins at."""

    cells: tuple[str, ...]
    line: int
    ends_at: int


def records(chunks: Iterable[bytes], *, delimiter: str, offset: int = 0, line: int = 0) -> Iterator[Record]:
    """The records of a file from byte `offset` on, which is the end of its line `line`; blank ones are passed over.

    No more than a line is held. Raises NotACsv.
    """
    place = [offset, line]

    def texts() -> Iterator[str]:
        for raw in _lines(chunks):
            place[0] += len(raw)
            place[1] += 1
            try:
                yield raw.decode("utf-8-sig" if place[1] == 1 else "utf-8")
            except UnicodeDecodeError:
                raise NotACsv(f"line {place[1]} is not UTF-8: save the file as “CSV UTF-8” and send it again") from None

    try:
        for cells in csv.reader(texts(), delimiter=delimiter, strict=True):
            if any(cell.strip() for cell in cells):
                yield Record(tuple(map(plain, cells)), place[1], place[0])
    except csv.Error as error:
        raise NotACsv(f"line {place[1]} cannot be read: {error}") from None


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        for one in whole:
            yield one + b"\n"
        if len(rest) > LONGEST_LINE:
            raise NotACsv("a line is longer than a million characters")
    if rest:
        yield rest
