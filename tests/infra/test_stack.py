"""The whole stack in a local AWS: deployed by the code that deploys it, reached through its gateway, bound by its roles.

`make image-test` runs the same against the built image.
"""

import json
import os
import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from catalog.models import to_row
from shop.lib.money import Money
from shop.local.bench.runtime_api import TRACE
from shop.local.clock import JOBS
from tests import factories
from tests.accounts.sign_in_page import pass_sign_in_page
from tests.infra.browser import Browser, Page, path_of
from tests.infra.cdn import Cdn
from tests.infra.conftest import STRIPE_KEY, WEBHOOK_SECRET, Deployed
from tests.infra.looking import VISITOR, browser, mails, make_an_hour_old, numbers_of, order, out_of_order, stock, token
from tests.infra.reading import template
from tests.shop.local.waiting import wait_until

EMAIL, NAME, STREET = "canary1@example.com", "Canary Twoperson", "3 Canarystreet"
STAFF, STAFF_PASSWORD = "canary9staff@example.com", "Canary10-password-there"


@pytest.fixture(scope="module")
def mug(deployed: Deployed) -> str:
    """A product of which there are ten."""
    made = factories.product(name="Tide Mug", price=Money(2400, "USD"), inventory=10)
    row = dict(to_row(made, image_keys=()).serialize())
    deployed.client("dynamodb").put_item(TableName="test-Products", Item=row)
    return made.product_id


@pytest.fixture(scope="module")
def bought(deployed: Deployed, mug: str) -> tuple[Browser, Page, str]:
    """Somebody who has bought three: their browser, the confirmation, the order's number."""
    visitor = browser(deployed)
    placed = visitor.place(mug, 3, email=EMAIL, name=NAME, street=STREET)
    assert placed.status == 303, placed.text[:2000]
    assert placed.location.startswith(deployed.stripe.base_url), placed.location
    [session_id] = deployed.stripe.state.tables["sessions"]
    deployed.stripe.pay(session_id)
    returned = visitor.get(path_of(deployed.stripe.state.tables["sessions"][session_id]["success_url"]))
    confirmation = visitor.get(path_of(returned.location)) if returned.location else returned
    number = re.search(r"ord-[0-9a-z]+", confirmation.text)
    assert number, confirmation.text[:2000]
    return visitor, confirmation, number[0]


def test_somebody_buys_through_the_gateway(deployed: Deployed, mug: str, bought: tuple[Browser, Page, str]) -> None:
    _, confirmation, number = bought

    assert confirmation.status == 200
    assert order(deployed, number)["status"] == {"S": "processing"}
    assert stock(deployed, mug) == 7


def test_the_stream_function_sends_the_mail(deployed: Deployed, bought: tuple[Browser, Page, str]) -> None:
    _, _, number = bought

    wait_until(lambda: any(number in json.dumps(mail) for mail in mails(deployed)), seconds=30)
    [mail] = [mail for mail in mails(deployed) if number in json.dumps(mail)]
    assert mail["To"] == [EMAIL]
    assert mail["Subject"].endswith(f"{number} is paid")


def test_the_index_is_published_and_lists_are_drawn_from_it(deployed: Deployed, bought: tuple[Browser, Page, str]) -> None:
    # There is no index before somebody builds the first one; what the stream function may write, this shows too.
    media = deployed.outputs["MediaBucketName"]
    s3 = deployed.client("s3", **deployed.credentials_of("stream"))
    s3.put_object(Bucket=media, Key="search/probe", Body=b"x")
    s3.delete_object(Bucket=media, Key="search/probe")

    page = browser(deployed).get("/products/")

    assert page.status == 200
    assert "Tide Mug" in page.text
    assert "set-cookie" not in page.headers


def test_the_job_releases_a_hold(deployed: Deployed, mug: str, bought: tuple[Browser, Page, str]) -> None:
    before = stock(deployed, mug)
    placed = browser(deployed).place(mug, 2, email=EMAIL, name=NAME, street=STREET)
    assert placed.status == 303
    number = next(
        session["client_reference_id"]
        for session in deployed.stripe.state.tables["sessions"].values()
        if session["status"] == "open"
    )
    assert stock(deployed, mug) == before - 2
    make_an_hour_old(deployed, number)

    schedules = {
        json.loads(found["Target"]["Input"])["job"]: found["Target"]
        for found in (
            deployed.client("scheduler").get_schedule(Name=one["Name"])
            for one in deployed.client("scheduler").list_schedules()["Schedules"]
        )
    }
    target = schedules["release_unpaid_orders"]
    answer = deployed.client("lambda").invoke(FunctionName=target["Arn"], Payload=target["Input"])

    assert json.load(answer["Payload"]) == {"job": "release_unpaid_orders", "done": 1}
    assert order(deployed, number)["status"] == {"S": "expired"}
    assert stock(deployed, mug) == before


