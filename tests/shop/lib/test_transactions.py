"""What the transaction does when DynamoDB is in its way. Conflicts are put in at the client: no local engine raises them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from orders.models import RefRow
from shop.lib.tables import Busy, connection
from shop.lib.transactions import TRIES, Refused, run_transaction

pytestmark = pytest.mark.usefixtures("tables")


def canceled(*codes: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "canceled"},
            "CancellationReasons": [{"Code": code} for code in codes],
        },
        "TransactWriteItems",
    )


def failed(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "TransactWriteItems")


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[dict[str, Any]]]:
    """Make the client fail in these ways, one a call, before it works; gives the requests it saw."""

    def install(*errors: Exception, after: bool = False) -> list[dict[str, Any]]:
        client = connection().client
        real, waiting, seen = client._make_api_call, list(errors), []

        def call(name: str, params: dict[str, Any]) -> Any:
            if name != "TransactWriteItems":
                return real(name, params)
            seen.append(params)
            if not waiting:
                return real(name, params)
            if after:
                real(name, params)
            raise waiting.pop(0)

        monkeypatch.setattr(client, "_make_api_call", call)
        return seen

    return install


def no_pause(_seconds: float) -> None:
    pass


def save(name: str, *, owner: str = "GUEST#1", only_new: bool = True) -> Callable[[TransactWrite], None]:
    def build(txn: TransactWrite) -> None:
        txn.save(RefRow(name, "REF", owner=owner), condition=RefRow.pk.does_not_exist() if only_new else None)

    return build


def exists(name: str) -> bool:
    return RefRow.count(name) == 1


@pytest.mark.parametrize(
    "error",
    [
        canceled("TransactionConflict"),
        canceled("ThrottlingError"),
        failed("TransactionInProgressException"),
        failed("ThrottlingException"),
        ReadTimeoutError(endpoint_url="http://dynamodb"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_passing_trouble_is_tried_again_under_the_same_token(
    trouble: Callable[..., list[dict[str, Any]]], error: Exception
) -> None:
    seen = trouble(error, error)
    pauses: list[float] = []
    looks: list[int] = []

    run_transaction(save("ORDER#a"), before_retry=lambda: looks.append(1), pause=pauses.append)

    assert exists("ORDER#a")
    assert len(seen) == 3
    assert len({request["ClientRequestToken"] for request in seen}) == 1
    assert len(looks) == len(pauses) == 2


def test_a_write_whose_reply_was_lost_is_not_refused_when_tried_again(
    trouble: Callable[..., list[dict[str, Any]]],
) -> None:
    trouble(ReadTimeoutError(endpoint_url="http://dynamodb"), after=True)

    run_transaction(save("ORDER#b"), pause=no_pause)

    assert exists("ORDER#b")


def test_a_failed_condition_is_an_answer_named_by_its_key_and_never_repeated(
    trouble: Callable[..., list[dict[str, Any]]],
) -> None:
    run_transaction(save("ORDER#c"))
    seen = trouble()

    def build(txn: TransactWrite) -> None:
        # PynamoDB sends puts before updates, whatever the order of these lines.
        txn.update(RefRow("ORDER#d", "REF"), actions=[RefRow.owner.set("GUEST#2")], condition=RefRow.pk.exists())
        save("ORDER#e")(txn)
        save("ORDER#c")(txn)

    with pytest.raises(Refused) as refused:
        run_transaction(build)

    assert [(refusal.pk, refusal.sk) for refusal in refused.value.refusals] == [("ORDER#c", "REF"), ("ORDER#d", "REF")]
    assert (refused.value.is_about("ORDER#c"), refused.value.is_about("ORDER#e")) == (True, False)
    assert len(seen) == 1
    assert not exists("ORDER#e")


def test_a_failed_condition_beside_a_conflict_is_still_an_answer(trouble: Callable[..., list[dict[str, Any]]]) -> None:
    seen = trouble(canceled("ConditionalCheckFailed", "TransactionConflict"))

    def build(txn: TransactWrite) -> None:
        save("ORDER#f")(txn)
        save("ORDER#g")(txn)

    with pytest.raises(Refused):
        run_transaction(build)

    assert len(seen) == 1


def test_patience_ends_after_ten_tries(trouble: Callable[..., list[dict[str, Any]]]) -> None:
    seen = trouble(*[canceled("TransactionConflict")] * 50)

    with pytest.raises(Busy):
        run_transaction(save("ORDER#h"), pause=no_pause)

    assert len(seen) == TRIES == 10
    assert not exists("ORDER#h")


def test_what_will_never_work_is_not_tried_again(trouble: Callable[..., list[dict[str, Any]]]) -> None:
    seen = trouble(failed("ValidationException"))

    with pytest.raises(TransactWriteError):
        run_transaction(save("ORDER#i"))

    assert len(seen) == 1


def test_giving_up_before_a_retry_ends_the_tries(trouble: Callable[..., list[dict[str, Any]]]) -> None:
    seen = trouble(*[canceled("TransactionConflict")] * 5)

    class SoldOut(Exception):
        pass

    def look() -> None:
        raise SoldOut

    with pytest.raises(SoldOut):
        run_transaction(save("ORDER#j"), before_retry=look, pause=no_pause)

    assert len(seen) == 1
    assert not exists("ORDER#j")
