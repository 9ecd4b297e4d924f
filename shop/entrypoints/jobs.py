"""The jobs function: what the schedule calls by name."""

import logging
import os
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from orders import jobs as orders  # noqa: E402 - the apps need Django set up
from shop.lib.clock import utc_now  # noqa: E402

logger = logging.getLogger(__name__)

JOBS: dict[str, Callable[..., int]] = {"release_unpaid_orders": orders.release_unpaid_orders}
"""Every job by the name the schedule uses; each takes `now` and tells how many things it did."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the job the event names. Raises KeyError for an unknown one, so that a misspelt schedule is noticed."""
    done = JOBS[event["job"]](now=utc_now())
    if done:
        logger.info("job %s did %d", event["job"], done)
    return {"job": event["job"], "done": done}
