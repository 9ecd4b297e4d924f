"""Papers about an order as PDF: invoice, credit note, packing slip. Drawn anew each time from what was frozen, always alike.

reportlab and its fonts are loaded when the first paper is asked for: they cost 80 ms of a cold start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from orders.domain import Address, Order
from orders.ledger_domain import CreditNote, Invoice, InvoiceLine
from shop.lib.money import Money

_FONTS = Path(__file__).with_name("fonts")
_MARGIN = 56.0
_FRAME_PADDING = 6.0  # reportlab's own, inside its margins
_INK, _MUTED, _LINE = "#1e1d1a", "#656058", "#d6cfc2"
_LARGE, _TEXT, _SMALL = 20.0, 9.5, 8.5
# Adobe's own fonts for what DejaVu lacks: nothing to embed, PDF readers bring them. One is chosen by the character's block.
_ASIAN = (
    ("HYSMyeongJo-Medium", (("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7af"))),
    ("HeiseiKakuGo-W5", (("\u3000", "\u30ff"), ("\u3400", "\u9fff"), ("\uf900", "\ufaff"), ("\uff00", "\uffef"))),
)


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice as it was issued."""
    facts = [
        ("Invoice number", invoice.number),
        ("Invoice date", _day(invoice.issued_at)),
        ("Order", invoice.order_id),
        ("Order date", _day(invoice.ordered_at)),
        ("Paid", f"{_day(invoice.paid_at)}, by {invoice.payment_method}"),
    ]
    off = invoice.discount.goods if invoice.discount else None
    sums = [
        ("Subtotal", invoice.subtotal),
        *([(f"{invoice.discount.code} ({invoice.discount.label})", off * -1)] if invoice.discount and off else []),
        (invoice.delivery_method, invoice.shipping),
        ("Tax included" if invoice.tax_included else "Tax", invoice.tax),
    ]
    return _paper(
        "Invoice",
        invoice.number,
        invoice.seller,
        _address_lines(invoice.buyer),
        facts,
        _priced(invoice.lines),
        sums=sums,
        total=("Total paid", invoice.total),
    )


def credit_note_pdf(note: CreditNote, invoice: Invoice) -> bytes:
    """The credit note that takes back `invoice`, whole or in part."""
    facts = [
        ("Credit note number", note.number),
        ("Date", _day(note.issued_at)),
        ("For invoice", f"{note.invoice_number} of {_day(invoice.issued_at)}"),
        ("Order", invoice.order_id),
    ]
    delivery = [("Delivery", note.refund.delivery)] if note.refund.delivery else []
    # A sum that stands for no piece: the delivery, or what staff gave back for another reason.
    what = "Delivery" if note.refund.delivery == note.refund.amount else "Part of what was paid"
    return _paper(
        "Credit note",
        note.number,
        invoice.seller,
        _address_lines(invoice.buyer),
        facts,
        _priced(note.lines) if note.lines else [["Item", "Amount"], [what, str(note.refund.amount)]],
        sums=[*delivery, ("Tax contained", note.tax)],
        total=("Total given back", note.refund.amount),
    )


def packing_slip_pdf(order: Order, *, seller: Sequence[str], delivery: str, skus: Mapping[str, str]) -> bytes:
    """What goes into the box: names, SKUs (by product id) and pieces still to leave; once all have left, those that did."""
    facts = [("Order", order.order_id), ("Order date", _day(order.created_at)), ("Delivery", delivery)]
    is_open = any(line.to_ship for line in order.lines)
    packed = [(line, line.to_ship if is_open else line.shipped or line.quantity) for line in order.lines]
    rows = [
        ["Item", "SKU", "Pieces"],
        *([line.name, skus.get(line.product_id, ""), str(count)] for line, count in packed if count),
    ]
    return _paper("Packing slip", order.order_id, seller, _address_lines(order.address), facts, rows)


@dataclass(frozen=True, slots=True)
class _Kit:
    """The parts of reportlab a paper is made of, fonts registered."""

    text: Callable[..., Any]
    """A paragraph of a text: `text(words, size=, colour=, bold=, right=)`."""
    platypus: Any
    page_size: tuple[float, float]


@cache
def _kit() -> _Kit:
    from reportlab import platypus
    from reportlab.lib.enums import TA_LEFT, TA_RIGHT
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    drawn = TTFont("DejaVu", str(_FONTS / "DejaVuSans.ttf"))
    registerFont(drawn)
    registerFont(TTFont("DejaVu-Bold", str(_FONTS / "DejaVuSans-Bold.ttf")))
    for name, _ in _ASIAN:
        registerFont(UnicodeCIDFont(name))

    def text(words: str, *, size: float = _TEXT, colour: str = _INK, bold: bool = False, right: bool = False) -> Any:
        style = ParagraphStyle(
            f"{size}{colour}{bold}{right}",
            fontName="DejaVu-Bold" if bold else "DejaVu",
            fontSize=size,
            leading=size * 1.45,
            textColor=colour,
            alignment=TA_RIGHT if right else TA_LEFT,
            splitLongWords=True,
        )
        return platypus.Paragraph(_marked(words, drawn.face.charToGlyph), style)

    return _Kit(text, platypus, A4)


