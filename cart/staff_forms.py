"""Shapes of what staff send about discount codes, and of the example on the page of delivery and tax."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings

from cart.discount_domain import COUNTED_FOR, BadDiscount, Discount, DiscountKind, DiscountState, normal_code, require_sound
from cart.wording import KINDS
from shop.lib.money import Money, digits
from shop.lib.places import COUNTRIES, HOME_COUNTRY

STATE_WORDS = {
    DiscountState.ACTIVE: "Active",
    DiscountState.SCHEDULED: "Scheduled",
    DiscountState.USED_UP: "Used up",
    DiscountState.ENDED: "Ended",
    DiscountState.OFF: "Switched off",
}
_TIME_FORMAT = "%Y-%m-%dT%H:%M"
_MADE_UP_FROM = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""What nobody takes for another sign."""
_MADE_UP_LENGTH = 10
_MOST = 10_000_000


class ListForm(forms.Form):
    """Which codes to show: a list's address, so nothing is required and nonsense is passed over."""

    q = forms.CharField(required=False, max_length=60)
    state = forms.ChoiceField(required=False, choices=[(state, state) for state in DiscountState])

    @property
    def begins(self) -> str:
        """What the codes shall begin with; empty for all of them. A dash at the end is kept: more may follow."""
        self.is_valid()
        typed = "".join(str(self.cleaned_data.get("q") or "").split()).upper()
        return typed if normal_code(typed.rstrip("-_")) else ""

    @property
    def state_chosen(self) -> DiscountState | None:
        self.is_valid()
        chosen = self.cleaned_data.get("state")
        return DiscountState(chosen) if chosen else None


