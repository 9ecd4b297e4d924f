"""The job clock: calls the jobs function as EventBridge's schedules do on AWS (`infra/template.yaml`)."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from shop.local.context import LocalContext

Handler = Callable[[dict[str, Any], object], object]

# Every scheduled job and the seconds between its runs.
JOBS: Mapping[str, float] = {
    "release_unpaid_orders": 60.0,
    "count_stuck_orders": 300.0,
    "settle_paid_orders": 60.0,
    "resume_refunds": 60.0,
    "reconcile": 3600.0,
    "reconcile_stock": 3600.0,
    "rank_sold": 300.0,
    "publish_due_products": 60.0,
    "move_renamed_products": 60.0,
    "work_off_transfers": 60.0,
}

logger = logging.getLogger(__name__)


def run_clock(
    *,
    handler: Handler,
    stop: threading.Event,
    jobs: Mapping[str, float] = JOBS,
    now: Callable[[], float] = time.monotonic,
) -> None:
    """Run every job at once and then at its interval until `stop` is set. A job that fails is logged and runs again when due."""
    due_at = dict.fromkeys(jobs, now())
    while not stop.is_set():
        name = min(due_at, key=lambda job: due_at[job])
        if stop.wait(max(0.0, due_at[name] - now())):
            return
        try:
            handler({"job": name}, LocalContext("jobs"))
        except Exception:
            logger.exception("job %s failed; it runs again in %.0f s", name, jobs[name])
        # Counted from the end: a job that takes longer than its interval must not run without a pause.
        due_at[name] = now() + jobs[name]
