"""Files that are refused with nothing stored, or may cost no more than their share; and the command that takes in a folder."""

import io
import json
import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image, ImageFile

from catalog import photos
from tests.catalog.photos import corpus
from tests.catalog.photos.bucket import stored_keys
from tests.catalog.photos.looks import WIDTHS

ROOT = Path(__file__).parents[3]
MAX_EXTRA_MEMORY = 150_000_000


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
    command = [sys.executable, str(ROOT / "tests/catalog/photos/memory.py"), str(tmp_path)]
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
