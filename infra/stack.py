"""The stack: its secret, its template, its change sets. For infra/deploy.py, and for tests against a local AWS."""

import base64
import json
import os
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

TEMPLATE = Path(__file__).with_name("template.yaml")
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
ABSENT = ("", "REVIEW_IN_PROGRESS", "DELETE_COMPLETE")
"""How a stack stands that is not there, or not yet."""
_POLL_SECONDS = 0.5
_GENERATED: dict[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(64),
    "JWT_KEYS": lambda: f"k{time.strftime('%Y%m%d')}:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("="),
    "ORIGIN_SECRET": lambda: secrets.token_urlsafe(32),
    "SECRET_KEY_FALLBACKS": lambda: "",
}
"""What the first deployment makes up by itself."""
_GIVEN = ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET")
"""What only its owner knows."""
SECRETS = (*_GENERATED, *_GIVEN)


class Failed(Exception):
    """The deployment cannot go on; the message says why."""


@dataclass(frozen=True)
class Stack:
    """One environment of the shop in one region."""

    environment: str
    region: str

    @property
    def name(self) -> str:
        """Of the stack, and the beginning of its functions' and buckets' names."""
        return f"shop-{self.environment}"

    @property
    def secret_name(self) -> str:
        """Of the secret, which outlives the stack."""
        return f"shop/{self.environment}"

    @property
    def bucket(self) -> str:
        """Where templates are put: CloudFormation takes larger ones from S3 alone."""
        return f"shop-deployments-{self._account}-{self.region}"

    def client(self, service: str) -> Any:
        """A client in the stack's region."""
        return _client(service, self.region, os.environ.get("AWS_ENDPOINT_URL", ""))

    @property
    def _account(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    def keep_secret(self, given: Mapping[str, str]) -> str:
        """Write what is given and what is missing into the secret, keeping the rest; its version. Raises Failed."""
        manager = self.client("secretsmanager")
        try:
            found = manager.get_secret_value(SecretId=self.secret_name)
        except manager.exceptions.ResourceNotFoundException:
            found = None
        known: dict[str, str] = json.loads(found["SecretString"]) if found else {}
        wanted = {name: make() for name, make in _GENERATED.items()} | known | dict(given)
        missing = [name for name in _GIVEN if not wanted.get(name)]
        if missing:
            raise Failed(f"The first deployment needs {' and '.join(missing)} in its environment; later ones remember them.")
        if found and wanted == known:
            return str(found["VersionId"])
        text = json.dumps(wanted)
        if found:
            return str(manager.put_secret_value(SecretId=self.secret_name, SecretString=text)["VersionId"])
        return str(manager.create_secret(Name=self.secret_name, SecretString=text)["VersionId"])

    def publish_template(self) -> str:
        """Put the template where CloudFormation finds it; its address."""
        s3 = self.client("s3")
        place = {} if self.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
        try:
            s3.create_bucket(Bucket=self.bucket, **place)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                raise
        key = f"{self.environment}/{int(time.time())}-{secrets.token_hex(4)}.yaml"
        s3.put_object(Bucket=self.bucket, Key=key, Body=self._template().encode())
        return f"https://s3.{self.region}.amazonaws.com/{self.bucket}/{key}"

    def _template(self) -> str:
        """The template with the names of tables and buckets written out: CloudFormation takes over none by a reckoned name."""
        known = {
            "Environment": self.environment,
            "AWS::StackName": self.name,
            "AWS::AccountId": self._account,
            "AWS::Region": self.region,
        }

        def written(line: re.Match[str]) -> str:
            name = re.sub(r"\$\{([\w:]+)\}", lambda part: known[part[1]], line[2])
            return f"{line[1]}'{name}'"

        return re.sub(r"^( +(?:TableName|BucketName): )!Sub '(.+)'$", written, TEMPLATE.read_text(), flags=re.MULTILINE)

    def status(self) -> str:
        """CloudFormation's word for how the stack stands; empty when there is none."""
        try:
            return str(self._describe()["StackStatus"])
        except ClientError:
            return ""

    def outputs(self) -> dict[str, str]:
        """What the stack tells of itself."""
        return {output["OutputKey"]: output["OutputValue"] for output in self._describe().get("Outputs", [])}

    def parameters(self) -> dict[str, str]:
        """What the stack was last deployed with."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self._describe().get("Parameters", [])}

    def propose(self, parameters: Mapping[str, str]) -> tuple[str, list[dict[str, Any]]]:
        """Make a change set; its name and what it would change (empty: nothing). Raises Failed."""
        cloud = self.client("cloudformation")
        if self.status() == "ROLLBACK_COMPLETE":  # a first deployment that failed left an empty stack, which nothing can change
            self.delete()
        name = f"deploy-{int(time.time())}-{secrets.token_hex(3)}"
        cloud.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="CREATE" if self.status() in ABSENT else "UPDATE",
            TemplateURL=self.publish_template(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=CAPABILITIES,
            # Tables and photographs that an earlier stack of this name has left are taken over, with what is in them.
            ImportExistingResources=True,
        )
        while True:
            found = cloud.describe_change_set(StackName=self.name, ChangeSetName=name)
            if found["Status"] in ("CREATE_COMPLETE", "FAILED"):
                break
            time.sleep(_POLL_SECONDS)
        changes = [change["ResourceChange"] for change in found["Changes"]]
        if found["Status"] == "FAILED" and not _is_empty(found.get("StatusReason", "")):
            raise Failed(f"The change set was refused: {found.get('StatusReason')}")
        return name, changes if found["Status"] == "CREATE_COMPLETE" else []

    def apply(self, change_set: str) -> None:
        """Do what the change set says and wait for it. Raises Failed with what went wrong."""
        cloud = self.client("cloudformation")
        cloud.execute_change_set(StackName=self.name, ChangeSetName=change_set)
        while (status := self.status()).endswith("_IN_PROGRESS"):
            time.sleep(_POLL_SECONDS)
        if status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            reasons = "".join(f"\n  {line}" for line in self._failures())
            raise Failed(f"The stack is {status}.{reasons}")

    def drop(self, change_set: str) -> None:
        """Forget a change set, and the empty stack that came with it if there was none before."""
        cloud = self.client("cloudformation")
        cloud.delete_change_set(StackName=self.name, ChangeSetName=change_set)
        if self.status() == "REVIEW_IN_PROGRESS":
            cloud.delete_stack(StackName=self.name)

    def delete(self) -> None:
        """End the stack; tables, photographs and people stay (docs/operations.md). Raises Failed."""
        self._empty(self.outputs().get("StaticBucketName", ""))
        self.client("cloudformation").delete_stack(StackName=self.name)
        while (status := self.status()).endswith("_IN_PROGRESS"):
            time.sleep(_POLL_SECONDS)
        if status not in ("", "DELETE_COMPLETE"):
            raise Failed(f"The stack is {status}." + "".join(f"\n  {line}" for line in self._failures()))

    def _empty(self, bucket: str) -> None:
        if bucket:
            s3 = self.client("s3")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for found in page.get("Contents", []):
                    s3.delete_object(Bucket=bucket, Key=found["Key"])

    def _describe(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return found

    def _failures(self) -> Iterator[str]:
        for event in self.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]:
            if event["ResourceStatus"].endswith("FAILED"):
                yield f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"


@cache
def _client(service: str, region: str, endpoint: str) -> Any:
    """One client for many calls: making one reads its service's whole description."""
    return boto3.client(service, region_name=region, endpoint_url=endpoint or None)


def _is_empty(reason: str) -> bool:
    return "didn't contain changes" in reason or "No updates" in reason
