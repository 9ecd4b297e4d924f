"""A spreadsheet of products of any length, the same every time, in which every hundredth line is broken in one of ten ways."""

import csv
import io
from collections.abc import Iterator, Sequence

from catalog.transfer_domain import COLUMNS, safe

BROKEN_EVERY = 100
_TITLES_LINE = 1
_BROKEN: tuple[tuple[dict[str, str], str], ...] = (
    ({"price": "free"}, "price: An amount such as 12.50, please."),
    ({"price": "0.00"}, "price: The price has to be more than nothing."),
    ({"price": "-5.00"}, "price: The price has to be more than nothing."),
    ({"name": ""}, "name: A product needs a name."),
    ({"name": "two\nlines"}, "name: Please write this in one line."),
    ({"category": "Nowhere"}, "category: There is no category “Nowhere”: it has to be made first."),
    ({"status": "sold"}, "status: “sold” is no status: choose draft, active or archived."),
    ({"attributes": "material="}, "The attribute “material” needs both a name and a value."),
    ({"stock": "many"}, "stock: “many” is no number of pieces"),
    ({"images": "cat.gif"}, "images: give keys of photographs kept here, or addresses that begin with https://"),
)
"""What replaces good cells, and what the report then says."""
_MATERIALS = ("Oak", "Stoneware", "Linen", "Brass", "Glass", "Wool", "Steel")
_WAITING = 3
"""Which of 25 wait for their time; drafts, all of them."""
_COLOURS = ("Sand", "Sage", "Ink", "Rust", "Bone")


def rows(count: int, *, categories: Sequence[str]) -> Iterator[dict[str, str]]:
    """So many lines by column. Some have families, old prices, photographs and texts that a spreadsheet would run as formulas."""
    for number in range(count):
        made = _good(number, categories)
        if (broken := _how_broken(number)) is not None:
            made |= _BROKEN[broken][0]
        yield made


def content(count: int, *, categories: Sequence[str]) -> Iterator[bytes]:
    """The file's bytes, a record at a time."""
    yield ",".join(COLUMNS).encode() + b"\r\n"
    for row in rows(count, categories=categories):
        line = io.StringIO(newline="")
        csv.writer(line).writerow([safe(row[column]) for column in COLUMNS])
        yield line.getvalue().encode()


def expected_errors(count: int) -> list[tuple[int, str, str]]:
    """Line, SKU and words of every line that cannot be used. A record is named by the line it ends on."""
    found, line = [], _TITLES_LINE
    for number, row in enumerate(rows(count, categories=("Any",))):
        line += 1 + sum(cell.count("\n") for cell in row.values())
        if (broken := _how_broken(number)) is not None:
            found.append((line, row["sku"], _BROKEN[broken][1]))
    return found


def good_rows(count: int, *, categories: Sequence[str]) -> Iterator[dict[str, str]]:
    """The lines that can be used."""
    return (row for number, row in enumerate(rows(count, categories=categories)) if _how_broken(number) is None)


def _how_broken(number: int) -> int | None:
    return number // BROKEN_EVERY % len(_BROKEN) if number % BROKEN_EVERY == BROKEN_EVERY // 2 else None


def sku_of(number: int) -> str:
    """The SKU of a line, counted from 0."""
    return f"IMP-{number:06d}"


def _good(number: int, categories: Sequence[str]) -> dict[str, str]:
    colour, material = _COLOURS[number % len(_COLOURS)], _MATERIALS[number % len(_MATERIALS)]
    in_family = number % 10 < len(_COLOURS)
    minor = 500 + number * 7 % 90_000
    return {
        "sku": sku_of(number),
        "name": f"{'=' if number % 97 == 0 else ''}{material} piece {number}",
        "slug": f"{material.lower()}-piece-{number}",
        "description": f"Made of {material.lower()}, number {number}; “{colour.lower()}”, signed, with a comma."
        * (1 + number % 5),
        "brand": "Saltmere" if number % 3 else "+Korso",
        "price": f"{minor // 100}.{minor % 100:02d}",
        "compare_at_price": f"{minor // 100 + 10}.00" if number % 4 == 0 else "",
        "category": categories[number % len(categories)],
        "sub_category": f"Shelf {number % 12}",
        "weight": str(100 + number % 5000) if number % 2 else "",
        "tax_class": "books" if number % 50 == 0 else "",
        "family": f"family-{number // 10}" if in_family else "",
        "options": f"colour={colour}" if in_family else "",
        "attributes": f"material={material}\nsize={number % 40} cm",
        "status": ("active", "active", "active", "draft", "archived")[number % 5],
        "publish_at": "2099-01-01 09:30" if number % 25 == _WAITING else "",
        "images": f"products/{number % 60:032x}" if number % 3 == 0 else "",
        "stock": str(number % 40),
    }
