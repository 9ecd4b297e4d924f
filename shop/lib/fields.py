"""Form fields that several apps share, and what they refuse."""

import unicodedata

from django import forms
from django.core.exceptions import ValidationError

_LINE_ENDS = str.maketrans("\r\n\t", "   ")
NOT_AN_EMAIL = "This does not look like an e-mail address. It needs an @ and a domain, such as ada@example.com."


def no_control_characters(value: str) -> None:
    """Refuse text with control characters: they have no place on a parcel label and break mail headers."""
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise ValidationError("Please write this without control characters.")


def none_but_line_ends(value: str) -> None:
    """Refuse control characters in a longer text, but for the ends of its lines and tabs."""
    no_control_characters(value.translate(_LINE_ENDS))


class LineField(forms.CharField):
    """One line of ordinary text. `missing` is what is said when it is empty; without it, it may be."""

    def __init__(self, *, label: str, autocomplete: str, missing: str = "", max_length: int = 100, help_text: str = "") -> None:
        super().__init__(
            label=label,
            max_length=max_length,
            required=bool(missing),
            help_text=help_text,
            validators=[no_control_characters],
            widget=forms.TextInput(attrs={"autocomplete": autocomplete}),
            error_messages={"required": missing},
        )


class PhoneField(forms.RegexField):
    """A phone number, if somebody likes to give one."""

    def __init__(self) -> None:
        super().__init__(
            r"^\+?[0-9 ()./-]{5,30}$",
            label="Phone (optional)",
            required=False,
            help_text="Only for the carrier, if the parcel cannot be delivered.",
            widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel", "type": "tel"}),
            error_messages={"invalid": "A phone number has digits, and may have spaces, brackets, dashes and a + in front."},
        )


class EmailField(forms.EmailField):
    """An e-mail address; `missing` is what is said when it is empty."""

    def __init__(
        self,
        *,
        label: str = "E-mail",
        missing: str = "Please give your e-mail address.",
        autocomplete: str = "email",
        help_text: str = "",
    ) -> None:
        super().__init__(
            label=label,
            max_length=254,
            help_text=help_text,
            widget=forms.EmailInput(attrs={"autocomplete": autocomplete, "inputmode": "email"}),
            error_messages={"required": missing, "invalid": NOT_AN_EMAIL},
        )
