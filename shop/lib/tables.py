"""What every table row shares: settings of the client, one connection for all rows, and the definition that creates a table."""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from botocore.config import Config
from botocore.exceptions import NoCredentialsError, PartialCredentialsError
from botocore.parsers import JSONParser, ResponseParserFactory
from django.conf import settings
from pynamodb.attributes import Attribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.connection.base import BOTOCORE_EXCEPTIONS
from pynamodb.exceptions import GetError, PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator

from shop.lib.aws import session
from shop.lib.deadline import OutOfTime, require_time
from shop.lib.watching import note_throttled, tell_of_dynamodb

# A page that waits longer than this has failed: the whole request must fit API Gateway's 30 s with room for an answer.
CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 2
_BATCH_ROUNDS = 4
_SCAN_TIMEOUT_SECONDS = 60
RETRIES = 2
"""Repeats of one call after a lost connection or an error of DynamoDB's (botocore's standard mode, with jitter)."""
_THROTTLED_TRIES = 8
_LONGEST_PAUSE_SECONDS = 0.8
THROTTLING = frozenset(
    {
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
    }
)
"""A refusal that costs nothing and comes at once: worth more and quicker repeats than botocore gives it. With a third of all
calls throttled, 3 tries a call lose one checkout in seven (`make prove`)."""

# What DynamoDB answers when a later try may well succeed.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
PASSING = THROTTLING | frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "InternalServerError",
        "ServiceUnavailable",
    }
)


class BaseMeta:
    """Client settings of every row: `class Meta(BaseMeta)`."""

    region = settings.AWS_REGION
    host = settings.AWS_ENDPOINT_URL or None
    connect_timeout_seconds = CONNECT_TIMEOUT_SECONDS
    read_timeout_seconds = READ_TIMEOUT_SECONDS
    max_retry_attempts = RETRIES
    max_pool_connections = 10
    billing_mode = "PAY_PER_REQUEST"
    stream_view_type = "NEW_AND_OLD_IMAGES"


def table_name(name: str) -> str:
    """The table's name in this deployment: the spec's name behind the deployment's prefix."""
    return f"{settings.TABLE_PREFIX}{name}"


class _PlainJson(JSONParser):  # type: ignore[misc]  # botocore has no types
    """DynamoDB's answers as the JSON they are, which is the very form PynamoDB reads: `{"price": {"N": "24"}}`.

    botocore walks each answer with its model to turn blobs into bytes and numbers of seconds into times: a third of the time of
    a page's query. No table has a binary attribute, and who wants a table's times (tooling) has a client of its own.
    """

    def _handle_json_body(self, raw_body: bytes, shape: Any) -> Any:
        return self._parse_body_as_json(raw_body)


class _PlainParsers(ResponseParserFactory):  # type: ignore[misc]  # the same
    """Gives one parser, which keeps no state, instead of a new one a call."""

    def __init__(self) -> None:
        super().__init__()
        self._parser = _PlainJson()

    def create_parser(self, protocol_name: str) -> Any:
        return self._parser


class _Connection(Connection):
    """PynamoDB's, over the process's one session."""

    @property
    def session(self) -> Any:
        return session()


@cache
def connection() -> Connection:
    """The connection shared by all rows. A botocore client costs about 30 ms of CPU; PynamoDB alone would make one a class."""
    made = _Connection(
        region=BaseMeta.region,
        host=BaseMeta.host,
        connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
        max_retry_attempts=RETRIES,
        max_pool_connections=BaseMeta.max_pool_connections,
    )
    made.session.register_component("response_parser_factory", _PlainParsers())
    # One fixed name: botocore's own is put together anew, twice, for every call.
    made.session.set_default_client_config(Config(user_agent="serverless-shop"))
    # Before each try, botocore's own repeats included.
    made.client.meta.events.register("before-send.dynamodb", lambda **_: require_time(0))
    made.client.meta.events.register_first("needs-retry.dynamodb", _pause_when_throttled)
    tell_of_dynamodb(made.client.meta.events)
    return made


def _pause_when_throttled(
    attempts: int, response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **_: Any
) -> float | None:
    """Seconds until the next try of a throttled call; None leaves the answer to botocore's own rule."""
    code = response[1].get("Error", {}).get("Code", "") if response else ""
    if code not in THROTTLING:
        return None
    note_throttled(request_dict["context"])
    if attempts >= _THROTTLED_TRIES:
        return None
    return random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.05 * 2**attempts))  # noqa: S311 - jitter, no secret


class Row(Model):
    """A row of any of our tables: `PK` and `SK`, and the shared client."""

    Meta: Any

    pk = UnicodeAttribute(hash_key=True, attr_name="PK")
    sk = UnicodeAttribute(range_key=True, attr_name="SK")

    @classmethod
    def _get_connection(cls) -> Any:
        # Private to PynamoDB, whose version is locked; test_tables.py holds all rows to one client.
        table = super()._get_connection()
        table.connection._client = connection().client
        return table


def table_definition(row: type[Row]) -> dict[str, Any]:
    """The table of a row class as boto3's `create_table` takes it: keys, indexes, on-demand billing, stream, encryption."""
    schema = row._get_schema()
    return {
        "TableName": row.Meta.table_name,
        "AttributeDefinitions": schema["attribute_definitions"],
        "KeySchema": _keys(schema["key_schema"]),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index["index_name"],
                "KeySchema": _keys(index["key_schema"]),
                "Projection": index["projection"],
            }
            for index in sorted(schema["global_secondary_indexes"], key=lambda index: str(index["index_name"]))
        ],
        "BillingMode": row.Meta.billing_mode,
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": row.Meta.stream_view_type},
        "SSESpecification": {"Enabled": True, "SSEType": "KMS"},
    }


