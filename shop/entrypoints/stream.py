"""The stream function: changes of the Products, Orders and Users tables, to what follows from them."""

import logging
import os
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from accounts import reactions as accounts  # noqa: E402 - the apps need Django set up
from catalog import reactions as catalog  # noqa: E402
from orders import reactions as orders  # noqa: E402
from shop.lib.clock import utc_now  # noqa: E402

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """React to each record; those that failed are named, so that Lambda delivers them again and forgets the rest."""
    failed = [record for record in event["Records"] if not _is_done(record, _react)]
    products = [record for record in event["Records"] if _table(record).endswith("Products") and record not in failed]
    if products and not _is_done(products, _react_together):
        failed += products
    return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]} for record in failed]}


def _is_done(what: Any, react: Callable[[Any], None]) -> bool:
    try:
        react(what)
    except Exception:  # one bad record must not keep the others waiting
        logger.exception("a change could not be reacted to")
        return False
    return True


def _react(record: dict[str, Any]) -> None:
    old, new = _images(record)
    if _table(record).endswith("Products"):
        catalog.product_changed(old, new)
    elif _table(record).endswith("Orders"):
        orders.order_changed(old, new, now=utc_now())
    elif _table(record).endswith("Users"):
        accounts.account_changed(old, new, now=utc_now())


def _react_together(records: list[dict[str, Any]]) -> None:
    """One new search index for the whole batch: publishing is the same work for one change and for a hundred."""
    catalog.products_changed([_images(record) for record in records])


def _images(record: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    return record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage")


def _table(record: dict[str, Any]) -> str:
    # arn:aws:dynamodb:<region>:<account>:table/<prefix><name>/stream/<time>
    return str(record["eventSourceARN"].split("/")[1])
