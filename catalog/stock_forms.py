"""Shapes of what staff's stock pages accept: numbers beside products, and lines pasted from a spreadsheet."""

import re
from dataclasses import dataclass
from typing import Any

from django import forms

from catalog.domain import StockReason
from catalog.staff_forms import LineField
from shop.lib.presses import PressField

MOST_LINES = 200
_MOST_PIECES = 1_000_000
_FIELD = re.compile(r"stock\.(?P<id>[-a-zA-Z0-9_]{1,100})\.(?P<seen>-?[0-9]{1,9})")
_NUMBER = re.compile(r"(?P<sign>[-+−]?)(?P<digits>[0-9]{1,7})", re.ASCII)
_REASONS = (
    (StockReason.RECEIVED, "Received"),
    (StockReason.ADJUSTMENT, "Counted anew"),
    (StockReason.RETURN, "Came back"),
    (StockReason.LOSS, "Lost or broken"),
)


class NoNumber(ValueError):
    """What was typed is no number of pieces."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody typed beside a product: a counted number, or with a sign so many more or fewer."""

    number: int
    is_amount: bool

    @classmethod
    def of(cls, text: str) -> "Wish":
        """The wish of "12", "+5" or "-3". Raises NoNumber."""
        found = _NUMBER.fullmatch(text.strip().replace(" ", ""))
        if not found or int(found["digits"]) > _MOST_PIECES:
            raise NoNumber(text)
        number = int(found["digits"])
        return cls(-number if found["sign"] in ("-", "−") else number, bool(found["sign"]))

    def after(self, inventory: int) -> int:
        """What the stock is then."""
        return inventory + self.number if self.is_amount else self.number


class WhyForm(forms.Form):
    """Why the stock changes."""

    reason = forms.TypedChoiceField(label="Reason", choices=_REASONS, coerce=StockReason)
    note = LineField(label="Note", required=False)
    press = PressField()

    def wishes(self) -> list[tuple[str, int, str]]:
        """What was typed beside which product, and the stock its writer saw; nothing typed is left out."""
        data: Any = self.data
        found = ((_FIELD.fullmatch(name), str(data.get(name, "")).strip()) for name in data)
        return [(match["id"], int(match["seen"]), text) for match, text in found if match and text]


class PasteForm(WhyForm):
    """Lines of a spreadsheet: SKU, tab, number; a third column is the stock that a look at it showed."""

    lines = forms.CharField(
        label="Lines",
        max_length=40_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
        help_text="One product a line: its SKU, a tab or semicolon, a number. 12 is a count, +5 and -3 are amounts. "
        f"{MOST_LINES} lines at most.",
    )

    def clean_lines(self) -> list[list[str]]:
        rows = [re.split(r"\t|;", line) for line in self.cleaned_data["lines"].splitlines() if line.strip()]
        if len(rows) > MOST_LINES:
            raise forms.ValidationError(f"These are {len(rows)} lines; paste {MOST_LINES} at most at a time.")
        return [[cell.strip() for cell in row] for row in rows]
