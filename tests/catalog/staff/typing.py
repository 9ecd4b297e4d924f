"""What staff type into the product pages."""

import re
from html import unescape
from typing import Any

from django.test import Client

from catalog import queries
from catalog.domain import Product
from shop.lib.viewer import Permission, Viewer
from tests.conftest import words_of

EDITOR = Viewer(
    "user-000001", "Ada Lovelace", "ada@example.com", "staff", frozenset({Permission.PRODUCTS_EDIT, Permission.STOCK_EDIT})
)
URL = "/staff/products/"
XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7|add:7 }}",
    "'-alert(1)-'",
    "</textarea><svg onload=alert(1)>",
)


def typed(**overrides: Any) -> dict[str, Any]:
    """A new product as the form sends it."""
    return {
        "name": "Reed Basket",
        "slug": "",
        "description": "Woven by hand.",
        "brand": "Saltmere",
        "price": "24.50",
        "compare_at_price": "",
        "category": "Kitchen & Table",
        "sub_category": "Baskets",
        "sku": "SAL-REED",
        "weight": "",
        "tax_class": "",
        "family": "",
        "attribute_name": ["material", ""],
        "attribute_value": ["Reed", ""],
        "option_name": [""],
        "option_value": [""],
        "status": "draft",
        "publish_at": "",
        **overrides,
    }


def id_of(address: str) -> str:
    """The product whose page this is."""
    found = re.fullmatch(r"/staff/products/([^/]+)/", address)
    assert found, address
    return found[1]


def create(client: Client, **overrides: Any) -> str:
    """A product made through the page; its id."""
    answer = client.post(f"{URL}new/", typed(**overrides))
    assert answer.status_code == 303, words_of(answer.text)
    return id_of(answer["Location"])


def form_of(client: Client, product_id: str) -> dict[str, Any]:
    """What the editor would send if nothing were typed."""
    page = client.get(f"/staff/products/{product_id}/").text
    return fields_in(page)


def fields_in(page: str) -> dict[str, Any]:
    """The editor's fields with the values they hold."""
    form = page[page.index('<form id="editor"') :]
    form = form[: form.index("</form>")]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        fields.setdefault(attributes["name"], []).append(unescape(attributes.get("value", "")))
    for name, options in re.findall(r'<select name="([^"]+)".*?>(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        fields[name] = [unescape(chosen[1])] if chosen else [""]
    for name, text in re.findall(r'<textarea name="([^"]+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL):
        fields[name] = [unescape(text)]
    return {name: values if name.endswith(("_name", "_value")) else values[0] for name, values in fields.items()}


def saved(product_id: str) -> Product:
    """The product as it is in the table."""
    return queries.product(product_id=product_id, consistent=True)
