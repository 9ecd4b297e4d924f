"""What tests of staff's product pages stand on."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from django.conf import settings as django_settings
from django.test import Client

from tests import factories


@pytest.fixture
def bucket(tables: Any) -> Iterator[Any]:
    """The media bucket, empty."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=django_settings.MEDIA_BUCKET)
    yield s3
    for found in s3.list_objects_v2(Bucket=django_settings.MEDIA_BUCKET).get("Contents", []):
        s3.delete_object(Bucket=django_settings.MEDIA_BUCKET, Key=found["Key"])
    s3.delete_bucket(Bucket=django_settings.MEDIA_BUCKET)


@pytest.fixture
def editor(tables: Any, client: Client, sign_in: Callable[..., Any]) -> Client:
    """Somebody who may edit products, and a category to put them into."""
    factories.make_category()
    sign_in(client, "products.view", "products.edit")
    return client
