"""`python -m shop.local.prove.importing_run ID`: the jobs function, a minute a time as on AWS, until an import is at its end.

A process of its own, so that it can be killed like one, and so that its memory is what an import takes and nothing else.
"""

import json
import sys
import time
from collections import Counter
from typing import Any

from shop.local.bench.usage import memory_mb

_WORKING = ("checking", "applying", "exporting")


def main(transfer_id: str) -> None:
    """Work an import or export off and print what it took, as JSON."""
    from catalog import importing
    from catalog.photos import bucket
    from shop.entrypoints import jobs
    from shop.lib.tables import Busy, connection, trouble_as_busy
    from shop.local.context import LocalContext

    calls: Counter[str] = Counter()

    def count(model: Any, **_: Any) -> None:
        calls[model.name] += 1

    importing.transfer(transfer_id=transfer_id)  # the client is part of what every function starts with
    connection().client.meta.events.register("before-call.dynamodb", count)
    bucket().meta.events.register("before-call.s3", count)
    memory_before, wall, cpu, runs, busy, longest = memory_mb("self", peak=True), time.monotonic(), time.process_time(), 0, 0, 0.0
    while _is_unfinished(transfer_id):
        begun = time.monotonic()
        try:
            with trouble_as_busy():
                jobs.handler({"job": "work_off_transfers"}, LocalContext("jobs"))
        except Busy:  # a table engine on a laptop may stall with so much in it; the next run goes on, as on AWS
            busy += 1
        longest = max(longest, time.monotonic() - begun)
        runs += 1
    took = {
        "seconds": time.monotonic() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "memory_mb": memory_mb("self", peak=True),
        "grown_mb": memory_mb("self", peak=True) - memory_before,
        "runs": runs,
        "busy": busy,
        "longest_run": longest,
        "calls": calls,
    }
    print(json.dumps(took))


def _is_unfinished(transfer_id: str) -> bool:
    from catalog import importing
    from shop.lib.tables import Busy, trouble_as_busy

    try:
        with trouble_as_busy():
            return importing.transfer(transfer_id=transfer_id).state in _WORKING
    except Busy:
        return True


if __name__ == "__main__":
    main(sys.argv[1])
