"""Prints, for each file of a folder, what taking it in as a photograph cost: peak memory beyond the start, and seconds.

A process of its own that forks once a file: what the system notes of such a child is that file's alone.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from catalog.photos import PhotoRefused, renditions
from catalog.photos.renditions import webp_widths

_MAXRSS_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_of(work: Callable[[], object]) -> tuple[int, float]:
    started_at = time.monotonic()
    child = os.fork()
    if not child:
        try:
            work()
        except PhotoRefused:
            os._exit(0)
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status, usage = os.wait4(child, 0)
    if status:
        raise SystemExit(f"the child ended with {status}")
    return usage.ru_maxrss * _MAXRSS_UNIT, time.monotonic() - started_at


def take_in(file: Path) -> None:
    webp_widths(file.read_bytes())


def main() -> None:
    # What is loaded at the first picture is loaded before the first measurement.
    assert renditions
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    start, _ = peak_of(lambda: None)
    costs = {}
    for file in sorted(Path(sys.argv[1]).iterdir()):
        peak, seconds = peak_of(partial(take_in, file))
        costs[file.name] = {"bytes": peak - start, "seconds": round(seconds, 2)}
    sys.stdout.write(json.dumps(costs))


if __name__ == "__main__":
    main()