def test_every_scheduled_job_runs_with_the_rights_it_has(deployed: Deployed, bought: tuple[Browser, Page, str]) -> None:
    scheduler, functions = deployed.client("scheduler"), deployed.client("lambda")
    answers = {}
    for one in scheduler.list_schedules()["Schedules"]:
        target = scheduler.get_schedule(Name=one["Name"])["Target"]
        answer = functions.invoke(FunctionName=target["Arn"], Payload=target["Input"])
        answers[json.loads(target["Input"])["job"]] = (answer.get("FunctionError"), json.load(answer["Payload"]).get("job"))

    assert answers == {name: (None, name) for name in JOBS}


@pytest.mark.parametrize(
    ("function", "service", "operation", "arguments"),
    [
        ("web", "dynamodb", "scan", {"TableName": "test-Users"}),
        ("web", "dynamodb", "delete_table", {"TableName": "test-Orders"}),
        ("web", "s3", "put_object", {"Bucket": "media", "Key": "search/current.json", "Body": b"x"}),
        ("web", "secretsmanager", "get_secret_value", {"SecretId": "shop/test"}),
        ("stream", "s3", "delete_object", {"Bucket": "media", "Key": "products/x/480.webp"}),
        ("stream", "dynamodb", "put_item", {"TableName": "test-Carts", "Item": {"PK": {"S": "x"}, "SK": {"S": "CART"}}}),
        ("jobs", "dynamodb", "delete_item", {"TableName": "test-Users", "Key": {"PK": {"S": "x"}, "SK": {"S": "y"}}}),
        ("jobs", "s3", "get_object", {"Bucket": "media", "Key": "search/current.json"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_role_is_refused_what_its_function_has_no_business_doing(
    deployed: Deployed, function: str, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    if arguments.get("Bucket") == "media":
        arguments = {**arguments, "Bucket": deployed.outputs["MediaBucketName"]}

    with pytest.raises(ClientError) as refused:
        getattr(deployed.client(service, **deployed.credentials_of(function)), operation)(**arguments)

    assert refused.value.response["Error"]["Code"] in ("AccessDeniedException", "AccessDenied")


def test_nobody_goes_past_the_cdn(deployed: Deployed) -> None:
    for headers in ({"X-Nothing": "x"}, {"X-Origin-Secret": "guessed"}, {"X-Origin-Secret": ""}):
        assert browser(deployed, **headers).get("/").status == 403


@pytest.mark.parametrize("api", ["ApiUrl", "SystemsApiUrl"])
def test_the_interface_for_other_systems_is_closed_to_strangers(deployed: Deployed, api: str) -> None:
    stranger = browser(deployed, api)

    assert stranger.get("/api/v1/products/").status in (401, 403)
    if api == "SystemsApiUrl":
        assert stranger.get("/").status == 404


def test_a_token_of_the_user_pool_opens_what_its_scopes_name_and_nothing_else(deployed: Deployed, mug: str) -> None:
    reading = token(deployed, "shop/products.view")
    system = browser(deployed, Authorization=f"Bearer {reading}")

    found = system.get(f"/api/v1/products/{mug}")
    assert (found.status, json.loads(found.text)["product_id"]) == (200, mug)
    # The gateway lets it pass, for it has one of the scopes; the app says no.
    assert system.get("/api/v1/orders").status == 403
    # Pages know cookies alone.
    page = browser(deployed, **system.headers, **browser(deployed).headers).get("/accounts/")
    assert (page.status, page.location) == (303, "/accounts/login/?next=%2Faccounts%2F")
    head, body, signature = reading.split(".")
    for forged in (f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.", "nonsense", ""):
        assert browser(deployed, Authorization=f"Bearer {forged}").get(f"/api/v1/products/{mug}").status == 401
    # A token of our own, which opens the interface where no gateway stands, opens nothing behind one.
    assert browser(deployed).get(f"/api/v1/products/{mug}").status == 401


def test_a_signature_of_an_aws_identity_opens_what_the_settings_name_and_nothing_else(deployed: Deployed, mug: str) -> None:
    iam, gateway = deployed.client("iam"), browser(deployed, "SystemsApiUrl")

    def ask(user: str, path: str, *, tampered: bool = False) -> int:
        key = iam.create_access_key(UserName=user)["AccessKey"]
        request = AWSRequest("GET", gateway.base + path, headers={"Host": gateway.host})
        SigV4Auth(Credentials(key["AccessKeyId"], key["SecretAccessKey"]), "execute-api", deployed.cloud.region).add_auth(request)
        headers = dict(request.headers.items())
        if tampered:
            headers["Authorization"] = headers["Authorization"][:-4] + "0000"
        return replace(gateway, headers=headers).get(path).status

    for user in ("erp", "stranger"):
        iam.create_user(UserName=user)
    assert ask("erp", f"/api/v1/products/{mug}") == 403
    for user in ("erp", "stranger"):
        iam.attach_user_policy(UserName=user, PolicyArn=deployed.outputs["SystemsAccessArn"])
    assert ask("erp", f"/api/v1/products/{mug}") == 200
    assert ask("erp", f"/api/v1/products/{mug}", tampered=True) == 403
    assert ask("erp", "/api/v1/orders") == 403
    assert ask("stranger", f"/api/v1/products/{mug}") == 403


@pytest.fixture(scope="module")
def staff(deployed: Deployed) -> tuple[Browser, str]:
    """Somebody of the group admin who has come in by the user pool's own pages; and the address they came back to."""
    pools, pool = deployed.client("cognito-idp"), deployed.outputs["UserPoolId"]
    attributes = [{"Name": "email", "Value": STAFF}, {"Name": "email_verified", "Value": "true"}]
    made = {"Username": STAFF, "MessageAction": "SUPPRESS", "UserAttributes": attributes, "TemporaryPassword": STAFF_PASSWORD}
    pools.admin_create_user(UserPoolId=pool, **made)
    pools.admin_set_user_password(UserPoolId=pool, Username=STAFF, Password=STAFF_PASSWORD, Permanent=True)
    pools.admin_add_user_to_group(UserPoolId=pool, Username=STAFF, GroupName="admin")
    visitor = browser(deployed)
    asked = visitor.get("/accounts/cognito/?next=/staff/").location
    back = pass_sign_in_page(asked, email=STAFF, password=STAFF_PASSWORD)
    assert back.startswith(f"{deployed.outputs['SiteUrl']}/accounts/cognito/return/?"), back
    assert visitor.get(path_of(back)).location == "/staff/"
    return visitor, back


def test_staff_come_in_by_the_user_pool(deployed: Deployed, staff: tuple[Browser, str]) -> None:
    visitor, _ = staff

    assert visitor.get("/staff/").status == 200
    assert browser(deployed).get("/staff/").location == "/accounts/login/?next=%2Fstaff%2F"
    assert 'href="/accounts/cognito/' in browser(deployed).get("/accounts/login/").text


def test_addresses_in_any_script_are_answered(deployed: Deployed) -> None:
    assert browser(deployed).get("/%C3%A4%E4%B8%AD/").status == 404


def test_every_request_is_one_line_with_its_numbers_and_route(
    deployed: Deployed, bought: tuple[Browser, Page, str], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = numbers_of(deployed, "web")
    placed = next(line for line in lines if line.get("route") == "/checkout/place/")

    assert placed["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "Shop/test"
    assert (placed["service"], placed["method"], placed["status"]) == ("shop", "POST", 303)
    assert placed["request_id"]
    assert placed["DynamoDBCalls"][0] >= 4
    assert placed["WriteUnits"][0] > 0
    assert placed["StripeCalls"] == [1.0]
    assert placed["Milliseconds"][0] > 0
    [cold] = [line for line in lines if line["cold_start"]]
    assert cold["cold_start_cpu_ms"] > 0
    assert [line for line in lines if "cold_start_cpu_ms" in line] == [cold]
    if "SHOP_IMAGE_RUN" in os.environ:
        with capsys.disabled():
            print(f"\nThe web function's cold start in the image: {cold['cold_start_cpu_ms']} ms.")  # noqa: T201 - told by make image-test


def test_orders_and_revenue_are_counted_once(deployed: Deployed, bought: tuple[Browser, Page, str]) -> None:
    def total(name: str) -> float:
        return sum(sum(line.get(name, [])) for line in numbers_of(deployed, "stream"))

    wait_until(lambda: total("OrdersPaid") > 0 and total("CartsStarted") > 0, seconds=30)
    assert total("OrdersPaid") == 1
    assert total("Revenue") == 87.75  # 3 x 24.00, tax 5.76, delivery 9.99
    assert total("OrdersPlaced") >= 1


def test_calls_are_traced(deployed: Deployed, bought: tuple[Browser, Page, str], staff: tuple[Browser, str]) -> None:
    documents = deployed.traces.taken()
    names = {document["name"] for document in documents}
    root = dict(part.split("=") for part in TRACE.split(";"))

    assert names == {"DynamoDB", "Stripe", "Cognito"}
    for document in documents:
        assert (document["trace_id"], document["parent_id"], document["type"]) == (root["Root"], root["Parent"], "subsegment")
        assert document["start_time"] <= document["end_time"] <= time.time()
    assert {"GetItem", "TransactWriteItems"} <= {one["aws"]["operation"] for one in documents if one["name"] == "DynamoDB"}


def test_nothing_failed_on_the_way(deployed: Deployed, bought: tuple[Browser, Page, str]) -> None:
    lines = [json.loads(line) for function in deployed.functions.values() for line in function.lines() if line.startswith("{")]

    assert [line["message"] for line in lines if line.get("level") in ("ERROR", "CRITICAL")] == []
    assert [line for line in lines if "Failures" in line] == []


def test_no_log_holds_anything_personal_or_secret(
    deployed: Deployed, bought: tuple[Browser, Page, str], staff: tuple[Browser, str]
) -> None:
    visitor, _, number = bought
    visitor.get(f"/orders/{number}/?key=canarykey6canarykey6")
    visitor.get("/accounts/password-reset/canarytoken7canarytoken7/")
    # Used already, or nobody's: what fails is told in more words.
    staff[0].get(path_of(staff[1]))
    visitor.get("/accounts/cognito/return/?code=canarycode11&state=canarystate12")
    visitor.post("/accounts/login/", {"email": "canary13@example.com", "password": "canarypassword14"})
    browser(deployed, Authorization=f"Bearer {token(deployed, 'shop/products.view')}").get("/api/v1/products")
    for job in JOBS:
        deployed.functions["jobs"].invoke({"job": job})
    written = {name: function.lines() for name, function in deployed.functions.items()}

    canaries = [EMAIL, NAME, STREET, VISITOR, STRIPE_KEY, WEBHOOK_SECRET, "canary", STAFF, STAFF_PASSWORD, "eyJ"]
    canaries += [value for name, value in deployed.secrets.items() if value]
    canaries += [value for who in (visitor, staff[0]) for value in who.cookies.values() if value]
    canaries += [value for _, value in parse_qsl(urlsplit(staff[1]).query)]
    for name, lines in written.items():
        assert any("_aws" in line for line in lines), f"{name} has told nothing"
        assert [canary for canary in canaries if any(canary.lower() in line.lower() for line in lines)] == [], name
        assert [line for line in lines if line.strip() and not line.startswith("{")] == []


def test_two_people_behind_the_cdn_never_see_each_others_marks(deployed: Deployed, mug: str, bought: Any) -> None:
    cdn = Cdn(template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"])
    ada, bob = browser(deployed), browser(deployed)
    ada.post("/cart/add/", {"product_id": mug, "quantity": "1"})
    ada.post("/checkout/contact/", {"email": "canary8@example.com", "phone": ""})
    product = re.search(rf'href="(/products/{mug}/[^"]+/)"', ada.get("/products/").text)
    assert product
    shared = [
        "/",
        "/products/",
        "/products/?sort=-price",
        "/categories/kitchen-table/",
        product[1],
        *("/terms/", "/privacy/", "/delivery-and-returns/", "/contact/"),
        "/sitemap.xml",
        "/robots.txt",
    ]
    marks = ["canary8", *(value for value in ada.cookies.values() if len(value) > 8)]

    first = {path: cdn.get(ada, path) for path in shared}
    second = {path: cdn.get(bob, path) for path in shared}

    assert {path: page.text for path, page in first.items()} == {path: page.text for path, page in second.items()}
    assert bob.cookies == {}
    for path, page in (first | second).items():
        assert "set-cookie" not in page.headers, path
        assert not [mark for mark in marks if mark in page.text], path
    assert {"/", "/products/", product[1]} <= set(cdn.hits)
    # What is theirs comes past the cache, each time anew.
    assert "Tide Mug" in cdn.get(ada, "/cart/").text
    assert "Tide Mug" not in cdn.get(bob, "/cart/").text
    for path in ("/cart/", "/cart/badge/", "/checkout/", "/accounts/login/"):
        assert "no-store" in cdn.get(ada, path).headers["cache-control"], path
    # A fragment and a whole page of one address are kept apart.
    assert cdn.get(bob, "/products/", is_htmx=True).text != second["/products/"].text


def test_the_catalogue_is_there_while_the_function_fails(deployed: Deployed, mug: str, bought: Any) -> None:
    cdn = Cdn(template()["Resources"]["Distribution"]["Properties"]["DistributionConfig"])
    visitor = browser(deployed)
    product = re.search(rf'href="(/products/{mug}/[^"]+/)"', visitor.get("/products/").text)
    assert product
    paths = ["/", "/products/", product[1], "/robots.txt"]
    before = {path: cdn.get(visitor, path) for path in paths}
    assert {page.status for page in before.values()} == {200}

    with out_of_order(deployed):
        cdn.clock += 1200
        assert visitor.get("/").status >= 500
        assert {path: cdn.get(visitor, path) for path in paths} == before
        assert cdn.stale == paths[:3]
        # What is one person's is never an old copy.
        assert cdn.get(visitor, "/cart/").status >= 500
        cdn.clock += 3600
        assert cdn.get(visitor, "/").status >= 500

    assert cdn.get(visitor, "/").status == 200
