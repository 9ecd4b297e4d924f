"""The set-up doctor: looks whether everything the shop stands on is set up, and says what to do where it is not.

It asks AWS and Stripe only when its page is opened: three calls a table, three for failed mails, one each to Stripe and index.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.cache import cache

from accounts import queries as accounts
from catalog import index_queries, staff_queries
from catalog.search.engine import IndexMissing
from orders import desk_queries as orders
from orders.payments import KeyRefused, KeyTooNarrow, PaymentRefused, PaymentsUnavailable, gateway
from shop.lib.tables import connection, table_name

TABLES = ("Products", "Users", "Carts", "Orders")
_LATE = timedelta(minutes=10)
"""After this time Stripe has tried a webhook more than once."""


class State(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at, and what to do about it (empty where it is good)."""

    name: str
    state: State
    said: str
    fix: str = ""


def examine(*, host: str, now: datetime) -> list[Check]:
    """Everything, each by itself: what cannot be looked at says so and hides nothing else."""
    return [_domain(host), _keys(), _webhooks(now), _mail(), _contact(), _failed_mails(), *_tables(), _index(), _cache()]


def _domain(host: str) -> Check:
    if settings.LOCAL:
        return Check("Domain", State.GOOD, f"A laptop's shop at {settings.SITE_ORIGIN}.")
    if settings.SITE_ORIGIN.removeprefix("https://") != host:
        return Check(
            "Domain",
            State.WARN,
            f"Links in mails lead to {settings.SITE_ORIGIN}, and this page was asked for at {host}.",
            "Set SITE_ORIGIN to the address shoppers use, and deploy.",
        )
    return Check("Domain", State.GOOD, f"{settings.SITE_ORIGIN}, over HTTPS.")


def _keys() -> Check:
    key, secret = settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET
    if not secret.startswith("whsec_"):
        fix = "Copy the signing secret of the webhook (whsec_…) from Stripe's pages to STRIPE_WEBHOOK_SECRET."
        return Check("Payment keys", State.BAD, "The webhook secret is not one of Stripe's.", fix)
    if "_test_" in key:
        state, fix = (State.GOOD, "") if settings.LOCAL else (State.WARN, "Put in the live keys to sell.")
        return Check("Payment keys", state, "Test keys: no real card is charged.", fix)
    if not key.startswith(("sk_live_", "rk_live_")):
        return Check("Payment keys", State.BAD, "The secret key is not one of Stripe's.", "Copy it to STRIPE_SECRET_KEY.")
    return Check("Payment keys", State.GOOD, "Live keys.")


def _webhooks(now: datetime) -> Check:
    """By the last thing that happened at Stripe: whether it was taken by every webhook it was for."""
    name = "Webhook"
    try:
        found = gateway().call(lambda client: client.v1.events.list(params={"limit": 1}), "list events").data
    except KeyRefused:
        fix = "Copy the secret key from Stripe's pages to STRIPE_SECRET_KEY once more."
        return Check("Stripe", State.BAD, "Stripe does not accept the key: nobody can pay.", fix)
    except (KeyTooNarrow, PaymentRefused) as refusal:
        return Check(name, State.UNKNOWN, f"Stripe does not tell: {refusal}", "Let the key read events.")
    except PaymentsUnavailable:
        fix = (
            "Nothing is lost: orders are kept for half an hour, and what was paid is noticed when Stripe answers again. "
            "Look again in a few minutes, and at status.stripe.com."
        )
        return Check("Stripe", State.BAD, "Stripe does not answer: nobody can pay at this moment.", fix)
    address = f"{settings.SITE_ORIGIN}/webhooks/stripe/"
    if not found:
        return _quiet_webhooks(name, address)
    at = datetime.fromtimestamp(found[0].created, UTC)
    if found[0].pending_webhooks and now - at > _LATE:
        fix = f"At Stripe, look at the webhook for {address}: its address, its secret, its last errors."
        return Check(name, State.BAD, f"Stripe could not deliver what happened on {_moment(at)}.", fix)
    return Check(name, State.GOOD, f"What last happened at Stripe, on {_moment(at)}, has arrived.")


def _quiet_webhooks(name: str, address: str) -> Check:
    """What to do where no event can tell: Stripe itself cannot reach a laptop, and a laptop's stand-in needs no webhook made."""
    if settings.LOCAL and settings.STRIPE_API_ORIGIN.startswith("http:"):
        return Check(name, State.GOOD, "Nothing has happened yet at the stand-in for Stripe, which delivers here by itself.")
    make = f"Run stripe listen --forward-to {address}" if settings.LOCAL else f"Make a webhook for {address} at Stripe"
    fix = f"{make}, then place a test order."
    return Check(name, State.UNKNOWN, "Nothing has happened at Stripe in the last 30 days.", fix)


