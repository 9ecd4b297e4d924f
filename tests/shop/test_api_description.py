"""The published description of the interface: valid, and true of what is answered to anything that may be sent."""

import json
import os
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode

from shop.api import OPERATIONS
from shop.entrypoints.web import application
from shop.lib.api import Operation
from shop.lib.guests import new_guest
from shop.lib.viewer import Permission
from shop.local.fake_stripe import FakeStripe
from tests import factories
from tests.orders.paid import paid_order
from tests.shop.api_calls import by_token

EXAMPLES = int(os.environ.get("API_EXAMPLES", "5"))
"""Of each operation, right and wrong ones; API_EXAMPLES=500 for a thorough look."""
GOOD = {"Authorization": "Bearer good"}
DESCRIPTION = "/api/v1/openapi.json"


def behind_a_gateway(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The shop as systems meet it; one token is good for everything."""
    granted = by_token(*Permission) if environ.get("HTTP_AUTHORIZATION") == GOOD["Authorization"] else None
    environ["apig_wsgi.request_context"] = {"authorizer": granted, "http": {"sourceIp": "203.0.113.9"}}
    answer: Iterable[bytes] = application(environ, start_response)
    return answer


@pytest.fixture
def known(tables: Any, stripe: FakeStripe, now: datetime) -> dict[str, str]:
    """Things that are there, by the name of their id."""
    mug = factories.make_product(inventory=500)
    order = paid_order(stripe, new_guest(now), {mug.product_id: 3}, now)
    return {"product_id": mug.product_id, "order_id": order.order_id}


@pytest.fixture
def described(known: dict[str, str]) -> Any:
    return schemathesis.openapi.from_wsgi(DESCRIPTION, behind_a_gateway)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_whatever_is_sent_the_answer_is_a_described_one(operation: Operation, described: Any, known: dict[str, str]) -> None:
    """No error of ours, no status, header or content that the description does not have, and nothing wrong is taken."""

    def holds(case: Case[Any]) -> None:
        if case.meta and case.meta.generation.mode is GenerationMode.POSITIVE:
            case.path_parameters = {name: known[name] for name in case.path_parameters}
            case.headers.pop("If-Match", None)  # made up, it is of no version there is
            case.query.pop("cursor", None)  # nor of any list
            case.headers["Idempotency-Key"] = uuid.uuid4().hex  # examples repeat theirs with other bodies
        case.call_and_validate(headers=GOOD)

    few = settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    for mode in GenerationMode.POSITIVE, GenerationMode.NEGATIVE:
        few(given(case=described[operation.path][operation.method].as_strategy(generation_mode=mode))(holds))()


def test_everybody_may_read_it_and_every_operation_is_in_it(client: Client) -> None:
    answer = client.get(DESCRIPTION)
    told = json.loads(answer.content)

    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "application/json",
        "public, max-age=300",
    )
    assert told["openapi"] == "3.1.0"
    found = {one["operationId"]: (method.upper(), path) for path, ways in told["paths"].items() for method, one in ways.items()}
    assert found == {one.name: (one.method, one.path) for one in OPERATIONS} | {"getTokens": ("POST", "/token")}
