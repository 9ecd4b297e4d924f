"""`python -m shop.local --port 8000 --data .shop-data`: the whole shop on this machine. `make run` calls it."""

import argparse
import sys
from pathlib import Path

from shop.local import ports
from shop.local.runner import run


def main() -> int:
    """Run until Ctrl-C; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m shop.local", description="The whole shop on this machine.")
    parser.add_argument("--port", type=_port, default=8000, help="where the shop answers (default: 8000)")
    parser.add_argument("--data", type=Path, default=Path(".shop-data"), help="where everything is kept (default: .shop-data)")
    parser.add_argument("--empty", action="store_true", help="a new shop without demo products and people; it stays without them")
    wanted = parser.parse_args()
    return run(port=wanted.port, data_dir=wanted.data.resolve(), empty=wanted.empty)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) in ports.ALLOWED):
        raise argparse.ArgumentTypeError(f"a port is a whole number from {ports.ALLOWED[0]} to {ports.ALLOWED[-1]}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
