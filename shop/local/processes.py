"""Child processes of the local shop: started in a group of their own, their output passed on line by line, ended as a group."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from queue import SimpleQueue
from typing import Any

# Enough for everything that preparing prints: the log-ins in it are repeated in the summary.
_KEPT_LINES = 200
_END_SECONDS = 5.0
# What Django's autoreload says when it begins again.
_READS_AGAIN = " changed, reloading."
_RESET = "\033[0m"


def end(process: "subprocess.Popen[Any]") -> None:
    """Ask a process to end, end it where it does not within seconds, and let go of its tether."""
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


class ChildEnded(Exception):
    """A child ended by itself."""

    def __init__(self, child: "Child", status: int) -> None:
        super().__init__(f"{child.name} ended with status {status}.")
        self.child = child
        self.status = status


class Child:
    """One process with a name. When it ends by itself, a ChildEnded is put on `events`."""

    def __init__(self, name: str, *, colour: int, events: "SimpleQueue[Exception]") -> None:
        self.name = name
        self.last_lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self.began_to_read_code = 0
        """When its code was imported, at the earliest (ns since 1970): it began, or noticed a save and began again."""
        self._colour = colour
        self._events = events
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the command."""
        self.began_to_read_code = time.time_ns()
        self.adopt(
            subprocess.Popen(
                command,
                # The tether of shop.local.child; nothing is ever written to it.
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the runner alone, which then ends its children in the right order.
                process_group=0,
                env=dict(environment),
            )
        )

    def adopt(self, process: subprocess.Popen[bytes]) -> None:
        """Take over a process that was started elsewhere, with its output on a pipe."""
        self._process = process
        self.last_lines.clear()
        self._reader = threading.Thread(target=self._pass_on_output, args=(process.stdout or (),), daemon=True)
        self._reader.start()
        threading.Thread(target=self._wait, args=(process, self._reader), daemon=True).start()

    def ask_to_end(self) -> None:
        """Send SIGTERM to the process and its descendants."""
        self._signal(signal.SIGTERM)

    def make_end(self, deadline: float) -> None:
        """Wait until the deadline (monotonic clock), then kill what is left of the group."""
        if self._process is None:
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(max(0.0, deadline - time.monotonic()))
        self._signal(signal.SIGKILL)
        self._process.wait()
        if self._reader:
            self._reader.join(1.0)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            # The whole group is gone already, which is what was wanted.
            return

    def _pass_on_output(self, lines: Iterable[bytes]) -> None:
        show = printer(self.name, self._colour)
        for raw in lines:
            line = raw.decode(errors="replace").rstrip()
            self.last_lines.append(line)
            if line.endswith(_READS_AGAIN):
                self.began_to_read_code = time.time_ns()
            show(line)

    def _wait(self, process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
        status = process.wait()
        # Its last words may still be in the pipe; a grandchild may keep the pipe open for ever.
        reader.join(0.5)
        self._events.put(ChildEnded(self, status))


def printer(name: str, colour: int) -> Callable[[str], None]:
    """A function that prints one line with the child's name before it, in colour on a terminal."""
    prefix = f"{name:>8} │ "
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        prefix = f"\033[{colour}m{prefix}{_RESET}"

    def show(line: str) -> None:
        # One write a line, or lines of different children would be mixed.
        sys.stdout.write(f"{prefix}{line}\n")
        sys.stdout.flush()

    return show
