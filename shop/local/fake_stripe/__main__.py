"""`python -m shop.local.fake_stripe`: serve until Ctrl-C or SIGTERM."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from shop.local.fake_stripe.fake import FakeStripe


def main() -> int:
    """Run the server; the exit status."""
    wanted = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    try:
        fake = FakeStripe(
            port=wanted.port,
            host=wanted.host,
            api_key=wanted.api_key,
            webhook_url=wanted.webhook_url,
            webhook_secret=wanted.webhook_secret,
            state_path=wanted.state,
            shop_name=wanted.shop_name,
        )
    except OSError as error:
        print(f"Port {wanted.port} on {wanted.host} cannot be used: {error.strerror}.", file=sys.stderr)
        return 1
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    fake.start()
    logging.getLogger("fake_stripe").info("fake Stripe on %s", fake.base_url)
    over.wait()
    fake.stop()
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shop.local.fake_stripe", description=__doc__)
    parser.add_argument("--port", type=int, default=12111, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--webhook-url", default="", help="where events are sent; nowhere when absent")
    parser.add_argument("--webhook-secret", default="whsec_local", help="the secret events are signed with")
    parser.add_argument("--api-key", default="sk_test_local", help="the only key the API accepts")
    parser.add_argument("--state", type=Path, default=None, help="the JSON file that survives restarts")
    parser.add_argument("--shop-name", default="Test shop", help="the name on the payment page")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
