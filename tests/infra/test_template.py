"""The template says what the code needs, and nothing in it costs by the hour."""

import json
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from inspect import unwrap
from pathlib import Path
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import product_views, views
from infra import tables
from shop import page_views
from shop.entrypoints.jobs import JOBS
from shop.entrypoints.stream import REACTIONS
from shop.lib.tables import table_definition
from shop.lib.viewer import Permission
from shop.local.clock import JOBS as LOCAL_SCHEDULE
from shop.management.commands.createtables import TABLES
from tests.infra.reading import ROOT, TEMPLATE, of_type, template

FUNCTIONS = ("WebFunction", "StreamFunction", "JobsFunction")
NOT_ON_AWS = {
    "SHOP_LOCAL": "the laptop's",
    "SHOP_DEBUG": "never where strangers are",
    "AWS_ENDPOINT_URL": "the laptop's",
    "AWS_REGION": "Lambda sets it, and reserves the name",
    "AWS_DEFAULT_REGION": "the same",
    "AWS_LAMBDA_FUNCTION_NAME": "the same",
    "BOTOCORE_DATA": "the image sets it",
    "COGNITO_JWKS_URL": "the issuer's own",
    "COGNITO_CLIENT_ID": "the gateway verifies the tokens of other systems",
}
# What costs nothing while nobody comes, but for storage and alarms (docs/costs.md). Look a new type's price up before adding it.
WITHOUT_HOURLY_PRICE = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Authorizer",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Budgets::Budget",
    "AWS::CloudFront::CachePolicy",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::OriginRequestPolicy",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::Cognito::UserPoolDomain",
    "AWS::Cognito::UserPoolGroup",
    "AWS::Cognito::UserPoolResourceServer",
    "AWS::DynamoDB::Table",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SES::EmailIdentity",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::Scheduler::Schedule",
}


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return template()


@pytest.fixture(scope="module")
def resources(whole: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = whole["Resources"]
    return found


def test_cfn_lint_has_nothing_to_say_and_is_told_to_ignore_nothing() -> None:
    lint = Path(sys.executable).with_name("cfn-lint")
    answer = subprocess.run([lint, str(TEMPLATE)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)

    assert (answer.returncode, answer.stdout) == (0, "")
    assert "cfn-lint" not in TEMPLATE.read_text()
    assert not (ROOT / ".cfnlintrc").exists()


def test_the_tables_were_written_from_the_row_classes_as_they_are() -> None:
    assert tables.section() in TEMPLATE.read_text(), "run `make template`"


@pytest.mark.parametrize("row", TABLES, ids=lambda row: row.Meta.table_name)
def test_a_table_has_the_keys_indexes_stream_expiry_and_safeguards_its_rows_need(row: Any, resources: dict[str, Any]) -> None:
    definition = table_definition(row)
    name = row.Meta.table_name.removeprefix("test-")
    resource = resources[f"{name}Table"]
    table = resource["Properties"]

    assert table["TableName"] == {"Fn::Sub": f"${{Environment}}-{name}"}
    assert table["KeySchema"] == definition["KeySchema"]
    assert sorted(table["AttributeDefinitions"], key=str) == sorted(definition["AttributeDefinitions"], key=str)
    assert table.get("GlobalSecondaryIndexes", []) == definition["GlobalSecondaryIndexes"]
    assert table["BillingMode"] == definition["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"]["StreamViewType"] == definition["StreamSpecification"]["StreamViewType"]
    ttl = row.Meta.ttl_attribute
    assert table.get("TimeToLiveSpecification") == ({"AttributeName": ttl, "Enabled": True} if ttl else None)
    assert (table["SSESpecification"]["SSEEnabled"], table["SSESpecification"]["SSEType"]) == (True, "KMS")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_the_four_tables_and_no_other_are_made(resources: dict[str, Any]) -> None:
    assert len(of_type("AWS::DynamoDB::Table", resources)) == len(TABLES) == 4


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_setting_is_given_to_every_function(function: str, resources: dict[str, Any]) -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "shop/settings.py").read_text()))
    given = set(resources[function]["Properties"]["Environment"]["Variables"])

    assert read - given == set(NOT_ON_AWS) & read, "add them to Environment in infra/template.yaml, or say why not in NOT_ON_AWS"
    assert given - read == set()


