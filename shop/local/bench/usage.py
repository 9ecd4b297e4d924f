"""What a process has used so far, told by itself: exact to the microsecond, where /proc counts in hundredths of a second."""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

USAGE_PATH = "/_bench/usage"
_KILO, _MEGA = 1024, 1024 * 1024


def with_usage(application: WSGIApplication, *, table_calls: Callable[[], int] = lambda: 0) -> WSGIApplication:
    """The application, and at USAGE_PATH the processor time, memory and table calls of the process that serves it."""

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != USAGE_PATH:
            return application(environ, start_response)
        return _tell(start_response, table_calls())

    return answer


def _tell(start_response: Callable[..., Any], table_calls: int) -> Iterable[bytes]:
    # User and system time of all threads of the process.
    used = {"cpu_ms": time.process_time() * 1000, "memory_mb": memory_mb("self"), "table_calls": table_calls}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(used).encode()]


def memory_mb(pid: int | str, *, peak: bool = False) -> float:
    """Resident memory of a process now, or at its peak. Where there is no /proc: this process's own peak."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        peak_size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak_size / (_MEGA if sys.platform == "darwin" else _KILO)
    name = "VmHWM:" if peak else "VmRSS:"
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / _KILO
