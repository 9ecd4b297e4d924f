"""Shapes of what the cart accepts from a browser: a product id and a quantity, nothing else."""

from django import forms

from cart.domain import MAX_QUANTITY

_ID_LENGTH = 64
# Django's IntegerField accepts any script's digits and "1.0"; a quantity is written in ASCII digits.
_DIGITS = r"^[0-9]{1,6}$"
_LARGEST_TYPED = 999_999


class ProductForm(forms.Form):
    """Which product."""

    product_id = forms.RegexField(r"^[A-Za-z0-9_-]+$", max_length=_ID_LENGTH)


class CodeForm(forms.Form):
    """A discount code as it was typed; whether there is such a code is the service's business."""

    code = forms.CharField(max_length=100, required=False)


class AddForm(ProductForm):
    """How many of a product to add: 1 to MAX_QUANTITY."""

    quantity = forms.RegexField(_DIGITS, error_messages={"required": "How many? Please give a number.", "invalid": ""})

    least = 1
    most = MAX_QUANTITY

    def clean_quantity(self) -> int:
        quantity = int(self.cleaned_data["quantity"])
        if not self.least <= quantity <= self.most:
            raise forms.ValidationError("out of range")
        return quantity


class UpdateForm(AddForm):
    """What quantity a line shall have: 0 removes it, more than there is or may be is as many as there are."""

    least = 0
    most = _LARGEST_TYPED