def test_secrets_come_from_the_secret_by_its_version_and_from_nowhere_else(whole: dict[str, Any]) -> None:
    variables = whole["Resources"]["WebFunction"]["Properties"]["Environment"]["Variables"]
    from_secret = {name for name, value in variables.items() if "resolve:secretsmanager" in json.dumps(value)}

    assert {name for name in variables if re.search("SECRET|KEYS?$|KEY_|TOKEN", name)} == from_secret
    for name in from_secret:
        reference = f"{{{{resolve:secretsmanager:${{SecretsName}}:SecretString:{name}::${{SecretsVersion}}}}}}"
        assert variables[name] == {"Fn::Sub": reference}
    assert not [name for name in whole["Parameters"] if re.search(r"(?i)password$|(secret|api)key", name)]


def test_the_functions_are_one_image_and_one_environment(resources: dict[str, Any]) -> None:
    functions = [resources[name]["Properties"] for name in FUNCTIONS]

    for same in ("Code", "PackageType", "Architectures", "Environment", "TracingConfig"):
        assert functions[0][same] == functions[1][same] == functions[2][same]
    assert functions[0]["TracingConfig"] == {"Mode": "Active"}


def test_the_handlers_named_in_the_template_exist(whole: dict[str, Any]) -> None:
    for function in whole["Mappings"]["Functions"].values():
        module, name = function["Handler"].rsplit(".", 1)
        assert f"def {name}(" in (ROOT / (module.replace(".", "/") + ".py")).read_text()


def test_nothing_in_the_default_stack_has_an_hourly_price(whole: dict[str, Any]) -> None:
    switches = {"HasCache", "HasWaf", "HasSystemsClient"}
    defaults = {name: parameter.get("Default") for name, parameter in whole["Parameters"].items()}
    standing = {name for name, one in whole["Resources"].items() if one.get("Condition") not in switches}

    assert {whole["Resources"][name]["Type"] for name in standing} - WITHOUT_HOURLY_PRICE == set()
    assert (defaults["Cache"], defaults["Waf"], defaults["SystemsClient"]) == ("off", "off", "off")
    written = json.dumps([whole["Resources"][name] for name in standing])
    assert "ProvisionedConcurrency" not in written
    assert "ProvisionedThroughput" not in written
    # Cognito charges for each client that other systems sign in with, by the month.
    assert [
        name
        for name in standing
        if "client_credentials" in whole["Resources"][name].get("Properties", {}).get("AllowedOAuthFlows", [])
    ] == []


def test_every_job_has_its_schedule_as_on_a_laptop(resources: dict[str, Any]) -> None:
    rates = {}
    for schedule in of_type("AWS::Scheduler::Schedule", resources).values():
        rates[json.loads(schedule["Target"]["Input"])["job"]] = schedule["ScheduleExpression"]

    assert {name: _seconds(rate) for name, rate in rates.items()} == dict(LOCAL_SCHEDULE)
    assert set(rates) == set(JOBS)


def _seconds(rate: str) -> float:
    match = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", rate)
    assert match, rate
    return float(match[1]) * {"minute": 60, "hour": 3600, "day": 86400}[match[2]]


def test_every_stream_the_function_reacts_to_is_delivered_and_what_fails_is_put_aside(resources: dict[str, Any]) -> None:
    mappings = of_type("AWS::Lambda::EventSourceMapping", resources)

    assert {one["EventSourceArn"]["Fn::GetAtt"][0] for one in mappings.values()} == {f"{name}Table" for name in REACTIONS}
    for mapping in mappings.values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert mapping["BisectBatchOnFunctionError"] is True
        assert mapping["MaximumRetryAttempts"] >= 1
        assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": ["StreamDeadLetters", "Arn"]}}}