def _marked(words: str, known: dict[int, int]) -> str:
    """The words as reportlab's markup, each run in a font that has its characters; what none has is shown as a question mark."""

    def font_for(char: str) -> str:
        # Beyond the Basic Multilingual Plane reportlab draws a glyph but writes a text nobody can copy.
        if (ord(char) in known and char <= "\uffff") or char in " \n":
            return ""
        return next((name for name, blocks in _ASIAN if any(low <= char <= high for low, high in blocks)), "?")

    runs = []
    for font, chars in groupby(words, key=font_for):
        run = "".join(chars)
        run = "?" * len(run) if font == "?" else escape(run)
        runs.append(f'<font name="{font}">{run}</font>' if font not in ("", "?") else run)
    return "".join(runs)


def _paper(
    kind: str,
    number: str,
    seller: Sequence[str],
    buyer: Sequence[str],
    facts: Sequence[tuple[str, str]],
    rows: list[list[str]],
    *,
    sums: Sequence[tuple[str, Money]] = (),
    total: tuple[str, Money] | None = None,
) -> bytes:
    kit = _kit()
    target = BytesIO()
    document = kit.platypus.SimpleDocTemplate(
        target,
        pagesize=kit.page_size,
        leftMargin=_MARGIN - _FRAME_PADDING,
        rightMargin=_MARGIN - _FRAME_PADDING,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{kind} {number}",
        author=seller[0],
        invariant=True,  # no time of drawing in it: the same paper is the same bytes
    )
    width = document.width - 2 * _FRAME_PADDING
    space = kit.platypus.Spacer
    head, *lines, last = _cells(kit, rows)
    end = [_lines(kit, [last], width), space(0, 8)]
    if total:
        end.append(_sums(kit, sums, total, width))
    story = [
        _head(kit, seller, width),
        space(0, 30),
        kit.text(kind, size=_LARGE),
        space(0, 14),
        _parties(kit, buyer, facts, width),
        space(0, 22),
        _lines(kit, [head, *lines], width, has_head=True),
        kit.platypus.KeepTogether(end),  # a page with a total alone says nothing
    ]
    document.build(story, canvasmaker=_numbered(number))
    return target.getvalue()


def _head(kit: _Kit, seller: Sequence[str], width: float) -> Any:
    name = kit.text(seller[0], size=15)
    rest = [kit.text(line, size=_SMALL, colour=_MUTED, right=True) for line in seller[1:]] or [kit.text("")]
    return _grid(kit, [[name, rest]], [width * 0.5, width * 0.5])


def _parties(kit: _Kit, buyer: Sequence[str], facts: Sequence[tuple[str, str]], width: float) -> Any:
    told = _grid(
        kit, [[kit.text(name, colour=_MUTED), kit.text(value)] for name, value in facts], [width * 0.2, width * 0.35], padding=1
    )
    return _grid(kit, [[[kit.text(line) for line in buyer], told]], [width * 0.45, width * 0.55])


def _cells(kit: _Kit, rows: list[list[str]]) -> list[list[Any]]:
    head, *body = rows
    titles = [kit.text(title, size=_SMALL, colour=_MUTED, right=column > 0) for column, title in enumerate(head)]
    return [titles, *([kit.text(value, right=column > 0) for column, value in enumerate(row)] for row in body)]


def _lines(kit: _Kit, cells: list[list[Any]], width: float, *, has_head: bool = False) -> Any:
    numbers = len(cells[0]) - 1
    widths = [width * (1 - 0.17 * numbers), *[width * 0.17] * numbers]
    return _grid(kit, cells, widths, padding=5, rules=True, has_head=has_head)


def _sums(kit: _Kit, sums: Sequence[tuple[str, Money]], total: tuple[str, Money], width: float) -> Any:
    rows = [[kit.text(name, colour=_MUTED), kit.text(str(amount), right=True)] for name, amount in sums]
    rows.append([kit.text(total[0], bold=True), kit.text(str(total[1]), bold=True, right=True)])
    table = _grid(kit, rows, [width * 0.28, width * 0.2], padding=2)
    table.hAlign = "RIGHT"
    return table


def _grid(
    kit: _Kit, cells: list[list[Any]], widths: list[float], *, padding: float = 0, rules: bool = False, has_head: bool = False
) -> Any:
    style: list[tuple[Any, ...]] = [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), padding),
        ("BOTTOMPADDING", (0, 0), (-1, -1), padding),
    ]
    if rules:
        style.append(("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE))
    return kit.platypus.Table(cells, colWidths=widths, style=style, repeatRows=1 if has_head else 0)


def _numbered(number: str) -> type[Any]:
    """A canvas that writes "number, page 1 of 2" at the foot, which is known only when all pages are there."""
    from reportlab.pdfgen.canvas import Canvas

    class NumberedCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - named by reportlab
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for at, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setFont("DejaVu", _SMALL)
                self.setFillColor(_MUTED)
                self.drawRightString(self._pagesize[0] - _MARGIN, _MARGIN / 2, f"{number} · page {at} of {len(self._pages)}")
                super().showPage()
            super().save()

    return NumberedCanvas


def _priced(lines: Sequence[InvoiceLine]) -> list[list[str]]:
    rows = [[line.name, str(line.quantity), str(line.unit_price), str(line.amount)] for line in lines]
    return [["Item", "Quantity", "Unit price", "Amount"], *rows]


def _address_lines(address: Address) -> list[str]:
    region = ", ".join(part for part in (address.city, address.state) if part)
    lines = [address.name, address.street, address.street2, f"{region} {address.zip_code}".strip(), address.country_name]
    return [line for line in lines if line]


def _day(moment: Any) -> str:
    return f"{moment:%B} {moment.day}, {moment.year}"
