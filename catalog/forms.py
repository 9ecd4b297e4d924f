"""Shapes of what catalogue pages accept in the query."""

from django import forms

CHEAPEST, DEAREST = "price", "-price"


class CategoryForm(forms.Form):
    """Order and place in a category's list; anything else than these is the default, for a bad link still shows a shelf."""

    sort = forms.ChoiceField(choices=[(CHEAPEST, "Price, low to high"), (DEAREST, "Price, high to low")], required=False)
    cursor = forms.CharField(max_length=1000, required=False)

    def value(self, name: str) -> str:
        """The cleaned value, or nothing where the query was no good."""
        self.is_valid()
        return str(self.cleaned_data.get(name, ""))
