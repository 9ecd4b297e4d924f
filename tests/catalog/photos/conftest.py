"""The media bucket, for every test of photographs."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from catalog import photos
from catalog.photos import uploads
from shop.local.ministack import Ministack
from shop.local.prepare import create_media_bucket
from tests.catalog.photos.bucket import BUCKET, stored_keys


@pytest.fixture
def media(cloud: Ministack) -> Iterator[Any]:
    """The media bucket, empty; gives the client that reads and writes it raw."""
    create_media_bucket()
    client = photos.bucket()
    yield client
    for key in stored_keys():
        client.delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture
def signer(media: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Forms signed by a user with rights of its own: the local cloud believes whatever its root user is said to have signed."""
    iam = boto3.client("iam")
    iam.create_user(UserName="signer")
    allowed = {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/uploads/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName="signer", PolicyName="uploads", PolicyDocument=policy)
    key = iam.create_access_key(UserName="signer")["AccessKey"]
    client = boto3.client(
        "s3",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(signature_version="s3v4"),
    )
    monkeypatch.setattr(uploads, "bucket", lambda: client)
    yield
    iam.delete_access_key(UserName="signer", AccessKeyId=key["AccessKeyId"])
    iam.delete_user_policy(UserName="signer", PolicyName="uploads")
    iam.delete_user(UserName="signer")
