"""Days in forms: the field, and the span that lists are asked for by their address."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator


class DayField(forms.DateField):
    """A day, as browsers send it; within the years that anything here can be of."""

    def __init__(self, *, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            input_formats=["%Y-%m-%d"],
            validators=[
                MinValueValidator(date(2000, 1, 1), "Please choose a later day."),
                MaxValueValidator(date(2100, 1, 1), "Please choose an earlier day."),
            ],
            widget=forms.DateInput(attrs={"type": "date"}),
            error_messages={"invalid": "Please write the day as 2026-05-31."},
        )


class SpanForm(forms.Form):
    """A span of days in a list's address: nothing is required, and nonsense is passed over."""

    since = DayField(label="From")
    until = DayField(label="To")

    def value(self, name: str) -> Any:
        """A field's value; None when it was not given or makes no sense."""
        self.is_valid()
        return self.cleaned_data.get(name) or None

    @property
    def begins(self) -> datetime | None:
        return _midnight(self.value("since"))

    @property
    def ends(self) -> datetime | None:
        """The last moment of the day asked for."""
        day = _midnight(self.value("until"))
        return day + timedelta(days=1) - timedelta(seconds=1) if day else None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
