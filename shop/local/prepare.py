"""`python -m shop.local.prepare`: brings a local cloud to where the shop can start. Repeating it changes nothing."""

import argparse
import os
import sys
from email.utils import parseaddr

import boto3
import django
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.management import call_command

from catalog import index_queries
from catalog.search.engine import IndexMissing
from shop.lib.env import BadSetting


def main() -> None:
    """From the command line: `--empty` for a shop without the demo's products and people."""
    parser = argparse.ArgumentParser(prog="python -m shop.local.prepare", description=main.__doc__)
    parser.add_argument("--empty", action="store_true", help="no demo products and people")
    prepare(is_empty=parser.parse_args().empty)


def prepare(*, is_empty: bool = False) -> None:
    """Create what is missing: tables, the bucket, the sender's address, the demo shop or an empty search index."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    try:
        django.setup()
    except BadSetting as problem:
        sys.exit(str(problem))
    call_command("createtables")
    create_media_bucket()
    verify_sender()
    if is_empty:
        fill_missing_index()
    else:
        call_command("seed")


def fill_missing_index() -> None:
    """Publish a search index where there is none yet, so that the shop's lists work from the first product on."""
    try:
        index_queries.indexed_count()
    except IndexMissing:
        call_command("reindex")


def create_media_bucket() -> None:
    """Make the bucket of product photographs, and let the shop's own pages upload to it from a browser."""
    s3 = boto3.client("s3", region_name=settings.AWS_REGION)
    try:
        s3.create_bucket(Bucket=settings.MEDIA_BUCKET)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise
    rule = {"AllowedOrigins": [settings.SITE_ORIGIN], "AllowedMethods": ["GET", "POST"], "AllowedHeaders": ["*"]}
    s3.put_bucket_cors(Bucket=settings.MEDIA_BUCKET, CORSConfiguration={"CORSRules": [rule]})


def verify_sender() -> None:
    """Let the address that the shop's mails come from send: SES refuses everybody it does not know."""
    ses = boto3.client("sesv2", region_name=settings.AWS_REGION)
    _name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    try:
        ses.create_email_identity(EmailIdentity=address)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AlreadyExistsException":
            raise


if __name__ == "__main__":
    main()
