"""A whole stack in a local AWS, with its real functions behind it."""

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from infra.stack import Stack
from shop.local.fake_stripe import FakeStripe
from shop.local.ministack import Ministack
from tests.infra.datagrams import Datagrams
from tests.infra.functions import Function, image_folder

STRIPE_KEY, WEBHOOK_SECRET = "sk_test_canary4canary4canary4", "whsec_canary5canary5canary5"


@dataclass(frozen=True)
class Deployed:
    """The stack, its outputs, and what stands in for Lambda, X-Ray and Stripe."""

    stack: Stack
    cloud: Ministack
    outputs: dict[str, str]
    functions: dict[str, Function]
    stripe: FakeStripe
    secrets: dict[str, str]
    traces: Datagrams

    def client(self, service: str, **credentials: Any) -> Any:
        return client(self.cloud, service, **credentials)

    def credentials_of(self, function: str) -> dict[str, str]:
        """What the function's role gives it."""
        return credentials_of(self.cloud, self.stack, function)


def client(cloud: Ministack, service: str, **credentials: Any) -> Any:
    given = credentials or {"aws_access_key_id": cloud.access_key, "aws_secret_access_key": cloud.secret_key}
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name=cloud.region, **given)


def credentials_of(cloud: Ministack, stack: Stack, function: str) -> dict[str, str]:
    found = client(cloud, "lambda").get_function_configuration(FunctionName=f"{stack.name}-{function}")
    # Lambda does this as itself, which the role's trust is for; here the account's root stands in for it.
    iam, role = client(cloud, "iam"), found["Role"].rsplit("/", 1)[1]
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    root = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust | {"Statement": [*trust["Statement"], root]}))
    given = client(cloud, "sts").assume_role(RoleArn=found["Role"], RoleSessionName="test")["Credentials"]
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """The template as it is, deployed by the code that deploys it, every call checked against the roles' policies."""
    folder = tmp_path_factory.mktemp("stack")
    with ExitStack() as held:
        cloud = held.enter_context(Ministack())
        held.enter_context(patch.dict(os.environ, cloud.environment))
        stripe = held.enter_context(FakeStripe(api_key=STRIPE_KEY, webhook_secret=WEBHOOK_SECRET))
        traces = held.enter_context(Datagrams())
        stack = Stack("test", cloud.region)
        version = stack.keep_secret({"STRIPE_SECRET_KEY": STRIPE_KEY, "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET})
        change_set, _ = stack.propose(
            {
                "Environment": "test",
                "ImageUri": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/shop@sha256:{'0' * 64}",
                "SecretsName": stack.secret_name,
                "SecretsVersion": version,
                "EmailFrom": "shop@example.com",
                "StripeApiOrigin": stripe.base_url,
                "StripeCheckoutOrigin": stripe.base_url,
                "SearchLookSeconds": "1",
                "SystemsClient": "on",
                "StaffSignIn": "on",
                "CognitoDomainPrefix": "shop-test",
                "ApiSystems": "arn:aws:iam::000000000000:user/erp=products.view",
                # The local AWS has no anomaly detection and no budgets (the latter need an AlarmEmail).
                "RevenueAnomalies": "off",
            }
        )
        stack.apply(change_set)
        _stand_in_for_people_and_tls(stack, cloud)
        functions = _start(held, stack, cloud, image_folder(folder), folder, traces)
        secrets = json.loads(client(cloud, "secretsmanager").get_secret_value(SecretId=stack.secret_name)["SecretString"])
        yield Deployed(stack, cloud, stack.outputs(), functions, stripe, secrets, traces)


def _stand_in_for_people_and_tls(stack: Stack, cloud: Ministack) -> None:
    # Somebody follows the link that SES has sent to the sender's address.
    client(cloud, "ses").verify_email_identity(EmailAddress="shop@example.com")
    # The local AWS speaks plain http, which the buckets refuse.
    s3, media = client(cloud, "s3"), stack.outputs()["MediaBucketName"]
    policy = json.loads(s3.get_bucket_policy(Bucket=media)["Policy"])
    statements = [one for one in policy["Statement"] if one["Sid"] != "NobodyReadsInTheOpen"]
    assert len(statements) == len(policy["Statement"]) - 1
    s3.put_bucket_policy(Bucket=media, Policy=json.dumps(policy | {"Statement": statements}))
    # It checks the sending of mail against all addresses, where AWS checks it against the sender's.
    role = client(cloud, "lambda").get_function_configuration(FunctionName=f"{stack.name}-stream")["Role"].rsplit("/", 1)[1]
    mail = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [mail]})
    client(cloud, "iam").put_role_policy(RoleName=role, PolicyName="local", PolicyDocument=document)


def _start(held: ExitStack, stack: Stack, cloud: Ministack, image: Path, logs: Path, traces: Datagrams) -> dict[str, Function]:
    lambdas = client(cloud, "lambda")
    functions = {}
    for name in ("web", "stream", "jobs"):
        found = lambdas.get_function_configuration(FunctionName=f"{stack.name}-{name}")
        variables = found["Environment"]["Variables"]
        credentials = {key.upper(): value for key, value in credentials_of(cloud, stack, name).items()}
        environment = {
            **{key: value for key, value in variables.items() if value},
            **credentials,
            "AWS_REGION": cloud.region,
            "AWS_ENDPOINT_URL": cloud.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": found["FunctionName"],
            "AWS_XRAY_DAEMON_ADDRESS": traces.address,
            # Where the local AWS has the user pool's pages and keys.
            "COGNITO_SIGN_IN_URL": cloud.endpoint,
            "COGNITO_JWKS_URL": f"{cloud.endpoint}/{stack.outputs()['UserPoolId']}/.well-known/jwks.json",
        }
        [handler] = found["ImageConfigResponse"]["ImageConfig"]["Command"]
        function = Function(handler, environment=environment, folder=image, log=logs / f"{name}.log")
        functions[name] = held.enter_context(function)
        lambdas.update_function_configuration(
            FunctionName=found["FunctionName"],
            Environment={"Variables": {**variables, "MINISTACK_LAMBDA_PROXY_URL": function.url}},
        )
    return functions
