"""Shapes of what the checkout, order pages and reviews accept from a browser."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.forms import EmailField
from cart.delivery_domain import DeliveryMethod
from catalog.review_domain import Words
from orders.domain import Address, OrderStatus, order_id_as_typed
from orders.history_queries import Wanted
from shop.lib import address_form, fields
from shop.lib.days import DayField
from shop.lib.fields import LineField, PhoneField, no_control_characters

STATUS_GROUPS: dict[str, tuple[str, tuple[OrderStatus, ...]]] = {
    "unpaid": ("Waiting for payment", (OrderStatus.PENDING,)),
    "packing": ("Being packed or checked", (OrderStatus.PROCESSING, OrderStatus.REVIEW)),
    "shipped": ("On the way", (OrderStatus.SHIPPED,)),
    "delivered": ("Delivered", (OrderStatus.DELIVERED,)),
    "ended": ("Cancelled or not paid", (OrderStatus.CANCELLED, OrderStatus.EXPIRED)),
    "refunded": ("Refunded", (OrderStatus.REFUND_PENDING, OrderStatus.REFUNDED)),
}
"""What shoppers can ask their orders for."""
_LINE_ENDS = re.compile(r"\r\n?")
_EMPTY_LINES = re.compile(r"\n\s*\n\s*")
# Overrides and isolates of writing direction: unclosed, they turn round what stands after them on the page.
_TURNING_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")


class ContactForm(forms.Form):
    """Whom to write to."""

    email = fields.EmailField(
        missing="Please give your e-mail address: the confirmation goes there.", help_text="We send the order confirmation here."
    )
    phone = PhoneField()


class AddressForm(address_form.AddressForm):
    """Where to send the parcel. Who is signed in may keep the address for the next time."""

    def __init__(self, *args: Any, can_save: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if can_save:
            self.fields["save"] = forms.BooleanField(label="Keep this address in my address book", required=False)

    def address(self) -> Address:
        """The address of a valid form."""
        return Address(**{name: text for name, text in self.cleaned_data.items() if name != "save"})

    @property
    def is_to_be_saved(self) -> bool:
        return bool(self.cleaned_data.get("save"))


class SavedChoiceForm(forms.Form):
    """Which entry of the address book to send the parcel to."""

    saved = forms.RegexField(r"^[-a-zA-Z0-9_]{1,100}$")


class DeliveryForm(forms.Form):
    """How to send the parcel: one of `methods`."""

    def __init__(self, *args: Any, methods: tuple[DeliveryMethod, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.methods = methods
        self.fields["delivery"] = forms.ChoiceField(
            label="Delivery",
            choices=[(method.code, method.name) for method in methods],
            widget=forms.RadioSelect,
            error_messages={
                "required": "Please choose how we shall send it.",
                "invalid_choice": "Please choose one of these.",
            },
        )


class FindForm(forms.Form):
    """An order's number and the address it was placed with."""

    number = LineField(
        label="Order number",
        autocomplete="off",
        missing="Please give the order number. It stands in the confirmation mail and begins with ord-.",
        max_length=60,
        help_text="It stands in the confirmation mail, such as ord-1sq0v3k7d9x2mw5ea.",
    )
    email = EmailField(label="E-mail you ordered with", missing="Please give the e-mail address you ordered with.")

    def clean_number(self) -> str:
        order_id = order_id_as_typed(self.cleaned_data["number"])
        if not order_id:
            raise ValidationError("An order number has letters and digits alone, such as ord-1sq0v3k7d9x2mw5ea.")
        return order_id


class HistoryForm(forms.Form):
    """Which of their orders somebody wants to see. What is wrong in it is told and left out."""

    status = forms.ChoiceField(
        label="Where they stand",
        required=False,
        choices=[("", "All"), *((code, words) for code, (words, _) in STATUS_GROUPS.items())],
        error_messages={"invalid_choice": "Please choose from the list."},
    )
    first = DayField(label="From")
    last = DayField(label="To")
    number = forms.CharField(label="Order number", required=False, max_length=60)

    def clean_number(self) -> str:
        """The number, or a part of it, without its beginning."""
        typed = str(self.cleaned_data["number"])
        if typed and not order_id_as_typed(typed):
            raise ValidationError("An order number has letters and digits alone.")
        return order_id_as_typed(typed).removeprefix("ord-")

    def clean(self) -> None:
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            self.add_error("last", "This day is before the first one.")

    def wanted(self) -> Wanted:
        """What the form asks for, as far as it is right."""
        self.full_clean()
        asked = self.cleaned_data
        _, statuses = STATUS_GROUPS.get(asked.get("status", ""), ("", ()))
        return Wanted(asked.get("first"), asked.get("last"), statuses, asked.get("number", ""))


class PlaceForm(forms.Form):
    """Which cart is ordered, the total in minor units the shopper agreed to, and the mark of all that was reviewed."""

    cart_id = forms.RegexField(r"^cart-[0-9a-z]{5,40}$")
    total_seen = forms.RegexField(r"^[0-9]{1,12}$")
    seen = forms.RegexField(r"^[0-9a-f]{20}-[0-9]{1,12}(\.[0-9]{1,12}){0,39}$")

    def clean_total_seen(self) -> int:
        return int(self.cleaned_data["total_seen"])


class ProseField(forms.CharField):
    """Text a person writes for others, with lines (`has_lines`) or on one. Marks that turn the writing round are dropped."""

    def __init__(self, *, has_lines: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.has_lines = has_lines

    def to_python(self, value: Any) -> str:
        """The text as we keep it: our line ends, no more than one empty line together. Other control characters are refused."""
        text = _TURNING_MARKS.sub("", _LINE_ENDS.sub("\n", str(value or "")).replace("\t", " "))
        no_control_characters(text.replace("\n", " ") if self.has_lines else text)
        return str(super().to_python(_EMPTY_LINES.sub("\n\n", text)))


class ReviewForm(forms.Form):
    """What a buyer says of a product. It is shown as it was typed, as text: links and tags in it are letters like others."""

    stars = forms.TypedChoiceField(
        label="How many stars?",
        choices=[(5, "Excellent"), (4, "Good"), (3, "It will do"), (2, "Not good"), (1, "Bad")],
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": "Please choose how many stars.", "invalid_choice": "Please choose from one to five stars."},
    )
    title = ProseField(label="In a few words (optional)", max_length=80, required=False)
    text = ProseField(
        label="Your review",
        max_length=2000,
        has_lines=True,
        help_text="What do you like, what not, and how do you use it? Up to 2,000 characters, without personal data.",
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": "Please write a sentence or two."},
    )
    author = ProseField(
        label="Name to show beside it",
        max_length=40,
        help_text="Your first name will do. Everybody can see it.",
        error_messages={"required": "Please give a name to show beside your review. It need not be your real one."},
    )

    def words(self) -> Words:
        """The words of a valid form."""
        return Words(**self.cleaned_data)
