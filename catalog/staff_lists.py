"""What staff's lists of products are asked, as it stands in their addresses: read from one, and written into one."""

from django import forms

from catalog.domain import Availability
from catalog.forms import CONTROL
from catalog.staff_forms import LONGEST_NAME
from catalog.staff_queries import Asked, Found, Tab, ways_on
from shop.lib.addresses import with_query


class ListForm(forms.Form):
    """The address of staff's list of products. What does not fit is left out."""

    tab = forms.ChoiceField(choices=[(tab, tab) for tab in Tab], required=False)
    q = forms.CharField(required=False)
    category = forms.CharField(max_length=LONGEST_NAME, required=False)
    stock = forms.ChoiceField(choices=[(Availability.LOW, "Low"), (Availability.OUT, "Sold out")], required=False)
    page = forms.RegexField(r"^[0-9]{1,4}$", required=False)
    cursor = forms.CharField(max_length=1000, required=False)

    def asked(self) -> Asked:
        """What the list is asked."""
        self.is_valid()
        given = {name: str(self.cleaned_data.get(name) or "") for name in self.fields}
        return Asked(
            tab=Tab(given["tab"] or Tab.ACTIVE),
            text=CONTROL.sub(" ", given["q"]).strip()[:100],
            category=given["category"],
            stock=Availability(given["stock"]) if given["stock"] else None,
            page=max(int(given["page"] or 1), 1),
            cursor=given["cursor"],
        )


def list_url(path: str, asked: Asked) -> str:
    """The address of a list of products, from which `ListForm` reads the same question."""
    given = {
        "tab": "" if asked.tab is Tab.ACTIVE else asked.tab,
        "q": asked.text,
        "category": asked.category,
        "stock": asked.stock or "",
        "page": str(asked.page) if asked.page > 1 else "",
        "cursor": asked.cursor,
    }
    return with_query(path, given)


def list_page_urls(path: str, asked: Asked, found: Found) -> dict[str, str]:
    """`next_url` and `previous_url` of a list of products; empty where there is nothing further."""
    after, before = ways_on(asked, found)
    return {"next_url": list_url(path, after) if after else "", "previous_url": list_url(path, before) if before else ""}
