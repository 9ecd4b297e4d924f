"""Photographs: what is taken in, what becomes of it, and what is refused with nothing stored."""

import io
import json
import os
import random
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from django.core.management import CommandError, call_command
from PIL import Image, ImageCms, ImageFile
from pytest_django import Settings

from catalog import photos
from catalog.models import photo_of
from catalog.photos import renditions, uploads
from shop.local.ministack import Ministack
from shop.local.prepare import create_media_bucket
from tests.catalog import photo_corpus as corpus

ROOT = Path(__file__).parents[2]
BUCKET = "shop-media"
MAX_EXTRA_MEMORY = 150_000_000
BRICK, GREEN, WHITE, GROUND = (180, 60, 40), (40, 120, 60), (255, 255, 255), (0xFB, 0xF9, 0xF5)
WIDTHS = ("320", "640", "960", "1200")


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


def stored_keys() -> list[str]:
    return [item["Key"] for item in photos.bucket().list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def content_of(key: str) -> bytes:
    return bytes(photos.bucket().get_object(Bucket=BUCKET, Key=key)["Body"].read())


def send(upload: photos.Upload, content: bytes, **changes: str) -> int:
    """Post the form as a browser does; the status of the answer."""
    boundary = "a-line-between-fields"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (upload.fields | changes).items()
    ]
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="mug.jpg"\r\n\r\n'.encode())
    body = b"".join([*parts, content, f"\r\n--{boundary}--\r\n".encode()])
    request = urllib.request.Request(upload.url, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


def start(now: datetime, content_type: str = "image/jpeg") -> photos.Upload:
    return photos.start_upload(content_type=content_type, size=1000, now=now)


def put_upload(content: bytes, now: datetime) -> str:
    """The key of an upload that is there."""
    key = start(now).key
    photos.bucket().put_object(Bucket=BUCKET, Key=key, Body=content, ContentType="image/jpeg")
    return key


def rendered(data: bytes, width: int = 1200) -> Image.Image:
    with Image.open(io.BytesIO(photos.webp_widths(data)[width])) as opened:
        assert opened.format == "WEBP"
        assert opened.mode == "RGB"
        opened.load()
        return opened


def shows(picture: Image.Image, across: float, down: float, colour: tuple[int, int, int], within: int = 8) -> bool:
    """Whether the picture has about this colour at this place, given in parts of its width and height."""
    found = picture.getpixel((int(across * picture.width), int(down * picture.height)))
    assert isinstance(found, tuple)
    return all(abs(one - other) <= within for one, other in zip(found, colour, strict=True))


# --- Uploads ----------------------------------------------------------------------------------------------------------


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


# --- What is stored ---------------------------------------------------------------------------------------------------


def test_the_same_photograph_has_the_same_name_and_another_one_another(media: Any) -> None:
    first = photos.store_photo(corpus.jpeg())
    again = photos.store_photo(corpus.jpeg())
    other = photos.store_photo(corpus.as_bytes(corpus.picture(1499), "JPEG"))
    assert first == again != other
    assert len(stored_keys()) == 8


def test_a_photograph_encoded_otherwise_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names are kept by browsers for a year: one must never come to mean other bytes."""
    before = photos.photo_key(photos.webp_widths(corpus.jpeg()))
    monkeypatch.setattr(renditions, "_QUALITY", 60)
    assert photos.photo_key(photos.webp_widths(corpus.jpeg())) != before


@pytest.mark.parametrize(
    ("size", "sizes"),
    [
        ((2400, 3000), [(320, 400), (640, 800), (960, 1200), (1200, 1500)]),
        ((1200, 1200), [(320, 320), (640, 640), (960, 960), (1200, 1200)]),
        ((1199, 10), [(320, 3), (640, 5), (960, 8), (1199, 10)]),
        ((500, 400), [(320, 256), (500, 400), (500, 400), (500, 400)]),
        ((320, 2), [(320, 2)] * 4),
        ((1, 1), [(1, 1)] * 4),
        ((12_000, 1), [(320, 1), (640, 1), (960, 1), (1200, 1)]),
        ((1, 12_000), [(1, 12_000)] * 4),
    ],
)
def test_a_photograph_is_kept_in_each_width_and_never_wider_than_it_was(
    size: tuple[int, int], sizes: list[tuple[int, int]]
) -> None:
    data = corpus.as_bytes(corpus.picture(*size), "PNG")
    assert [rendered(data, int(width)).size for width in WIDTHS] == sizes


def test_names_beyond_a_small_original_hold_the_very_same_bytes() -> None:
    encoded = photos.webp_widths(corpus.as_bytes(corpus.picture(500, 400), "PNG"))
    assert encoded[640] == encoded[960] == encoded[1200] != encoded[320]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photograph_is_put_upright(orientation: int) -> None:
    """Exif says how the camera was held; the upright picture is compared, with the white spot where Exif says it was."""
    shown = rendered(corpus.with_exif(orientation))
    lies = orientation >= 5
    assert shown.size == ((1000, 1500) if lies else (1200, 800))
    right = orientation in (2, 3, 6, 7)
    low = orientation in (3, 4, 7, 8)
    assert shows(shown, 0.95 if right else 0.05, 0.95 if low else 0.05, WHITE)
    brick_at = (0.5, 0.75 if low else 0.25) if lies else (0.75 if right else 0.25, 0.5)
    assert shows(shown, *brick_at, BRICK)
    assert shows(shown, 1 - brick_at[0], 1 - brick_at[1], GREEN)


@pytest.mark.parametrize("exif", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"nonsense" * 9])
def test_exif_that_makes_no_sense_turns_nothing(exif: bytes) -> None:
    assert rendered(corpus.webp_with_exif(exif)).size == (1200, 800)


def test_nothing_is_kept_but_the_picture() -> None:
    data = corpus.with_exif()
    for secret in (b"Secret Camera Works", b"secret comment", b"secret xmp"):
        assert secret in data
    for encoded in photos.webp_widths(data).values():
        opened = Image.open(io.BytesIO(encoded))
        assert set(opened.info) <= {"loop", "background", "timestamp", "duration"}
        assert dict(opened.getexif()) == {}
        # One lossy picture and nothing else, to the last byte.
        assert encoded[12:16] == b"VP8 "
        assert len(encoded) == 8 + int.from_bytes(encoded[4:8], "little")
        assert len(encoded) == 20 + (size := int.from_bytes(encoded[16:20], "little")) + size % 2


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("a JPEG with a zip behind it", b"PK\x03\x04"),
        ("a JPEG with a zip behind it", b"Evil.class"),
        ("a JPEG with a page in its comment", b"<script"),
    ],
)
def test_what_hides_beside_the_pixels_is_gone(name: str, hidden: bytes) -> None:
    assert hidden in corpus.file(name)
    assert not [width for width, encoded in photos.webp_widths(corpus.file(name)).items() if hidden in encoded]


def test_a_photograph_in_a_wider_colour_space_is_turned_into_srgb() -> None:
    swapped = bytearray(corpus.srgb_profile())
    # A profile whose red and blue have changed places, so that what it does can be seen.
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ")
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    shown = rendered(corpus.with_profile(bytes(swapped)))
    assert shows(shown, 0.25, 0.5, BRICK[::-1], within=12)


def test_a_profile_of_srgb_changes_no_colour() -> None:
    assert shows(rendered(corpus.with_profile(corpus.srgb_profile())), 0.25, 0.5, BRICK)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("profile", [b"nonsense" * 100, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_profile_that_is_broken_or_about_other_colours_is_as_good_as_none(kind: str, profile: bytes) -> None:
    assert shows(rendered(corpus.with_profile(profile, kind=kind)), 0.25, 0.5, BRICK)


@pytest.mark.parametrize("profile", [None, corpus.srgb_profile()])
@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("P", "PNG"), ("RGBA", "PNG"), ("RGBA", "WEBP"), ("RGB", "WEBP"), ("RGB", "PNG")]
)
def test_every_mode_a_picture_comes_in_shows_its_colours(mode: str, kind: str, profile: bytes | None) -> None:
    shown = rendered(corpus.as_bytes(corpus.picture(mode=mode), kind, icc_profile=profile))
    assert shown.size == (1200, 800)
    assert shows(shown, 0.25, 0.5, BRICK)
    assert shows(shown, 0.75, 0.5, GREEN)


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_a_grey_picture_stays_grey(mode: str) -> None:
    grey = Image.new("L", (1500, 1000), 0)
    grey.paste(255, (750, 0, 1500, 1000))
    shown = rendered(corpus.as_bytes(grey.convert(mode), "PNG"))
    assert shows(shown, 0.25, 0.5, (0, 0, 0))
    assert shows(shown, 0.75, 0.5, WHITE)


def test_sixteen_bits_are_scaled_to_eight_and_not_cut_off() -> None:
    deep = Image.new("I;16", (1500, 1000), 128 * 256)
    assert shows(rendered(corpus.as_bytes(deep, "PNG")), 0.5, 0.5, (128, 128, 128), within=2)


def test_what_one_can_see_through_shows_the_ground_of_the_shop() -> None:
    clear = Image.new("RGBA", (1500, 1000), (180, 60, 40, 0))
    clear.paste((40, 120, 60, 255), (750, 0, 1500, 1000))
    palette = clear.convert("P")
    palette.info["transparency"] = palette.getpixel((0, 0))
    for data in (corpus.as_bytes(clear, "PNG"), corpus.as_bytes(clear, "WEBP", lossless=True)):
        shown = rendered(data)
        assert shows(shown, 0.25, 0.5, GROUND, within=2)
        assert shows(shown, 0.75, 0.5, GREEN)
    assert shows(rendered(corpus.as_bytes(palette, "PNG")), 0.25, 0.5, GROUND, within=2)


@pytest.mark.parametrize("kind", ["WEBP", "PNG"])
def test_of_a_moving_picture_the_first_is_kept(kind: str) -> None:
    shown = rendered(corpus.animated(kind))
    assert shown.size == (400, 300)
    assert getattr(shown, "n_frames", 1) == 1
    assert shows(shown, 0.5, 0.5, BRICK)


def test_a_large_picture_made_smaller_in_strips_shows_no_seams() -> None:
    slope = Image.linear_gradient("L").resize((4000, 4000))
    shown = rendered(corpus.as_bytes(slope, "PNG")).convert("L")
    column = shown.crop((600, 0, 601, 1200)).tobytes()
    assert max(abs(b - a) for a, b in pairwise(column)) <= 3


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "refusal"), corpus.REFUSED.items())
def test_a_hostile_or_broken_file_is_refused_by_name_and_nothing_is_stored(media: Any, name: str, refusal: str) -> None:
    with pytest.raises(getattr(photos, refusal)):
        photos.store_photo(corpus.file(name))
    assert stored_keys() == []


@pytest.mark.parametrize("name", corpus.TAKEN)
def test_a_file_that_asks_for_much_becomes_a_photograph(name: str) -> None:
    assert sorted(photos.webp_widths(corpus.file(name))) == [320, 640, 960, 1200]


def test_a_refusal_says_how_large_the_picture_is() -> None:
    with pytest.raises(photos.TooManyPixels) as refusal:
        photos.webp_widths(corpus.file("20,000 x 20,000 PNG"))
    values = (refusal.value.width, refusal.value.height, refusal.value.limit, refusal.value.max_side)
    assert values == (20_000, 20_000, 40_000_000, 12_000)


def test_a_file_that_is_too_large_is_refused_unread() -> None:
    with pytest.raises(photos.TooLarge):
        photos.webp_widths(bytes(photos.MAX_BYTES + 1))


def test_pillow_guesses_no_end_of_a_truncated_file() -> None:
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    assert Image.MAX_IMAGE_PIXELS == 40_000_000


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_with_broken_bytes_is_a_photograph_or_refused_and_nothing_else(kind: str) -> None:
    chance = random.Random(11)
    whole = corpus.as_bytes(corpus.picture(300, 200), kind)
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(min(len(broken), chance.choice((60, 400, 10**6))))] = chance.randrange(256)
        cut = bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))])
        with suppress(photos.PhotoRefused):
            assert sorted(photos.webp_widths(cut)) == [320, 640, 960, 1200]


def test_no_file_takes_more_than_its_share_of_memory(tmp_path: Path) -> None:
    names = {str(number): name for number, name in enumerate([*corpus.REFUSED, *corpus.TAKEN])}
    for number, name in names.items():
        (tmp_path / number).write_bytes(corpus.file(name))
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(ROOT / "tests/catalog/photo_memory.py"), str(tmp_path)]
    costs = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120).stdout)
    for number, cost in costs.items():
        print(f"{cost['bytes'] / 1e6:6.1f} MB {cost['seconds']:5.2f} s  {names[number]}")  # noqa: T201 - shown with -s
    assert len(costs) == len(names)
    assert {names[number]: cost for number, cost in costs.items() if cost["bytes"] > MAX_EXTRA_MEMORY} == {}


# --- The command ------------------------------------------------------------------------------------------------------


def run_command(folder: Path, **options: Any) -> tuple[str, str, str]:
    """What the command says, what it complains of, and what it ends with."""
    out, err = io.StringIO(), io.StringIO()
    end = ""
    try:
        call_command("processphotos", str(folder), stdout=out, stderr=err, no_color=True, **options)
    except CommandError as error:
        end = str(error)
    return out.getvalue(), err.getvalue(), end


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cup.jpg").write_bytes(corpus.jpeg())
    (tmp_path / "logo.png").write_bytes(corpus.SVG)
    (tmp_path / "mug.png").write_bytes(corpus.as_bytes(corpus.picture(500, 400), "PNG"))
    (tmp_path / ".DS_Store").write_bytes(b"hidden")
    (tmp_path / "more").mkdir()
    return tmp_path


def test_a_folder_is_taken_in_and_each_refused_file_named_with_its_reason(media: Any, folder: Path) -> None:
    cup, mug = (photos.photo_key(photos.webp_widths((folder / name).read_bytes())) for name in ("cup.jpg", "mug.png"))

    out, err, end = run_command(folder)

    assert out == f"[1/3] cup.jpg -> {cup}\n[3/3] mug.png -> {mug}\n2 stored\n"
    assert err == "[2/3] logo.png refused: not a JPEG, PNG or WebP picture\n"
    assert end == "1 of 3 files refused"
    assert sorted(stored_keys()) == sorted(f"{key}/{width}.webp" for key in (cup, mug) for width in WIDTHS)


def test_a_dry_run_says_the_same_and_stores_nothing(media: Any, folder: Path) -> None:
    (folder / "logo.png").unlink()
    dry, _, end = run_command(folder, dry_run=True)
    assert end == ""
    assert stored_keys() == []
    real, _, _ = run_command(folder)
    assert dry.splitlines()[:2] == real.splitlines()[:2]
    assert (dry.splitlines()[2], real.splitlines()[2]) == ("2 would be stored", "2 stored")


def test_every_reason_is_one_line(media: Any, tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(corpus.file("20,000 x 20,000 PNG"))
    (tmp_path / "2").write_bytes(corpus.jpeg()[:-3000])
    with (tmp_path / "3").open("wb") as file:
        file.truncate(photos.MAX_BYTES + 1)
    _, err, end = run_command(tmp_path)
    assert err.splitlines() == [
        "[1/3] 1 refused: 20,000 x 20,000 pixels: a picture of this kind may have 40.0 megapixels and 12,000 pixels a side",
        "[2/3] 2 refused: damaged or incomplete",
        "[3/3] 3 refused: 15,728,641 bytes are more than 15,728,640",
    ]
    assert end == "3 of 3 files refused"
    assert stored_keys() == []


def test_a_folder_that_is_none_or_empty_is_an_error(tmp_path: Path) -> None:
    assert run_command(tmp_path / "gone")[2] == f"{tmp_path / 'gone'} is not a folder"
    assert run_command(tmp_path)[2] == f"there is no file in {tmp_path}"


def test_the_shop_starts_without_pillow_and_boto3() -> None:
    code = "import catalog.photos, sys; sys.exit('PIL' in sys.modules or 'boto3' in sys.modules)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "shop.settings"}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0
