"""The jobs function: what the schedule calls by name."""

import logging
import os
from collections.abc import Callable
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()

from catalog import jobs as catalog
from catalog.importing import work_off_transfers
from orders import jobs as orders
from shop.entrypoints import observing
from shop.entrypoints.times import lambda_time
from shop.lib.clock import utc_now
from shop.lib.deadline import OutOfTime

observing.start()
logger = logging.getLogger(__name__)

JOBS: dict[str, Callable[..., int]] = {
    "release_unpaid_orders": orders.release_unpaid_orders,
    "count_stuck_orders": orders.count_stuck_orders,
    "settle_paid_orders": orders.settle_paid_orders,
    "resume_refunds": orders.resume_refunds,
    "reconcile": orders.reconcile,
    "reconcile_stock": orders.reconcile_stock,
    "rank_sold": orders.rank_sold,
    "publish_due_products": catalog.publish_due_products,
    "move_renamed_products": catalog.move_renamed_products,
    "work_off_transfers": work_off_transfers,
}
"""Every job by the name the schedule uses; each takes `now` and tells how many things it did. May run twice."""
_METRICS = {
    "release_unpaid_orders": "OrdersReleased",
    "count_stuck_orders": "StuckOrders",
    "settle_paid_orders": "OrdersSettledLate",
    "resume_refunds": "RefundsResumed",
    "reconcile": "Findings",
    "reconcile_stock": "StockFindings",
    "publish_due_products": "ProductsPublished",
    "move_renamed_products": "ProductsMoved",
    "work_off_transfers": "LinesTransferred",
}
"""The metric that a job's answer is, where somebody would look at it: each costs by the month."""


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Run the job the event names. Raises KeyError for an unknown one, so that a misspelt schedule is noticed.

    A job that runs out of time stops between two things; its next run goes on from there.
    """
    name = event["job"]
    job = JOBS[name]
    with observing.run_of("jobs", context, job=name) as run, lambda_time(context):
        try:
            done = job(now=utc_now())
        except OutOfTime:
            logger.warning("job %s ran out of time; its next run goes on", name)
            return {"job": name, "unfinished": True}
        if name in _METRICS:
            run.count(_METRICS[name], done)
        if done:
            logger.info("job %s did %d", name, done)
    return {"job": name, "done": done}
