"""`python -m shop.local.bench`: starts a shop of its own, measures it and prints what was found."""

import argparse
import json
import os
import sys
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

from shop.local.bench.asks import SITE_ORIGIN, WrongAnswer
from shop.local.bench.workers import WorkerFailed
from shop.local.fake_stripe import FakeStripe
from shop.local.ministack import CloudFailed, Ministack

_STRIPE_KEY = "sk_test_bench"
_STRIPE_WEBHOOK_SECRET = "whsec_bench"
_JSON = Path(".shop-data") / "bench.json"


def main() -> int:
    """Measure, print, write; the exit status, which tells of missed targets only when asked with --check."""
    wanted = _arguments()
    with tempfile.TemporaryDirectory(prefix="shop-bench-") as folder:
        try:
            with Ministack() as cloud, FakeStripe(api_key=_STRIPE_KEY, webhook_secret=_STRIPE_WEBHOOK_SECRET) as stripe:
                _prepare(_environment(cloud, stripe, folder))
                misses = _measure(wanted, stripe)
        except (CloudFailed, WorkerFailed, WrongAnswer) as failure:
            print(failure, file=sys.stderr)
            return 1
    return 1 if wanted.check and misses else 0


def _environment(cloud: Ministack, stripe: FakeStripe, folder: str) -> dict[str, str]:
    """What makes every process of the bench a shop as on AWS, but for the addresses of AWS and Stripe."""
    return cloud.environment | {
        "DJANGO_SETTINGS_MODULE": "shop.local.bench.settings",
        "BENCH_FOLDER": folder,
        "SHOP_LOCAL": "false",
        "SHOP_DEBUG": "false",
        "SITE_ORIGIN": SITE_ORIGIN,
        "SECRET_KEY": "bench-only-" + "not-a-secret-" * 4,
        "JWT_KEYS": "bench:bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtYXQtYWxsLTAxMjM0NTY3ODk",
        "TABLE_PREFIX": "bench-",
        "PASSWORD_COST": "12",
        "STRIPE_API_ORIGIN": stripe.base_url,
        "STRIPE_SECRET_KEY": _STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": _STRIPE_WEBHOOK_SECRET,
        "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    }


def _prepare(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.environ.pop("AWS_PROFILE", None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("collectstatic", interactive=False, stdout=StringIO())
    call_command("createtables", stdout=StringIO())


def _measure(wanted: argparse.Namespace, stripe: FakeStripe) -> tuple[str, ...]:
    # Needs the settings, which need the environment.
    from shop.local.bench import sizes
    from shop.local.bench.report import as_json, as_text
    from shop.local.bench.run import run

    if wanted.sizes:
        found = sizes.run_sizes(stripe=stripe, requests=wanted.requests, sizes=wanted.sizes)
        print(sizes.as_text(found))
        _write(wanted.json, sizes.as_json(found))
        return sizes.misses(found)
    report = run(stripe=stripe, requests=wanted.requests, products=wanted.products, cold_starts=wanted.cold_starts)
    print(as_text(report))
    _write(wanted.json, as_json(report))
    return report.misses


def _write(file: Path, content: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shop.local.bench", description=__doc__)
    parser.add_argument("--requests", type=int, default=200, help="how often each page is asked for")
    parser.add_argument("--products", type=int, default=264, help="how many products the catalogue has")
    parser.add_argument(
        "--sizes",
        type=lambda text: [int(size) for size in text.split(",")],
        help="compare the catalogue's pages at these numbers of products instead, such as 60,10000,100000",
    )
    parser.add_argument("--cold-starts", type=int, default=10, help="how often the Lambda function is started")
    parser.add_argument("--json", type=Path, default=_JSON, help="the file that gets the figures")
    parser.add_argument("--check", action="store_true", help="fail when a target is missed")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