def _mail() -> Check:
    name, sender = "Mail", settings.DEFAULT_FROM_EMAIL
    if settings.LOCAL:
        return Check(name, State.GOOD, "Kept on this laptop, for its mail viewer.")
    if "@example." in sender:
        return Check(name, State.BAD, f"Mails would come from {sender}.", "Set EMAIL_FROM to an address SES may send from.")
    return Check(name, State.GOOD, f"From {sender}. Whether SES may send from it, a test mail tells.")


def _contact() -> Check:
    """Where shoppers are told to write: on the pages about the shop, on an order's page and in mails."""
    name, address = "Contact", settings.SUPPORT_EMAIL
    mailbox = address.partition("@")[0].replace("-", "").replace("_", "").casefold()
    if mailbox in ("noreply", "donotreply") or ("@example." in address and not settings.LOCAL):
        fix = "Set SUPPORT_EMAIL to an address that somebody reads."
        return Check(name, State.BAD, f"Shoppers are told to write to {address}.", fix)
    return Check(name, State.GOOD, f"Shoppers are told to write to {address}.")


def _failed_mails() -> Check:
    """What the log has of mails that could not be sent, so far as its first pages go."""
    name = "Mails that failed"
    found = [mail for read in (orders.failed_mails, accounts.failed_mails, staff_queries.failed_mails) for mail in read().items]
    if not found:
        return Check(name, State.GOOD, "None: every mail of the last 90 days found its way.")
    words = f"{len(found)} could not be sent, the latest on {_moment(max(mail.at for mail in found))}."
    return Check(name, State.BAD, words, "The log of mails says which and why; those about orders can be sent again there.")


def _tables() -> Iterator[Check]:
    for table in TABLES:
        name, full = f"Table {table}", table_name(table)
        try:
            yield _table(table, full)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ResourceNotFoundException":
                yield Check(name, State.BAD, f"There is no table {full}.", "Deploy again, or run manage.py createtables.")
            else:
                fix = "Allow the web function dynamodb:DescribeTable, DescribeTimeToLive and DescribeContinuousBackups."
                yield Check(name, State.UNKNOWN, f"It may not be looked at ({code}).", fix)
        except BotoCoreError:
            yield Check(name, State.UNKNOWN, "DynamoDB does not answer at present.", "Look again in a few minutes.")


def _table(table: str, full: str) -> Check:
    client: Any = connection().client
    name = f"Table {table}"
    found = client.describe_table(TableName=full)["Table"]
    ttl = client.describe_time_to_live(TableName=full)["TimeToLiveDescription"].get("TimeToLiveStatus", "DISABLED")
    kept = client.describe_continuous_backups(TableName=full)["ContinuousBackupsDescription"]
    recovery = kept.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus", "DISABLED")
    missing = [
        words
        for is_there, words in (
            (found["TableStatus"] in ("ACTIVE", "UPDATING"), "it is not active"),
            (all(one["IndexStatus"] == "ACTIVE" for one in found.get("GlobalSecondaryIndexes", [])), "an index is not ready"),
            (found.get("StreamSpecification", {}).get("StreamEnabled"), "it has no stream"),
            (table == "Products" or ttl in ("ENABLED", "ENABLING"), "nothing expires in it (TTL)"),
            (settings.LOCAL or recovery == "ENABLED", "it cannot be recovered to a point in time"),
        )
        if not is_there
    ]
    if missing:
        return Check(name, State.BAD, f"{'; '.join(missing).capitalize()}.", "Deploy again: the template sets all of this.")
    recovered = "" if settings.LOCAL else ", point-in-time recovery"
    return Check(name, State.GOOD, f"Active, with indexes, stream and TTL{recovered}.")


def _index() -> Check:
    try:
        count = index_queries.indexed_count()
    except IndexMissing as trouble:
        first = "Look at OPENSEARCH_URL and at what the domain lets in; then run" if settings.OPENSEARCH_URL else "Run"
        fix = f"{first} manage.py reindex. Until then lists come from the tables, without search."
        return Check("Search index", State.BAD, str(trouble), fix)
    place = "In OpenSearch" if settings.OPENSEARCH_URL else "Published"
    return Check("Search index", State.GOOD, f"{place}, with {count} products in it.")


def _cache() -> Check:
    if not settings.CACHE_URL:
        return Check("Cache", State.GOOD, "None shared: each process keeps a little for itself, and nothing is missing.")
    cache.set("doctor", "well", 10)
    if cache.get("doctor") != "well":
        return Check(
            "Cache", State.WARN, "It does not answer; pages are right, and slower.", "Look at CACHE_URL and its network."
        )
    return Check("Cache", State.GOOD, "The shared cache answers.")


def _moment(at: datetime) -> str:
    return f"{at:%B} {at.day} at {at:%H:%M} UTC"
