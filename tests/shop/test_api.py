"""The interface for other systems: who may, and what is refused before anything is done."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from shop.api import OPERATIONS
from shop.lib.viewer import Permission
from tests import factories
from tests.accounts.people import PASSWORD, make_user
from tests.conftest import items_of
from tests.rivals import fails, refusal, run_before
from tests.shop.api_calls import ERP, by_signature, by_token, call

pytestmark = pytest.mark.usefixtures("tables")

BODIES: dict[str, Any] = {
    "setStock": {"inventory": 3},
    "adjustStock": {"change": 1, "reason": "received"},
    "shipParcel": {},
    "changeProduct": {"weight": 400},
}
_ADDRESSES = [(one.name, one.method, one.path.format(product_id="prod-1", order_id="ord-1")) for one in OPERATIONS]
_SHARED = {"listProducts", "listStock", "listOrders"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
@pytest.mark.parametrize("permission", [*Permission, None])
def test_an_operation_needs_its_own_permission_and_no_other_will_do(operation: Any, permission: Permission | None) -> None:
    path = operation.path.format(product_id="prod-1", order_id="ord-1")
    granted = by_token(*([permission] if permission else []))

    status, _, content = call(operation.method, path, BODIES.get(operation.name), authorizer=granted)

    if permission == operation.permission:
        assert status == (200 if operation.name in _SHARED else 404)
    else:
        assert (status, content["detail"]) == (403, f"This needs the permission {operation.permission}.")


NOBODIES: list[dict[str, Any] | None] = [
    None,
    {},
    {"jwt": {}},
    {"jwt": {"claims": {}, "scopes": ["shop/stock.edit"]}},
    by_token("stock.edit", token_use="id"),
    by_token("stock.edit", token_use=None),
    by_token("stock.edit", client_id=""),
    {"iam": {}},
    {"iam": {"userArn": None}},
    {"claims": {"token_use": "access", "client_id": "erp", "scope": "shop/stock.edit"}},
    {"lambda": {"permissions": "stock.edit"}},
]


@pytest.mark.parametrize("authorizer", NOBODIES)
def test_without_an_authorizers_word_nobody_is_there(authorizer: dict[str, Any] | None) -> None:
    mug = factories.make_product(inventory=3)

    status, headers, content = call("PUT", f"/stock/{mug.product_id}", {"inventory": 9}, authorizer=authorizer)

    assert (status, headers["content-type"], headers["www-authenticate"]) == (401, "application/problem+json", "Bearer")
    assert content["status"] == 401
    assert [item["inventory"]["N"] for item in items_of("Products") if item["SK"]["S"] == "METADATA"] == ["3"]


def test_no_header_speaks_for_the_gateway(client: Client, now: datetime) -> None:
    make_user(now, role="admin")
    own = client.post("/api/v1/token", {"email": "ada@example.com", "password": PASSWORD}, content_type="application/json").json()
    context = json.dumps({"authorizer": by_token("products.view")})
    forged = {
        "apig_wsgi.request_context": context,
        "apig-wsgi-request-context": context,
        "x-amzn-request-context": context,
        "authorization": f"Bearer {own['access_token']}",
    }

    assert call("GET", "/products", authorizer=None, headers=forged)[0] == 401
    assert (
        client.get(
            "/api/v1/products", headers={name: value for name, value in forged.items() if name != "authorization"}
        ).status_code
        == 401
    )


def test_where_no_gateway_stands_a_persons_own_token_opens_what_they_may_do_now(client: Client, now: datetime) -> None:
    make_user(now, role="admin")
    tokens = client.post(
        "/api/v1/token", {"email": "ada@example.com", "password": PASSWORD}, content_type="application/json"
    ).json()
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}

    assert client.get("/api/v1/products", headers=headers).json() == {"items": [], "next_cursor": None}
    assert client.get("/api/v1/products", headers={"Authorization": "Bearer x.y.z"}).status_code == 401
    assert client.get("/api/v1/products").status_code == 401


def test_where_staff_need_a_second_proof_a_persons_own_token_needs_it_too(
    client: Client, now: datetime, settings: Settings
) -> None:
    settings.STAFF_SECOND_FACTOR = True
    make_user(now, role="admin")
    known = {"email": "ada@example.com", "password": PASSWORD}
    access = client.post("/api/v1/token", known, content_type="application/json").json()["access_token"]

    answer = client.get("/api/v1/products", headers={"Authorization": f"Bearer {access}"})

    assert (answer.status_code, answer.json()["detail"]) == (403, "Ask for tokens with the code of your authenticator.")


@pytest.mark.parametrize(
    ("code", "status", "title", "retry_after"),
    [("ThrottlingException", 503, "Busy", "5"), ("ValidationException", 500, "Our mistake", None)],
)
def test_trouble_is_a_problem_too_and_nothing_is_done(code: str, status: int, title: str, retry_after: str | None) -> None:
    mug = factories.make_product(inventory=3)
    before = items_of("Products")

    with run_before("GetItem", fails(refusal("GetItem", code))):
        got, headers, content = call("PUT", f"/stock/{mug.product_id}", {"inventory": 9}, authorizer=by_token("stock.edit"))

    assert (got, content["status"], content["title"], headers.get("retry-after")) == (status, status, title, retry_after)
    assert headers["content-type"] == "application/problem+json"
    assert items_of("Products") == before


def test_an_aws_identity_may_do_what_the_settings_say_and_its_roles_sessions_too(settings: Settings) -> None:
    settings.API_SYSTEMS = {ERP: frozenset({Permission.PRODUCTS_VIEW})}
    session = "arn:aws:sts::123456789012:assumed-role/erp/i-0123"
    strangers = [
        "arn:aws:sts::999999999999:assumed-role/erp/i-0123",
        "arn:aws:sts::123456789012:assumed-role/erp2/i-0123",
        "arn:aws:iam::123456789012:user/erp",
        "arn:aws:sts::123456789012:assumed-role/x/arn:aws:iam::123456789012:role/erp",
    ]

    assert [call("GET", "/products", authorizer=by_signature(arn))[0] for arn in (ERP, session)] == [200, 200]
    assert call("GET", "/orders", authorizer=by_signature(session))[0] == 403
    assert [call("GET", "/products", authorizer=by_signature(arn))[0] for arn in strangers] == [403] * 4


@pytest.mark.parametrize("sneaky", ["//api/v1/products", "/api/v1//products", "/api/v1/./products", "/api%2Fv1/products"])
def test_another_spelling_of_the_address_is_no_way_past_the_authorizer(sneaky: str) -> None:
    from shop.entrypoints.web import handler
    from tests.shop.entrypoints.test_web import event

    assert handler(event(sneaky), None)["statusCode"] in (401, 404)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ('{"inventory": NaN}', 400),
        ('{"inventory": Infinity}', 400),
        ('{"inventory": 1e999999}', 400),
        ('{"inventory": 1.5}', 400),
        ('{"inventory": true}', 400),
        ('{"inventory": "3"}', 400),
        ('{"inventory": "three"}', 400),
        ('{"inventory": -1}', 400),
        ('{"inventory": 1000001}', 400),
        (f'{{"inventory": {"9" * 5000}}}', 400),
        ('{"inventory": 1, "inventory": 2}', 400),
        ('{"inventory": 3, "price": 1}', 400),
        ("{}", 400),
        ('{"inventory": 3, "note": "\\ud800"}', 400),
        ('{"inventory": 3, "note": "a\\u0000b"}', 400),
        (f'{{"inventory": 3, "note": "{"x" * 201}"}}', 400),
        ('{"inventory": 3, "note": ["x"]}', 400),
        ("[" * 100_000, 400),
        (f'{{"inventory": 3, "note": "{"x" * 300_000}"}}', 413),
    ],
)
def test_a_body_that_is_not_right_is_a_problem_and_nothing_is_done(raw: str, status: int) -> None:
    mug = factories.make_product(inventory=7)
    before = items_of("Products")

    found, headers, content = call("PUT", f"/stock/{mug.product_id}", raw=raw, authorizer=by_token("stock.edit"))

    assert (found, headers["content-type"], content["status"]) == (status, "application/problem+json", status)
    assert items_of("Products") == before


def test_what_is_wrong_is_told_field_by_field() -> None:
    mug = factories.make_product()

    _, _, content = call(
        "POST", f"/stock/{mug.product_id}/adjustments", {"reason": "sale", "colour": 1}, authorizer=by_token("stock.edit")
    )

    assert content["errors"] == [
        {"field": "colour", "detail": "is not known here"},
        {"field": "change", "detail": "is missing"},
        {"field": "reason", "detail": "must be one of received, return, loss, adjustment"},
    ]


def test_a_form_is_no_json() -> None:
    status, _, content = call(
        "PUT", "/stock/prod-1", raw="inventory=3", authorizer=by_token("stock.edit"), headers={"content-type": "text/plain"}
    )

    assert (status, content["title"]) == (415, "Not JSON")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=x", "limit=", "limit=1&limit=2", "page=2", "status=sold", "cursor=x", "cursor=", "status="],
)
def test_a_query_that_is_not_right_is_a_problem(query: str) -> None:
    status, _, content = call("GET", f"/products?{query}", authorizer=by_token("products.view"))

    assert (status, content["status"]) == (400, 400)


def test_what_is_not_there_and_what_is_not_done_here_are_problems_too() -> None:
    viewer = by_token("products.view", "stock.edit")

    answers = {
        "nothing": call("GET", "/nothing", authorizer=viewer),
        "slash": call("GET", "/products/", authorizer=viewer),
        "line break": call("GET", "/products/a\nb", authorizer=viewer),
        "method": call("DELETE", "/stock/prod-1", authorizer=viewer),
        "token": call("GET", "/token", authorizer=viewer),
    }

    assert {name: answer[0] for name, answer in answers.items()} == {
        "nothing": 404,
        "slash": 404,
        "line break": 404,
        "method": 405,
        "token": 405,
    }
    assert answers["method"][1]["allow"] == "GET, PUT, HEAD"
    assert {answer[1]["content-type"] for answer in answers.values()} == {"application/problem+json"}


@pytest.mark.parametrize("key", ["", "x" * 201, "with space", "ümlaut"])
def test_a_write_needs_a_key(key: str) -> None:
    mug = factories.make_product(inventory=7)

    status, _, content = call("PUT", f"/stock/{mug.product_id}", {"inventory": 9}, key=key, authorizer=by_token("stock.edit"))

    assert (status, content["title"]) == (400, "A key is needed")
