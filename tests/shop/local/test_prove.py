"""The fault gateway does what it says, or every storm behind it proves nothing; and each proof finds the guard it takes away."""

import ast
import importlib
import inspect
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from shop.local.ministack import Ministack
from shop.local.prove.__main__ import PROOFS
from shop.local.prove.gateway import FaultGateway, Weather
from shop.local.prove.verdicts import Verdict, as_table

TABLE = "test-Carts"
KEY = {"PK": {"S": "GUEST#gateway"}, "SK": {"S": "CART"}}


@pytest.fixture
def gateway(cloud: Ministack, tables: object) -> Iterator[FaultGateway]:
    with FaultGateway(upstream_port=cloud.port) as found:
        yield found


def client(gateway: FaultGateway) -> "boto3.client":
    return boto3.client(
        "dynamodb", endpoint_url=gateway.endpoint, config=Config(read_timeout=0.5, retries={"total_max_attempts": 1})
    )


def is_written(gateway: FaultGateway) -> bool:
    gateway.weather = Weather()
    return "Item" in client(gateway).get_item(TableName=TABLE, Key=KEY, ConsistentRead=True)


def put(gateway: FaultGateway) -> None:
    client(gateway).transact_write_items(TransactItems=[{"Put": {"TableName": TABLE, "Item": KEY}}])


def test_on_a_good_day_calls_pass_with_their_signature(gateway: FaultGateway) -> None:
    put(gateway)
    assert is_written(gateway)


def test_a_conflict_is_answered_as_dynamodb_answers_it_and_nothing_is_done(gateway: FaultGateway) -> None:
    gateway.weather = weather = Weather(conflicts=1.0)
    with pytest.raises(ClientError) as refused:
        put(gateway)
    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert [reason["Code"] for reason in refused.value.response["CancellationReasons"]] == ["TransactionConflict"]
    assert weather.met == {"conflict": 1}
    assert not is_written(gateway)


def test_a_throttled_call_is_not_done(gateway: FaultGateway) -> None:
    gateway.weather = Weather(throttled=1.0)
    with pytest.raises(ClientError) as refused:
        put(gateway)
    assert refused.value.response["Error"]["Code"] == "ThrottlingException"
    assert not is_written(gateway)


def test_a_lost_reply_is_of_a_call_that_was_done(gateway: FaultGateway) -> None:
    gateway.weather = Weather(lost_replies=1.0)
    with pytest.raises(ConnectionClosedError):
        put(gateway)
    assert is_written(gateway)


def test_silence_is_a_call_that_is_neither_done_nor_answered(gateway: FaultGateway) -> None:
    gateway.weather = Weather(silent={"dynamodb"})
    with pytest.raises(ReadTimeoutError):
        put(gateway)
    assert not is_written(gateway)


def test_a_silent_service_leaves_the_others_in_peace(gateway: FaultGateway) -> None:
    gateway.weather = Weather(silent={"ses"}, lost_replies=1.0)
    s3 = boto3.client("s3", endpoint_url=gateway.endpoint)
    ses = boto3.client("sesv2", endpoint_url=gateway.endpoint, config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}))

    assert "Buckets" in s3.list_buckets()  # nor does it lose replies: that is the tables' weather
    with pytest.raises(ReadTimeoutError):
        ses.get_account()


def test_the_table_tells_a_broken_claim_and_a_control_that_held() -> None:
    table = as_table(
        [
            Verdict("all sold", "50 sold", holds=True),
            Verdict("without the guard", "51 sold", holds=False, is_control=True),
            Verdict("one mail each", "2 mails", holds=False),
            Verdict("without the claim", "1 mail", holds=True, is_control=True),
        ]
    )
    assert [line.split("  ")[0] for line in table.splitlines()[:4]] == [
        "holds",
        "fails, as it must",
        "BROKEN",
        "HELD WITHOUT ITS GUARD",
    ]
    assert table.splitlines()[-1] == "4 verdicts, 2 bad"


@pytest.mark.parametrize("proof", PROOFS)
def test_every_guard_that_a_proof_takes_away_is_there(proof: str) -> None:
    """A control whose guard was renamed would end the proof after everything else held."""
    module = importlib.import_module(f"shop.local.prove.{proof}")
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    named = [ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "patch"]
    owned = [
        (ast.unparse(call.args[0]), ast.literal_eval(call.args[1])) for call in calls if ast.unparse(call.func) == "patch.object"
    ]

    missing = [name for name in named if not hasattr(importlib.import_module(name.rpartition(".")[0]), name.rpartition(".")[2])]
    ours = [
        (vars(module)[owner], name) for owner, name in owned if owner in vars(module)
    ]  # a library's is imported where it is used
    missing += [f"{owner.__name__}.{name}" for owner, name in ours if not hasattr(owner, name)]

    assert named or owned
    assert missing == []
