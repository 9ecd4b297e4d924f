"""The stream function: changes of the tables, to what follows from them."""

import logging
import os
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from accounts import reactions as accounts
from cart.reactions import is_new_cart
from catalog import reactions as catalog
from orders import reactions as orders
from orders import services as order_services
from shop.entrypoints import figures, observing
from shop.entrypoints.times import lambda_time
from shop.lib.clock import utc_now
from shop.lib.deadline import time_left

observing.start()
logger = logging.getLogger(__name__)

Image = dict[str, Any] | None
_LEAST_SECONDS = 5.0
"""A reaction is not begun with less: a mail cut off in its middle may be sent twice."""


def _order_changed(old: Image, new: Image) -> None:
    orders.order_changed(old, new, now=utc_now())


def _account_changed(old: Image, new: Image) -> None:
    accounts.account_changed(old, new, now=utc_now())


def _nothing(old: Image, new: Image) -> None:
    """A new cart is counted, with all of its batch, and causes nothing."""


REACTIONS: dict[str, Callable[[Image, Image], None]] = {
    "Products": catalog.product_changed,
    "Orders": _order_changed,
    "Users": _account_changed,
    "Carts": _nothing,
}
"""What follows from a change, by table. infra/template.yaml delivers the streams of exactly these."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """React to each record; those that failed are named, so that Lambda delivers them again and forgets the rest."""
    with observing.run_of("stream", context, records=len(event["Records"])) as run, lambda_time(context):
        failed = [record for record in event["Records"] if not _is_done(record, _react)]
        products = [record for record in event["Records"] if _table(record) == "Products" and record not in failed]
        if products and not _is_done(products, _react_together):
            failed += products
        carts = [record for record in _settled(event["Records"], failed) if _is_new_cart(record)]
        if carts and not _is_done(carts, _count_carts):
            failed += carts
        run.note(failed=len(failed))
        for record in _settled(event["Records"], failed):
            _count(run, record)
    return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in failed]}


def _is_done(what: Any, react: Callable[[Any], None]) -> bool:
    if time_left() < _LEAST_SECONDS:
        return False
    try:
        react(what)
    except Exception:  # one bad record must not keep the others waiting
        logger.exception("a change could not be reacted to")
        return False
    return True


def _react(record: dict[str, Any]) -> None:
    reaction = REACTIONS.get(_table(record))
    if reaction:
        reaction(*_images(record))


def _react_together(records: list[dict[str, Any]]) -> None:
    """One new search index for the whole batch: publishing is the same work for one change and for a hundred."""
    catalog.products_changed([_images(record) for record in records])


def _count_carts(records: list[dict[str, Any]]) -> None:
    order_services.count_carts(number=len(records), now=utc_now())


def _is_new_cart(record: dict[str, Any]) -> bool:
    _, new = _images(record)
    return _table(record) == "Carts" and is_new_cart(new)


def _settled(records: list[dict[str, Any]], failed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records that will not come again: Lambda delivers everything from the first failure on."""
    return records[: min((records.index(record) for record in failed), default=len(records))]


def _count(run: observing.Run, record: dict[str, Any]) -> None:
    old, new = _images(record)
    if new is None:
        return
    if _is_new_cart(record):
        run.count("CartsStarted")
    elif _table(record) == "Orders":
        for name, number in figures.of_order(old, new).items():
            run.count(name, number)


def _images(record: dict[str, Any]) -> tuple[Image, Image]:
    return record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage")


def _table(record: dict[str, Any]) -> str:
    """The specification's name of the record's table."""
    # arn:aws:dynamodb:<region>:<account>:table/<prefix><name>/stream/<time>
    name = str(record["eventSourceARN"].split("/")[1])
    return next((table for table in REACTIONS if name.endswith(table)), "")
