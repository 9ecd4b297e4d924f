"""What follows when a product's row changed."""

from typing import Any

from catalog.domain import Availability, availability_of
from catalog.models import PRODUCT_SK, ProductRow
from catalog.queries import forget_products
from catalog.services import mark_availability


def product_changed(new: dict[str, Any] | None) -> None:
    """Show the change: drop what is kept of the product, and keep `availability`, which lists show, in step with the stock.

    `new` is the item after the change, as the stream has it.
    """
    if new is None or new["SK"] != {"S": PRODUCT_SK}:
        return
    row = ProductRow.from_raw_data(new)
    forget_products([row.product_id])
    due = availability_of(row.inventory)
    if row.availability is None or Availability(row.availability) is not due:
        mark_availability(product_id=row.product_id, inventory=row.inventory, availability=due)
