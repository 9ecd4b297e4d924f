"""A button pressed twice is pressed once: the form carries a key, claimed in the transaction that does what it asks.

A script stops the second press where there is one; without it, an impatient hand must not count a delivery twice.
"""

import uuid
from datetime import datetime

from django import forms

from shop.lib.answers import AnswerRow, Claim, claim_of

LONGEST_PRESS = 100


class PressField(forms.CharField):
    """The key of one drawing of a form, hidden in it; a form without one, drawn before there were any, is taken as it is."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=LONGEST_PRESS, widget=forms.HiddenInput, initial=new_press)


def new_press() -> str:
    """A key that no other form has."""
    return uuid.uuid4().hex


def claim_of_press(rows: type[AnswerRow], *, who: str, press: str, what: str, now: datetime) -> Claim | None:
    """The claim of what this person asks with this press; None without a key.

    `what` is part of the key: who comes back to the form and asks for something else is not taken for the first press.
    """
    return claim_of(rows, who=who, key=f"{press} {what}", request=what.encode(), now=now) if press else None