class DiscountForm(forms.Form):
    """The terms of a code as staff write them. Times are the shop's, which are UTC."""

    code = forms.CharField(
        label="Code",
        required=False,
        max_length=60,
        help_text="Letters, digits and dashes, such as SPRING10. Empty makes up one that nobody guesses.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    kind = forms.ChoiceField(label="What it gives", choices=list(KINDS.items()))
    percent = forms.DecimalField(
        label="Percentage",
        required=False,
        max_digits=5,
        decimal_places=2,
        help_text="For a percentage. At least 1.00 of goods stays to be paid.",
    )
    amount = forms.DecimalField(label="Amount", required=False, max_digits=12, help_text="For an amount.")
    minimum = forms.DecimalField(
        label="Goods of at least", required=False, max_digits=12, help_text="Without delivery and tax. Empty for any value."
    )
    starts_at = forms.DateTimeField(
        label="Holds from (UTC)",
        required=False,
        input_formats=[_TIME_FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_TIME_FORMAT),
        help_text="Empty: from now on.",
    )
    ends_at = forms.DateTimeField(
        label="Until (UTC)",
        required=False,
        input_formats=[_TIME_FORMAT, "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format=_TIME_FORMAT),
        help_text="Holds until just before this time: for all of November 30 write December 1, 00:00. Empty: without end.",
    )
    most_uses = forms.IntegerField(
        label="Uses in all", required=False, min_value=1, max_value=_MOST, help_text="Orders that may have it. Empty: any number."
    )
    most_uses_each = forms.IntegerField(
        label="Uses by a customer",
        required=False,
        min_value=1,
        max_value=_MOST,
        help_text=f"A customer is an account or a mailbox, known for {COUNTED_FOR.days} days after a use. Empty: any number.",
    )
    is_active = forms.BooleanField(label="Holds (untick to switch it off)", required=False)

    def __init__(self, data: Any = None, *, discount: Discount | None = None) -> None:
        super().__init__(data, initial=_initial(discount) if discount else {"kind": DiscountKind.PERCENT, "is_active": True})
        self.discount = discount
        if discount:
            del self.fields["code"]
        step = str(Decimal(1).scaleb(-digits(settings.CURRENCY)))
        for name in ("amount", "minimum"):
            field = self.fields[name]
            field.label = f"{field.label} ({settings.CURRENCY})"
            field.widget.attrs |= {"step": step, "min": "0"}

    def clean_code(self) -> str:
        typed = str(self.cleaned_data["code"])
        if not typed.strip():
            return "".join(secrets.choice(_MADE_UP_FROM) for _ in range(_MADE_UP_LENGTH))
        code = normal_code(typed)
        if not code:
            raise forms.ValidationError("A code has up to 30 letters, digits and dashes, such as SPRING10.")
        return code

    def clean_amount(self) -> Money | None:
        return self._money("amount")

    def clean_minimum(self) -> Money | None:
        return self._money("minimum")

    def clean_starts_at(self) -> datetime | None:
        return _to_the_second(self.cleaned_data["starts_at"])

    def clean_ends_at(self) -> datetime | None:
        return _to_the_second(self.cleaned_data["ends_at"])

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            try:
                require_sound(self.written, currency=settings.CURRENCY)
            except BadDiscount as bad:
                self.add_error(bad.field if bad.field in self.fields else None, str(bad))
        return self.cleaned_data

    @property
    def written(self) -> Discount:
        """The terms that were written, at the version they are based on. Of a form whose fields are valid alone."""
        told = self.cleaned_data
        kind = DiscountKind(told["kind"])
        return Discount(
            code=self.discount.code if self.discount else told["code"],
            kind=kind,
            percent=told["percent"] if kind is DiscountKind.PERCENT else None,
            amount=told["amount"] if kind is DiscountKind.AMOUNT else None,
            minimum=told["minimum"] or None,
            starts_at=told["starts_at"],
            ends_at=told["ends_at"],
            most_uses=told["most_uses"],
            most_uses_each=told["most_uses_each"],
            is_active=told["is_active"],
        )

    def _money(self, name: str) -> Money | None:
        amount: Decimal | None = self.cleaned_data[name]
        try:
            return None if amount is None else Money.of(amount, settings.CURRENCY)
        except ValueError:
            raise forms.ValidationError(f"{settings.CURRENCY} has no amount as fine as {amount}.") from None


class ExampleForm(forms.Form):
    """A cart and an address to work an example with: a page's address, so everything has a default."""

    ROWS = 3

    country = forms.ChoiceField(label="Country", choices=list(COUNTRIES.items()), initial=HOME_COUNTRY, required=False)
    region = forms.CharField(label="State or region", required=False, max_length=50, help_text="As an address says it.")
    delivery = forms.ChoiceField(label="Way of sending", required=False)
    code = forms.CharField(
        label="Discount code", required=False, max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        methods = [(tariff.code, tariff.name) for tariff in settings.DELIVERY_METHODS]
        self.fields["delivery"].choices = [("", "The cheapest there is"), *methods]  # type: ignore[attr-defined]  # a ChoiceField
        for number in range(1, self.ROWS + 1):
            self.fields[f"sku_{number}"] = forms.CharField(label="SKU", required=False, max_length=64)
            self.fields[f"pieces_{number}"] = forms.IntegerField(
                label="Pieces", required=False, min_value=1, max_value=99, initial=1
            )

    def rows(self) -> list[tuple[Any, Any]]:
        """The fields of each line."""
        return [(self[f"sku_{number}"], self[f"pieces_{number}"]) for number in range(1, self.ROWS + 1)]

    @property
    def pieces(self) -> dict[str, int]:
        """How many of which SKU. Of a valid form alone."""
        told, found = self.cleaned_data, dict[str, int]()
        for number in range(1, self.ROWS + 1):
            if sku := told[f"sku_{number}"]:
                found[sku] = found.get(sku, 0) + (told[f"pieces_{number}"] or 1)
        return found


def _initial(discount: Discount) -> dict[str, Any]:
    given: dict[str, Any] = {name: getattr(discount, name) for name in DiscountForm.base_fields if name != "code"}
    given["percent"] = None if discount.percent is None else f"{discount.percent.normalize():f}"
    return given | {name: None if given[name] is None else given[name].amount for name in ("amount", "minimum")}


def _to_the_second(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(microsecond=0) if moment else None
