"""Reading a bucket without a client."""

import io
from types import SimpleNamespace
from typing import Any

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


class _Wire:
    """A connection on which these statuses come, one a request."""

    def __init__(self, *statuses: int) -> None:
        self.statuses, self.sent = list(statuses), list[str]()

    def send(self, request: Any) -> Any:
        self.sent.append(request.url)
        status = self.statuses.pop(0)
        return SimpleNamespace(status_code=status, headers={"ETag": '"1"'}, raw=io.BytesIO(b"content"), text="SlowDown")


def _over(wire: _Wire) -> SignedReader:
    reader = SignedReader(bucket="shop", region="eu-west-1")
    reader._session = wire
    return reader


def test_a_bucket_in_trouble_is_asked_once_more() -> None:
    wire = _Wire(503, 200)

    found = _over(wire).get("a")

    assert found
    assert (found.etag, found.body.read()) == ('"1"', b"content")
    assert wire.sent == ["https://shop.s3.eu-west-1.amazonaws.com/a"] * 2


@pytest.mark.parametrize(("statuses", "asked"), [((503, 500), 2), ((403,), 1)])
def test_a_bucket_that_stays_in_trouble_or_refuses_is_an_error_with_its_words(statuses: tuple[int, ...], asked: int) -> None:
    wire = _Wire(*statuses)

    with pytest.raises(NoAnswer, match=f"^a was answered with {statuses[-1]}: SlowDown$"):
        _over(wire).get("a")

    assert len(wire.sent) == asked


def test_without_credentials_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shop.lib.aws.session", lambda: SimpleNamespace(get_credentials=lambda: None))
    with pytest.raises(NoAnswer, match="Unable to locate credentials"):
        SignedReader(bucket="shop", region="eu-west-1").get("a")
