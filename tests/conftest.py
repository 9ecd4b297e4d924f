"""What tests stand on: a local AWS with empty tables, a stand-in Stripe, people, and a way to count table calls."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from html import unescape
from io import StringIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpRequest
from django.test import Client
from pytest_django import Settings

from accounts import middleware
from catalog import menu
from catalog import services as catalog_services
from catalog.search.choice import forget_engines
from catalog.shared import forget_pages
from orders import payments
from shop.lib.access import Access, Permission, Viewer
from shop.lib.guests import GUEST_COOKIE, new_guest, remember_guest
from shop.lib.owner import Owner
from shop.lib.tables import connection, table_name
from shop.local.fake_stripe import FakeStripe
from shop.local.ministack import Ministack
from tests.environment import CLOUD_PORT

TABLES = ("Products", "Users", "Carts", "Orders")
_BATCH = 25
"""Items DynamoDB writes in one BatchWriteItem."""


@pytest.fixture(scope="session")
def cloud() -> Iterator[Ministack]:
    """A local AWS with the four tables, for as long as the tests run."""
    with Ministack(port=CLOUD_PORT) as ministack:
        call_command("createtables", stdout=StringIO())
        yield ministack


@pytest.fixture
def tables(cloud: Ministack) -> Iterator[Any]:
    """The four tables, empty; gives the botocore client that reads and writes them raw."""
    client = connection().client
    yield client
    for table in TABLES:
        _delete(client, table_name(table), _keys(client, table_name(table)))
    cache.clear()
    menu.forget_categories()
    forget_pages()


def _keys(client: Any, name: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("scan").paginate(TableName=name, ProjectionExpression="PK, SK", ConsistentRead=True)
    return [key for page in pages for key in page["Items"]]


def _delete(client: Any, name: str, keys: list[dict[str, Any]]) -> None:
    for first in range(0, len(keys), _BATCH):
        client.batch_write_item(RequestItems={name: [{"DeleteRequest": {"Key": key}} for key in keys[first : first + _BATCH]]})


@pytest.fixture
def bucket(tables: Any) -> Iterator[Any]:
    """The media bucket, empty; gives the client that reads and writes it raw."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=settings.MEDIA_BUCKET)
    yield s3
    for found in s3.list_objects_v2(Bucket=settings.MEDIA_BUCKET).get("Contents", []):
        s3.delete_object(Bucket=settings.MEDIA_BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=settings.MEDIA_BUCKET)


@pytest.fixture
def index(bucket: Any) -> Iterator[Callable[[], None]]:
    """An empty bucket for the search index; calling it builds the index of what is in the tables and lets pages look at it."""

    def build() -> None:
        catalog_services.reindex()
        forget_engines()

    yield build
    forget_engines()


@pytest.fixture
def stripe(settings: Settings) -> Iterator[FakeStripe]:
    """A stand-in Stripe the shop speaks to; webhooks are delivered by the tests that want them."""
    with FakeStripe(api_key=settings.STRIPE_SECRET_KEY, webhook_secret=settings.STRIPE_WEBHOOK_SECRET) as fake:
        settings.STRIPE_API_ORIGIN = fake.base_url
        payments.gateway.cache_clear()
        yield fake
    payments.gateway.cache_clear()


@pytest.fixture
def lost_reply(tables: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Make the first reply to an operation get lost after DynamoDB has done it; botocore itself sends it again.

    Gives the operations that went over the wire from then on.
    """

    def install(operation: str) -> list[str]:
        wire = connection().client._endpoint.http_session
        real, seen = wire.send, []

        def send(request: Any) -> Any:
            target = request.headers["X-Amz-Target"]
            name = (target.decode() if isinstance(target, bytes) else target).rsplit(".", 1)[-1]
            seen.append(name)
            answer = real(request)
            if name == operation and seen.count(name) == 1:
                raise ReadTimeoutError(endpoint_url="http://dynamodb")
            return answer

        monkeypatch.setattr(wire, "send", send)
        return seen

    return install


@pytest.fixture
def now() -> datetime:
    """The moment tests of services take place; real, since the tables' cloud and Stripe have clocks of their own."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def guest(now: datetime) -> Owner:
    return new_guest(now)


@pytest.fixture
def guest_client(client: Client, guest: Owner) -> Client:
    """A browser that the shop knows as `guest`."""
    from django.http import HttpResponse

    response = HttpResponse()
    remember_guest(response, guest)
    client.cookies[GUEST_COOKIE] = response.cookies[GUEST_COOKIE].value
    return client


@pytest.fixture
def sign_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Viewer]:
    """Make a client a signed-in person's; gives who that is.

    `sign_in(client)` a shopper, `sign_in(client, "orders.view")` staff with these permissions, `sign_in(client, role="admin")`.
    """
    people: dict[str, Viewer] = {}
    real = middleware.access_of

    class Known:
        def __init__(self, viewer: Viewer) -> None:
            self.viewer = viewer

        def confirm(self, *, with_filters: bool = False) -> Viewer:
            return self.viewer

    def access_of(request: HttpRequest) -> Access:
        key = request.COOKIES.get("test-viewer", "")
        return Known(people[key]) if key else real(request)

    def sign(client: Client, *permissions: str, role: str = "") -> Viewer:
        user_id = f"user-{len(people) + 1:06d}"
        role = role or ("staff" if permissions else "customer")
        given = frozenset(Permission) if role == "admin" else frozenset(map(Permission, permissions))
        people[user_id] = Viewer(user_id, "Ada Lovelace", "ada@example.com", role, given, f"ses-{user_id}")
        client.cookies["test-viewer"] = user_id
        return people[user_id]

    monkeypatch.setattr(middleware, "access_of", access_of)
    return sign


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """The names of the DynamoDB calls made inside, in order."""
    calls: list[str] = []

    def note(model: Any, **kwargs: Any) -> None:
        calls.append(model.name)

    events = connection().client.meta.events
    events.register("before-call.dynamodb", note)
    try:
        yield calls
    finally:
        events.unregister("before-call.dynamodb", note)


def items_of(table: str) -> list[dict[str, Any]]:
    """Everything a table holds, raw."""
    client = connection().client
    return list(client.scan(TableName=table_name(table), ConsistentRead=True)["Items"])


def words_of(markup: str) -> str:
    """What a reader of the markup reads, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", markup)).split())
