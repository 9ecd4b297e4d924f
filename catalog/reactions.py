"""What follows when products' rows changed."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from django.conf import settings

from catalog.domain import Availability, Product, availability_of
from catalog.mails import send_back_in_stock, send_low_stock
from catalog.models import PRODUCT_SK, ProductRow, product_pk, to_product
from catalog.product_queries import forget_products
from catalog.queries import is_short, wishes
from catalog.search.engine import Batch, Document
from catalog.services import forget_wish, mark_availability, note_gone, note_in_family, note_shortage, update_index
from catalog.staff_models import ProductMailRow
from shop.lib.clock import utc_now
from shop.lib.mail_log import noting

Image = dict[str, Any] | None


def product_changed(old: Image, new: Image) -> None:
    """Show the change: drop what is kept of the product, and keep `availability`, which lists show, in step with the stock.

    `old` and `new` are the item before and after the change, as the stream has them.
    """
    item = new or old
    if item is None or item["SK"] != {"S": PRODUCT_SK}:
        return
    if new is None:
        note_gone(product=to_product(ProductRow.from_raw_data(item)))
        return
    row = ProductRow.from_raw_data(new)
    product = to_product(row)
    forget_products([row.product_id])
    if row.family and _image_of_choice(old) != _image_of_choice(new):
        note_in_family(product=product)
    if product.can_be_bought and old is not None and not to_product(ProductRow.from_raw_data(old)).can_be_bought:
        _tell_waiting(product)
    _note_shortage(old, product)
    due = availability_of(row.inventory)
    if row.availability is None or Availability(row.availability) is not due:
        mark_availability(product_id=row.product_id, inventory=row.inventory, availability=due)


def _note_shortage(old: Image, product: Product) -> None:
    """Keep the list of active products that are low or sold out, which staff read instead of the whole catalogue; and tell them.

    The list's row is written last and says that the mail is sent: a repeat finds it and sends none.
    """
    before = None if old is None else to_product(ProductRow.from_raw_data(old))
    was = before.shortage if before else None
    if before and (was, before.name, before.category) == (product.shortage, product.name, product.category):
        return
    # A draft that is published, or a product that is new, without stock is no surprise.
    got_worse = before is not None and before.is_active and product.shortage not in (None, was) and was is not Availability.OUT
    if got_worse and settings.STAFF_MAIL and not is_short(product=product):
        now = utc_now()
        # The hour tells this shortage from the next one, and a repeat of the record from neither.
        origin = f"{product.shortage}-{now:%Y%m%d%H}"
        with noting(ProductMailRow, subject=product_pk(product.product_id), origin=origin, now=now):
            send_low_stock(product, to=settings.STAFF_MAIL)
    note_shortage(product=product, before=was)


def _tell_waiting(product: Product) -> None:
    """Mail everybody who waits for the product, once: a wish is dropped after its mail, so a repeat finds those left over.

    One that is over and was not deleted yet is left to the table.
    """
    for wish in wishes(product_id=product.product_id):
        email, now = wish.email, utc_now()
        if wish.is_over(now):
            continue
        origin = f"{sha256(email.encode()).hexdigest()[:16]}-{now:%Y%m%d}"
        with noting(ProductMailRow, subject=product_pk(product.product_id), origin=origin, now=now):
            send_back_in_stock(product, email=email)
        forget_wish(product_id=product.product_id, email=email)


def _image_of_choice(item: Image) -> tuple[Any, ...]:
    """What the other members of a family show of the item."""
    if item is None:
        return ()
    inventory = int(item["inventory"]["N"])
    return item.get("slug"), item.get("options"), item.get("family"), item["status"], availability_of(inventory)


def products_changed(changes: Iterable[tuple[Image, Image]]) -> None:
    """Bring the search index up to date with a batch of changes, as (item before, item after) in their order.

    A change that lists neither show nor find, such as most sales, publishes nothing. Raises what the index raises.
    """
    products: dict[str, Product] = {}
    deleted: set[str] = set()
    for old, new in changes:
        item = new or old
        if item is None or item["SK"] != {"S": PRODUCT_SK}:
            continue
        product_id = item["productId"]["S"]
        if new is None:
            deleted.add(product_id)
            products.pop(product_id, None)
            continue
        product = to_product(ProductRow.from_raw_data(new))
        deleted.discard(product_id)
        if product_id in products or old is None or _is_listed_differently(to_product(ProductRow.from_raw_data(old)), product):
            products[product_id] = product
    update_index(batch=Batch.of(products.values(), deleted))


def _is_listed_differently(old: Product, new: Product) -> bool:
    if old.is_active != new.is_active:
        return True
    return new.is_active and Document.of(old) != Document.of(new)
