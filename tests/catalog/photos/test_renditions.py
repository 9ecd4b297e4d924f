"""Photographs as they are kept: widths, names, colours, and nothing but the picture."""

import io
from itertools import pairwise
from typing import Any

import pytest
from PIL import Image, ImageCms

from catalog import photos
from catalog.photos import renditions
from tests.catalog.photos import corpus
from tests.catalog.photos.bucket import stored_keys
from tests.catalog.photos.looks import BRICK, GREEN, GROUND, WHITE, WIDTHS, rendered, shows


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