def statements(resources: dict[str, Any]) -> list[dict[str, Any]]:
    documents = [one["PolicyDocument"] for one in of_type("AWS::IAM::Policy", resources).values()]
    documents += [
        policy["PolicyDocument"] for role in of_type("AWS::IAM::Role", resources).values() for policy in role.get("Policies", [])
    ]
    return [statement for document in documents for statement in document["Statement"] if "Action" in statement]


def test_no_role_may_do_everything_and_none_may_scan_or_end_a_table(resources: dict[str, Any]) -> None:
    for statement in statements(resources):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        assert not {"dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "dynamodb:PartiQLSelect"} & set(actions)
        # X-Ray knows no resources.
        assert statement["Resource"] != "*" or all(action.startswith("xray:") for action in actions)


def test_the_gateways_log_holds_nothing_personal(resources: dict[str, Any]) -> None:
    for stage in of_type("AWS::ApiGatewayV2::Stage", resources).values():
        fields = re.findall(r"\$context\.([\w.]+)", stage["AccessLogSettings"]["Format"])
        assert "requestId" in fields
        assert not [field for field in fields if re.search(r"(?i)sourceIp|userAgent|path|identity|claims|domain", field)]
        json.loads(stage["AccessLogSettings"]["Format"])


def test_every_log_ends_and_every_function_has_one(resources: dict[str, Any]) -> None:
    groups = of_type("AWS::Logs::LogGroup", resources)

    assert len(groups) == 4
    assert all(group["RetentionInDays"] == {"Ref": "LogDays"} for group in groups.values())


def test_every_alarm_tells_somebody(resources: dict[str, Any]) -> None:
    alarms = of_type("AWS::CloudWatch::Alarm", resources)

    assert all(alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())
    assert {
        "ServerErrorsAlarm",
        "SlowPagesAlarm",
        "ThrottledAlarm",
        "TablesThrottledAlarm",
        "StreamAgeAlarm",
        "StreamDeadLettersAlarm",
        "JobDeadLettersAlarm",
        "StuckOrdersAlarm",
        "RevenueAlarm",
    } <= set(alarms)
    # The first ten are free, by the metric.
    assert len(alarms) <= 14


def test_the_dashboard_is_json_and_shows_metrics_the_code_sends(resources: dict[str, Any]) -> None:
    body = json.loads(re.sub(r"\$\{[^}]+\}", "x", resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]))
    sent = (ROOT / "shop/entrypoints").glob("*.py")
    code = "".join(file.read_text() for file in sent)

    own = re.findall(r'"Shop/\$\{Environment\}", "(\w+)"', resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    assert len(body["widgets"]) >= 9
    assert own
    assert [name for name in own if f'"{name}"' not in code] == []
    for alarm in of_type("AWS::CloudWatch::Alarm", resources).values():
        if "Shop/" in json.dumps(alarm.get("Namespace")):
            assert f'"{alarm["MetricName"]}"' in code


def test_browsers_reach_photographs_and_never_uploads_or_the_index(resources: dict[str, Any]) -> None:
    policy = resources["MediaBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    allowed = [statement for statement in policy if statement["Effect"] == "Allow"]
    behaviours = resources["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"]

    assert [one["Resource"]["Fn::Sub"].rsplit(":::", 1)[1] for one in allowed] == ["${MediaBucket}/products/*"]
    assert all("AWS:SourceArn" in one["Condition"]["StringEquals"] for one in allowed)
    assert [one["PathPattern"] for one in behaviours if one["TargetOriginId"] == "media"] == ["/media/products/*"]
    for bucket in of_type("AWS::S3::Bucket", resources).values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    rules = resources["MediaBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert {"Id": "uploads-end", "Status": "Enabled", "Prefix": "uploads/", "ExpirationInDays": 1} in rules


def test_every_behaviour_turns_to_https_and_the_default_keeps_nothing(resources: dict[str, Any]) -> None:
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    default = config["DefaultCacheBehavior"]

    assert {one["ViewerProtocolPolicy"] for one in [default, *config["CacheBehaviors"]]} == {"redirect-to-https"}
    assert default["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # Managed-CachingDisabled
    assert "POST" in default["AllowedMethods"]


def behaviour_of(path: str, config: dict[str, Any]) -> dict[str, Any]:
    """The first that matches, as CloudFront chooses."""
    found: dict[str, Any] = next(
        (one for one in config["CacheBehaviors"] if fnmatchcase(path, one["PathPattern"])), config["DefaultCacheBehavior"]
    )
    return found


def addresses(resolver: URLResolver, prefix: str = "/") -> list[tuple[str, Any]]:
    """Every address of the shop with an example in the place of each variable, and its view."""
    found = []
    for entry in resolver.url_patterns:
        route = prefix + re.sub(r"<(?:(\w+):)?\w+>", lambda match: "7" if match[1] == "int" else "example", str(entry.pattern))
        if isinstance(entry, URLPattern):
            found.append((route, entry.callback))
        else:
            found += addresses(entry, route)
    return found


# What is drawn by catalog.shared: tests/catalog and tests/shop/test_headers.py hold that it is the same bytes for everybody.
SAME_FOR_EVERYBODY = [
    *(unwrap(view) for view in (views.home, views.product_list, views.category, views.suggestions)),
    *(unwrap(view) for view in (product_views.product, product_views.reviews)),
    *(unwrap(view) for view in (page_views.terms, page_views.privacy, page_views.delivery_and_returns, page_views.contact)),
]
# Public by their nature, and made for machines: the same bytes for everybody.
MACHINES = ("/sitemap", "/robots.txt")


def test_the_cdn_keeps_pages_that_are_the_same_for_everybody_and_no_other(resources: dict[str, Any]) -> None:
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    kept = {
        path: view
        for path, view in addresses(get_resolver())
        if behaviour_of(path, config)["CachePolicyId"] == {"Ref": "CataloguePolicy"}
    }

    personal = [path for path, view in kept.items() if not _is_same_for_everybody(view) and not path.startswith(MACHINES)]
    assert personal == [], "give them a behaviour of their own before /products/*, as /products/*/tell-me/ has"
    missed = [path for path, view in addresses(get_resolver()) if _is_same_for_everybody(view) and path not in kept]
    assert missed == []


def _is_same_for_everybody(view: Any) -> bool:
    return unwrap(view) in SAME_FOR_EVERYBODY


def test_no_cookie_reaches_the_pages_that_are_kept(resources: dict[str, Any]) -> None:
    policy = resources["CataloguePolicy"]["Properties"]["CachePolicyConfig"]
    parts = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    behaviours = resources["Distribution"]["Properties"]["DistributionConfig"]["CacheBehaviors"]

    assert (policy["MinTTL"], policy["DefaultTTL"]) == (0, 0)
    assert parts["CookiesConfig"] == {"CookieBehavior": "none"}
    # What shop.middleware.HtmxAnswers puts into Vary.
    assert parts["HeadersConfig"]["Headers"] == ["HX-Request", "HX-History-Restore-Request"]
    for behaviour in behaviours:
        if behaviour["CachePolicyId"] == {"Ref": "CataloguePolicy"}:
            assert "OriginRequestPolicyId" not in behaviour
            assert "POST" not in behaviour["AllowedMethods"]


def test_other_systems_come_in_by_signature_or_token_alone_with_the_apps_permissions(resources: dict[str, Any]) -> None:
    routes = of_type("AWS::ApiGatewayV2::Route", resources)
    ways = {(route["ApiId"]["Ref"], route["RouteKey"]): route["AuthorizationType"] for route in routes.values()}
    scopes = resources["SystemsResourceServer"]["Properties"]["Scopes"]

    assert ways == {
        ("Api", "$default"): "NONE",
        ("Api", "ANY /api/v1/{proxy+}"): "JWT",
        ("Api", "GET /api/v1/openapi.json"): "NONE",
        ("SystemsApi", "ANY /api/v1/{proxy+}"): "AWS_IAM",
    }
    assert {scope["ScopeName"] for scope in scopes} <= {permission.value for permission in Permission}
    assert routes["ApiForTokens"]["AuthorizationScopes"] == [f"shop/{scope['ScopeName']}" for scope in scopes]
