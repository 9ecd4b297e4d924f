import json
import os
import subprocess
import sys
from pathlib import Path

from shop.local import environment

ROOT = Path(__file__).resolve().parents[3]
PLAIN_RUN = {
    "SHOP_LOCAL": "true",
    "SITE_ORIGIN": "http://127.0.0.1:8000",
    "TABLE_PREFIX": "dev-",
    "STRIPE_API_ORIGIN": "http://127.0.0.1:28000",
    "STRIPE_CHECKOUT_ORIGIN": "http://127.0.0.1:28000",
    "STRIPE_SECRET_KEY": "sk_test_local",
    "STRIPE_WEBHOOK_SECRET": "whsec_local_only_not_a_secret",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:18000",
    "AWS_ACCESS_KEY_ID": "local-shop",
    "AWS_SECRET_ACCESS_KEY": "local-shop-secret",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
COMPANY = {
    "AWS_PROFILE": "company",
    "AWS_ACCESS_KEY_ID": "AKIACOMPANY",
    "AWS_SECRET_ACCESS_KEY": "very-secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL_S3": "https://s3.example.com",
}


def completed(**given: str) -> dict[str, str]:
    environment.complete(given)
    return given


def test_with_nothing_said_it_is_the_shop_of_a_plain_make_run() -> None:
    assert completed(SHOP_LOCAL="true", HOME="/home/ann", SITE_ORIGIN="") == {**PLAIN_RUN, "HOME": "/home/ann"}


def test_the_keys_of_a_real_account_are_dropped_when_no_cloud_is_named() -> None:
    assert completed(SHOP_LOCAL="true", **COMPANY) == PLAIN_RUN


def test_what_is_said_stays() -> None:
    given = {name: f"{value}-of-mine" for name, value in PLAIN_RUN.items()} | {"AWS_PROFILE": "mine"}

    assert completed(**given) == given


def test_another_local_cloud_opens_with_the_same_keys() -> None:
    assert completed(AWS_ENDPOINT_URL="http://127.0.0.1:18123") == {**PLAIN_RUN, "AWS_ENDPOINT_URL": "http://127.0.0.1:18123"}


def test_settings_of_a_laptop_need_nothing_but_shop_local_and_botocore_sees_them_too() -> None:
    script = """
import json, shop.settings as settings, boto3
client = boto3.client("s3")
print(json.dumps([settings.SITE_ORIGIN, settings.AWS_ENDPOINT_URL, settings.TABLE_PREFIX, settings.STRIPE_API_ORIGIN,
                  settings.STRIPE_CHECKOUT_ORIGIN, client.meta.endpoint_url, client.meta.region_name,
                  client._request_signer._credentials.access_key]))
"""
    found = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**found, **COMPANY, "SHOP_LOCAL": "true"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [
        "http://127.0.0.1:8000",
        "http://127.0.0.1:18000",
        "dev-",
        "http://127.0.0.1:28000",
        "http://127.0.0.1:28000",
        "http://127.0.0.1:18000",
        "us-east-1",
        "local-shop",
    ]
