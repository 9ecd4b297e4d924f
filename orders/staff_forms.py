"""Shapes of what staff send about orders."""

import re
from decimal import Decimal
from typing import Any

from django import forms

from orders.domain import Order, OrderStatus
from orders.ledger_domain import amount_asked
from orders.sweeping import MOST, Act
from shop.lib.days import SpanForm
from shop.lib.fields import LineField, no_control_characters
from shop.lib.money import Money, digits
from shop.lib.paths import IdConverter
from shop.lib.presses import PressField

_LONGEST_REASON = 200
_ID = re.compile(IdConverter.regex)


class ListForm(SpanForm):
    """Which orders to show: a list's address, so nothing is required and nonsense is passed over."""

    q = forms.CharField(label="Number, e-mail or name", required=False, max_length=200)
    status = forms.ChoiceField(required=False, choices=[("", "All"), *((status, status) for status in OrderStatus)])

    @property
    def status_chosen(self) -> OrderStatus | None:
        chosen = self.value("status")
        return OrderStatus(chosen) if chosen else None


class PiecesForm(forms.Form):
    """A number of pieces for each line of an order; `most` gives the bound of each by product."""

    def __init__(self, data: Any = None, *, order: Order, most: dict[str, int], filled: bool) -> None:
        super().__init__(data)
        self.order = order
        for line in order.lines:
            bound = most[line.product_id]
            self.fields[f"pieces-{line.product_id}"] = forms.IntegerField(
                label=f"Pieces of {line.name}",
                min_value=0,
                max_value=bound,
                initial=bound if filled else 0,
                required=False,
                disabled=not bound,
                error_messages={
                    "max_value": f"{line.name}: at most {bound}.",
                    "min_value": f"{line.name}: not less than 0.",
                    "invalid": f"{line.name}: a whole number, please.",
                },
            )

    def rows(self) -> list[tuple[Any, Any]]:
        """Each line with its field."""
        return [(line, self[f"pieces-{line.product_id}"]) for line in self.order.lines]

    @property
    def pieces(self) -> dict[str, int]:
        """How many of which product; lines with none are left out."""
        found = {line.product_id: self.cleaned_data[f"pieces-{line.product_id}"] or 0 for line in self.order.lines}
        return {product_id: count for product_id, count in found.items() if count}


class ShipForm(PiecesForm):
    """A parcel that leaves."""

    carrier = LineField(label="Carrier", autocomplete="off", max_length=40)
    tracking_number = LineField(label="Tracking number", autocomplete="off", max_length=60)
    press = PressField()

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, order=order, most={line.product_id: line.to_ship for line in order.lines}, filled=True)
        self.fields["carrier"].widget.attrs["list"] = "carriers"

    def clean(self) -> dict[str, Any]:
        if not self.errors and not self.pieces:
            raise forms.ValidationError("The parcel would be empty: say how many pieces leave.")
        return self.cleaned_data


class RefundForm(PiecesForm):
    """What goes back: pieces of lines, the delivery, an amount beside.

    Of a line that left in part it is asked whether pieces had left and came back, or never left: those need not leave any more.
    """

    delivery = forms.BooleanField(label="Delivery", required=False)
    extra = forms.DecimalField(
        label="Another amount",
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        error_messages={"min_value": "An amount below zero cannot be given back.", "invalid": "An amount such as 12.50, please."},
    )
    restock = forms.BooleanField(label="Put the pieces back into stock", required=False)
    note = LineField(label="Reason (staff see it, the shopper does not)", autocomplete="off", max_length=_LONGEST_REASON)
    number = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, order: Order) -> None:
        super().__init__(data, order=order, most={line.product_id: line.refundable for line in order.lines}, filled=False)
        for line in (line for line in order.lines if line.away and line.to_ship):
            self.fields[f"sent-{line.product_id}"] = forms.IntegerField(
                label=f"Of these pieces of {line.name}, came back",
                min_value=0,
                max_value=line.away,
                required=False,
                error_messages={
                    "max_value": f"{line.name}: at most {line.away} can have come back, the others have not left.",
                    "min_value": f"{line.name}: not less than 0.",
                    "invalid": f"{line.name}: a whole number, please.",
                },
            )
        self.fields["number"].initial = order.refund_count + 1
        self.fields["restock"].initial = not order.has_left
        self.fields["delivery"].disabled = order.delivery_refunded or not order.shipping
        places = digits(order.total.currency)
        extra = self.fields["extra"]
        extra.widget.attrs["step"] = str(Decimal(1).scaleb(-places))

    def rows_that_left_in_part(self) -> list[tuple[Any, Any]]:
        """Lines of which pieces have left and others wait, each with the field that tells them apart."""
        return [(line, self[name]) for line in self.order.lines if (name := f"sent-{line.product_id}") in self.fields]

    @property
    def sent(self) -> dict[str, int]:
        """How many pieces of which product came back, where it was told; the others have not left, as far as there are such."""
        told = {line.product_id: self.cleaned_data.get(f"sent-{line.product_id}") for line in self.order.lines}
        return {product_id: count for product_id, count in told.items() if count is not None}

    def clean(self) -> dict[str, Any]:
        if self.errors:
            return self.cleaned_data
        for line in (line for line in self.order.lines if line.product_id in self.sent):
            asked, sent = self.pieces.get(line.product_id, 0), self.sent[line.product_id]
            if sent > asked:
                raise forms.ValidationError(f"{line.name}: {sent} cannot have come back when {asked} are refunded.")
            if asked - sent > line.to_ship:
                least = asked - line.to_ship
                raise forms.ValidationError(f"{line.name}: {line.to_ship} of them still here, so at least {least} came back.")
        # The button pressed twice sends a number that is taken: that is met again, and asks for nothing more.
        is_new = self.cleaned_data["number"] > self.order.refund_count
        if is_new and not self.amount:
            raise forms.ValidationError("Please choose what goes back: pieces, the delivery or an amount.")
        if is_new and self.amount > self.order.payment.left:
            left = self.order.payment.left
            raise forms.ValidationError(f"That would be {self.amount}, and at most {left} can still go back. Choose less.")
        return self.cleaned_data

    @property
    def amount(self) -> Money:
        """What goes back in all."""
        told = self.cleaned_data
        return amount_asked(self.order, self.pieces, delivery=told["delivery"], extra=told["extra"])

    def clean_extra(self) -> Money | None:
        amount = self.cleaned_data["extra"]
        if not amount:
            return None
        try:
            return Money.of(amount, self.order.total.currency)
        except ValueError:
            raise forms.ValidationError(f"{self.order.total.currency} has no amount as fine as {amount}.") from None


class NoteForm(forms.Form):
    """A note, or the reason for a decision."""

    text = forms.CharField(
        label="Note",
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Write something first."},
    )


class ReasonForm(forms.Form):
    """Why an order is cancelled or a review ended."""

    note = forms.CharField(label="Reason", max_length=_LONGEST_REASON, required=False, validators=[no_control_characters])


class SeveralForm(forms.Form):
    """Which customers are ticked, and what shall be done with all of them."""

    act = forms.ChoiceField(choices=[(act, act) for act in (Act.SHUT_OUT, Act.LET_IN)], required=False)
    typed = forms.CharField(label="How many accounts shall be erased", max_length=10, required=False)

    @property
    def chosen(self) -> list[str]:
        """The ids of the customers, each once."""
        data: Any = self.data
        return list(dict.fromkeys(one for one in data.getlist("id") if _ID.fullmatch(one)))[:MOST]
