"""`python -m shop.local.prove`: starts a shop of its own, storms it and prints what held."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from io import StringIO

from shop.local.fake_stripe import FakeStripe
from shop.local.ministack import CloudFailed, Ministack
from shop.local.prove.gateway import FaultGateway
from shop.local.prove.verdicts import Verdict, as_table

_STRIPE_KEY = "sk_test_prove"
_STRIPE_WEBHOOK_SECRET = "whsec_prove"
PROOFS = (
    "rush",
    "last_uses",
    "crashes",
    "webhook_storm",
    "outages",
    "bad_day",
    "silences",
    "importing",
    "ten_thousand",
    "guessing",
)
"""Each a module beside this one with `prove(world, rounds=)`."""
_UNHURRIED = frozenset({"rush", "last_uses", "crashes", "webhook_storm"})
"""Proofs that are not about waiting: the local engine stalls for seconds at times, which is neither a conflict nor a death."""
_PATIENCE_SECONDS = 30


def main() -> int:
    """Prove, print; 0 only when every claim held and every control failed."""
    wanted = _arguments()
    try:
        with (
            Ministack() as cloud,
            FakeStripe(api_key=_STRIPE_KEY, webhook_secret=_STRIPE_WEBHOOK_SECRET) as stripe,
            FaultGateway(upstream_port=cloud.port) as gateway,
        ):
            _prepare(cloud, stripe, gateway)
            verdicts = list(_verdicts(gateway, stripe, wanted))
    except CloudFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print("\n" + as_table(verdicts))
    return 0 if all(verdict.is_good for verdict in verdicts) else 1


def _prepare(cloud: Ministack, stripe: FakeStripe, gateway: FaultGateway) -> None:
    os.environ.update(
        cloud.environment
        | {
            "AWS_ENDPOINT_URL": gateway.endpoint,
            "DJANGO_SETTINGS_MODULE": "shop.settings",
            "SHOP_LOCAL": "true",
            "EXTRA_HOSTS": "testserver",  # the name Django's test client asks for
            "TABLE_PREFIX": "prove-",
            "STRIPE_API_ORIGIN": stripe.base_url,
            "STRIPE_SECRET_KEY": _STRIPE_KEY,
            "STRIPE_WEBHOOK_SECRET": _STRIPE_WEBHOOK_SECRET,
            "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
            "LOG_LEVEL": "CRITICAL",  # the storms' own trouble is meant; the verdicts tell what matters
        }
    )
    os.environ.pop("AWS_PROFILE", None)
    import django
    from django.core.management import call_command

    django.setup()
    logging.captureWarnings(True)  # noqa: FBT003 - positional in the standard library
    from django.core import mail

    from shop.lib.tables import BaseMeta
    from shop.local.prove.world import THREADS

    mail.outbox = []
    BaseMeta.max_pool_connections = THREADS  # all of them in one process here, where a function has one
    call_command("createtables", stdout=StringIO())


def _verdicts(gateway: FaultGateway, stripe: FakeStripe, wanted: argparse.Namespace) -> Iterator[Verdict]:
    # Needs the settings, which need the environment.
    from importlib import import_module

    from shop.lib.tables import RETRIES
    from shop.local.prove.world import World, patient_tables

    world = World(gateway, stripe, rows=wanted.rows)
    for name in wanted.proofs or PROOFS:
        prove: Callable[..., Iterator[Verdict]] = import_module(f"shop.local.prove.{name}").prove
        begun = time.monotonic()
        with patient_tables(_PATIENCE_SECONDS, retries=RETRIES) if name in _UNHURRIED else nullcontext():
            for found in prove(world, rounds=wanted.rounds):
                verdict = replace(found, seconds=time.monotonic() - begun)
                print(f"{verdict.word}: {verdict.claim} ({verdict.seen})", flush=True)
                yield verdict
                begun = time.monotonic()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m shop.local.prove", description=__doc__)
    parser.add_argument("proofs", nargs="*", choices=[[], *PROOFS], help="which; all unless said")
    parser.add_argument("--rounds", type=int, default=20, help="how often the rush is run")
    parser.add_argument("--rows", type=int, default=2000, help="how many lines the imported spreadsheet has")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