def _keys(schema: Iterable[Any]) -> list[dict[str, str]]:
    return sorted(schema, key=lambda key: key["KeyType"] != "HASH")


class Busy(Exception):
    """Conflicts or throttling lasted longer than our patience. Only reading tells whether anything was written."""


R = TypeVar("R", bound=Row)


def batch_get(row: type[R], keys: Sequence[tuple[str, str]], *, consistent: bool) -> list[R]:
    """The rows of these keys (up to 100) that exist, in any order. Raises Busy, GetError."""
    return [row.from_raw_data(item) for item in batch_items(row.Meta.table_name, keys, consistent=consistent)]


def batch_items(
    table: str, keys: Sequence[tuple[str, str]], *, consistent: bool, attributes: Sequence[Attribute[Any]] = ()
) -> list[dict[str, Any]]:
    """The items of these keys (up to 100) that exist, raw and in any order, for keys of several kinds of row.

    With `attributes` no others are sent, at the same price: for lists of a few of many. PynamoDB's own asks again for what
    DynamoDB left out without a pause and without an end. Raises Busy, GetError.
    """
    names = {f"#{place}": attribute.attr_name for place, attribute in enumerate(attributes)}
    only = {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names} if names else {}
    wanted: Any = [{"PK": {"S": pk}, "SK": {"S": sk}} for pk, sk in keys]
    found: list[dict[str, Any]] = []
    for attempt in range(_BATCH_ROUNDS):
        if attempt:
            time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
        request = {table: {"Keys": wanted, "ConsistentRead": consistent, **only}}
        try:
            answer = connection().dispatch("BatchGetItem", {"RequestItems": request})
        except BOTOCORE_EXCEPTIONS as error:
            raise GetError("Failed to batch get items", error) from error
        found += answer["Responses"].get(table, [])
        wanted = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
        if not wanted:
            return found
    raise Busy


V = TypeVar("V")
Item = dict[str, Any]
"""A row as DynamoDB answers it."""


def items_of(found: ResultIterator[Any], *, most: int) -> list[Item]:
    """The first items of a PynamoDB query, which would make rows of them."""
    items: list[Item] = []
    for page in found.page_iter:
        items += page["Items"]
        if len(items) >= most:
            break
    return items[:most]


def value_of(item: Item, attribute: Attribute[V], default: V | None = None) -> V:
    """An attribute of a raw item, as its row would have it: for lists, where rows made whole cost more than their call.

    Raises KeyError where there is none and no default.
    """
    stored = item.get(attribute.attr_name)
    if stored is None or "NULL" in stored:
        if default is None:
            raise KeyError(attribute.attr_name)
        return default
    value: V = attribute.deserialize(attribute.get_value(stored))
    return value


def count_up_to(
    row: type[Row], partition: str, *, at_most: int, begins: str = "", index: str | None = None, consistent: bool = False
) -> int:
    """How many rows a partition has, counted up to `at_most`; of a table only those whose sort key begins so. One Query.

    DynamoDB answers the number alone. PynamoDB's own `count` goes on to the partition's end, whatever its limit.
    """
    answer = row._get_connection().query(
        partition,
        range_key_condition=row.sk.startswith(begins) if begins else None,
        index_name=index,
        consistent_read=consistent,
        limit=at_most,
        select="COUNT",
    )
    return int(answer["Count"])


def whole_table(row: type[R], *, sort_key: str) -> Iterator[R]:
    """Every row of a table with this sort key, read consistently: for the command line, where a call may take a minute.

    A scan's answer is up to 1 MB of the table, whatever the filter lets through; a page's short timeouts are not for it.
    """
    import boto3  # the command line alone pays for it
    from botocore.config import Config

    client = boto3.client(
        "dynamodb",
        region_name=BaseMeta.region,
        endpoint_url=BaseMeta.host,
        config=Config(read_timeout=_SCAN_TIMEOUT_SECONDS, retries={"mode": "standard", "total_max_attempts": 5}),
    )
    pages = client.get_paginator("scan").paginate(
        TableName=row.Meta.table_name,
        ConsistentRead=True,
        FilterExpression="SK = :sk",
        ExpressionAttributeValues={":sk": {"S": sort_key}},
    )
    for page in pages:
        yield from map(row.from_raw_data, page["Items"])


def code_of(error: PynamoDBException) -> str:
    """DynamoDB's word for what went wrong; empty when it never answered.

    PynamoDB's own `cause_response_code` fails on a lost connection, whose cause has a `response` of None.
    """
    response = getattr(error.cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def is_refused(error: PynamoDBException) -> bool:
    """Whether a single write failed because its condition did not hold."""
    return code_of(error) == "ConditionalCheckFailedException"


def is_passing(error: PynamoDBException) -> bool:
    """Whether the trouble is throttling, a conflict or a lost connection: worth another try, or a "busy" page.

    Missing credentials, which also end a call before there is an answer, do not pass by themselves.
    """
    if error.cause is None or isinstance(error.cause, NoCredentialsError | PartialCredentialsError):
        return False
    return code_of(error) in PASSING | {""}


@contextmanager
def trouble_as_busy() -> Iterator[None]:
    """Passing trouble with the tables, and a request without time left, become Busy: for a view that has more to say of it."""
    try:
        yield
    except OutOfTime as error:
        raise Busy from error
    except PynamoDBException as error:
        if not is_passing(error):
            raise
        raise Busy from error


def all_of(first: Condition, *rest: Condition) -> Condition:
    """The conditions joined by AND."""
    for condition in rest:
        first &= condition
    return first
