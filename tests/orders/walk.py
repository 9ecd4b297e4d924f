"""The way through the checkout by plain forms."""

import re
from html import unescape
from typing import Any

from django.test import Client

from tests.accounts.people import ADDRESS
from tests.conftest import items_of


def orders() -> list[dict[str, Any]]:
    return [item for item in items_of("Orders") if item["SK"]["S"].startswith("ORDER#")]


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's form that places the order."""
    form = page[page.index('action="/checkout/place/"') :]
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[: form.index("</form>")])
    }


def shown_in(page: str) -> dict[str, str]:
    """What stands in the page's text fields, by name."""
    main = page[page.index("<main") :]
    found = [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall(r"<input ([^>]*)>", main)]
    fields = [attributes for attributes in found if attributes.get("type") in ("text", "email", "tel")]
    return {attributes["name"]: unescape(attributes.get("value", "")) for attributes in fields}


def walk_to_review(client: Client, product_id: str, quantity: int = 1) -> str:
    """Fill a cart and all steps; the review page."""
    client.post("/cart/add/", {"product_id": product_id, "quantity": str(quantity)})
    client.post("/checkout/contact/", {"email": "ada@example.com", "phone": ""})
    client.post("/checkout/address/", ADDRESS)
    client.post("/checkout/delivery/", {"delivery": "standard"})
    return client.get("/checkout/review/").text


def place(client: Client, product_id: str, quantity: int = 1) -> Any:
    return client.post("/checkout/place/", fields_of(walk_to_review(client, product_id, quantity)))
