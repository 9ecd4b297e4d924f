import os
import time
from pathlib import Path

import pytest

from shop.local.saves import Saves


@pytest.fixture
def code(tmp_path: Path) -> Path:
    for name in ("manage.py", "catalog/views.py", "catalog/page.html", ".venv/lib/library.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    return tmp_path


@pytest.fixture
def saves(code: Path) -> Saves:
    made = Saves(code)
    made.look()
    return made


def test_a_changed_python_file_is_noticed_once(code: Path, saves: Saves) -> None:
    (code / "catalog/views.py").write_text("2")

    assert [saves.any_since_last_look() for _ in range(2)] == [True, False]


@pytest.mark.parametrize("name", ["catalog/forms.py", "cart/views.py"])
def test_a_new_file_is_a_save(code: Path, saves: Saves, name: str) -> None:
    (code / name).parent.mkdir(exist_ok=True)
    (code / name).write_text("1")

    assert saves.any_since_last_look() is True


def test_a_deleted_file_is_one_too(code: Path, saves: Saves) -> None:
    (code / "catalog/views.py").unlink()

    assert saves.any_since_last_look() is True


@pytest.mark.parametrize("name", ["catalog/page.html", ".venv/lib/library.py", "catalog/__pycache__/views.py"])
def test_what_is_no_code_of_the_shop_is_not_looked_at(code: Path, saves: Saves, name: str) -> None:
    (code / name).parent.mkdir(exist_ok=True)
    (code / name).write_text("2")

    assert saves.any_since_last_look() is False


def test_a_save_after_a_moment_is_told_from_one_before_it_and_from_a_wrong_clock(code: Path) -> None:
    saves, file = Saves(code), code / "catalog/views.py"
    an_hour = 3_600_000_000_000
    now = time.time_ns()

    assert saves.any_after(now - an_hour)
    assert not saves.any_after(now)
    os.utime(file, ns=(now, now + an_hour))
    assert not saves.any_after(now)
