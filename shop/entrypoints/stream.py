"""The stream function: changes of the Products and Orders tables, to what follows from them."""

import logging
import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from catalog import reactions as catalog  # noqa: E402 - the apps need Django set up
from orders import reactions as orders  # noqa: E402
from shop.lib.clock import utc_now  # noqa: E402

logger = logging.getLogger(__name__)


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """React to each record; those that failed are named, so that Lambda delivers them again and forgets the rest."""
    failures = []
    for record in event["Records"]:
        try:
            _react(record)
        except Exception:  # one bad record must not keep the others waiting
            sequence_number = record["dynamodb"]["SequenceNumber"]
            logger.exception("record %s failed", sequence_number)
            failures.append({"itemIdentifier": sequence_number})
    return {"batchItemFailures": failures}


def _react(record: dict[str, Any]) -> None:
    # arn:aws:dynamodb:<region>:<account>:table/<prefix><name>/stream/<time>
    table = record["eventSourceARN"].split("/")[1]
    old, new = record["dynamodb"].get("OldImage"), record["dynamodb"].get("NewImage")
    if table.endswith("Products"):
        catalog.product_changed(new)
    elif table.endswith("Orders"):
        orders.order_changed(old, new, now=utc_now())
