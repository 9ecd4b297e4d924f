"""`python -m shop.local.child MODULE ARGUMENTS`: like `python -m MODULE ARGUMENTS`, but it ends when its parent does.

Standard input is the tether: its other end is the parent's alone, so it closes the moment the parent is gone, even by SIGKILL.
"""

import os
import runpy
import signal
import sys
import threading


def main() -> None:
    """Run the module named by the first argument as the main program."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
