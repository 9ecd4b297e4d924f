"""Photographs on their way in: the form a browser posts, and what becomes of an upload."""

import io
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from PIL import Image
from pytest_django import Settings

from catalog import photos
from catalog.models import photo_of
from catalog.photos import uploads
from tests.catalog.photos import corpus
from tests.catalog.photos.bucket import BUCKET, content_of, put_upload, send, start, stored_keys
from tests.catalog.photos.looks import WIDTHS


@pytest.mark.usefixtures("signer")
def test_a_browser_sends_a_photograph_straight_into_the_bucket(now: datetime) -> None:
    upload = start(now)

    assert send(upload, corpus.jpeg()) == 204

    assert re.fullmatch(r"uploads/upl-[0-9a-z]{17}", upload.key)
    assert stored_keys() == [upload.key]
    assert content_of(upload.key) == corpus.jpeg()


def test_an_uploaded_photograph_is_kept_in_every_width_and_the_upload_is_gone(media: Any, now: datetime) -> None:
    upload = start(now)
    send(upload, corpus.jpeg())

    key = photos.finish_upload(key=upload.key)

    assert re.fullmatch(r"products/[0-9a-f]{32}", key)
    assert sorted(stored_keys()) == sorted([*(f"{key}/{width}.webp" for width in WIDTHS), f"{upload.key}.done"])
    found = media.head_object(Bucket=BUCKET, Key=f"{key}/640.webp")
    assert found["ContentType"] == "image/webp"
    assert found["CacheControl"] == "public, max-age=31536000, immutable"
    assert [Image.open(io.BytesIO(content_of(f"{key}/{width}.webp"))).size for width in WIDTHS] == [
        (320, 213),
        (640, 427),
        (960, 640),
        (1200, 800),
    ]


def test_pages_ask_for_the_names_that_were_stored(media: Any, settings: Settings) -> None:
    key = photos.store_photo(corpus.jpeg())

    srcset = photo_of(key).srcset

    assert sorted(entry.split()[0] for entry in srcset.split(", ")) == sorted(settings.MEDIA_URL + name for name in stored_keys())


@pytest.mark.usefixtures("signer")
@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Content-Type": "text/html"}, 403),
        ({"Content-Type": "image/png"}, 403),
        ({"key": "uploads/upl-00000000000000000"}, 403),
        ({"key": "products/0123456789abcdef/640.webp"}, 403),
        ({"acl": "public-read"}, 403),
        ({"x-amz-signature": "0" * 64}, 403),
        ({"policy": "e30="}, 403),
    ],
    ids=["a page", "another type", "another upload", "a product's photograph", "made public", "forged signature", "other policy"],
)
def test_a_form_that_was_changed_is_refused(changes: dict[str, str], status: int, now: datetime) -> None:
    assert send(start(now), corpus.jpeg(), **changes) == status
    assert stored_keys() == []


@pytest.mark.usefixtures("signer")
@pytest.mark.parametrize("size", [0, 15 * 1024 * 1024 + 1])
def test_the_bucket_refuses_a_file_that_is_empty_or_too_large_whatever_the_browser_said(size: int, now: datetime) -> None:
    assert send(start(now), bytes(size)) == 400
    assert stored_keys() == []


@pytest.mark.usefixtures("signer")
def test_a_form_is_good_for_ten_minutes_and_no_longer(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    assert timedelta(minutes=10) == uploads.FORM_LIFE
    monkeypatch.setattr(uploads, "FORM_LIFE", timedelta(seconds=-1))
    assert send(start(now), corpus.jpeg()) == 403
    assert stored_keys() == []


@pytest.mark.parametrize(
    "content_type", ["image/svg+xml", "image/gif", "text/html", "image/jpeg; charset=utf-8", "IMAGE/JPEG", ""]
)
def test_no_form_is_signed_for_other_types(content_type: str, now: datetime) -> None:
    with pytest.raises(photos.UnsupportedType) as refusal:
        photos.start_upload(content_type=content_type, size=1000, now=now)
    assert refusal.value.content_type == content_type


def test_no_form_is_signed_for_a_file_that_is_too_large(now: datetime) -> None:
    with pytest.raises(photos.TooLarge) as refusal:
        photos.start_upload(content_type="image/png", size=15_728_641, now=now)
    assert (refusal.value.size, refusal.value.limit) == (15_728_641, 15_728_640)


def test_no_form_is_signed_for_an_empty_file(now: datetime) -> None:
    with pytest.raises(photos.NotAnImage):
        photos.start_upload(content_type="image/png", size=0, now=now)


def test_finishing_again_gives_the_same_photograph(media: Any, now: datetime) -> None:
    upload = put_upload(corpus.jpeg(), now)
    first = photos.finish_upload(key=upload)
    before = stored_keys()

    assert photos.finish_upload(key=upload) == first
    assert stored_keys() == before


@pytest.mark.parametrize("broken_call", ["put_object", "delete_object"])
@pytest.mark.parametrize("calls_before", range(5))
def test_finishing_again_after_a_break_anywhere_completes_it(
    media: Any, now: datetime, monkeypatch: pytest.MonkeyPatch, broken_call: str, calls_before: int
) -> None:
    upload = put_upload(corpus.jpeg(), now)
    real, calls = getattr(media, broken_call), iter(range(100))

    def breaks(**arguments: Any) -> Any:
        if next(calls) == calls_before:
            raise ConnectionError
        return real(**arguments)

    with monkeypatch.context() as patch:
        patch.setattr(media, broken_call, breaks)
        happens = calls_before < (5 if broken_call == "put_object" else 1)
        if happens:
            with pytest.raises(ConnectionError):
                photos.finish_upload(key=upload)

    key = photos.finish_upload(key=upload)
    assert sorted(stored_keys()) == sorted([*(f"{key}/{width}.webp" for width in WIDTHS), f"{upload}.done"])


@pytest.mark.parametrize(
    "key",
    ["uploads/upl-00000000000000000", "products/0123456789abcdef/640.webp", "uploads/../products/x", "uploads/upl-0", "", "\n"],
)
def test_finishing_what_was_never_uploaded_is_refused(media: Any, key: str) -> None:
    stored = photos.store_photo(corpus.jpeg())
    before = stored_keys()
    for name in (key, f"{stored}/640.webp"):
        with pytest.raises(photos.UnknownUpload) as refusal:
            photos.finish_upload(key=name)
        assert refusal.value.key == name
    assert stored_keys() == before


def test_a_refused_upload_is_deleted_and_nothing_of_it_is_stored(media: Any, now: datetime) -> None:
    upload = put_upload(corpus.SVG, now)
    with pytest.raises(photos.NotAnImage):
        photos.finish_upload(key=upload)
    assert stored_keys() == []


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(
    media: Any, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = put_upload(bytes(photos.MAX_BYTES + 1), now)
    monkeypatch.setattr("botocore.response.StreamingBody.read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(photos.TooLarge) as refusal:
        photos.finish_upload(key=upload)
    assert refusal.value.size == 15_728_641
    assert stored_keys() == []


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_picture_that_comes_under_another_type_is_judged_by_its_bytes(media: Any, now: datetime, kind: str) -> None:
    key = photos.finish_upload(key=put_upload(corpus.as_bytes(corpus.picture(), kind), now))
    assert Image.open(io.BytesIO(content_of(f"{key}/320.webp"))).size == (320, 213)
