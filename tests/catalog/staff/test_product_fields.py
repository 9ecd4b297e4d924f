"""Every field staff write of a product is on the page, in the table and in the spreadsheet: one without a line here fails."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from catalog.domain import ProductStatus
from catalog.editing_domain import FIELDS, Draft, draft_of
from catalog.transfer_domain import COLUMNS
from shop.lib.money import Money
from shop.lib.viewer import Viewer
from tests import factories
from tests.catalog.staff.typing import fields_in, form_of, saved

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]
URL = "/staff/products/"

TYPED: dict[str, dict[str, Any]] = {
    "name": {"name": "Tide Mug"},
    "slug": {"slug": "tide"},
    "description": {"description": "Thrown in one piece."},
    "brand": {"brand": "Fernhollow"},
    "price": {"price": "31.00"},
    "compare_at_price": {"compare_at_price": "35.50"},
    "category": {"category": "Lighting"},
    "sub_category": {"sub_category": "Lamps"},
    "sku": {"sku": "FER-TIDE"},
    "weight": {"weight": "390"},
    "tax_class": {"tax_class": "books"},
    "family": {"family": "tide-mugs"},
    "options": {"option_name": ["colour", ""], "option_value": ["Sand", ""]},
    "attributes": {"attribute_name": ["material", ""], "attribute_value": ["Porcelain", ""]},
    "status": {"status": "draft"},
    "publish_at": {"publish_at": "2030-01-02T03:04"},
}
WRITTEN = Draft(
    name="Tide Mug",
    slug="tide",
    description="Thrown in one piece.",
    brand="Fernhollow",
    price=Money(3100, "USD"),
    compare_at_price=Money(3550, "USD"),
    category="Lighting",
    sub_category="Lamps",
    sku="FER-TIDE",
    weight=390,
    tax_class="books",
    family="tide-mugs",
    options={"colour": "Sand"},
    attributes={"material": "Porcelain"},
    status=ProductStatus.DRAFT,
    publish_at=datetime(2030, 1, 2, 3, 4, tzinfo=UTC),
)


@pytest.fixture
def editor(client: Client, sign_in: SignIn) -> Client:
    factories.make_category()
    factories.make_category("Lighting", "lighting")
    sign_in(client, "products.view", "products.edit")
    return client


def test_every_field_is_typed_here() -> None:
    assert tuple(TYPED) == FIELDS
    assert set(FIELDS) <= set(COLUMNS)


def test_every_field_is_on_the_page_and_a_new_product_keeps_it(editor: Client) -> None:
    names = {name for fields in TYPED.values() for name in fields}
    assert names <= set(fields_in(editor.get(f"{URL}new/").text))

    made = editor.post(f"{URL}new/", {name: value for fields in TYPED.values() for name, value in fields.items()})

    assert draft_of(saved(made["Location"].split("/")[-2])) == WRITTEN


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in ("publish_at", "family")])
def test_each_field_is_saved_by_itself(editor: Client, field: str) -> None:
    mug = factories.make_product()

    editor.post(f"{URL}{mug.product_id}/save/", form_of(editor, mug.product_id) | TYPED[field])

    assert getattr(draft_of(saved(mug.product_id)), field) == getattr(WRITTEN, field) != getattr(draft_of(mug), field)


@pytest.mark.parametrize(("field", "needs"), [("publish_at", "status"), ("family", "options")])
def test_what_needs_another_is_saved_with_it(editor: Client, field: str, needs: str) -> None:
    product_id = factories.make_product().product_id

    editor.post(f"{URL}{product_id}/save/", form_of(editor, product_id) | TYPED[field] | TYPED[needs])

    assert getattr(draft_of(saved(product_id)), field) == getattr(WRITTEN, field)
