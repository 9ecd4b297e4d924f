"""Reading a bucket without a client."""

import pytest

from catalog.search.signed import NoAnswer, SignedReader
from tests.catalog.search.shelf import Shelf


def reader_of(shelf: Shelf, bucket: str = "") -> SignedReader:
    return SignedReader(bucket=bucket or shelf.bucket, region="us-east-1", endpoint_url=shelf.cloud.endpoint)


def test_an_object_comes_with_its_tag(shelf: Shelf) -> None:
    put = shelf.client.put_object(Bucket=shelf.bucket, Key="a b/ü+%.json", Body=b"content")

    found = reader_of(shelf).get("a b/ü+%.json")

    assert found
    assert (found.etag, found.body.read()) == (put["ETag"], b"content")


def test_what_is_not_there_is_none(shelf: Shelf) -> None:
    assert reader_of(shelf).get("nothing") is None
    assert reader_of(shelf, bucket="no-such-bucket").get("nothing") is None


def test_a_bucket_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(NoAnswer):
        SignedReader(bucket="b", region="us-east-1", endpoint_url="http://127.0.0.1:9").get("a")


@pytest.mark.parametrize(
    ("bucket", "region", "base"),
    [
        ("shop", "eu-west-1", "https://shop.s3.eu-west-1.amazonaws.com"),
        ("shop.example", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/shop.example"),
        ("shop", "cn-north-1", "https://shop.s3.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_addresses_on_aws(bucket: str, region: str, base: str) -> None:
    assert SignedReader(bucket=bucket, region=region)._base == base
